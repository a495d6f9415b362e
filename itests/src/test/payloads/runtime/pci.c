/* PCI Local Bus 3.0, chapters 3.2.2.3 and 6, and PCI Express Base 4.0, section 7.2.2. */
#include "runtime.h"

u32 pci_read(function f, u32 offset, u32 width)
{
    out32(0xcf8, 0x80000000 | f << 8 | (offset & ~3u));
    u16 port = 0xcfc + (offset & 3);
    return width == 1 ? in8(port) : width == 2 ? in16(port) : in32(port);
}

void pci_write(function f, u32 offset, u32 width, u32 value)
{
    out32(0xcf8, 0x80000000 | f << 8 | (offset & ~3u));
    u16 port = 0xcfc + (offset & 3);
    if (width == 1)
        out8(port, value);
    else if (width == 2)
        out16(port, value);
    else
        out32(port, value);
}

static volatile void *ecam(function f, u32 offset) { return (void *)(acpi_ecam() + ((u64)f << 12) + offset); }

u32 ecam_read(function f, u32 offset, u32 width)
{
    volatile void *at = ecam(f, offset);
    return width == 1 ? load8(at) : width == 2 ? load16(at) : load32(at);
}

void ecam_write(function f, u32 offset, u32 width, u32 value)
{
    volatile void *at = ecam(f, offset);
    if (width == 1)
        store8(at, value);
    else if (width == 2)
        store16(at, value);
    else
        store32(at, value);
}

static void each_on(u32 bus, void (*found)(function f))
{
    for (u32 device = 0; device < 32; device++) {
        u32 functions = 1;
        for (u32 number = 0; number < functions; number++) {
            function f = FUNCTION(bus, device, number);
            if (pci_read(f, 0, 2) == 0xffff)
                continue;
            u32 header = pci_read(f, PCI_HEADER, 1);
            if (header & 0x80)
                functions = 8;
            found(f);
            u32 secondary = (header & 0x7f) == 1 ? pci_read(f, PCI_SECONDARY, 1) : 0;
            if (secondary > bus)
                each_on(secondary, found);
        }
    }
}

void pci_each(void (*found)(function f)) { each_on(0, found); }

static struct { u16 vendor, device, or_device; function f; } wanted;

static void compare(function f)
{
    u32 id = pci_read(f, 0, 4);
    if (wanted.f == NO_FUNCTION && (id & 0xffff) == wanted.vendor &&
        (id >> 16 == wanted.device || id >> 16 == wanted.or_device))
        wanted.f = f;
}

function pci_find(u16 vendor, u16 device, u16 or_device)
{
    wanted.vendor = vendor;
    wanted.device = device;
    wanted.or_device = or_device;
    wanted.f = NO_FUNCTION;
    pci_each(compare);
    return wanted.f;
}

u32 pci_capability(function f, u8 id, u32 after)
{
    u32 at = pci_read(f, after ? after + 1 : PCI_CAPABILITIES, 1);
    while (at && pci_read(f, at, 1) != id)
        at = pci_read(f, at + 1, 1);
    return at;
}

struct bar pci_bar(function f, u32 number)
{
    u32 at = PCI_BAR0 + 4 * number, command = pci_read(f, PCI_COMMAND, 2);
    pci_write(f, PCI_COMMAND, 2, command & ~3u);
    u32 low = pci_read(f, at, 4), high = 0, high_mask = ALL_ONES;
    struct bar bar = {.io = low & 1, .wide = (low & 7) == 4, .prefetchable = !(low & 1) && low & 8};
    pci_write(f, at, 4, ALL_ONES);
    u32 mask = pci_read(f, at, 4);
    pci_write(f, at, 4, low);
    if (bar.wide) {
        high = pci_read(f, at + 4, 4);
        pci_write(f, at + 4, 4, ALL_ONES);
        high_mask = pci_read(f, at + 4, 4);
        pci_write(f, at + 4, 4, high);
    }
    pci_write(f, PCI_COMMAND, 2, command);
    if (!mask)
        return bar;
    u32 flags = bar.io ? 3 : 15;
    if (bar.io)
        mask |= 0xffff0000;
    bar.address = (u64)high << 32 | (low & ~flags);
    bar.size = -((u64)high_mask << 32 | (mask & ~flags));
    return bar;
}

void pci_bar_move(function f, u32 number, u64 address)
{
    u32 at = PCI_BAR0 + 4 * number, command = pci_read(f, PCI_COMMAND, 2);
    bool wide = (pci_read(f, at, 4) & 7) == 4;
    pci_write(f, PCI_COMMAND, 2, command & ~3u);
    pci_write(f, at, 4, address);
    if (wide)
        pci_write(f, at + 4, 4, address >> 32);
    pci_write(f, PCI_COMMAND, 2, command);
}

volatile void *pci_bar_map(function f, u32 number)
{
    struct bar bar = pci_bar(f, number);
    if (!bar.size || bar.io)
        fail("function %04x has no BAR %u in memory", f, number);
    return map(bar.address, bar.size);
}
