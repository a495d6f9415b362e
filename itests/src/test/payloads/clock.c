/* Tells every few ticks of both the 8254 and the local APIC's timer, until a byte comes. */
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
    u32 told = 0, most = has_word("alone") ? 10 : ALL_ONES, pit_told = 0, timer_told = 0;
    u64 stamp = rdtsc();
    bool backwards = false;
    while (told < most && !received()) {
        halt();
        u64 now = rdtsc();
        backwards |= now < stamp;
        stamp = now;
        /* One that stands still is waited for in vain. */
        if (pit < pit_told + 5 || timer < timer_told + 5)
            continue;
        pit_told = pit;
        timer_told = timer;
        print("tick %u\n", ++told);
    }
    check(!backwards, "the time stamp counter never goes back");
    return 0;
}
