package org.backplane.device.virtio.net;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * An Ethernet address.
 *
 * @param bits 48 of them, the first byte on the wire the highest
 */
record MacAddress(long bits) {
    private static final Pattern WRITTEN =
            Pattern.compile("[0-9a-fA-F]{2}(?:[:-][0-9a-fA-F]{2}){5}");
    private static final long GROUP = 1L << 40;
    private static final long LOCAL = 2L << 40;
    private static final long ALL = (1L << 48) - 1;

    static final MacAddress BROADCAST = new MacAddress(ALL);

    MacAddress {
        if (bits < 0 || bits > ALL) {
            throw new IllegalArgumentException("0x%x is more than 48 bits".formatted(bits));
        }
    }

    /** An address in pairs of hexadecimal digits; empty if it is written differently. */
    static Optional<MacAddress> parse(String text) {
        Matcher matcher = WRITTEN.matcher(text);
        return matcher.matches()
                ? Optional.of(new MacAddress(Long.parseLong(text.replaceAll("[:-]", ""), 16)))
                : Optional.empty();
    }

    /** The first six bytes from a place on. */
    static MacAddress read(byte[] bytes, int offset) {
        long bits = 0;
        for (int i = 0; i < NetWire.MAC_BYTES; i++) {
            bits = bits << 8 | bytes[offset + i] & 0xff;
        }
        return new MacAddress(bits);
    }

    /**
     * Always the same locally administered address for a slot of a machine, and another for every
     * other slot or machine, as far as 46 bits go.
     */
    static MacAddress of(String machine, String slot) {
        try {
            byte[] digest =
                    MessageDigest.getInstance("SHA-256")
                            .digest((machine + "/" + slot).getBytes(StandardCharsets.UTF_8));
            return new MacAddress((read(digest, 0).bits & ~GROUP) | LOCAL);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        }
    }

    /** Whether it names several stations. */
    boolean isGroup() {
        return (bits & GROUP) != 0;
    }

    /** Whether a station can have it: neither a group's nor all zeroes. */
    boolean isStation() {
        return !isGroup() && bits != 0;
    }

    byte[] bytes() {
        byte[] bytes = new byte[NetWire.MAC_BYTES];
        for (int i = 0; i < bytes.length; i++) {
            bytes[i] = octet(i);
        }
        return bytes;
    }

    byte octet(int index) {
        return (byte) (bits >>> 8 * (NetWire.MAC_BYTES - 1 - index));
    }

    @Override
    public String toString() {
        return "%012x".formatted(bits).replaceAll("(..)(?!$)", "$1:");
    }
}
