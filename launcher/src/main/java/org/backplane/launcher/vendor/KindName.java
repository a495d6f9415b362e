package org.backplane.launcher.vendor;

import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import javax.lang.model.SourceVersion;

/**
 * The name of a kind, {@code acme-rng}, and what is called after it: words of small letters and
 * digits, each of which can be a part of a Java package.
 */
public record KindName(String kind) {
    private static final Pattern NAME = Pattern.compile("[a-z][a-z0-9]*(-[a-z][a-z0-9]*)*");
    private static final int LONGEST = 64;

    /** What is wrong with a name, and what would be right; empty if nothing is. */
    public static Optional<String> remedy(String kind) {
        if (!NAME.matcher(kind).matches() || kind.length() > LONGEST) {
            return Optional.of(
                    "give words of small letters and digits, joined by '-', each beginning with a"
                            + " letter: acme-rng");
        }
        return words(kind).stream()
                .filter(SourceVersion::isKeyword)
                .findFirst()
                .map(
                        word ->
                                "'%s' is a word of Java, and the package is named after the kind"
                                        .formatted(word));
    }

    private static List<String> words(String kind) {
        return Arrays.asList(kind.split("-"));
    }

    /** {@code acme.rng}. */
    String packageName() {
        return String.join(".", words(kind));
    }

    /** {@code AcmeRng}. */
    String className() {
        return words(kind).stream()
                .map(word -> word.substring(0, 1).toUpperCase(Locale.ROOT) + word.substring(1))
                .collect(Collectors.joining());
    }
}
