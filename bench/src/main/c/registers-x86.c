/* What registers-riscv.c does, for x86-64: on the runtime of the payloads (itests/src/test/payloads). KHZ is the
 * rate of the time-stamp counter. */
#include "runtime.h"

#define ROUNDS ROUNDS_WANTED
#define TURNS 10

static void tell(const char *what, u64 took, u64 count)
{
    u64 tenths = took * 10000000 / KHZ / count;
    print("%s%lu.%lu ns\n", what, tenths / 10, tenths % 10);
}

static void measure(const char *load, const char *store, volatile u8 *at, u64 count)
{
    u64 loads = -1, stores = -1;
    /* The fastest of several turns: in the first the processor compiles the loop, and others share the host. */
    for (int turn = 0; turn < TURNS; turn++) {
        u64 began = rdtsc();
        for (u64 i = 0; i < count; i += 4) {
            load32(at); load32(at); load32(at); load32(at);
        }
        u64 middle = rdtsc();
        for (u64 i = 0; i < count; i += 4) {
            store32(at, i); store32(at, i); store32(at, i); store32(at, i);
        }
        u64 ended = rdtsc();
        loads = middle - began < loads ? middle - began : loads;
        stores = ended - middle < stores ? ended - middle : stores;
    }
    tell(load, loads, count);
    tell(store, stores, count);
}

int main(void)
{
    function f = pci_find(0x1b36, 0x0005, 0x0005);
    if (f == NO_FUNCTION)
        fail("there is no pci-testdev");
    volatile u8 *bar = pci_bar_map(f, 2);
    pci_write(f, PCI_COMMAND, 2, PCI_COMMAND_MEMORY);
    measure("mapped load ", "mapped store ", bar, ROUNDS);
    measure("trapped load ", "trapped store ", bar + 0x1000, ROUNDS / 10);
    return 0;
}
