/* INIT, then STARTUP at a page below 1 MiB (Intel SDM, volume 3, section 9.4.4). */
#include "runtime.h"

#define PAGE 0x8000ul

extern const u8 trampoline[], trampoline_end[];
static void (*volatile begins)(void);

void runtime_processor(void)
{
    void (*begin)(void) = begins;
    begins = NULL;
    apic_enable();
    begin();
}

void processor_start(u32 id, void (*begin)(void))
{
    memcpy((void *)PAGE, trampoline, trampoline_end - trampoline);
    begins = begin;
    fence();
    apic_send(id, APIC_INIT);
    apic_send(id, APIC_STARTUP | PAGE >> 12);
    /* One that was already started by the first takes no notice of a second. */
    apic_send(id, APIC_STARTUP | PAGE >> 12);
    while (begins)
        relax();
}
