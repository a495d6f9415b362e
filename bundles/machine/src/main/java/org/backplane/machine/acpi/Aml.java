package org.backplane.machine.acpi;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import java.util.UUID;

/**
 * A piece of ACPI Machine Language, encoded (ACPI 6.5, section 20.2): a term, or several. Only the
 * terms that the tables need. Immutable.
 */
final class Aml {
    private static final int NAME_SEGMENT = 4;

    /** A package length has 28 bits at most, itself included (section 20.2.4). */
    static final int MOST_PACKAGE = (1 << 28) - 1;

    /** What the operators are encoded as (section 20.3, table 20.8). */
    private static final class Opcode {
        static final int ZERO = 0x00;
        static final int ONE = 0x01;
        static final int NAME = 0x08;
        static final int BYTE = 0x0a;
        static final int WORD = 0x0b;
        static final int DWORD = 0x0c;
        static final int STRING = 0x0d;
        static final int QWORD = 0x0e;
        static final int SCOPE = 0x10;
        static final int BUFFER = 0x11;
        static final int PACKAGE = 0x12;
        static final int METHOD = 0x14;
        static final int DUAL_NAME = 0x2e;
        static final int MULTI_NAME = 0x2f;
        static final int EXTENDED = 0x5b;
        static final int ROOT = '\\';
        static final int PARENT = '^';
        static final int LOCAL_0 = 0x60;
        static final int ARG_0 = 0x68;
        static final int STORE = 0x70;
        static final int AND = 0x7b;
        static final int OR = 0x7d;
        static final int CREATE_DWORD_FIELD = 0x8a;
        static final int LOGICAL_NOT = 0x92;
        static final int LOGICAL_EQUAL = 0x93;
        static final int IF = 0xa0;
        static final int ELSE = 0xa1;
        static final int RETURN = 0xa4;
        static final int EXTENDED_DEVICE = 0x82;

        private Opcode() {}
    }

    private final byte[] bytes;

    private Aml(byte[] bytes) {
        this.bytes = bytes;
    }

    byte[] bytes() {
        return bytes.clone();
    }

    int length() {
        return bytes.length;
    }

    // --- Values (section 20.2.3) --------------------------------------------------------------

    /** The shortest encoding of a number of up to 64 bits, which are unsigned. */
    static Aml integer(long value) {
        if (value == 0) {
            return raw(Opcode.ZERO);
        }
        if (value == 1) {
            return raw(Opcode.ONE);
        }
        if (value >>> 8 == 0) {
            return number(Opcode.BYTE, value, 1);
        }
        if (value >>> 16 == 0) {
            return number(Opcode.WORD, value, 2);
        }
        if (value >>> 32 == 0) {
            return number(Opcode.DWORD, value, 4);
        }
        return number(Opcode.QWORD, value, 8);
    }

    /** ASCII without the character 0. */
    static Aml string(String text) {
        byte[] ascii = text.getBytes(StandardCharsets.US_ASCII);
        if (!new String(ascii, StandardCharsets.US_ASCII).equals(text) || text.indexOf(0) >= 0) {
            throw new IllegalArgumentException("'%s' cannot be a string".formatted(text));
        }
        return of(raw(Opcode.STRING), new Aml(ascii), raw(0));
    }

    static Aml buffer(byte[] content) {
        return inPackage(raw(Opcode.BUFFER), integer(content.length), new Aml(content.clone()));
    }

    /** At most 255 elements. */
    static Aml packageOf(Aml... elements) {
        if (elements.length > 0xff) {
            throw new IllegalArgumentException(elements.length + " elements; 255 fit");
        }
        return inPackage(raw(Opcode.PACKAGE), raw(elements.length), of(elements));
    }

    /**
     * What names a kind of hardware: a compressed EISA identifier for three letters and four digits
     * (section 19.3.4), a string for an ACPI identifier.
     */
    static Aml hardwareId(String id) {
        if (id.matches("[A-Z]{3}[0-9A-F]{4}")) {
            int letters = 0;
            for (int i = 0; i < 3; i++) {
                letters = letters << 5 | id.charAt(i) - '@';
            }
            int compressed = letters << 16 | Integer.parseInt(id.substring(3), 16);
            return number(
                    Opcode.DWORD, Integer.toUnsignedLong(Integer.reverseBytes(compressed)), 4);
        }
        if (!id.matches("[A-Z0-9]{4}[0-9A-F]{4}")) {
            throw new IllegalArgumentException(
                    "'%s' is no hardware identifier; give one such as PNP0501 or ACPI0007"
                            .formatted(id));
        }
        return string(id);
    }

    /** As ToUUID encodes it: the first three fields have their lowest byte first. */
    static Aml uuid(String text) {
        UUID uuid = UUID.fromString(text);
        long high = uuid.getMostSignificantBits();
        long low = uuid.getLeastSignificantBits();
        byte[] bytes = new byte[16];
        little(bytes, 0, high >>> 32, 4);
        little(bytes, 4, high >>> 16, 2);
        little(bytes, 6, high, 2);
        little(bytes, 8, Long.reverseBytes(low), 8);
        return buffer(bytes);
    }

    // --- Names and objects (sections 20.2.2 and 20.2.5) ---------------------------------------

    /**
     * A path such as {@code \_SB.PCI0} or {@code ^CDW1}; segments are filled up with underscores.
     */
    static Aml path(String path) {
        var out = new ByteArrayOutputStream();
        String rest = path;
        if (rest.startsWith("\\")) {
            out.write(Opcode.ROOT);
            rest = rest.substring(1);
        }
        while (rest.startsWith("^") && !path.startsWith("\\")) {
            out.write(Opcode.PARENT);
            rest = rest.substring(1);
        }
        String[] segments = rest.isEmpty() ? new String[0] : rest.split("\\.", -1);
        if (segments.length > 0xff) {
            throw new IllegalArgumentException("'%s' has too many segments".formatted(path));
        }
        switch (segments.length) {
            case 0 -> out.write(Opcode.ZERO);
            case 1 -> {}
            case 2 -> out.write(Opcode.DUAL_NAME);
            default -> {
                out.write(Opcode.MULTI_NAME);
                out.write(segments.length);
            }
        }
        for (String segment : segments) {
            if (!segment.matches("[A-Z_][A-Z0-9_]{0,3}")) {
                throw new IllegalArgumentException(
                        "'%s' in '%s' is no name".formatted(segment, path));
            }
            String filled = segment + "_".repeat(NAME_SEGMENT - segment.length());
            out.writeBytes(filled.getBytes(StandardCharsets.US_ASCII));
        }
        return new Aml(out.toByteArray());
    }

    static Aml name(String path, Aml value) {
        return of(raw(Opcode.NAME), path(path), value);
    }

    static Aml scope(String path, Aml... terms) {
        return inPackage(raw(Opcode.SCOPE), path(path), of(terms));
    }

    static Aml device(String path, Aml... terms) {
        return inPackage(raw(Opcode.EXTENDED, Opcode.EXTENDED_DEVICE), path(path), of(terms));
    }

    /**
     * A method that creates names, and therefore runs once at a time.
     *
     * @param arguments 0 to 7
     */
    static Aml serializedMethod(String path, int arguments, Aml... terms) {
        if (arguments < 0 || arguments > 7) {
            throw new IllegalArgumentException(arguments + " arguments; 0 to 7 are possible");
        }
        return inPackage(raw(Opcode.METHOD), path(path), raw(arguments | 1 << 3), of(terms));
    }

    // --- Statements and expressions (section 20.2.5) ------------------------------------------

    static Aml argument(int number) {
        return numbered(Opcode.ARG_0, number, 6);
    }

    static Aml local(int number) {
        return numbered(Opcode.LOCAL_0, number, 7);
    }

    static Aml createDwordField(Aml buffer, int offset, String name) {
        return of(raw(Opcode.CREATE_DWORD_FIELD), buffer, integer(offset), path(name));
    }

    static Aml store(Aml value, Aml target) {
        return of(raw(Opcode.STORE), value, target);
    }

    static Aml and(Aml left, Aml right, Aml target) {
        return of(raw(Opcode.AND), left, right, target);
    }

    static Aml or(Aml left, Aml right, Aml target) {
        return of(raw(Opcode.OR), left, right, target);
    }

    static Aml equal(Aml left, Aml right) {
        return of(raw(Opcode.LOGICAL_EQUAL), left, right);
    }

    static Aml not(Aml operand) {
        return of(raw(Opcode.LOGICAL_NOT), operand);
    }

    static Aml when(Aml condition, Aml... terms) {
        return inPackage(raw(Opcode.IF), condition, of(terms));
    }

    /** Directly behind what {@link #when} gave. */
    static Aml otherwise(Aml... terms) {
        return inPackage(raw(Opcode.ELSE), of(terms));
    }

    static Aml give(Aml value) {
        return of(raw(Opcode.RETURN), value);
    }

    // --- Encoding -----------------------------------------------------------------------------

    /** The terms one behind the other. */
    static Aml of(Aml... terms) {
        var out = new ByteArrayOutputStream();
        for (Aml term : terms) {
            out.writeBytes(term.bytes);
        }
        return new Aml(out.toByteArray());
    }

    private static Aml inPackage(Aml opcode, Aml... content) {
        Aml inside = of(content);
        return of(opcode, packageLength(inside.length()), inside);
    }

    /**
     * The length of a package, its own bytes included (section 20.2.4): six bits in one byte, or
     * four in the first and eight in each of up to three more.
     *
     * @param content bytes that follow
     */
    static Aml packageLength(int content) {
        if (content < 0 || content > MOST_PACKAGE - 4) {
            throw new IllegalArgumentException(content + " bytes are no package");
        }
        if (content + 1 < 1 << 6) {
            return raw(content + 1);
        }
        int more = 1;
        while (content + 1 + more >= 1 << 4 + 8 * more) {
            more++;
        }
        int length = content + 1 + more;
        byte[] encoded = new byte[1 + more];
        encoded[0] = (byte) (more << 6 | length & 0xf);
        little(encoded, 1, length >>> 4, more);
        return new Aml(encoded);
    }

    private static Aml numbered(int first, int number, int last) {
        if (number < 0 || number > last) {
            throw new IllegalArgumentException(
                    String.format(Locale.ROOT, "number %d; 0 to %d exist", number, last));
        }
        return raw(first + number);
    }

    private static Aml number(int prefix, long value, int width) {
        byte[] encoded = new byte[1 + width];
        encoded[0] = (byte) prefix;
        little(encoded, 1, value, width);
        return new Aml(encoded);
    }

    private static Aml raw(int... values) {
        byte[] encoded = new byte[values.length];
        for (int i = 0; i < values.length; i++) {
            encoded[i] = (byte) values[i];
        }
        return new Aml(encoded);
    }

    private static void little(byte[] target, int at, long value, int width) {
        for (int i = 0; i < width; i++) {
            target[at + i] = (byte) (value >>> 8 * i);
        }
    }
}
