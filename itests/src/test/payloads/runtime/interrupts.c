/* The interrupt table, the local APIC (Intel SDM, volume 3, chapter 10), the I/O APIC (82093AA) and
 * the 8254. The 8259As are masked. */
#include "runtime.h"

#define APIC_BASE_MSR 0x1b
#define APIC_BASE_X2APIC 0x400
#define APIC_BASE_ENABLE 0x800
#define X2APIC_MSR 0x800
#define APIC 0xfee00000ul
#define APIC_ID 0x20
#define APIC_EOI 0xb0
#define APIC_SPURIOUS 0xf0
#define APIC_COMMAND_LOW 0x300
#define APIC_COMMAND_HIGH 0x310
#define SPURIOUS_VECTOR 63

struct gate { u16 low, selector, kind, middle; u32 high, reserved; };
extern struct gate idt[64];
extern u8 entries[];
static void (*handlers[64])(struct frame *);
static bool x2apic;

void runtime_entered(struct frame *frame)
{
    if (frame->vector == SPURIOUS_VECTOR)
        return;
    if (!handlers[frame->vector]) {
        u64 cr2;
        asm volatile("mov %%cr2, %0" : "=r"(cr2));
        fail("vector %lu (error 0x%lx) at 0x%lx, cr2 0x%lx", frame->vector, frame->error, frame->rip, cr2);
    }
    handlers[frame->vector](frame);
}

void handle(u32 vector, void (*handler)(struct frame *)) { handlers[vector] = handler; }

void runtime_begin(void)
{
    for (u32 i = 0; i < 64; i++) {
        u64 at = (u64)entries + i * 16;
        idt[i] = (struct gate){at, 0x08, 0x8e00, at >> 16, at >> 32, 0};
    }
    out8(0x21, 0xff);
    out8(0xa1, 0xff);
    apic_enable();
}

void apic_write(u32 reg, u32 value)
{
    if (x2apic)
        wrmsr(X2APIC_MSR + reg / 16, value);
    else
        store32((void *)(APIC + reg), value);
}

u32 apic_read(u32 reg) { return x2apic ? rdmsr(X2APIC_MSR + reg / 16) : load32((void *)(APIC + reg)); }

void apic_enable(void)
{
    wrmsr(APIC_BASE_MSR, rdmsr(APIC_BASE_MSR) | APIC_BASE_ENABLE | (x2apic ? APIC_BASE_X2APIC : 0));
    apic_write(APIC_SPURIOUS, 0x100 | SPURIOUS_VECTOR);
    apic_write(APIC_TPR, 0);
}

void apic_use_x2apic(void)
{
    x2apic = true;
    apic_enable();
}

bool x2apic_mode(void) { return x2apic; }
u32 apic_id(void) { return x2apic ? apic_read(APIC_ID) : apic_read(APIC_ID) >> 24; }
void apic_eoi(void) { apic_write(APIC_EOI, 0); }

void apic_send(u32 id, u32 command)
{
    if (x2apic) {
        wrmsr(X2APIC_MSR + APIC_COMMAND_LOW / 16, (u64)id << 32 | command);
        return;
    }
    apic_write(APIC_COMMAND_HIGH, id << 24);
    apic_write(APIC_COMMAND_LOW, command);
    while (apic_read(APIC_COMMAND_LOW) & 1 << 12)
        relax();
}

static void ioapic_write(u32 reg, u32 value)
{
    u64 base = acpi_ioapic();
    store32((void *)base, reg);
    store32((void *)(base + 0x10), value);
}

void ioapic_route(u32 gsi, u32 vector, bool level)
{
    ioapic_write(0x11 + 2 * gsi, apic_id() << 24);
    ioapic_write(0x10 + 2 * gsi, vector | (level ? 1 << 15 : 0));
}

void ioapic_mask(u32 gsi) { ioapic_write(0x10 + 2 * gsi, 1 << 16); }

void pit_start(u32 hz)
{
    u32 count = PIT_HZ / hz;
    out8(0x43, 0x34);
    out8(0x40, count);
    out8(0x40, count >> 8);
}

void pit_stop(void) { out8(0x43, 0x30); }

void wait_for(volatile u32 *what, u32 least)
{
    disable_interrupts();
    while (*what < least)
        halt();
}
