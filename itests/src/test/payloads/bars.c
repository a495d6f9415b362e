/* pci-testdev's BARs: sized, moved, and the old place silent. */
#include "runtime.h"

#define TEST 0                  /* write: begin this test */
#define WIDTH 1
#define DATA 8
#define OFFSET 4
#define COUNT 12

static u32 counted_in_memory(volatile u8 *at)
{
    store8(at + TEST, 0);
    u32 offset = load32(at + OFFSET), data = load8(at + DATA), before = load32(at + COUNT);
    store8(at + offset, data);
    store8(at + offset, data);
    return load32(at + COUNT) - before;
}

static u32 counted_at_ports(u16 at)
{
    out8(at + TEST, 0);
    u32 offset = in32(at + OFFSET), data = in8(at + DATA), before = in32(at + COUNT);
    out8(at + offset, data);
    out8(at + offset, data);
    return in32(at + COUNT) - before;
}

/* Test 0 of QEMU's device counts nothing while its event has no listener: then any difference will do. */
static bool answers_in_memory(volatile u8 *at)
{
    counted_in_memory(at);
    return load32(at + TEST) != ALL_ONES && load8(at + WIDTH) == 1;
}

static bool answers_at_ports(u16 at)
{
    counted_at_ports(at);
    return in32(at + TEST) != ALL_ONES && in8(at + WIDTH) == 1;
}

static bool silent_in_memory(volatile u8 *at) { return load32(at + TEST) == silence() && load8(at + COUNT) == (u8)silence(); }
static bool silent_at_ports(u16 at) { return in32(at + TEST) == ALL_ONES && in8(at + COUNT) == 0xff; }

int main(void)
{
    function f = pci_find(0x1b36, 0x0005, 0x0005);
    if (f == NO_FUNCTION)
        fail("there is no pci-testdev");
    pci_write(f, PCI_COMMAND, 2, PCI_COMMAND_IO | PCI_COMMAND_MEMORY);
    struct bar memory = pci_bar(f, 0), ports = pci_bar(f, 1), wide = pci_bar(f, 2);
    print("BAR 0 0x%lx+0x%lx BAR 1 0x%lx+0x%lx BAR 2 0x%lx+0x%lx\n", memory.address, memory.size,
          ports.address, ports.size, wide.address, wide.size);
    check(memory.size == 4096 && !memory.io && !(memory.address & 4095), "BAR 0 has 4096 bytes of memory");
    check(ports.size == 256 && ports.io && !(ports.address & 255), "BAR 1 has 256 ports");
    check(wide.size == option("membar", 0) << 20, "BAR 2 has the size told");
    check(!wide.size || (wide.wide && wide.prefetchable && !(wide.address & (wide.size - 1))), "BAR 2 is of 64 bits");

    volatile u8 *here = map(memory.address, 4096);
    check(answers_in_memory(here), "BAR 0 answers");
    check(answers_at_ports(ports.address), "BAR 1 answers");

    /* 1 MiB up, where the window has nothing yet. */
    u64 there = memory.address ^ 0x100000;
    check(silent_in_memory(map(there, 4096)), "the new place of BAR 0 is silent before");
    pci_bar_move(f, 0, there);
    check(pci_bar(f, 0).address == there, "BAR 0 reads as moved");
    check(answers_in_memory(map(there, 4096)), "BAR 0 answers at its new place");
    check(silent_in_memory(here), "the old place of BAR 0 is silent");

    u16 moved = ports.address ^ 0x400;
    pci_bar_move(f, 1, moved);
    check(answers_at_ports(moved), "BAR 1 answers at its new place");
    check(silent_at_ports(ports.address), "the old place of BAR 1 is silent");

    pci_write(f, PCI_COMMAND, 2, PCI_COMMAND_IO);
    check(silent_in_memory(map(there, 4096)), "without memory decoding BAR 0 is silent");
    check(answers_at_ports(moved), "without memory decoding BAR 1 answers");
    pci_write(f, PCI_COMMAND, 2, PCI_COMMAND_MEMORY);
    check(silent_at_ports(moved), "without I/O decoding BAR 1 is silent");
    check(answers_in_memory(map(there, 4096)), "with memory decoding BAR 0 answers again");

    pci_write(f, PCI_COMMAND, 2, PCI_COMMAND_IO | PCI_COMMAND_MEMORY);
    /* Without turning decoding off: a BAR of 32 bits is moved by one write. */
    pci_write(f, PCI_BAR0, 4, memory.address);
    check(answers_in_memory(here), "BAR 0 moves back while it decodes");
    check(silent_in_memory(map(there, 4096)), "the place that it left while it decoded is silent");
    pci_write(f, PCI_BAR0 + 4, 4, moved ^ 0x800);
    check(answers_at_ports(moved ^ 0x800), "BAR 1 moves while it decodes");
    check(silent_at_ports(moved), "the ports that it left while it decoded are silent");
    return 0;
}
