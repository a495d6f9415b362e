package org.backplane.itests;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertTrue;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.Test;

/** Holds {@code docs/defects.md} to the tests and cases that there are. */
public final class DefectsPageIT {
    private static final Pattern NAMED_TEST = Pattern.compile("`([A-Z]\\w+(?:Test|IT))\\.(\\w+)`");
    private static final Pattern NAMED_CASE = Pattern.compile("`(\\d+-[\\w-]+\\.sh)`");
    private static final Pattern ROW = Pattern.compile("(?m)^\\| ([0-9a-f][0-9a-f, ]*) \\|(.*)$");

    /** A method behind an annotation that makes it a test. */
    private static final Pattern TEST =
            Pattern.compile(
                    "@(?:Test|ParameterizedTest|Property|Example)\\b[^;{]*?\\bvoid (\\w+)\\(");

    /** What was mended, and the first of all: commits, as their first digits. */
    private static final String COMMITS =
            "ed01a603 84998f2 5b7fef1 3665392 8f16070 bea6c33 e554aef 8d98772 c0c45ee 09577ac"
                    + " a05e576 6ea32eb e1d0285 46e0413 465edc9 b4fc4f6 d7d79bd e69b766 25c1dc6"
                    + " 2e7380d f93acc0 b20d6e3 39181fc 2108c86 d4d6f15 20b93be 52d4ee7 06e1e6f"
                    + " e473028 31e0eac 867b15c c6590f7 73fd136 3d5cefc fe21827 717a3ab 78771e7"
                    + " 53171d5 cf8358d 13ea439 bc23b9d 62ba372 3a36d34 353fa0d 2921448 9cb1b46"
                    + " 4d2c017 da4cfc3 b48735e ba6830e";

    /** How many were found in its head. */
    private static final int STILL_THERE = 16;

    private final Path root = ProjectBundle.root();

    private String page() throws IOException {
        return Files.readString(root.resolve("docs/defects.md"));
    }

    @Test
    public void everyTestNamedExists() throws IOException {
        Map<String, Set<String>> tests = tests();
        List<String> missing =
                NAMED_TEST
                        .matcher(page())
                        .results()
                        .filter(
                                name ->
                                        !tests.getOrDefault(name.group(1), Set.of())
                                                .contains(name.group(2)))
                        .map(MatchResult::group)
                        .toList();
        assertEquals(List.of(), missing);
    }

    @Test
    public void everyCaseNamedExists() throws IOException {
        Path cases = root.resolve("itests/rig/cases");
        List<String> missing =
                NAMED_CASE
                        .matcher(page())
                        .results()
                        .map(name -> name.group(1))
                        .filter(name -> !Files.isRegularFile(cases.resolve(name)))
                        .toList();
        assertEquals(List.of(), missing);
    }

    @Test
    public void everyDefectIsAnsweredOnce() throws IOException {
        Set<String> expected = new TreeSet<>(List.of(COMMITS.split(" ")));
        IntStream.rangeClosed(1, STILL_THERE).mapToObj(Integer::toString).forEach(expected::add);
        List<MatchResult> rows = ROW.matcher(page()).results().toList();
        List<String> answered =
                rows.stream().flatMap(row -> List.of(row.group(1).split(", ")).stream()).toList();
        assertEquals(expected, new TreeSet<>(answered));
        assertEquals("one row each", expected.size(), answered.size());
        for (MatchResult row : rows) {
            String answer = row.group(2);
            assertTrue(
                    "neither a test nor a reason: " + row.group(),
                    NAMED_TEST.matcher(answer).find() || answer.contains("there is no "));
        }
    }

    /** By simple name of the class, the methods that are tests. */
    private Map<String, Set<String>> tests() throws IOException {
        Map<String, Set<String>> tests = new HashMap<>();
        Files.walkFileTree(
                root,
                new SimpleFileVisitor<>() {
                    @Override
                    public FileVisitResult preVisitDirectory(
                            Path folder, BasicFileAttributes attributes) {
                        String name = folder.getFileName().toString();
                        boolean beside = name.equals("target") || name.startsWith(".");
                        return beside && !folder.equals(root)
                                ? FileVisitResult.SKIP_SUBTREE
                                : FileVisitResult.CONTINUE;
                    }

                    @Override
                    public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) {
                        String name = file.getFileName().toString();
                        if (name.endsWith("Test.java") || name.endsWith("IT.java")) {
                            tests.computeIfAbsent(name.replace(".java", ""), any -> new HashSet<>())
                                    .addAll(methods(file));
                        }
                        return FileVisitResult.CONTINUE;
                    }
                });
        return tests;
    }

    private static Set<String> methods(Path source) {
        try {
            return TEST.matcher(Files.readString(source))
                    .results()
                    .map(method -> method.group(1))
                    .collect(Collectors.toSet());
        } catch (IOException unreadable) {
            throw new UncheckedIOException(unreadable);
        }
    }
}
