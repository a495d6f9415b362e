package org.backplane.launcher;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class MainTest {
    private final ByteArrayOutputStream out = new ByteArrayOutputStream();
    private final ByteArrayOutputStream err = new ByteArrayOutputStream();
    private final PrintStream systemOut = System.out;
    private final PrintStream systemErr = System.err;

    @BeforeEach
    void capture() {
        System.setOut(new PrintStream(out));
        System.setErr(new PrintStream(err));
    }

    @AfterEach
    void release() {
        System.setOut(systemOut);
        System.setErr(systemErr);
    }

    @Test
    void refusesAnUnknownCommandAndNamesTheKnown() throws InterruptedException {
        assertEquals(ExitStatus.BAD_INPUT, Main.run("jump"));
        assertTrue(err.toString().contains("'jump' is no command"), err::toString);
        assertTrue(
                err.toString()
                        .contains(
                                "run, demo, serve, shell, dev, new-device, test-device, list, check, vfio, completion, help"),
                err::toString);
    }

    @ParameterizedTest
    @ValueSource(strings = {"run", "demo", "shell", "dev", "list", "check", "completion"})
    void helpsWithEveryCommand(String command) throws InterruptedException {
        assertEquals(ExitStatus.OK, Main.run("help", command));
        String byHelp = out.toString();
        assertTrue(byHelp.startsWith("Usage: backplane " + command), byHelp);
        out.reset();
        assertEquals(ExitStatus.OK, Main.run(command, "--help"));
        assertEquals(byHelp, out.toString());
    }

    /** What bash proposes for the last of the words. */
    private String completed(Path script, String... words) throws Exception {
        String line =
                "source '%s'; COMP_WORDS=(%s); COMP_CWORD=$((${#COMP_WORDS[@]} - 1));"
                        .formatted(script, String.join(" ", words));
        Process bash =
                new ProcessBuilder(
                                "bash", "-c", line + " _complete_backplane; echo ${COMPREPLY[@]}")
                        // It complains that no key was pressed.
                        .redirectError(ProcessBuilder.Redirect.DISCARD)
                        .start();
        String proposed = new String(bash.getInputStream().readAllBytes());
        assertEquals(0, bash.waitFor(), proposed);
        return " " + proposed.strip() + " ";
    }

    @Test
    void completesCommandsOptionsAndTheirWordsInBash(@TempDir Path folder) throws Exception {
        assertEquals(ExitStatus.OK, Main.run("completion"));
        Path script = Files.writeString(folder.resolve("completion"), out.toString());
        String commands = completed(script, "backplane", "''");
        assertTrue(commands.contains(" run ") && commands.contains(" check "), commands);
        String options = completed(script, "backplane", "run", "--");
        for (String option : new String[] {"--engine", "--format", "--kvm-kind", "--disk"}) {
            assertTrue(options.contains(" " + option + " "), options);
        }
        assertEquals(" auto hart kvm ", completed(script, "backplane", "run", "--engine", "''"));
        assertEquals(" hart kvm ", completed(script, "backplane", "demo", "--engine", "''"));
        assertEquals(" multiboot ", completed(script, "backplane", "run", "--format", "mu"));
    }

    @Test
    void refusesNoWordsAtAll() throws InterruptedException {
        assertEquals(ExitStatus.BAD_INPUT, Main.run());
        assertTrue(err.toString().startsWith("Usage: backplane"), err::toString);
    }

    @Test
    void refusesAProjectThatIsNoFolder(@TempDir Path folder)
            throws InterruptedException, IOException {
        Path file = Files.createFile(folder.resolve("a.jar"));
        assertEquals(ExitStatus.BAD_INPUT, Main.run("dev", file.toString()));
        assertTrue(err.toString().contains("give the folder of the project"), err::toString);
        err.reset();
        assertEquals(ExitStatus.BAD_INPUT, Main.run("dev", folder.resolve("no").toString()));
        assertTrue(err.toString().contains("there is no such folder"), err::toString);
        err.reset();
        assertEquals(ExitStatus.BAD_INPUT, Main.run("dev"));
        assertTrue(err.toString().contains("DIR is missing, the project; see:"), err::toString);
        err.reset();
        assertEquals(ExitStatus.BAD_INPUT, Main.run("dev", folder.toString(), "too much"));
        assertTrue(err.toString().contains("dev takes only one DIR and options"), err::toString);
    }

    @Test
    void refusesUnknownOptionsOfShortCommands() throws InterruptedException {
        assertEquals(ExitStatus.BAD_INPUT, Main.run("list", "--long", "x"));
        assertEquals(
                "backplane: --long is no option of list; see: backplane help list\n",
                err.toString());
    }

    @Test
    void badInputOfVfioIsToldApartFromFailures() throws InterruptedException {
        assertEquals(ExitStatus.BAD_INPUT, Main.run("vfio", "bind", "zz"));
        assertTrue(err.toString().contains("give the address of a PCI function"), err::toString);
        err.reset();
        assertEquals(ExitStatus.BAD_INPUT, Main.run("vfio", "take", "0000:01:00.0"));
        assertTrue(err.toString().contains("give bind or release"), err::toString);
        err.reset();
        assertEquals(ExitStatus.BAD_INPUT, Main.run("vfio", "bind"));
        assertEquals(
                "backplane: ADDRESS is missing, of a PCI function of this host, such as 0000:01:00.0; see: backplane help vfio\n",
                err.toString());
    }

    @ParameterizedTest
    @ValueSource(strings = {"vfio bind --help", "vfio bind -h", "run --cpus 2 --help"})
    void helpsAlsoBehindOtherWords(String words) throws InterruptedException {
        assertEquals(ExitStatus.OK, Main.run(words.split(" ")));
        assertTrue(out.toString().startsWith("Usage: backplane"), out::toString);
        assertEquals("", err.toString());
    }

    @Test
    void refusesAShellCommandOfTwoLinesAndABadName() throws InterruptedException {
        assertEquals(ExitStatus.BAD_INPUT, Main.run("shell", "--name", "a/b", "x\ny"));
        assertTrue(err.toString().contains("--name a/b"), err::toString);
        assertTrue(err.toString().contains("one line"), err::toString);
    }

    @Test
    void saysWhatTheFileSystemMeant() {
        assertTrue(Main.sentence(new AccessDeniedException("/x")).contains("/x cannot be used"));
        assertEquals("there is no /x", Main.sentence(new NoSuchFileException("/x")));
        assertEquals("y", Main.sentence(new IOException("y")));
    }
}
