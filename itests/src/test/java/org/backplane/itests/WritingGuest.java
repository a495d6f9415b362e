package org.backplane.itests;

import static org.junit.Assert.assertEquals;

import java.io.IOException;
import java.nio.file.Files;
import java.security.MessageDigest;
import java.util.Arrays;
import java.util.HexFormat;

/** A guest that writes its disk over and over, and keeps what it wrote in /tmp/data. */
final class WritingGuest {
    /** Begins; /tmp/data of 1 MiB is there. */
    static final String START =
            "(n=0; until [ -e /tmp/stop ]; do"
                    + " dd if=/tmp/data of=/dev/vda bs=64k seek=$((n % 8 * 16))"
                    + " conv=fsync 2> /dev/null || echo $n > /tmp/failed;"
                    + " n=$((n + 1)); echo $n > /tmp/written; done; touch /tmp/stopped) &";

    private WritingGuest() {}

    /** Waits in the guest until it has written a chunk that it began after this call. */
    static void awaitMore(GuestConsole guest) throws IOException {
        guest.run(
                "was=$(cat /tmp/written 2> /dev/null || echo 0);"
                        + " until [ \"$(cat /tmp/written 2> /dev/null || echo 0)\" -ge $((was + 2)) ]"
                        + " 2> /dev/null; do usleep 50000; done");
    }

    /** Ends, and has the guest read back what it wrote. */
    static void stopAndCompare(GuestConsole guest) throws IOException {
        guest.run("touch /tmp/stop; until [ -e /tmp/stopped ]; do usleep 10000; done");
        guest.run("[ ! -e /tmp/failed ]");
        guest.run("echo 3 > /proc/sys/vm/drop_caches");
        guest.run("head -c 1048576 /dev/vda | cmp - /tmp/data");
        guest.run("dd if=/tmp/data of=/dev/vda bs=64k conv=fsync 2> /dev/null; sync");
    }

    /**
     * Compares what the guest wrote with the image, by digest.
     *
     * @return the digest
     */
    static String assertImageHasIt(GuestConsole guest) throws Exception {
        String sum = guest.run("sha256sum < /tmp/data | cut -c 1-64");
        assertEquals(sum, sha256(Arrays.copyOf(Files.readAllBytes(BootedGuest.image()), 1 << 20)));
        return sum;
    }

    static String sha256(byte[] bytes) throws Exception {
        return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
    }
}
