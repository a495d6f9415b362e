/* A BAR of pci-testdev with host memory behind it: reached without an exit but for one page, wherever the BAR
 * is, and only while it decodes. */
#include "runtime.h"

#define BAR 2
#define SIZE 0x100000
#define COUNTED 0x1000          /* a page in which stores are counted by the device */
#define BEYOND 0x2000

static volatile u8 *at(u64 address) { return map(address, SIZE); }

static void fill(volatile u8 *bar)
{
    store8(bar + 1, 0x11);
    store16(bar + 2, 0x2222);
    store32(bar + 4, 0x33333333);
    store64(bar + 8, 0x4444444444444444);
    store32(bar + COUNTED - 4, 0x5555);
    store32(bar + BEYOND, 0x6666);
    store32(bar + SIZE - 4, 0x7777);
}

static bool filled(volatile u8 *bar)
{
    return load8(bar + 1) == 0x11 && load16(bar + 2) == 0x2222 && load32(bar + 4) == 0x33333333
           && load64(bar + 8) == 0x4444444444444444 && load32(bar + COUNTED - 4) == 0x5555
           && load32(bar + BEYOND) == 0x6666 && load32(bar + SIZE - 4) == 0x7777;
}

static bool counts(volatile u8 *bar)
{
    u32 before = load32(bar + COUNTED);
    store32(bar + COUNTED, 1);
    store8(bar + BEYOND - 1, 1);
    return load32(bar + BEYOND - 4) == before + 2;
}

static bool silent(volatile u8 *bar)
{
    return load32(bar) == ALL_ONES && load32(bar + COUNTED) == ALL_ONES && load32(bar + BEYOND) == ALL_ONES;
}

int main(void)
{
    function f = pci_find(0x1b36, 0x0005, 0x0005);
    if (f == NO_FUNCTION)
        fail("there is no pci-testdev");
    struct bar bar = pci_bar(f, BAR);
    check(bar.size == SIZE && bar.wide, "there is the BAR");
    pci_write(f, PCI_COMMAND, 2, PCI_COMMAND_MEMORY);
    volatile u8 *here = at(bar.address);
    fill(here);
    check(filled(here), "loads of every width give what was stored");
    check(counts(here), "one page of it comes to the device");

    u64 there = bar.address + 4 * SIZE;
    check(silent(at(there)), "the new place is silent before");
    pci_bar_move(f, BAR, there);
    check(filled(at(there)), "the memory is at the new place");
    check(counts(at(there)), "so is the page that comes to the device");
    check(silent(here), "the old place is silent");

    pci_write(f, PCI_COMMAND, 2, 0);
    check(silent(at(there)), "without decoding it is silent");
    pci_write(f, PCI_COMMAND, 2, PCI_COMMAND_MEMORY);
    check(filled(at(there)) && counts(at(there)), "with decoding it is there again");

    /* Without turning decoding off, by halves: the upper half is the same. */
    pci_write(f, PCI_BAR0 + 4 * BAR, 4, bar.address);
    pci_write(f, PCI_BAR0 + 4 * BAR + 4, 4, bar.address >> 32);
    check(filled(here) && counts(here), "it moves back while it decodes");
    check(silent(at(there)), "the place that it left while it decoded is silent");

    /* Meanwhile the host does what the guest must not notice. */
    print("at work\n");
    u32 rounds = 0;
    bool kept = true;
    while (!received()) {
        store32(here + 16, ++rounds);
        kept &= load32(here + 16) == rounds && counts(here);
    }
    receive();
    check(kept, "no store is lost while the host is at work");
    check(filled(here), "the memory is as it was");
    return 0;
}
