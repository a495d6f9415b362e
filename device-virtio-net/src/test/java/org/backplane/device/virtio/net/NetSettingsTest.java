package org.backplane.device.virtio.net;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.HashMap;
import java.util.Map;
import java.util.OptionalInt;
import org.backplane.device.DeviceException;
import org.backplane.testkit.FakeDeviceContext;
import org.junit.jupiter.api.Test;

class NetSettingsTest {
    private static NetSettings read(String slot, String... words) throws Exception {
        Map<String, String> settings = new HashMap<>();
        for (String word : words) {
            String[] parts = word.split("=", 2);
            settings.put(parts[0], parts[1]);
        }
        try (FakeDeviceContext context = new FakeDeviceContext(slot, "virtio-net", settings)) {
            return NetSettings.of(context);
        }
    }

    private static void refuses(String sentence, String... words) {
        assertEquals(
                sentence,
                assertThrows(DeviceException.class, () -> read("net0", words)).getMessage());
    }

    @Test
    void readsWhatIsGiven() throws Exception {
        NetSettings settings =
                read(
                        "net0",
                        "backend=tap",
                        "if=tap7",
                        "mac=52:54:00:aB:cd:ef",
                        "queues=8",
                        "mtu=68");
        assertEquals(BackendKind.TAP, settings.backend());
        assertEquals("tap7", settings.interfaceName("net0"));
        assertEquals("52:54:00:ab:cd:ef", settings.mac().toString());
        assertEquals(8, settings.queues());
        assertEquals(OptionalInt.of(68), settings.mtu());
    }

    @Test
    void userNetworkTellsOfLongPacketsUnlessAskedForOthers() throws Exception {
        assertEquals(OptionalInt.of(65520), read("net0", "backend=user").mtu());
        assertEquals(OptionalInt.of(1500), read("net0", "backend=user", "mtu=1500").mtu());
        assertEquals(OptionalInt.empty(), read("net0", "backend=none").mtu());
        assertFalse(read("net0", "backend=none").transitional());
        assertTrue(read("net0", "backend=none", "transitional=on").transitional());
    }

    @Test
    void addressOfASlotIsItsOwnAndAlwaysTheSame() throws Exception {
        MacAddress mac = read("net0", "backend=none").mac();
        assertEquals(mac, read("net0", "backend=none").mac());
        assertNotEquals(mac, read("net1", "backend=none").mac());
        assertNotEquals(mac, MacAddress.of("another machine", "net0"));
        assertTrue(mac.isStation());
        assertEquals(2, mac.octet(0) & 3, "locally administered, of a station");
    }

    @Test
    void wrongSettingsAreRefusedWithARemedy() {
        refuses("Slot 'net0': a network needs backend=KIND, one of: " + BackendKind.words() + ".");
        refuses("Slot 'net0': backend=tun is none of: " + BackendKind.words() + ".", "backend=tun");
        refuses(
                "Slot 'net0': transitional=yes is neither on nor off.",
                "backend=none",
                "transitional=yes");
        refuses("Slot 'net0': queues=9 is no number from 1 to 8.", "backend=none", "queues=9");
        refuses("Slot 'net0': mtu=67 is no number from 68 to 65535.", "backend=none", "mtu=67");
        refuses(
                "Slot 'net0': mac=01:00:00:00:00:00 is no station's address such as 52:54:00:12:34:56.",
                "backend=none",
                "mac=01:00:00:00:00:00");
        refuses(
                "Slot 'net0': if=t is for backend=tap, not for backend=none; leave it out.",
                "backend=none",
                "if=t");
    }

    @Test
    void nameOfAnInterfaceIsOneOfTheKernels() throws Exception {
        for (String wrong : new String[] {"", ".", "..", "a/b", "a b", "x".repeat(16)}) {
            NetSettings settings = read("net0", "backend=tap", "if=" + wrong);
            assertThrows(DeviceException.class, () -> settings.interfaceName("net0"));
        }
    }
}
