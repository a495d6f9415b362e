/* MSI-X: delivery, waking from hlt, masks of entry and function, and bits pending meanwhile. */
#include "pattern.h"

#define VECTOR 0x30
#define OTHER_VECTOR 0x31
#define ENTRY 1
#define FUNCTION_MASK 0xc000
#define ENABLE 0x8000

static struct disk disk;
static struct msix msix;
static u64 data[64] __attribute__((aligned(512)));
static volatile u32 arrived, other;

static void on_vector(struct frame *frame)
{
    arrived++;
    apic_eoi();
}

static void on_other(struct frame *frame)
{
    other++;
    apic_eoi();
}

/* One read; whether it completes is looked at in memory, not told by an interrupt. */
static void request(void) { check(disk_do(&disk, DISK_READ, 0, data, SECTOR), "a request completes"); }

static void lets_through(void)
{
    u32 before = arrived;
    disk_submit(&disk, 0, DISK_READ, 0, data, SECTOR);
    queue_ring(&disk.q);
    wait_for(&arrived, before + 1);
    check(queue_used(&disk.q) == 0 && arrived == before + 1, "a request's interrupt wakes the processor");
}

static void is_pending(void)
{
    /* The device sends after it has returned the request: wait for the bit. */
    while (!msix_pending(&msix, ENTRY))
        relax();
}

int main(void)
{
    function f = pci_find(0x1af4, 0x1042, 0x1001);
    if (f == NO_FUNCTION)
        fail("there is no virtio-blk");
    handle(VECTOR, on_vector);
    handle(OTHER_VECTOR, on_other);
    msix_begin(&msix, f);
    print("vectors: %u entries\n", msix.count);
    check(msix.count >= 2, "there are entries for the configuration and a queue");
    msix_set(&msix, ENTRY, VECTOR, false);
    disk_begin(&disk, ENTRY);
    for (u32 n = 0; n < 3; n++)
        lets_through();
    check(arrived == 3, "one interrupt for each request");

    msix_set(&msix, ENTRY, VECTOR, true);
    request();
    is_pending();
    enable_interrupts();
    disable_interrupts();
    check(arrived == 3, "a masked entry sends nothing");
    store32(msix.table + 16 * ENTRY + 12, 0);
    wait_for(&arrived, 4);
    check(!msix_pending(&msix, ENTRY), "unmasked, it sends what was pending");

    pci_write(f, msix.capability + 2, 2, FUNCTION_MASK);
    request();
    is_pending();
    check(arrived == 4, "a masked function sends nothing");
    pci_write(f, msix.capability + 2, 2, ENABLE);
    wait_for(&arrived, 5);
    check(!msix_pending(&msix, ENTRY), "unmasked, it sends what was pending");

    msix_set(&msix, ENTRY, OTHER_VECTOR, false);
    disk_submit(&disk, 0, DISK_READ, 0, data, SECTOR);
    queue_ring(&disk.q);
    wait_for(&other, 1);
    check(queue_used(&disk.q) == 0 && arrived == 5, "an entry's new vector is used");
    return 0;
}
