/* Vectors that a device raises by eventfds, as one of the host's kernel does: delivery, masks of entry and
 * function, and bits pending meanwhile. */
#include "runtime.h"

#define VECTOR 0x30
#define OTHER_VECTOR 0x31
#define ENTRY 1
#define OTHER_ENTRY 2
#define FUNCTION_MASK 0xc000
#define ENABLE 0x8000

/* The BAR of the vectors, and where in it a vector's number raises it. */
#define BAR 4
#define RAISE 0xc00

static struct msix msix;
static volatile u8 *registers;
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

static void raise(u32 entry) { store32(registers + RAISE, entry); }

static void raise_pending(void)
{
    raise(ENTRY);
    /* An eventfd's way to the table goes over a thread: wait for the bit. */
    while (!msix_pending(&msix, ENTRY))
        relax();
}

int main(void)
{
    function f = pci_find(0x1b36, 0x0005, 0x0005);
    if (f == NO_FUNCTION)
        fail("there is no pci-testdev");
    handle(VECTOR, on_vector);
    handle(OTHER_VECTOR, on_other);
    msix_begin(&msix, f);
    check(msix.count == 3, "there are the vectors asked for");
    registers = pci_bar_map(f, BAR);
    msix_set(&msix, ENTRY, VECTOR, false);
    msix_set(&msix, OTHER_ENTRY, OTHER_VECTOR, false);
    for (u32 n = 1; n <= 100; n++) {
        raise(ENTRY);
        wait_for(&arrived, n);
    }
    raise(OTHER_ENTRY);
    wait_for(&other, 1);
    check(arrived == 100 && other == 1, "one interrupt for each signal, of the vector it is for");

    msix_set(&msix, ENTRY, VECTOR, true);
    raise_pending();
    raise(OTHER_ENTRY);
    wait_for(&other, 2);
    check(arrived == 100, "a masked entry sends nothing, and others do");
    store32(msix.table + 16 * ENTRY + 12, 0);
    wait_for(&arrived, 101);
    check(!msix_pending(&msix, ENTRY), "unmasked, it sends what was pending");

    pci_write(f, msix.capability + 2, 2, FUNCTION_MASK);
    raise_pending();
    check(arrived == 101, "a masked function sends nothing");
    pci_write(f, msix.capability + 2, 2, ENABLE);
    wait_for(&arrived, 102);

    msix_set(&msix, ENTRY, OTHER_VECTOR, false);
    raise(ENTRY);
    wait_for(&other, 3);
    check(arrived == 102, "an entry's new vector is used");
    return 0;
}
