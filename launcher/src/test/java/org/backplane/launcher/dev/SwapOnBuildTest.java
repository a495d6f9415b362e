package org.backplane.launcher.dev;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import org.backplane.launcher.option.Problems;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
class SwapOnBuildTest {
    private static final String SLOTS =
            "SLOT   KIND        STATE    SOURCE\n"
                    + "uart0  ns16550a    running  the board\n"
                    + "disk0  virtio-blk  running  --disk a.img\n"
                    + "disk1  virtio-blk  waiting  --disk b.img\n";

    @TempDir Path folder;

    private final BlockingQueue<String> printed = new LinkedBlockingQueue<>();
    private final Problems problems = new Problems();
    private Path project;
    private ShellStandIn shell;
    private Builds builds;

    @BeforeEach
    void make() throws IOException {
        project = Files.createDirectory(folder.resolve("project"));
        shell = new ShellStandIn(folder.resolve("shell.sock"));
        shell.answer("vm:slots", 0, SLOTS);
        builds =
                new Builds(
                        BuildOutput.of(project), Files.createDirectory(folder.resolve("copies")));
    }

    @AfterEach
    void close() throws IOException {
        shell.close();
        builds.close();
    }

    private SwapOnBuild swaps(String only) {
        PrintStream out =
                new PrintStream(OutputStream.nullOutputStream(), true, StandardCharsets.UTF_8) {
                    @Override
                    public void println(String line) {
                        printed.add(line);
                    }
                };
        return new SwapOnBuild(
                "vm1", folder.resolve("shell.sock"), Optional.ofNullable(only), builds, out);
    }

    /** Runs it on a thread of its own until the stand-in ends. */
    private Thread running(SwapOnBuild swaps) {
        Thread thread =
                new Thread(
                        () -> {
                            try {
                                swaps.run();
                            } catch (IOException e) {
                                printed.add("ended: " + e.getMessage());
                            } catch (InterruptedException e) {
                                printed.add("interrupted");
                            }
                        });
        thread.start();
        return thread;
    }

    private void build(String name, byte[] jar) throws IOException {
        Files.write(project.resolve(name), jar);
    }

    @Test
    void saysWhatItWatchesAndWhichSlotsGetTheBuilds() throws Exception {
        build("disk.jar", JarFileMaker.device("virtio-blk", 1));
        swaps(null).begin(project, problems);
        assertTrue(problems.isEmpty(), () -> problems.sentences().toString());
        String line = printed.take();
        assertTrue(line.contains("watching " + project), line);
        assertTrue(line.contains("disk0 (virtio-blk), disk1 (virtio-blk) of 'vm1'"), line);
        assertEquals(List.of("vm:slots"), shell.asked());
    }

    @Test
    void swapsEverySlotOfTheKindAndTellsWhatTheMachineSays() throws Exception {
        shell.answer("vm:swap disk0", 0, "disk0: pause 2 ms\n");
        shell.answer("vm:swap disk1", 1, "The swap of 'disk1' was rolled back: it throws.\n");
        running(swaps(null));
        build("disk.jar", JarFileMaker.device("virtio-blk", 1));
        String first = printed.take();
        assertTrue(
                first.matches(".* disk\\.jar: disk0: pause 2 ms; \\d+ ms from saved to in use"),
                first);
        String second = printed.take();
        assertTrue(
                second.endsWith("disk.jar: The swap of 'disk1' was rolled back: it throws."),
                second);
    }

    @Test
    void aRefusedSwapNamesTheProjectsJarAndTheNextBuildIsSwapped() throws Exception {
        shell.answer("vm:swap disk0", 1, "The jar '%s' cannot be started.\n");
        running(swaps("disk0"));
        build("disk.jar", JarFileMaker.device("virtio-blk", 1));
        String refused = printed.take();
        assertTrue(
                refused.endsWith(
                        "The jar '" + project.resolve("disk.jar") + "' cannot be started."),
                refused);
        shell.answer("vm:swap disk0", 0, "swapped\n");
        build("disk.jar", JarFileMaker.device("virtio-blk", 2));
        String swapped = printed.take();
        assertTrue(swapped.contains("disk.jar: swapped; "), swapped);
    }

    @Test
    void oneSlotIsSwappedWhereOneIsGiven() throws Exception {
        shell.answer("vm:swap disk1", 0, "swapped\n");
        running(swaps("disk1"));
        build("disk.jar", JarFileMaker.device("virtio-blk", 1));
        printed.take();
        assertEquals(2, shell.asked().size(), shell.asked()::toString);
        assertTrue(shell.asked().get(1).startsWith("vm:swap disk1 "), shell.asked()::toString);
    }

    @Test
    void aJarThatIsNoDeviceBundleIsToldAndNotSwapped() throws Exception {
        running(swaps(null));
        build("library.jar", JarFileMaker.library(1));
        String line = printed.take();
        assertTrue(line.contains("library.jar: no device bundle: its manifest has no"), line);
        assertEquals(List.of(), shell.asked());
    }

    @Test
    void aKindWithoutASlotIsToldAndTheNextBuildIsSwapped() throws Exception {
        shell.answer("vm:swap disk0", 0, "swapped\n");
        running(swaps("disk0"));
        build("net.jar", JarFileMaker.device("virtio-net", 1));
        String line = printed.take();
        assertTrue(line.contains("net.jar: no slot 'disk0' of virtio-net"), line);
        build("disk.jar", JarFileMaker.device("virtio-blk", 1));
        assertTrue(printed.take().contains("swapped"));
    }

    @Test
    void refusesASlotThatIsNotThere() throws Exception {
        swaps("disk7").begin(project, problems);
        assertEquals(1, problems.count(), () -> problems.sentences().toString());
        String sentence = problems.sentences().get(0);
        assertTrue(sentence.startsWith("--slot disk7: 'vm1' has no such slot"), sentence);
        assertTrue(sentence.contains("disk0 (virtio-blk)"), sentence);
    }

    @Test
    void refusesAProjectWhoseKindNoSlotTakes() throws Exception {
        build("net.jar", JarFileMaker.device("virtio-net", 1));
        swaps(null).begin(project, problems);
        String sentence = problems.sentences().get(0);
        assertTrue(sentence.contains("offers virtio-net, but 'vm1' has no slot"), sentence);
    }

    @Test
    void refusesASlotOfAnotherKindThanTheProjects() throws Exception {
        build("disk.jar", JarFileMaker.device("virtio-blk", 1));
        swaps("uart0").begin(project, problems);
        String sentence = problems.sentences().get(0);
        assertTrue(sentence.contains("that is not the kind of --slot uart0"), sentence);
    }

    @Test
    void endsWithTheMachine() throws Exception {
        Thread thread = running(swaps(null));
        shell.awaitSilentClient();
        shell.close();
        assertEquals(
                "ended: the machine 'vm1' has ended, or its shell was stopped", printed.take());
        thread.join();
    }

    @Test
    void saysThatNoMachineAnswers() throws IOException {
        shell.close();
        assertThrows(IOException.class, () -> swaps(null).begin(project, problems));
    }
}
