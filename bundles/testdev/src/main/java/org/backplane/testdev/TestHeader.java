package org.backplane.testdev;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.List;

/**
 * What a BAR begins with while a test runs: offsets in bytes, little-endian, as QEMU's
 * docs/specs/pci-testdev gives them.
 */
final class TestHeader {
    /** Written: starts the test of that number, or none. */
    static final int TEST = 0;

    /** Read: bytes of an access, or 0 where there is no such test. */
    static final int WIDTH = 1;

    /** Read, 4 bytes: where in the BAR to write. */
    static final int OFFSET = 4;

    /** Read, 4 bytes: what to write. */
    static final int DATA = 8;

    /** Read, 4 bytes: writes that were detected. */
    static final int COUNT = 12;

    /** Read: a name, ended by a zero. */
    static final int NAME = 16;

    /** The tests of a BAR, by number. */
    static final List<String> TESTS =
            List.of("no-eventfd", "wildcard-eventfd", "datamatch-eventfd");

    /** Of the tests, the one that counts a write of any value. */
    static final int WILDCARD = 1;

    /** Bytes of an access. */
    static final int ACCESS = 1;

    static final int MATCHED = 0xfa;
    static final int UNMATCHED = 0xce;

    private TestHeader() {}

    /** The value that a test wants written. */
    static int data(int test) {
        return test == WILDCARD ? UNMATCHED : MATCHED;
    }

    /** The header's bytes. */
    static byte[] of(String bus, int test, int offset, int count) {
        byte[] name = (bus + "-" + TESTS.get(test)).getBytes(StandardCharsets.US_ASCII);
        return ByteBuffer.allocate(NAME + name.length + 1)
                .order(ByteOrder.LITTLE_ENDIAN)
                .put(TEST, (byte) test)
                .put(WIDTH, (byte) ACCESS)
                .putInt(OFFSET, offset)
                .putInt(DATA, data(test))
                .putInt(COUNT, count)
                .put(NAME, name)
                .array();
    }
}
