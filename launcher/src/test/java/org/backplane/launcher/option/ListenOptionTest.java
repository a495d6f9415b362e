package org.backplane.launcher.option;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ListenOptionTest {
    private final Problems problems = new Problems();

    private Optional<ListenAddress> read(String text) {
        return ListenOption.read("--web", text, problems);
    }

    @ParameterizedTest
    @CsvSource({
        "0, 127.0.0.1, true",
        "127.0.0.1:0, 127.0.0.1, true",
        "localhost:0, localhost, true",
        "0.0.0.0:0, 0.0.0.0, false"
    })
    void isLoopbackUnlessAnAddressIsWritten(String text, String host, boolean loopback) {
        assertEquals(Optional.of(new ListenAddress(host, 0, loopback)), read(text));
        assertTrue(problems.isEmpty());
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "x",
                "65536",
                "-1",
                "1:",
                ":1",
                "[::1",
                "::1:80",
                "a b:80",
                "127.0.0.1",
                "[x]:1",
                "80:81:82",
                "http://127.0.0.1:80"
            })
    void refusesWhatIsNoAddressAndPort(String text) {
        assertEquals(Optional.empty(), read(text));
        assertEquals(1, problems.count());
        assertTrue(problems.sentences().get(0).startsWith("--web "));
        assertTrue(problems.sentences().get(0).contains("ADDRESS:PORT"));
    }

    @Test
    void refusesAPortThatIsTaken() throws IOException {
        try (var other = new ServerSocket(0, 1, InetAddress.getByName("127.0.0.1"))) {
            String taken = Integer.toString(other.getLocalPort());
            assertEquals(Optional.empty(), read(taken));
            assertTrue(problems.sentences().get(0).contains("--web " + taken + ": nothing can"));
        }
    }

    @Test
    void refusesAnAddressOfAnotherHost() {
        assertEquals(Optional.empty(), read("192.0.2.1:0"));
        assertTrue(problems.sentences().get(0).contains("an address of this host"));
    }
}
