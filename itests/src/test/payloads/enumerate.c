/* Walks all buses by ports 0xcf8 and 0xcfc, and compares with what memory shows of the same. */
#include "runtime.h"

static u32 functions, bridges, disagreements, clashes, last_bus, ports;
static function first_port = NO_FUNCTION;

static void list(function f)
{
    u32 id = pci_read(f, 0, 4), kind = pci_read(f, 8, 4) >> 8;
    print("%02x:%02x.%x %04x:%04x class %06x", f >> 8, f >> 3 & 31, f & 7, id & 0xffff, id >> 16, kind);
    functions++;
    for (u32 at = 0; at < 64; at += 4)
        disagreements += pci_read(f, at, 4) != ecam_read(f, at, 4);
    disagreements += pci_read(f, 9, 1) != ecam_read(f, 9, 1);
    disagreements += pci_read(f, 2, 2) != ecam_read(f, 2, 2);
    if ((pci_read(f, PCI_HEADER, 1) & 0x7f) == 1) {
        u32 buses = pci_read(f, 0x18, 4), memory = pci_read(f, 0x20, 4);
        print(" buses %02x-%02x memory %04x0000-%04xffff", buses >> 8 & 0xff, buses >> 16 & 0xff,
              memory & 0xfff0, memory >> 16 | 0xf);
        bridges++;
        clashes += (buses & 0xff) != f >> 8 || (buses >> 8 & 0xff) <= last_bus ||
                   (buses >> 16 & 0xff) < (buses >> 8 & 0xff);
        last_bus = buses >> 16 & 0xff;
        u32 express = pci_capability(f, 0x10, 0);
        if (express && (pci_read(f, express + 2, 2) >> 4 & 15) == 4) {
            ports++;
            if (first_port == NO_FUNCTION)
                first_port = f;
        }
    }
    print("\n");
}

/* Where 0xcf8 is no access of 32 bits it is none to the address register (section 3.2.2.3.2). */
static void address_register(void)
{
    out32(0xcf8, 0x80000000);
    out8(0xcfa, 0xff);
    check(in32(0xcf8) == 0x80000000, "the address register takes 32 bits at a time");
    out32(0xcf8, 0);
    check(in32(0xcfc) == ALL_ONES, "without the enable bit the data port reads as ones");
}

int main(void)
{
    pci_each(list);
    print("functions: %u bridges: %u root ports: %u\n", functions, bridges, ports);
    check(functions > 0 && pci_read(FUNCTION(0, 0, 0), 8, 4) >> 16 == 0x0600, "function 00:00.0 is a host bridge");
    check(!clashes, "every bridge has buses of its own");
    check(!disagreements, "ports and memory show the same of every function");
    check(ports == option("ports", ports), "there are as many root ports as told");
    check(pci_read(FUNCTION(0, 31, 7), 0, 4) == ALL_ONES, "a function that is not there reads as ones");
    check(ecam_read(FUNCTION(200, 3, 0), 0, 4) == ALL_ONES, "a bus that is not there reads as ones");
    address_register();
    if (first_port != NO_FUNCTION) {
        /* The interrupt line: a register for software's own use. */
        u32 was = ecam_read(first_port, 0x3c, 1);
        ecam_write(first_port, 0x3c, 1, 0x5a);
        check(pci_read(first_port, 0x3c, 1) == 0x5a, "a store by memory is read by port");
        pci_write(first_port, 0x3c, 1, was);
        check(ecam_read(first_port, 0x3c, 1) == was, "a write by port is loaded by memory");
    }
    return 0;
}
