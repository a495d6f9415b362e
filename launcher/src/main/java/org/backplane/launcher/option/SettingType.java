package org.backplane.launcher.option;

import java.math.BigInteger;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** What the value of a setting may be: the types of docs/devices.md. */
sealed interface SettingType {
    /** What would be right, a clause for each thing that is wrong; none if the value will do. */
    List<String> remedies(String value);

    /** How a value of it is written in a sentence. */
    String placeholder();

    /** The type of a description. */
    static SettingType of(String text) {
        Matcher range = Range.WRITTEN.matcher(text);
        Matcher length = Text.WRITTEN.matcher(text);
        if (range.matches()) {
            return new Range(Long.parseLong(range.group(1)), Long.parseLong(range.group(2)));
        }
        if (length.matches()) {
            return new Text(Integer.parseInt(length.group(1)));
        }
        return switch (text) {
            case "flag" -> new Flag();
            case "address" -> new Address();
            case "file" -> new FilePath();
            case "pci-address" -> new PciAddress();
            case "console" -> new ConsolePlace();
            default ->
                    text.contains("|")
                            ? new Choice(List.of(text.split("\\|", -1)))
                            : new OfTheDevice();
        };
    }

    private static List<String> unless(boolean right, String remedy) {
        return right ? List.of() : List.of(remedy);
    }

    /** {@code flag}. */
    record Flag() implements SettingType {
        private static final Set<String> LEGAL = Set.of("on", "true", "off", "false");

        @Override
        public List<String> remedies(String value) {
            return unless(isOne(value), "give on or off");
        }

        @Override
        public String placeholder() {
            return "on";
        }

        static boolean isOne(String value) {
            return LEGAL.contains(value);
        }
    }

    /** {@code 1..16}, a decimal number; both ends belong to it. */
    record Range(long least, long most) implements SettingType {
        private static final Pattern WRITTEN = Pattern.compile("(-?\\d{1,18})\\.\\.(-?\\d{1,18})");
        private static final Pattern NUMBER = Pattern.compile("-?\\d{1,18}");

        @Override
        public List<String> remedies(String value) {
            boolean right =
                    NUMBER.matcher(value).matches()
                            && Long.parseLong(value) >= least
                            && Long.parseLong(value) <= most;
            return unless(right, "give a number from " + least + " to " + most);
        }

        @Override
        public String placeholder() {
            return "NUMBER";
        }
    }

    /** {@code text(20)}. */
    record Text(int most) implements SettingType {
        private static final Pattern WRITTEN = Pattern.compile("text\\((\\d{1,6})\\)");

        @Override
        public List<String> remedies(String value) {
            return unless(
                    !value.isEmpty()
                            && value.length() <= most
                            && value.chars().allMatch(c -> c > ' ' && c <= '~'),
                    "give 1 to " + most + " printable ASCII characters without spaces");
        }

        @Override
        public String placeholder() {
            return "TEXT";
        }
    }

    /** {@code address}: hexadecimal, below 2^63. */
    record Address() implements SettingType {
        private static final Pattern WRITTEN = Pattern.compile("(?:0[xX])?([0-9a-fA-F]+)");

        @Override
        public List<String> remedies(String value) {
            Matcher digits = WRITTEN.matcher(value);
            return unless(
                    digits.matches() && new BigInteger(digits.group(1), 16).bitLength() < Long.SIZE,
                    "give a hexadecimal address such as 0x10000000");
        }

        @Override
        public String placeholder() {
            return "ADDRESS";
        }
    }

    /** {@code pci-address}: of a PCI function of the host; without a domain it is in domain 0. */
    record PciAddress() implements SettingType {
        private static final Pattern WRITTEN =
                Pattern.compile("(\\p{XDigit}{4,8}:)?\\p{XDigit}{2}:[01]\\p{XDigit}\\.[0-7]");

        @Override
        public List<String> remedies(String value) {
            return unless(isOne(value), "give the address of a PCI function such as 0000:01:00.0");
        }

        @Override
        public String placeholder() {
            return "0000:01:00.0";
        }

        static boolean isOne(String value) {
            return WRITTEN.matcher(value).matches();
        }

        /** With its domain, as the kernel writes it. */
        static String whole(String value) {
            String lower = value.toLowerCase(Locale.ROOT);
            return lower.indexOf(':') == lower.lastIndexOf(':') ? "0000:" + lower : lower;
        }
    }

    /** {@code file}: the path of one, whatever is there. */
    record FilePath() implements SettingType {
        @Override
        public List<String> remedies(String value) {
            List<String> remedies = new ArrayList<>();
            PlanReader.path(value, remedies::add);
            return remedies;
        }

        @Override
        public String placeholder() {
            return "FILE";
        }
    }

    /** {@code console}: as {@code --console}. */
    record ConsolePlace() implements SettingType {
        @Override
        public List<String> remedies(String value) {
            List<String> remedies = new ArrayList<>();
            new ConsoleOption(remedies::add).read(value);
            return remedies;
        }

        @Override
        public String placeholder() {
            return "CONSOLE";
        }
    }

    /** {@code a|b|c}. */
    record Choice(List<String> values) implements SettingType {
        @Override
        public List<String> remedies(String value) {
            return unless(values.contains(value), "give one of: " + String.join(", ", values));
        }

        @Override
        public String placeholder() {
            return String.join("|", values);
        }
    }

    /** A type that is not known here: only the device can judge a value. */
    record OfTheDevice() implements SettingType {
        @Override
        public List<String> remedies(String value) {
            return List.of();
        }

        @Override
        public String placeholder() {
            return "VALUE";
        }
    }
}
