package org.backplane.launcher.dev;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.ClosedWatchServiceException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** A test that what happens is no build ends with one that is: what came before was passed over. */
@Timeout(60)
class BuildsTest {
    @TempDir Path folder;

    private Path project;
    private Path copies;
    private Builds builds;

    @BeforeEach
    void make() throws IOException {
        project = Files.createDirectory(folder.resolve("project"));
        copies = Files.createDirectory(folder.resolve("copies"));
    }

    @AfterEach
    void close() throws IOException {
        if (builds != null) {
            builds.close();
        }
    }

    private Path maven() throws IOException {
        Files.createFile(project.resolve("pom.xml"));
        return project.resolve("target");
    }

    private void watch() throws IOException {
        builds = new Builds(BuildOutput.of(project), copies);
        builds.present();
    }

    /** The next build's jar, whose copy was found to be what it should. */
    private Path next(byte[] contents) throws IOException, InterruptedException {
        List<Build> next = builds.next();
        assertEquals(1, next.size(), next::toString);
        assertArrayEquals(contents, Files.readAllBytes(next.get(0).copy()));
        next.get(0).discard();
        return next.get(0).jar();
    }

    private boolean nothingIsLeft() throws IOException {
        try (Stream<Path> left = Files.list(copies)) {
            return left.findAny().isEmpty();
        }
    }

    @Test
    void tellsANewJarWithItsKinds() throws Exception {
        watch();
        Files.write(project.resolve("card.jar"), JarFileMaker.device("card", 1));
        Build build = builds.next().get(0);
        assertEquals(project.resolve("card.jar"), build.jar());
        assertEquals(Set.of("card"), build.kinds());
    }

    @Test
    void waitsForAFolderThatTheFirstBuildMakes() throws Exception {
        Path target = maven();
        watch();
        Files.createDirectories(target.resolve("classes"));
        byte[] jar = JarFileMaker.device("card", 1);
        Files.write(target.resolve("card.jar"), jar);
        assertEquals(target.resolve("card.jar"), next(jar));
    }

    @Test
    void goesOnAfterTheFolderWasDeletedAndMadeAgain() throws Exception {
        Files.createFile(project.resolve("build.gradle.kts"));
        Path libs = Files.createDirectories(project.resolve("build/libs"));
        watch();
        for (int version = 1; version < 4; version++) {
            byte[] jar = JarFileMaker.device("card", version);
            Files.write(libs.resolve("card.jar"), jar);
            assertEquals(libs.resolve("card.jar"), next(jar));
            Files.delete(libs.resolve("card.jar"));
            Files.delete(libs);
            Files.delete(libs.getParent());
            Files.createDirectories(libs);
        }
    }

    @Test
    void passesOverAJarThatIsHalfWrittenUntilItIsWhole() throws Exception {
        watch();
        byte[] jar = JarFileMaker.device("card", 1);
        byte[] other = JarFileMaker.device("card", 2);
        Path slow = project.resolve("slow.jar");
        Files.write(slow, Arrays.copyOf(jar, jar.length / 2));
        Files.write(project.resolve("other.jar"), other);
        assertEquals(project.resolve("other.jar"), next(other));
        Files.write(
                slow,
                Arrays.copyOfRange(jar, jar.length / 2, jar.length),
                StandardOpenOption.APPEND);
        assertEquals(slow, next(jar));
        assertTrue(nothingIsLeft());
    }

    @Test
    void passesOverAJarThatIsHalfOverwrittenInPlace() throws Exception {
        watch();
        byte[] mixed = JarFileMaker.device("card", 1);
        byte[] later = JarFileMaker.device("card", 2);
        System.arraycopy(later, 0, mixed, 0, mixed.length / 2);
        Files.write(project.resolve("mixed.jar"), mixed);
        Files.write(project.resolve("other.jar"), later);
        assertEquals(project.resolve("other.jar"), next(later));
        assertTrue(nothingIsLeft());
    }

    @Test
    void countsABuildOnceHoweverOftenItIsWritten() throws Exception {
        watch();
        Path jar = project.resolve("card.jar");
        byte[] first = JarFileMaker.device("card", 1);
        Files.write(jar, first);
        next(first);
        Files.write(jar, first);
        Files.copy(jar, project.resolve("same.jar"));
        byte[] second = JarFileMaker.device("card", 2);
        Files.write(project.resolve("second.jar"), second);
        assertEquals(project.resolve("second.jar"), next(second));
        assertTrue(nothingIsLeft());
    }

    @Test
    void goingBackToAnEarlierBuildIsANewOne() throws Exception {
        watch();
        Path jar = project.resolve("card.jar");
        for (int version : new int[] {1, 2, 1}) {
            byte[] contents = JarFileMaker.device("card", version);
            Files.write(jar, contents);
            next(contents);
        }
    }

    @Test
    void goingBackToAnEarlierVersionAfterACleanIsANewBuild() throws Exception {
        Path target = maven();
        Files.createDirectory(target);
        watch();
        for (int version : new int[] {1, 2, 1}) {
            Path jar = target.resolve("card-" + version + ".jar");
            byte[] contents = JarFileMaker.device("card", version);
            Files.write(jar, contents);
            assertEquals(jar, next(contents));
            Files.delete(jar);
            Files.delete(target);
            Files.createDirectory(target);
        }
    }

    @Test
    void whatIsThereAtTheStartIsNoNewBuild() throws Exception {
        byte[] old = JarFileMaker.device("card", 1);
        Files.write(project.resolve("card.jar"), old);
        builds = new Builds(BuildOutput.of(project), copies);
        assertEquals(1, builds.present().size());
        Files.write(project.resolve("card.jar"), old);
        byte[] fresh = JarFileMaker.device("card", 2);
        Files.write(project.resolve("fresh.jar"), fresh);
        assertEquals(project.resolve("fresh.jar"), next(fresh));
    }

    @Test
    void tellsAJarThatIsMovedIntoPlaceAsSavedThen() throws Exception {
        watch();
        Path incoming = folder.resolve("incoming");
        Files.write(incoming, JarFileMaker.device("card", 1));
        Files.setLastModifiedTime(incoming, FileTime.fromMillis(0));
        Files.move(incoming, project.resolve("card.jar"), StandardCopyOption.ATOMIC_MOVE);
        Build build = builds.next().get(0);
        assertFalse(build.saved().isBefore(Instant.ofEpochSecond(1)), build::toString);
    }

    @Test
    void tellsAJarThatIsNoDeviceBundleWithoutKinds() throws Exception {
        watch();
        Files.write(project.resolve("library.jar"), JarFileMaker.library(1));
        assertEquals(Set.of(), builds.next().get(0).kinds());
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "card-1.0-sources.jar",
                "card-1.0-javadoc.jar",
                "card-1.0-tests.jar",
                "card-1.0-test-sources.jar",
                "original-card-1.0.jar",
                "card-1.0.jar.tmp",
                "card.war"
            })
    void passesOverWhatABuildPutsBesideTheBundle(String name) throws Exception {
        watch();
        Files.write(project.resolve(name), JarFileMaker.device("card", 1));
        byte[] jar = JarFileMaker.device("card", 2);
        Files.write(project.resolve("zcard.jar"), jar);
        assertEquals(project.resolve("zcard.jar"), next(jar));
    }

    @ParameterizedTest
    @CsvSource({
        "pom.xml, target",
        "build.gradle, build/libs",
        "build.gradle.kts, build/libs",
        "card.gradle, build/libs",
        "readme.txt, ''"
    })
    void knowsTheOutputFolderByTheBuildFile(String file, String output) throws IOException {
        Files.createFile(project.resolve(file));
        assertEquals(
                output.isEmpty() ? project : project.resolve(output),
                BuildOutput.of(project).folder());
    }

    @Test
    void saysThatTheProjectIsGone() throws Exception {
        watch();
        Files.delete(project);
        String sentence = assertThrows(IOException.class, () -> builds.next()).getMessage();
        assertTrue(sentence.contains(project + " is gone"), sentence);
    }

    @Test
    void closingEndsTheWait() throws Exception {
        watch();
        Thread closer =
                new Thread(
                        () -> {
                            try {
                                builds.close();
                            } catch (IOException e) {
                                throw new UncheckedIOException(e);
                            }
                        });
        closer.start();
        assertThrows(ClosedWatchServiceException.class, () -> builds.next());
        closer.join();
    }
}
