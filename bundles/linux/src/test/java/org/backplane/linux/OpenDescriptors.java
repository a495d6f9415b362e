package org.backplane.linux;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;

/** What this process has open, to see that nothing leaks. */
final class OpenDescriptors {
    private OpenDescriptors() {}

    /** How many descriptors lead to something whose name contains a text, proc(5). */
    static long naming(String text) throws IOException {
        try (Stream<Path> numbers = Files.list(Path.of("/proc/self/fd"))) {
            return numbers.filter(number -> target(number).contains(text)).count();
        }
    }

    private static String target(Path number) {
        try {
            return Files.readSymbolicLink(number).toString();
        } catch (java.nio.file.NoSuchFileException e) {
            // The listing's own, or another thread's, closed meanwhile.
            return "";
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
