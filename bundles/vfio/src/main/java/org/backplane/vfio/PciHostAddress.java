package org.backplane.vfio;

import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Where the host has a PCI function.
 *
 * @param domain 16 bits, or 32 where the host has virtual domains
 * @param bus 0 to 255
 * @param device 0 to 31
 * @param function 0 to 7
 */
public record PciHostAddress(int domain, int bus, int device, int function) {
    private static final Pattern TEXT =
            Pattern.compile("(?:(\\p{XDigit}{4,8}):)?(\\p{XDigit}{2}):([01]\\p{XDigit})\\.([0-7])");

    /** Reads {@code 0000:01:00.0}, or {@code 01:00.0} in domain 0; empty if it is neither. */
    public static Optional<PciHostAddress> parse(String text) {
        Matcher matcher = TEXT.matcher(text);
        if (!matcher.matches()) {
            return Optional.empty();
        }
        return Optional.of(
                new PciHostAddress(
                        matcher.group(1) == null
                                ? 0
                                : Integer.parseUnsignedInt(matcher.group(1), 16),
                        Integer.parseInt(matcher.group(2), 16),
                        Integer.parseInt(matcher.group(3), 16),
                        Integer.parseInt(matcher.group(4))));
    }

    /** As the kernel writes it: {@code 0000:01:00.0}. */
    @Override
    public String toString() {
        return "%04x:%02x:%02x.%x".formatted(domain, bus, device, function);
    }
}
