package org.backplane.chipset;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Map;
import org.backplane.bus.Space;
import org.backplane.device.DeviceException;
import org.backplane.testkit.FakeDeviceContext;
import org.backplane.testkit.RecordedLine;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ChipSettingsTest {
    private final Ns16550aFactory factory = new Ns16550aFactory();

    @ParameterizedTest
    @ValueSource(strings = {"0x10000100", "0X10000100", "10000100"})
    void placesRegistersAtTheBaseAskedFor(String base) throws DeviceException {
        assertEquals(0x1000_0100L, Chip.created(factory, Map.of("base", base)).base());
    }

    @Test
    void placesRegistersLowestWithoutABase() throws DeviceException {
        assertEquals(0x1000_0000L, Chip.created(factory, Map.of()).base());
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "0x", "uart", "-10", "+10", "0x-10", "0x8000000000000000"})
    void refusesABaseThatIsNoAddress(String base) {
        DeviceException refusal =
                assertThrows(
                        DeviceException.class, () -> Chip.created(factory, Map.of("base", base)));
        assertTrue(refusal.getMessage().contains("base=" + base), refusal.getMessage());
        assertTrue(refusal.getMessage().contains("chip0"), refusal.getMessage());
    }

    @Test
    void refusesABaseThatIsTaken() throws DeviceException {
        FakeDeviceContext slot =
                new FakeDeviceContext("chip0", "chip", Map.of("base", "0x10000000"));
        factory.create(slot);
        String said =
                assertThrows(DeviceException.class, () -> new PowerSwitchFactory().create(slot))
                        .getMessage();
        assertTrue(said.contains("chip0 has 0x10000000-"), said);
        assertTrue(said.endsWith(" free in all; give another base=."), said);
    }

    @Test
    void registersLieInTheSpaceAskedFor() throws DeviceException {
        Chip chip = Chip.created(factory, Map.of("space", "io", "base", "0x3f8", "irq", "4"));
        assertEquals(0x3f8, chip.base());
        assertEquals(Space.IO, chip.slot.regions().get(0).window().space());
        assertEquals(4, chip.line().source());
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "IO", "isa", "io|mmio"})
    void refusesASpaceThatThereIsNot(String space) {
        DeviceException refusal =
                assertThrows(
                        DeviceException.class, () -> Chip.created(factory, Map.of("space", space)));
        assertTrue(refusal.getMessage().contains("space=" + space), refusal.getMessage());
    }

    @Test
    void anyLineWillDoWithoutANumber() throws DeviceException {
        assertEquals(RecordedLine.ANY, Chip.created(factory, Map.of()).line().source());
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "0", "-1", "+1", "0x4", "1024", "x", "9999999999999999999"})
    void refusesALineThatIsNoNumber(String irq) {
        DeviceException refusal =
                assertThrows(
                        DeviceException.class, () -> Chip.created(factory, Map.of("irq", irq)));
        assertTrue(refusal.getMessage().contains("irq=" + irq + " "), refusal.getMessage());
    }

    @ParameterizedTest
    @ValueSource(strings = {"1", "1023", "00000004"})
    void takesEveryNumberOfALine(String irq) throws DeviceException {
        assertEquals(
                Integer.parseInt(irq), Chip.created(factory, Map.of("irq", irq)).line().source());
    }

    @Test
    void namesAnUnknownSettingAndThoseThereAre() {
        DeviceException refusal =
                assertThrows(
                        DeviceException.class,
                        () -> Chip.created(factory, Map.of("speed", "9600")));
        assertTrue(refusal.getMessage().contains("'speed' (value '9600')"), refusal.getMessage());
        assertTrue(
                refusal.getMessage().contains("base, console, irq, space"), refusal.getMessage());
    }
}
