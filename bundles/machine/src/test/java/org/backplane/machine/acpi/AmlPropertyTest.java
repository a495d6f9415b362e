package org.backplane.machine.acpi;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Example;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.LongRange;
import net.jqwik.api.constraints.Size;

class AmlPropertyTest {
    /** What the specification gives for each number of bytes of a package length. */
    private static final long[] MOST_IN = {0, 0x3f, 0xfff, 0xf_ffff, 0xfff_ffff};

    @Property
    void packageLengthCountsItself(@ForAll @IntRange(max = Aml.MOST_PACKAGE - 4) int content) {
        byte[] encoded = Aml.packageLength(content).bytes();
        assertEquals(content + encoded.length, read(ByteBuffer.wrap(encoded)));
    }

    @Property
    void packageLengthIsAsShortAsCanBe(@ForAll @IntRange(max = Aml.MOST_PACKAGE - 4) int content) {
        int bytes = Aml.packageLength(content).length();
        assertTrue(content + bytes <= MOST_IN[bytes]);
        assertTrue(bytes == 1 || content + bytes - 1 > MOST_IN[bytes - 1]);
    }

    @Example
    void packageLengthGrowsAtItsLimits() {
        assertArrayEquals(hex("3f"), Aml.packageLength(0x3e).bytes());
        assertArrayEquals(hex("4104"), Aml.packageLength(0x3f).bytes());
        assertArrayEquals(hex("4fff"), Aml.packageLength(0xffd).bytes());
        assertArrayEquals(hex("810001"), Aml.packageLength(0xffe).bytes());
        assertArrayEquals(hex("8fffff"), Aml.packageLength(0xffffc).bytes());
        assertArrayEquals(hex("c1000001"), Aml.packageLength(0xffffd).bytes());
        assertThrows(IllegalArgumentException.class, () -> Aml.packageLength(Aml.MOST_PACKAGE - 3));
    }

    @Property
    void integerReadsBackFromTheFewestBytes(@ForAll @LongRange(min = Long.MIN_VALUE) long value) {
        ByteBuffer encoded = little(Aml.integer(value));
        long read =
                switch (encoded.get()) {
                    case 0 -> 0;
                    case 1 -> 1;
                    case 0x0a -> encoded.get() & 0xff;
                    case 0x0b -> encoded.getShort() & 0xffff;
                    case 0x0c -> encoded.getInt() & 0xffff_ffffL;
                    case 0x0e -> encoded.getLong();
                    default -> throw new AssertionError(encoded);
                };
        assertEquals(value, read);
        assertEquals(0, encoded.remaining());
        int significant = (64 - Long.numberOfLeadingZeros(value) + 7) / 8;
        int width = encoded.capacity() - 1;
        assertTrue(width < 2 * Math.max(1, significant));
    }

    /** A namespace as a test makes it and as it is read back. */
    record Node(String name, long value, List<Node> children) {
        Aml encoded() {
            return Aml.device(
                    name,
                    Aml.name("_ADR", Aml.integer(value)),
                    Aml.of(children.stream().map(Node::encoded).toArray(Aml[]::new)));
        }
    }

    @Property(tries = 300)
    void devicesReadBackAsTheyWereNested(@ForAll("nodes") @Size(max = 4) List<Node> nodes) {
        Aml encoded = Aml.of(nodes.stream().map(Node::encoded).toArray(Aml[]::new));
        ByteBuffer rest = little(encoded);
        assertEquals(nodes, devices(rest, rest.capacity()));
    }

    @Provide
    Arbitrary<List<Node>> nodes() {
        return node(4).list();
    }

    private static Arbitrary<Node> node(int depth) {
        Arbitrary<String> names =
                Arbitraries.strings().withCharRange('A', 'Z').ofMinLength(4).ofMaxLength(4);
        Arbitrary<Long> values = Arbitraries.longs().greaterOrEqual(2L);
        Arbitrary<List<Node>> children =
                depth == 0
                        ? Arbitraries.just(List.of())
                        : Arbitraries.lazy(() -> node(depth - 1)).list().ofMaxSize(3);
        return names.flatMap(
                name -> values.flatMap(value -> children.map(list -> new Node(name, value, list))));
    }

    private static List<Node> devices(ByteBuffer aml, int end) {
        var devices = new ArrayList<Node>();
        while (aml.position() < end) {
            assertEquals(0x5b, aml.get());
            assertEquals(0x82, aml.get() & 0xff);
            int start = aml.position();
            int last = start + read(aml);
            String name = text(aml);
            assertEquals(0x08, aml.get());
            assertEquals("_ADR", text(aml));
            long value =
                    switch (aml.get()) {
                        case 0x0a -> aml.get() & 0xff;
                        case 0x0b -> aml.getShort() & 0xffff;
                        case 0x0c -> aml.getInt() & 0xffff_ffffL;
                        case 0x0e -> aml.getLong();
                        default -> throw new AssertionError(aml);
                    };
            devices.add(new Node(name, value, devices(aml, last)));
            assertEquals(last, aml.position());
        }
        return devices;
    }

    private static String text(ByteBuffer aml) {
        byte[] name = new byte[4];
        aml.get(name);
        return new String(name, StandardCharsets.US_ASCII);
    }

    /** A package length as section 20.2.4 has it read. */
    private static int read(ByteBuffer aml) {
        int first = aml.get() & 0xff;
        int more = first >>> 6;
        int length = more == 0 ? first & 0x3f : first & 0xf;
        for (int i = 0; i < more; i++) {
            length |= (aml.get() & 0xff) << 4 + 8 * i;
        }
        return length;
    }

    @Property
    void bufferHoldsItsBytes(@ForAll @Size(max = 5000) byte[] content) {
        ByteBuffer encoded = little(Aml.buffer(content));
        assertEquals(0x11, encoded.get());
        int start = encoded.position();
        assertEquals(encoded.capacity(), start + read(encoded));
        byte[] held = new byte[content.length];
        encoded.get(encoded.capacity() - content.length, held);
        assertArrayEquals(content, held);
    }

    @Example
    void namesAreEncodedBySegments() {
        assertArrayEquals(hex("5f53425f"), Aml.path("_SB").bytes());
        assertArrayEquals(hex("5c2e5f53425f50434930"), Aml.path("\\_SB.PCI0").bytes());
        assertArrayEquals(hex("5e5e41424344"), Aml.path("^^ABCD").bytes());
        assertArrayEquals(hex("2f03" + "415f5f5f425f5f5f435f5f5f"), Aml.path("A.B.C").bytes());
        assertArrayEquals(hex("5c00"), Aml.path("\\").bytes());
    }

    @Property
    void refusesWhatIsNoName(@ForAll("noNames") String path) {
        assertThrows(IllegalArgumentException.class, () -> Aml.path(path));
    }

    @Provide
    Arbitrary<String> noNames() {
        return Arbitraries.of("abcd", "ABCDE", "0ABC", "A..B", "A.", "\\^A", "A^B", "A B", "Ä");
    }

    @Example
    void identifiersAreCompressedIfTheyCanBe() {
        assertArrayEquals(hex("0c41d00a08"), Aml.hardwareId("PNP0A08").bytes());
        assertArrayEquals(hex("0c41d00501"), Aml.hardwareId("PNP0501").bytes());
        assertArrayEquals(hex("0d414350493030303700"), Aml.hardwareId("ACPI0007").bytes());
    }

    @Property
    void refusesWhatIsNoIdentifier(@ForAll("noIdentifiers") String id) {
        var refused = assertThrows(IllegalArgumentException.class, () -> Aml.hardwareId(id));
        assertTrue(refused.getMessage().contains("'" + id + "'"));
    }

    @Provide
    Arbitrary<String> noIdentifiers() {
        return Arbitraries.of("", "ns16550a", "PNP050", "PNP050111", "pnp0501", "PNP050G");
    }

    @Example
    void uuidHasItsFirstFieldsLowestByteFirst() {
        assertArrayEquals(
                hex("1113" + "0a10" + "5b4ddb33f71f1c40" + "96577441c03dd766"),
                Aml.uuid("33db4d5b-1ff7-401c-9657-7441c03dd766").bytes());
    }

    @Example
    void refusesTextOutsideOfAscii() {
        assertThrows(IllegalArgumentException.class, () -> Aml.string("größe"));
        assertThrows(IllegalArgumentException.class, () -> Aml.string("a\0b"));
    }

    @Example
    void refusesMoreThanAPackageHolds() {
        Aml[] elements = new Aml[256];
        Arrays.fill(elements, Aml.integer(0));
        assertThrows(IllegalArgumentException.class, () -> Aml.packageOf(elements));
        assertThrows(IllegalArgumentException.class, () -> Aml.argument(7));
        assertThrows(IllegalArgumentException.class, () -> Aml.serializedMethod("A", 8));
    }

    private static ByteBuffer little(Aml aml) {
        return ByteBuffer.wrap(aml.bytes()).order(ByteOrder.LITTLE_ENDIAN);
    }

    private static byte[] hex(String digits) {
        return HexFormat.of().parseHex(digits);
    }
}
