package org.backplane.launcher.script;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.backplane.launcher.script.ScriptFolder.Result;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@Timeout(120)
class BackplaneScriptTest {
    @TempDir Path temporary;

    private ScriptFolder folder;
    private Path java;

    /** A JVM that prints its arguments. */
    @BeforeEach
    void aJvmOfVersion17() throws IOException {
        folder = new ScriptFolder(temporary);
        jvm("17.0.9", "printf '<%s>' \"$@\"; echo");
    }

    private void jvm(String version, String body) throws IOException {
        java = folder.program("jvm/bin/java", body);
        folder.write("jvm/release", "JAVA_VERSION=\"" + version + "\"\n");
    }

    private Map<String, String> environment() {
        return Map.of("JAVA_HOME", temporary.resolve("jvm").toString());
    }

    private Path distribution() throws IOException {
        folder.write("dist/lib/launcher.jar", "");
        return folder.copy("backplane", "dist/backplane");
    }

    @Test
    void startsTheDistributionItIsIn() throws Exception {
        Result result =
                folder.run(temporary, environment(), distribution().toString(), "list", "a b");
        assertEquals(0, result.status(), result.output());
        assertTrue(
                result.output().endsWith("<org.backplane.launcher.Main><list><a b>\n"),
                result.output());
        assertTrue(
                result.output().contains("<-Dbackplane.home=" + temporary.resolve("dist") + ">"),
                result.output());
        assertTrue(result.output().contains("<-XX:TieredStopAtLevel=1>"), result.output());
    }

    @Test
    void worksByALinkFromAnyFolderAndRunsMachinesWithEveryCompiler() throws Exception {
        Path link = temporary.resolve("link");
        Files.createSymbolicLink(link, distribution());
        Result result = folder.run(Path.of("/"), environment(), link.toString(), "run", "--x");
        assertTrue(
                result.output().endsWith("<org.backplane.launcher.Main><run><--x>\n"),
                result.output());
        assertFalse(result.output().contains("TieredStopAtLevel"), result.output());
    }

    @Test
    void refusesAnOldJava() throws Exception {
        jvm("11.0.2", "echo started");
        Result result = folder.run(temporary, environment(), distribution().toString(), "list");
        assertEquals(1, result.status());
        assertTrue(result.output().contains("Java 17 or newer is needed"), result.output());
        assertFalse(result.output().contains("started"));
    }

    @Test
    void allowsNativeAccessWhereTheJvmWarnsOfIt() throws Exception {
        jvm("25", "printf '<%s>' \"$@\"; echo");
        Result result = folder.run(temporary, environment(), distribution().toString(), "list");
        assertTrue(
                result.output().contains("<--enable-native-access=ALL-UNNAMED>"), result.output());
    }

    @Test
    void returnsTheStatusOfTheMachine() throws Exception {
        jvm("17", "exit 7");
        Path script = distribution();
        assertEquals(7, folder.run(temporary, environment(), script.toString(), "run").status());
        assertEquals(7, folder.run(temporary, environment(), script.toString(), "list").status());
    }

    @Test
    void passesATerminationOnAndWaitsForTheMachine() throws Exception {
        jvm(
                "17",
                "trap 'echo ended; exit 3' TERM; echo up; kill -TERM $PPID; while :; do wait; done");
        Result result = folder.run(temporary, environment(), distribution().toString(), "run");
        assertEquals(new Result(3, "up\nended\n"), result);
    }

    @ParameterizedTest
    @CsvSource({"INT, 130", "HUP, 129", "TERM, 143"})
    void endsAMachineOnASignalWithThatSignalsStatus(String signal, int status) throws Exception {
        jvm("17", "trap 'exit 143' TERM; kill -" + signal + " $PPID; while :; do wait; done");
        Result result = folder.run(temporary, environment(), distribution().toString(), "run");
        assertEquals(new Result(status, ""), result);
    }

    @ParameterizedTest
    @CsvSource({"INT", "HUP"})
    void keepsTheStatusOfAMachineThatHadEndedWhenTheSignalCame(String signal) throws Exception {
        jvm("17", "trap 'exit 3' TERM; kill -" + signal + " $PPID; while :; do wait; done");
        Result result = folder.run(temporary, environment(), distribution().toString(), "run");
        assertEquals(new Result(3, ""), result);
    }

    @Test
    void restoresTheTerminalOfAMachineThatWasKilled() throws Exception {
        Assumptions.assumeTrue(
                Files.isExecutable(Path.of("/usr/bin/script")), "skipped: there is no script(1)");
        jvm("17", "stty raw -echo; kill -KILL $$");
        Path inside =
                folder.program(
                        "inside",
                        "before=$(stty -g)\n"
                                + distribution()
                                + " run > /dev/null 2>&1\necho \"status $?\"\n"
                                + "[ \"$before\" = \"$(stty -g)\" ] && echo same || echo changed");
        Result result =
                folder.run(
                        temporary, environment(), "script", "-qec", inside.toString(), "/dev/null");
        assertEquals("status 137\r\nsame\r\n", result.output());
    }

    @Test
    void restoresTheTerminalOfAShell() throws Exception {
        Assumptions.assumeTrue(
                Files.isExecutable(Path.of("/usr/bin/script")), "skipped: there is no script(1)");
        jvm("17", "stty raw -echo; printf '<%s>' \"$@\"; exit 3");
        Path inside =
                folder.program(
                        "inside",
                        "before=$(stty -g)\n"
                                + distribution()
                                + " shell --name x\necho \"status $?\"\n"
                                + "[ \"$before\" = \"$(stty -g)\" ] && echo same || echo changed");
        Result result =
                folder.run(
                        temporary, environment(), "script", "-qec", inside.toString(), "/dev/null");
        assertTrue(
                result.output()
                        .endsWith(
                                "<-XX:TieredStopAtLevel=1><-cp><%s><org.backplane.launcher.Main><shell><--name><x>status 3\r\nsame\r\n"
                                        .formatted(temporary.resolve("dist/lib/launcher.jar"))),
                result.output());
    }

    @Test
    void controlCEndsAShellOnATerminalWithTheUsualStatus() throws Exception {
        Assumptions.assumeTrue(
                Files.isExecutable(Path.of("/usr/bin/script")), "skipped: there is no script(1)");
        jvm("17", "kill -INT $PPID; exec tail -f /dev/null");
        Path inside = folder.program("inside", distribution() + " shell vm:x\necho \"status $?\"");
        Result result =
                folder.run(
                        temporary, environment(), "script", "-qec", inside.toString(), "/dev/null");
        assertEquals("status 130\r\n", result.output());
    }

    @Test
    void saysInOneSentenceThatAMachineWasKilled() throws Exception {
        jvm("17", "kill -KILL $$");
        Result result = folder.run(temporary, environment(), distribution().toString(), "run");
        assertEquals(137, result.status());
        assertEquals(1, result.output().lines().count(), result.output());
        assertTrue(result.output().contains("process was killed"), result.output());
    }

    @Test
    void keepsTheNewestFourClassArchives() throws Exception {
        jvm(
                "17",
                "for a; do case $a in -XX:ArchiveClassesAtExit=*) echo x > \"${a#*=}\";; esac; done");
        String archives = "cache/backplane/classes/";
        for (int age = 1; age <= 5; age++) {
            Path old = folder.write(archives + age + ".jsa", "x");
            Files.setLastModifiedTime(old, FileTime.from(Instant.now().minusSeconds(100L * age)));
        }
        Map<String, String> environment = new HashMap<>(environment());
        environment.put("BACKPLANE_CLASS_ARCHIVE", "on");
        environment.put("XDG_CACHE_HOME", temporary.resolve("cache").toString());
        Path script = distribution();
        assertEquals(0, folder.run(temporary, environment, script.toString(), "list").status());
        try (Stream<Path> left = Files.list(temporary.resolve(archives))) {
            List<String> names = left.map(path -> path.getFileName().toString()).sorted().toList();
            assertEquals(4, names.size(), names::toString);
            assertTrue(names.containsAll(List.of("1.jsa", "2.jsa", "3.jsa")), names::toString);
        }
    }

    /** A checkout whose Maven makes the distribution. */
    private Path checkout() throws IOException {
        folder.write("tree/launcher/pom.xml", "");
        folder.write("tree/launcher/src/main/java/A.java", "");
        folder.write("tree/launcher/src/test/java/ATest.java", "");
        folder.program("jvm/bin/javac", "");
        folder.program(
                "tools/mvn",
                "echo run >> '"
                        + temporary
                        + "/builds'; [ ! -e broken ] || { echo '[ERROR] it broke'; exit 1; }\n"
                        + "mkdir -p launcher/target/distribution/lib\n"
                        + "touch launcher/target/distribution/lib/launcher.jar");
        return folder.copy("backplane", "tree/backplane");
    }

    private Result runCheckout(Path script, String command)
            throws IOException, InterruptedException {
        return folder.run(
                temporary,
                Map.of(
                        "JAVA_HOME",
                        temporary.resolve("jvm").toString(),
                        "PATH",
                        temporary.resolve("tools") + ":" + System.getenv("PATH")),
                script.toString(),
                command);
    }

    private long builds() throws IOException {
        Path builds = temporary.resolve("builds");
        return Files.exists(builds) ? Files.readAllLines(builds).size() : 0;
    }

    private void touchLater(String file) throws IOException {
        Path path = temporary.resolve("tree").resolve(file);
        Files.setLastModifiedTime(path, FileTime.from(Instant.now().plusSeconds(60)));
    }

    @Test
    void buildsOnceAndAgainOnlyWhenASourceIsNewer() throws Exception {
        Path script = checkout();
        Result first = runCheckout(script, "check");
        assertEquals(0, first.status(), first.output());
        assertTrue(first.output().contains("building backplane"), first.output());
        assertEquals(1, builds());
        assertFalse(runCheckout(script, "check").output().contains("building"));
        touchLater("launcher/src/test/java/ATest.java");
        runCheckout(script, "check");
        assertEquals(1, builds(), "tests are no part of the distribution");
        touchLater("launcher/src/main/java/A.java");
        runCheckout(script, "check");
        assertEquals(2, builds());
    }

    @Test
    void whatTalksToARunningMachineBuildsOnlyWhatIsNotThere() throws Exception {
        Path script = checkout();
        runCheckout(script, "shell");
        assertEquals(1, builds());
        touchLater("launcher/src/main/java/A.java");
        for (String command : List.of("shell", "list", "dev")) {
            runCheckout(script, command);
        }
        assertEquals(1, builds());
        runCheckout(script, "check");
        assertEquals(2, builds());
    }

    /** The build's pauses stand in for its clock: Maven goes on when its line was looked at. */
    @Test
    void tellsTheModulesOfABuildWhereNoTerminalIs() throws Exception {
        Path script = checkout();
        folder.program(
                "tools/mvn",
                "echo '[INFO] Building the one module 1.0.0'; touch printed\n"
                        + "until [ -e looked ]; do :; done\n"
                        + "mkdir -p launcher/target/distribution/lib\n"
                        + "touch launcher/target/distribution/lib/launcher.jar");
        folder.program(
                "tools/sleep",
                "cd '"
                        + temporary.resolve("tree")
                        + "'; if [ -e seen ]; then touch looked; fi\n"
                        + "if [ -e printed ]; then touch seen; fi");
        Result result = runCheckout(script, "check");
        assertEquals(0, result.status(), result.output());
        assertTrue(result.output().contains(" s  the one module 1.0.0\n"), result.output());
    }

    @Test
    void showsWhyABuildFailedAndStartsNothing() throws Exception {
        Path script = checkout();
        folder.write("tree/broken", "");
        Result result = runCheckout(script, "check");
        assertEquals(1, result.status());
        assertTrue(result.output().contains("[ERROR] it broke"), result.output());
        assertTrue(result.output().contains("build.log"), result.output());
        assertFalse(result.output().contains("launcher.Main"), result.output());
        runCheckout(script, "check");
        assertEquals(2, builds(), "a failed build is tried again");
    }
}
