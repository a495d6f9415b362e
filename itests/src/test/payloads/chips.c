/* The chips whose interrupts are ISA's, which are edges: every byte of the serial port is taken by an
 * interrupt and must be the next of a sequence, the clock interrupts 64 times a second, and neither
 * may come to a stop, whatever the host does to them meanwhile. */
#include "runtime.h"

#define SERIAL_IRQ 4
#define SERIAL_VECTOR 0x30
#define INTERRUPT_ENABLE (COM1 + 1)
#define INTERRUPT_IDENTIFICATION (COM1 + 2)
#define FIFO_CONTROL (COM1 + 2)
#define MODEM_CONTROL (COM1 + 4)
#define LINE_STATUS (COM1 + 5)
#define DATA_READY 0x01
#define OVERRUN 0x02
#define NOTHING_PENDING 0x01

#define CLOCK_IRQ 8
#define CLOCK_VECTOR 0x31
#define CLOCK_INDEX 0x70
#define CLOCK_DATA 0x71
#define CLOCK_A 0x0a
#define CLOCK_B 0x0b
#define CLOCK_C 0x0c
#define RATE_64_HZ 10
#define PERIODIC 0x40
#define IN_SECOND 64
#define PERIOD 251

static volatile u32 bytes, wrong, overruns, ticks;

static void on_serial(struct frame *frame)
{
    while (!(in8(INTERRUPT_IDENTIFICATION) & NOTHING_PENDING)) {
        u8 status;
        while ((status = in8(LINE_STATUS)) & DATA_READY) {
            overruns += (status & OVERRUN) != 0;
            wrong += in8(COM1) != bytes % PERIOD;
            bytes++;
        }
    }
    apic_eoi();
}

static u8 clock_read(u8 address)
{
    out8(CLOCK_INDEX, address);
    return in8(CLOCK_DATA);
}

static void clock_write(u8 address, u8 value)
{
    out8(CLOCK_INDEX, address);
    out8(CLOCK_DATA, value);
}

static void on_clock(struct frame *frame)
{
    ticks += (clock_read(CLOCK_C) & PERIODIC) != 0;
    apic_eoi();
}

int main(void)
{
    u32 wanted = has_word("alone") ? 0 : option("bytes", 0);
    handle(SERIAL_VECTOR, on_serial);
    handle(CLOCK_VECTOR, on_clock);
    ioapic_route(acpi_gsi(SERIAL_IRQ), SERIAL_VECTOR, false);
    ioapic_route(acpi_gsi(CLOCK_IRQ), CLOCK_VECTOR, false);
    clock_write(CLOCK_A, (clock_read(CLOCK_A) & 0x70) | RATE_64_HZ);
    clock_write(CLOCK_B, clock_read(CLOCK_B) | PERIODIC);
    clock_read(CLOCK_C);
    out8(FIFO_CONTROL, 0x87);
    out8(MODEM_CONTROL, 0x0b);
    print("waiting\n");
    out8(INTERRUPT_ENABLE, 1);
    disable_interrupts();
    u32 told = 0;
    for (u32 seen = 0, last = 0; bytes < wanted && ticks - last < 30 * IN_SECOND;) {
        halt();
        if (bytes != seen) {
            seen = bytes;
            last = ticks;
        }
        if (bytes / 1024 > told)
            print("at %u\n", told = bytes / 1024);
    }
    check(bytes >= wanted, "%u of %u bytes came", bytes, wanted);
    check(!wrong, "%u of them were not the next of the sequence", wrong);
    check(!overruns, "%u overruns", overruns);
    u32 then = ticks;
    wait_for(&ticks, then + IN_SECOND / 2);
    check(true, "the clock goes on");
    out8(INTERRUPT_ENABLE, 0);
    return 0;
}
