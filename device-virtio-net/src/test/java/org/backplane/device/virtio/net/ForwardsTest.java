package org.backplane.device.virtio.net;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.List;
import java.util.Map;
import org.backplane.device.DeviceException;
import org.backplane.linux.HostForward;
import org.junit.jupiter.api.Test;

class ForwardsTest {
    private static List<String> read(String setting) throws DeviceException {
        return Forwards.of("net0", Map.of("hostfwd", setting)).all().stream()
                .map(Forwards.Forward::ports)
                .map(ForwardsTest::text)
                .toList();
    }

    private static String text(HostForward ports) {
        return "%s %s %d %s %d"
                .formatted(
                        ports.protocol(),
                        ports.hostAddress().getHostAddress(),
                        ports.hostPort(),
                        ports.guestAddress().getHostAddress(),
                        ports.guestPort());
    }

    private static void refused(String setting, String sentence) {
        DeviceException refused = assertThrows(DeviceException.class, () -> read(setting));
        assertEquals("Slot 'net0': " + sentence, refused.getMessage());
    }

    @Test
    void leadsFromTheLoopbackToTheGuestUnlessToldOtherwise() throws DeviceException {
        assertEquals(List.of("TCP 127.0.0.1 8022 10.0.2.15 22"), read("tcp:8022-22"));
        assertEquals(
                List.of("UDP 0.0.0.0 5353 10.0.2.77 53"), read("udp:0.0.0.0:5353-10.0.2.77:53"));
        assertEquals(List.of("TCP 192.168.1.2 65535 10.0.2.15 1"), read("tcp:192.168.1.2:65535-1"));
    }

    @Test
    void takesSeveralAndNone() throws DeviceException {
        assertEquals(
                List.of(
                        "TCP 127.0.0.1 8022 10.0.2.15 22",
                        "UDP 127.0.0.1 8022 10.0.2.15 22",
                        "TCP 127.0.0.2 8022 10.0.2.15 22"),
                read("tcp:8022-22;udp:8022-22;tcp:127.0.0.2:8022-22"));
        assertEquals(List.of(), Forwards.of("net0", Map.of()).all());
    }

    @Test
    void refusesWhatIsNoForward() {
        for (String wrong :
                List.of("", "8022-22", "tcp:8022", "tcp::8022-:22", "sctp:1-2", "tcp:host:1-2")) {
            refused(
                    wrong,
                    "hostfwd=%s is not tcp:[HOSTADDR:]HOSTPORT-[GUESTADDR:]GUESTPORT, or udp, such as tcp:8022-22."
                            .formatted(wrong));
        }
        refused("tcp:0-22", "hostfwd=tcp:0-22: a port is 1 to 65535, not 0.");
        refused("tcp:1-65536", "hostfwd=tcp:1-65536: a port is 1 to 65535, not 65536.");
        refused("tcp:1.2.3.256:1-2", "hostfwd=tcp:1.2.3.256:1-2: 1.2.3.256 is no IPv4 address.");
        refused(
                "tcp:8022-22;tcp:8022-23",
                "hostfwd=tcp:8022-22;tcp:8022-23 names port 8022 of the host twice.");
    }
}
