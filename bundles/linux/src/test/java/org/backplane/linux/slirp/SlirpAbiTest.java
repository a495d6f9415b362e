package org.backplane.linux.slirp;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.backplane.linux.libc.HostHeaders;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SlirpAbiTest {
    private static final Path HEADER = Path.of("/usr/include/slirp/libslirp.h");

    private static final Set<String> CALLBACKS =
            Set.of(
                    "SEND_PACKET",
                    "GUEST_ERROR",
                    "CLOCK_GET_NS",
                    "TIMER_NEW",
                    "TIMER_FREE",
                    "TIMER_MOD",
                    "REGISTER_POLL_FD",
                    "UNREGISTER_POLL_FD",
                    "NOTIFY",
                    "INIT_COMPLETED",
                    "TIMER_NEW_OPAQUE");

    @TempDir Path folder;

    @Test
    void everyNumberIsWhatLibslirpsHeaderSays() throws Exception {
        boolean installed = Files.exists(HEADER);
        if (!installed) {
            System.out.println("SlirpAbiTest: skipped: " + HEADER + " is missing (libslirp-dev)");
        }
        Assumptions.assumeTrue(installed, "needs libslirp-dev");
        HostHeaders headers =
                HostHeaders.require(
                        folder,
                        """
                        #include <stddef.h>
                        #include <stdio.h>
                        #include <slirp/libslirp.h>
                        """);
        Map<String, Long> ours = HostHeaders.numbers(SlirpAbi.class);
        assertTrue(ours.size() > 40, "found only " + ours.keySet());
        Map<String, String> expressions = new TreeMap<>();
        ours.keySet().forEach(name -> expressions.put(name, expression(name)));
        assertEquals(headers.values(expressions), ours);
    }

    private static String expression(String name) {
        if (name.startsWith("SLIRP_POLL")) {
            return name;
        }
        String field = name.toLowerCase(Locale.ROOT);
        switch (name) {
            case "CONFIG_BYTES":
                // A later version adds fields behind the last one of version 4.
                return "(offsetof(SlirpConfig, disable_dhcp) + sizeof(bool) + 7) / 8 * 8";
            case "CB_BYTES":
                return "offsetof(SlirpCb, timer_new_opaque) + sizeof(void *)";
            case "CONFIG_VERSION":
                return "SLIRP_CONFIG_VERSION_MAX >= 4 ? 4 : 0";
            default:
                return "offsetof(%s, %s)"
                        .formatted(CALLBACKS.contains(name) ? "SlirpCb" : "SlirpConfig", field);
        }
    }
}
