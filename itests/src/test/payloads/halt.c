/* Sleeps in hlt until something wakes: the 8254, the local APIC's timer in its ways, the UART. */
#include "runtime.h"

#define PIT_VECTOR 0x30
#define TIMER_VECTOR 0x31
#define COM1_VECTOR 0x32
#define TSC_DEADLINE_MSR 0x6e0

static volatile u32 pit, timer, uart;

static void on_pit(struct frame *frame)
{
    pit++;
    apic_eoi();
}

static void on_timer(struct frame *frame)
{
    timer++;
    apic_eoi();
}

static void on_uart(struct frame *frame)
{
    if ((in8(COM1 + 2) & 15) == 2)
        uart++;
    apic_eoi();
}

int main(void)
{
    handle(PIT_VECTOR, on_pit);
    handle(TIMER_VECTOR, on_timer);
    handle(COM1_VECTOR, on_uart);

    ioapic_route(acpi_gsi(0), PIT_VECTOR, false);
    u64 before = rdtsc();
    pit_start(200);
    wait_for(&pit, 5);
    u64 ticks = rdtsc() - before;
    pit_stop();
    ioapic_mask(acpi_gsi(0));
    check(pit >= 5 && ticks > 0, "the 8254 wakes, and the time stamp counter goes on meanwhile");

    apic_write(APIC_TIMER_DIVIDE, 0xb);
    apic_write(APIC_LVT_TIMER, TIMER_VECTOR);
    apic_write(APIC_TIMER_COUNT, 1000000);
    wait_for(&timer, 1);
    check(timer == 1 && !apic_read(APIC_TIMER_NOW), "the local APIC's timer wakes once");
    apic_write(APIC_LVT_TIMER, TIMER_VECTOR | APIC_TIMER_PERIODIC);
    apic_write(APIC_TIMER_COUNT, 1000000);
    wait_for(&timer, 4);
    apic_write(APIC_LVT_TIMER, 1 << 16);
    apic_write(APIC_TIMER_COUNT, 0);
    check(timer >= 4, "the local APIC's timer wakes again and again");
    if (cpuid(1, 0).ecx >> 24 & 1) {
        u32 now = timer;
        apic_write(APIC_LVT_TIMER, TIMER_VECTOR | APIC_TIMER_DEADLINE);
        fence();
        wrmsr(TSC_DEADLINE_MSR, rdtsc() + 2000000);
        wait_for(&timer, now + 1);
        check(!rdmsr(TSC_DEADLINE_MSR), "a deadline of the time stamp counter wakes");
    } else {
        print("no deadlines of the time stamp counter here\n");
    }

    ioapic_route(acpi_gsi(4), COM1_VECTOR, false);
    out8(COM1 + 4, 0x0b);
    /* Transmitter empty: pending at once, it is. */
    out8(COM1 + 1, 2);
    wait_for(&uart, 1);
    out8(COM1 + 1, 0);
    ioapic_mask(acpi_gsi(4));
    check(uart >= 1, "COM1's interrupt wakes");
    return 0;
}
