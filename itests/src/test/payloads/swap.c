/* Writes numbered blocks and reads each back while the host swaps the disk's code, four under way at
 * a time, until the host sends a byte. Block n is in sector n modulo `ring`. */
#include "pattern.h"

#define DEPTH 4
#define VECTOR 0x30

static struct disk disk;
static struct msix msix;
static u64 out[DEPTH * 64] __attribute__((aligned(512))), in[DEPTH * 64] __attribute__((aligned(512)));
static volatile u32 arrived;

static void on_vector(struct frame *frame)
{
    arrived++;
    apic_eoi();
}

/* Waits in hlt: an interrupt that a swap lost would be waited for in vain. */
static void complete(void)
{
    queue_ring(&disk.q);
    disable_interrupts();
    for (u32 back = 0; back < DEPTH;) {
        u32 seen = arrived;
        while (queue_used(&disk.q) >= 0)
            back++;
        if (back < DEPTH && arrived == seen)
            halt();
    }
}

int main(void)
{
    function f = pci_find(0x1af4, 0x1042, 0x1001);
    if (f == NO_FUNCTION)
        fail("there is no virtio-blk");
    handle(VECTOR, on_vector);
    msix_begin(&msix, f);
    msix_set(&msix, 1, VECTOR, false);
    disk_begin(&disk, 1);
    u64 ring = option("ring", 64), blocks = 0, most = option("blocks", has_word("alone") ? 400 : ~0u), wrong = 0;
    bool refused = false;
    while (blocks < most && !received()) {
        for (u32 n = 0; n < DEPTH; n++) {
            fill_pattern(out + n * 64, GUEST_KEY + blocks + n, (blocks + n) % ring, 1);
            disk_submit(&disk, n, DISK_WRITE, (blocks + n) % ring, out + n * 64, SECTOR);
        }
        complete();
        for (u32 n = 0; n < DEPTH; n++) {
            refused |= disk.requests[n].status != 0;
            disk_submit(&disk, n, DISK_READ, (blocks + n) % ring, in + n * 64, SECTOR);
        }
        complete();
        for (u32 n = 0; n < DEPTH; n++) {
            refused |= disk.requests[n].status != 0;
            wrong += !has_pattern(in + n * 64, GUEST_KEY + blocks + n, (blocks + n) % ring, 1);
        }
        memset(in, 0, sizeof in);
        blocks += DEPTH;
        if (blocks % 32 == 0)
            print("at %lu\n", blocks);
    }
    print("blocks: %lu\n", blocks);
    check(!refused, "no request failed");
    check(!wrong, "every block was read as it was written");
    return 0;
}
