/* Starts every processor that the MADT lists, and has them work on one counter and wake each other. */
#include "runtime.h"

#define WAKE 0x30
#define ROUNDS 100

static volatile u32 here, pings[8], work, lock_errors;
static u32 first;
static volatile u32 held;

static u32 index_of(u32 apic)
{
    u32 id;
    for (u32 n = 0; acpi_processor(n, &id); n++)
        if (id == apic)
            return n;
    fail("APIC id %u is not in the MADT", apic);
}

static void on_wake(struct frame *frame)
{
    pings[index_of(apic_id()) & 7]++;
    apic_eoi();
}

static void add(void)
{
    for (u32 n = 0; n < ROUNDS; n++) {
        u32 one = 1;
        do
            asm volatile("lock xchgl %0, %1" : "+r"(one), "+m"(held) : : "memory");
        while (one && (relax(), 1));
        if (++work == 0)
            lock_errors++;
        fence();
        held = 0;
    }
}

static void further(void)
{
    asm volatile("lock incl %0" : "+m"(here) : : "memory");
    add();
    /* Answers each wake with one to the first. */
    u32 me = index_of(apic_id()) & 7;
    for (u32 n = 1; n <= 5; n++) {
        wait_for(&pings[me], n);
        apic_send(first, WAKE);
    }
    asm volatile("lock incl %0" : "+m"(here) : : "memory");
}

int main(void)
{
    handle(WAKE, on_wake);
    if (cpuid(1, 0).ecx >> 21 & 1 && !has_word("xapic"))
        apic_use_x2apic();
    print("processors: by %s\n", x2apic_mode() ? "x2APIC" : "xAPIC");
    u32 id, count = 0;
    while (acpi_processor(count, &id))
        count++;
    check(count == option("cpus", count), "the MADT has as many processors as told: %u", count);
    first = apic_id();
    u32 mine = index_of(first);
    for (u32 n = 0; n < count; n++) {
        acpi_processor(n, &id);
        if (n == mine)
            continue;
        processor_start(id, further);
    }
    add();
    while (here < count - 1 || work < count * ROUNDS)
        relax();
    check(work == count * ROUNDS && !lock_errors, "no increment is lost among %u processors", count);
    u32 answers = 0;
    for (u32 n = 0; n < count; n++) {
        acpi_processor(n, &id);
        for (u32 round = 0; n != mine && round < 5; round++) {
            apic_send(id, WAKE);
            wait_for(&pings[mine & 7], ++answers);
        }
    }
    while (here < 2 * (count - 1))
        relax();
    check(pings[mine & 7] == 5 * (count - 1), "processors wake each other from hlt");
    return 0;
}
