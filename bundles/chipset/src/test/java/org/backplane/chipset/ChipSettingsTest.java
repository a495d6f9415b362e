package org.backplane.chipset;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Map;
import org.backplane.device.DeviceException;
import org.backplane.testkit.FakeDeviceContext;
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
        assertThrows(DeviceException.class, () -> new PowerSwitchFactory().create(slot));
    }

    @Test
    void namesAnUnknownSettingAndThoseThereAre() {
        DeviceException refusal =
                assertThrows(
                        DeviceException.class,
                        () -> Chip.created(factory, Map.of("speed", "9600")));
        assertTrue(refusal.getMessage().contains("'speed' (value '9600')"), refusal.getMessage());
        assertTrue(refusal.getMessage().contains("base, console"), refusal.getMessage());
    }
}
