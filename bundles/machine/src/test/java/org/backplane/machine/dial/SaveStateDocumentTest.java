package org.backplane.machine.dial;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** The example of docs/save-state.md is the code that is tested here, word for word. */
class SaveStateDocumentTest {
    private static final Path DOCUMENT = Path.of("../../docs/save-state.md");
    private static final Path TESTS = Path.of("src/test");
    private static final String PACKAGE = "org/backplane/machine/dial";
    private static final Pattern BLOCK =
            Pattern.compile(
                    "^```(java|properties)\n(.*?)^```$", Pattern.MULTILINE | Pattern.DOTALL);

    private static List<String> texts(Path folder) throws IOException {
        try (Stream<Path> files = Files.walk(folder)) {
            return files.filter(Files::isRegularFile)
                    .map(
                            file -> {
                                try {
                                    return Files.readString(file);
                                } catch (IOException e) {
                                    throw new AssertionError(e);
                                }
                            })
                    .toList();
        }
    }

    @Test
    void everyBlockIsPartOfWhatIsTested() throws IOException {
        List<String> sources = texts(TESTS.resolve("java").resolve(PACKAGE));
        List<String> golden = texts(TESTS.resolve("resources").resolve(PACKAGE));
        List<MatchResult> blocks = BLOCK.matcher(Files.readString(DOCUMENT)).results().toList();
        assertEquals(7, blocks.size());
        for (MatchResult block : blocks) {
            String text = block.group(2);
            assertTrue(
                    block.group(1).equals("java")
                            ? sources.stream().anyMatch(source -> source.contains(text))
                            : golden.contains(text),
                    text);
        }
    }
}
