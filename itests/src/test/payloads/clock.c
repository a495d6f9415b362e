/* Counts ticks of the 8254 and of the local APIC's timer, and tells every few, until a byte comes. */
#include "runtime.h"

#define PIT_VECTOR 0x30
#define TIMER_VECTOR 0x31

static volatile u32 pit, timer;

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

int main(void)
{
    handle(PIT_VECTOR, on_pit);
    handle(TIMER_VECTOR, on_timer);
    ioapic_route(acpi_gsi(0), PIT_VECTOR, false);
    apic_write(APIC_TIMER_DIVIDE, 0xb);
    apic_write(APIC_LVT_TIMER, TIMER_VECTOR | APIC_TIMER_PERIODIC);
    apic_write(APIC_TIMER_COUNT, 10000000);
    pit_start(100);
    disable_interrupts();
    u32 told = 0, timer_told = 0, most = has_word("alone") ? 10 : ALL_ONES;
    u64 stamp = rdtsc();
    bool backwards = false, stopped = false;
    while (told < most && !received()) {
        u32 before = pit;
        halt();
        u64 now = rdtsc();
        backwards |= now < stamp;
        stamp = now;
        if (pit == before || pit % 5)
            continue;
        /* Both timers go on, or none. */
        stopped |= timer == timer_told;
        timer_told = timer;
        print("tick %u\n", ++told);
    }
    check(!backwards, "the time stamp counter never goes back");
    check(!stopped, "the local APIC's timer goes on as the 8254 does");
    return 0;
}
