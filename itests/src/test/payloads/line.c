/* A pin that a device raises by an eventfd: it falls at the end of interrupt, of which another eventfd tells
 * the device. */
#include "runtime.h"

#define VECTOR 0x32
#define BAR 4
#define RAISE_LINE 0xc04
#define FINISHED 0xc08

/* Where the pins of bus 0 end. */
#define FIRST_PIN 16
#define PINS 8

static volatile u32 arrived;

static void on_line(struct frame *frame)
{
    arrived++;
    apic_eoi();
}

int main(void)
{
    function f = pci_find(0x1b36, 0x0005, 0x0005);
    if (f == NO_FUNCTION)
        fail("there is no pci-testdev");
    volatile u8 *registers = pci_bar_map(f, BAR);
    pci_write(f, 4, 2, 7);
    check(pci_read(f, 0x3d, 1) == 1, "there is a pin");
    handle(VECTOR, on_line);
    for (u32 pin = 0; pin < PINS; pin++)
        ioapic_route(FIRST_PIN + pin, VECTOR, true);
    for (u32 n = 1; n <= 20; n++) {
        store32(registers + RAISE_LINE, 1);
        wait_for(&arrived, n);
        /* The way back goes over threads of the host: until the pin has fallen it may interrupt again. */
        while (load32(registers + FINISHED) != n) {
            enable_interrupts();
            relax();
            disable_interrupts();
        }
    }
    check(arrived >= 20, "an interrupt for each signal, and an end for each");
    check(!(pci_read(f, 6, 2) & 8), "the pin is low");
    return 0;
}
