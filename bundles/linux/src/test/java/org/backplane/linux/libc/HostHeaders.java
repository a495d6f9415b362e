package org.backplane.linux.libc;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.File;
import java.io.IOException;
import java.lang.reflect.Field;
import java.lang.reflect.Modifier;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;

/** What the host's C compiler says that expressions over its headers are worth. */
public final class HostHeaders {
    private final Path folder;
    private final String compiler;
    private final String includes;

    private HostHeaders(Path folder, String compiler, String includes) {
        this.folder = folder;
        this.compiler = compiler;
        this.includes = includes;
    }

    /** Skips the test where there is no compiler. */
    public static HostHeaders require(Path folder, String includes) {
        Optional<String> compiler = compiler();
        if (compiler.isEmpty()) {
            System.out.println("skipped: there is no cc or gcc on the PATH");
        }
        Assumptions.assumeTrue(compiler.isPresent(), "needs cc or gcc on the PATH");
        return new HostHeaders(folder, compiler.get(), includes);
    }

    /** The constants of a descriptor class by name. */
    public static Map<String, Long> numbers(Class<?> descriptor) throws IllegalAccessException {
        Map<String, Long> numbers = new TreeMap<>();
        for (Field field : descriptor.getFields()) {
            if (Modifier.isStatic(field.getModifiers())) {
                numbers.put(field.getName(), ((Number) field.get(null)).longValue());
            }
        }
        return numbers;
    }

    /** Values of C expressions, by the names that the caller gives them. */
    public Map<String, Long> values(Map<String, String> expressions)
            throws IOException, InterruptedException {
        StringBuilder source = new StringBuilder(includes).append("int main(void) {\n");
        expressions.forEach(
                (name, expression) ->
                        source.append(
                                "printf(\"%s %%lld\\n\", (long long)(%s));\n"
                                        .formatted(name, expression)));
        Files.writeString(folder.resolve("table.c"), source.append("return 0; }\n"));
        run("compile", compiler, "-o", "table", "table.c");
        Map<String, Long> values = new TreeMap<>();
        run("run", "./table")
                .lines()
                .map(line -> line.split(" "))
                .forEach(words -> values.put(words[0], Long.parseLong(words[1])));
        return values;
    }

    private String run(String purpose, String... command) throws IOException, InterruptedException {
        Path output = folder.resolve(purpose + ".txt");
        Process process =
                new ProcessBuilder(command)
                        .directory(folder.toFile())
                        .redirectErrorStream(true)
                        .redirectOutput(output.toFile())
                        .start();
        int status = process.waitFor();
        String text = Files.readString(output);
        assertEquals(0, status, () -> purpose + ": " + text);
        return text;
    }

    private static Optional<String> compiler() {
        return Stream.of("cc", "gcc")
                .flatMap(
                        name ->
                                Stream.of(System.getenv("PATH").split(File.pathSeparator))
                                        .map(path -> Path.of(path, name)))
                .filter(Files::isExecutable)
                .map(Path::toString)
                .findFirst();
    }
}
