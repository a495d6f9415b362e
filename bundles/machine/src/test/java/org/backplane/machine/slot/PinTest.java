package org.backplane.machine.slot;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Map;
import java.util.Optional;
import org.backplane.machine.MachineException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.osgi.framework.Version;

class PinTest {
    private static final String BUNDLE = "org.acme.disk";

    private static boolean fits(String pin, String bundle, String version) throws MachineException {
        return Pin.parse(pin).orElseThrow().fits(bundle, Version.parseVersion(version));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "org.acme.disk          | 0.0.1",
                "org.acme.disk@1        | 1.0.0",
                "org.acme.disk@1        | 1.99.0",
                "org.acme.disk@1.2      | 1.2.0",
                "org.acme.disk@1.2      | 1.2.7.beta",
                "org.acme.disk@1.2.3    | 1.2.3",
                "org.acme.disk@1.2.3    | 1.2.3.build7",
                "org.acme.disk@1.2.3.b7 | 1.2.3.b7",
                "org.acme.disk@[1.2,2)  | 1.9.0",
                "org.acme.disk@(1.2,2]  | 2.0.0"
            })
    void takesTheVersionsThatItNames(String pin, String version) throws MachineException {
        assertTrue(fits(pin, BUNDLE, version));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "org.acme.disk@1        | 2.0.0",
                "org.acme.disk@1        | 0.9.0",
                "org.acme.disk@1.2      | 1.3.0",
                "org.acme.disk@1.2      | 1.1.9",
                "org.acme.disk@1.2      | 1.20.0",
                "org.acme.disk@1.2.3    | 1.2.4",
                "org.acme.disk@1.2.3.b7 | 1.2.3",
                "org.acme.disk@[1.2,2)  | 2.0.0",
                "org.acme.disk@(1.2,2]  | 1.2.0"
            })
    void leavesOtherVersionsOut(String pin, String version) throws MachineException {
        assertEquals(false, fits(pin, BUNDLE, version));
    }

    @Test
    void leavesOtherBundlesOut() throws MachineException {
        assertEquals(false, fits(BUNDLE, "org.acme.disk.fast", "1.0.0"));
        assertEquals(false, fits(BUNDLE, "org.acme", "1.0.0"));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "@1.2",
                "org.acme.disk@",
                "org..acme",
                "org.acme.disk:1.2",
                "org.acme disk",
                "org.acme.disk@1.x",
                "org.acme.disk@[1.2",
                "org.acme.disk@[2,1]",
                "org.acme.disk@(1,1)",
                "org.acme.disk@1.2.3.4.5",
                "org.acme.disk@9999999999"
            })
    void refusesWhatIsNoPin(String text) {
        String sentence = assertThrows(MachineException.class, () -> Pin.parse(text)).getMessage();
        assertTrue(sentence.startsWith("'" + text + "' is no pin: give"), sentence);
    }

    @Test
    void noneIsNoPin() throws MachineException {
        assertEquals(Optional.empty(), Pin.parse("none"));
    }

    @Test
    void aSlotsSettingIsNotItsDevices() throws MachineException {
        Map<String, String> settings = Map.of("path", "a.img", "pin", "org.acme.disk@1");
        var spec = new SlotSpec("disk0", "virtio-blk", settings, "the test");
        assertEquals("org.acme.disk@1", Pin.of(spec).orElseThrow().toString());
        assertEquals(Map.of("path", "a.img"), Pin.without(settings));
        assertEquals(Map.of("path", "a.img"), Pin.with(Optional.empty(), settings));
        assertEquals(
                Map.of("path", "a.img", "pin", "org.b"),
                Pin.with(Pin.parse("org.b"), Pin.without(settings)));
    }

    @Test
    void aMalformedSettingNamesWhereItWasGiven() {
        var spec = new SlotSpec("disk0", "virtio-blk", Map.of("pin", "@"), "/slots/a.cfg");
        String sentence = assertThrows(MachineException.class, () -> Pin.of(spec)).getMessage();
        assertTrue(sentence.startsWith("/slots/a.cfg: '@' is no pin"), sentence);
    }
}
