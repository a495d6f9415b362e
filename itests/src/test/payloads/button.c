/* The power button as fixed hardware (ACPI 6.4, section 4.8.2.2.1): it raises the SCI, and the payload
 * goes to S5; alone, it does so at once. */
#include "runtime.h"

#define SCI_VECTOR 0x30
#define PM1_ENABLE 2
#define POWER_BUTTON 0x100
#define SCI_ENABLED 1
#define SLEEP_ENABLE 0x2000

static struct acpi_power power;
static volatile u32 pressed;

static void on_sci(struct frame *frame)
{
    if (in16(power.pm1_event) & POWER_BUTTON) {
        out16(power.pm1_event, POWER_BUTTON);
        pressed++;
    }
    apic_eoi();
}

int main(void)
{
    acpi_power(&power);
    print("button: events at 0x%x, control at 0x%x, SCI %u, S5 is %u\n", power.pm1_event, power.pm1_control,
          power.sci, power.s5);
    if (power.smi_command && !(in16(power.pm1_control) & SCI_ENABLED)) {
        out8(power.smi_command, power.enable);
        while (!(in16(power.pm1_control) & SCI_ENABLED))
            relax();
    }
    check(in16(power.pm1_control) & SCI_ENABLED, "events raise the SCI");
    check(!(in16(power.pm1_event) & POWER_BUTTON), "nobody has pressed the button");
    u32 before = in32(power.pm_timer);
    while (in32(power.pm_timer) == before)
        relax();
    check(true, "the power management timer counts");
    handle(SCI_VECTOR, on_sci);
    ioapic_route(power.sci, SCI_VECTOR, true);
    out16(power.pm1_event + PM1_ENABLE, POWER_BUTTON);
    if (!has_word("alone")) {
        print("waiting\n");
        wait_for(&pressed, 1);
        check(pressed == 1, "the button was pressed once");
        check(!(in16(power.pm1_event) & POWER_BUTTON), "its event is cleared");
    }
    if (failed())
        finish();
    print("passed\n");
    out16(power.pm1_control, power.s5 << 10 | SLEEP_ENABLE);
    for (u32 n = 0; n < 1000000; n++)
        relax();
    fail("S5 did not end the machine");
}
