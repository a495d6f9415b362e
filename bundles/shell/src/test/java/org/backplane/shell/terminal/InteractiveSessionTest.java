package org.backplane.shell.terminal;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import org.apache.felix.gogo.runtime.CommandProcessorImpl;
import org.apache.felix.gogo.runtime.threadio.ThreadIOImpl;
import org.backplane.machine.terminal.TerminalSession;
import org.backplane.machine.terminal.TerminalSize;
import org.backplane.shell.RecordedMachine;
import org.backplane.shell.command.BundleCommands;
import org.backplane.shell.command.Catalogue;
import org.backplane.shell.command.Command;
import org.backplane.shell.command.CurrentMachine;
import org.backplane.shell.command.DeviceBundles;
import org.backplane.shell.command.GogoCommand;
import org.backplane.shell.format.ReportFormat;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.osgi.framework.Bundle;

@Timeout(20)
class InteractiveSessionTest {
    private static final ThreadIOImpl STREAMS = new ThreadIOImpl();
    private static final String PROMPT = "backplane> ";
    private static final String UP = "\033OA";
    private static final String LEFT = "\033OD";
    private static final String CTRL_A = "\001";
    private static final String CTRL_C = "\003";
    private static final String CTRL_D = "\004";

    private final CommandProcessorImpl processor = new CommandProcessorImpl(STREAMS);
    private final Probes probes = new Probes();
    private final CountDownLatch ended = new CountDownLatch(1);
    @TempDir private Path folder;
    private GogoShell shell;
    private TypedTerminal terminal;
    private TerminalSession session;

    /** Commands that a test can hold on to. */
    public static final class Probes {
        final CountDownLatch interrupted = new CountDownLatch(1);

        public String hold() throws InterruptedException {
            System.out.println("holding");
            try {
                new CountDownLatch(1).await();
                return "never";
            } catch (InterruptedException stop) {
                interrupted.countDown();
                throw stop;
            }
        }

        public int readOne() throws java.io.IOException {
            System.out.println("reading");
            return System.in.read();
        }

        public String say(String word) {
            return "said " + word;
        }
    }

    @BeforeAll
    static void divertStreams() {
        STREAMS.start();
    }

    @AfterAll
    static void restoreStreams() {
        STREAMS.stop();
    }

    @BeforeEach
    void begin() throws Exception {
        Catalogue catalogue =
                Catalogue.of(
                        new CurrentMachine(RecordedMachine::new),
                        new DeviceBundles(() -> new Bundle[0]),
                        new BundleCommands(null));
        for (Command command : catalogue.commands()) {
            processor.addCommand(command.scope(), new GogoCommand(command), command.name());
        }
        processor.addCommand("test", probes);
        processor.addConverter(new ReportFormat());
        shell =
                new GogoShell(
                        processor,
                        catalogue,
                        new CommandHistory(Optional.of(folder.resolve("state/history"))));
        open("xterm-256color");
    }

    private void open(String type) throws Exception {
        terminal = new TypedTerminal();
        session = shell.open(terminal.line(type, Optional.of(folder)), ended::countDown);
        terminal.await(PROMPT);
    }

    @AfterEach
    void end() throws Exception {
        shell.close();
        processor.stop();
        terminal.close();
    }

    private void answers(String typed, String shown) throws Exception {
        terminal.type(typed);
        terminal.await(shown);
        terminal.await(PROMPT);
    }

    @Test
    void runsWhatIsTyped() throws Exception {
        answers("vm:slots\r", "sound0  virtio-snd  waiting");
        assertTrue(terminal.all().contains("\r\ndisk0 "), terminal.all());
        answers("say hello\r", "said hello\r\n");
    }

    @Test
    void completesCommandsSlotsKindsAndFlags() throws Exception {
        answers("vm:insp\tdi\t\r", "setting image  /tmp/a.img");
        answers("vm:unpl\t--f\t di\t\r", "disk0: unplugged");
        terminal.type("vm:plug x \t");
        terminal.await(" x virtio-blk");
    }

    @Test
    void listsWhatMayStandThere() throws Exception {
        terminal.type("vm:inspect \t\t");
        terminal.await("disk0");
        terminal.await("(virtio-blk)");
        terminal.await("sound0");
    }

    @Test
    void completesFilesOfTheClientsFolder() throws Exception {
        Files.createFile(folder.resolve("disk-2.0.0.jar"));
        terminal.type("vm:swap disk0 disk-2\t");
        terminal.await("disk-2.0.0.jar");
    }

    @Test
    void arrowsEditTheLineAndBringEarlierOnesBack() throws Exception {
        answers("say ab" + LEFT + "x" + CTRL_A + "\033OC\r", "said axb");
        answers(UP + "\r", "said axb");
    }

    @Test
    void ctrlCInterruptsTheCommandAndTheSessionGoesOn() throws Exception {
        terminal.type("hold\r");
        terminal.await("holding");
        terminal.type(CTRL_C);
        probes.interrupted.await();
        terminal.await("Interrupted.");
        terminal.await(PROMPT);
        answers("say again\r", "said again");
    }

    @Test
    void ctrlCInterruptsACommandThatReadsAndTheNextCanRead() throws Exception {
        terminal.type("readOne\r");
        terminal.await("reading");
        terminal.type(CTRL_C);
        terminal.await(PROMPT);
        terminal.type("readOne\r");
        terminal.await("reading");
        terminal.type("A");
        terminal.await("65");
    }

    @Test
    void watchingRedrawsInPlaceUntilAKey() throws Exception {
        terminal.type("vm:stats --watch\r");
        terminal.await("PER SECOND");
        // Two tables of a heading each, a slot, two processors, and the hint.
        terminal.await("\033[6APER SECOND");
        terminal.type("q");
        terminal.await(PROMPT);
        answers("say again\r", "said again");
    }

    @Test
    void watchingGoesOnLineAfterLineWhereNothingCanBeRedrawn() throws Exception {
        terminal.close();
        open("dumb");
        terminal.type("vm:stats --watch\r");
        terminal.await("PER SECOND");
        terminal.await("PER SECOND");
        terminal.type(CTRL_C);
        terminal.await(PROMPT);
        assertFalse(terminal.all().contains("\033["), terminal.all());
    }

    @Test
    void whatFollowsASeparatorIsCompletedAsACommand() throws Exception {
        terminal.type("vm:slots | vm:insp\tdi\t");
        terminal.await("vm:inspect");
        terminal.await("disk0");
    }

    @Test
    void helpCompletesTheNamesOfCommands() throws Exception {
        answers("help vm:unpl\t\r", "vm:unplug [--timeout S] [--force] SLOT");
    }

    @Test
    void variablesOutliveAnInterruptedCommand() throws Exception {
        answers("x = 5\r", "5");
        terminal.type("hold\r");
        terminal.await("holding");
        terminal.type(CTRL_C);
        terminal.await(PROMPT);
        answers("say $x\r", "said 5");
    }

    @Test
    void ctrlCAtThePromptDropsTheLine() throws Exception {
        terminal.type("say nonsense");
        terminal.await("nonsense");
        terminal.type(CTRL_C);
        terminal.await(PROMPT);
        answers("say sense\r", "said sense");
        assertFalse(terminal.all().contains("said nonsense"));
    }

    @Test
    void ctrlDAndExitEndTheSession() throws Exception {
        terminal.type(CTRL_D);
        ended.await();
    }

    @Test
    void exitEndsTheSession() throws Exception {
        terminal.type("exit\r");
        ended.await();
    }

    @Test
    void theEndOfTheLineInterruptsWhatRuns() throws Exception {
        terminal.type("hold\r");
        terminal.await("holding");
        session.close();
        probes.interrupted.await();
        ended.await();
    }

    @Test
    void closingTheShellEndsItsSessions() throws Exception {
        shell.close();
        ended.await();
    }

    @Test
    void keepsTheHistoryForThisUserAlone() throws Exception {
        answers("say once\r", "said once");
        Path file = folder.resolve("state/history");
        assertEquals(
                "rw-------", PosixFilePermissions.toString(Files.getPosixFilePermissions(file)));
        assertEquals(List.of("say once"), Files.readAllLines(file));
        terminal.type("exit\r");
        ended.await();
        terminal.close();
        open("xterm");
        answers(UP + UP + "\r", "said once");
    }

    @Test
    void drawsTheLineAnewAfterAResize() throws Exception {
        terminal.type("say abc");
        terminal.await("abc");
        session.resize(new TerminalSize(40, 10));
        terminal.await("abc");
        answers("\r", "said abc");
    }

    @Test
    void worksOnATerminalThatCanDoNothing() throws Exception {
        terminal.close();
        open("no such terminal");
        answers("say plain\r", "said plain");
        assertFalse(terminal.all().contains("\033["), terminal.all());
    }

    @Test
    void severalSessionsRunAtOnce() throws Exception {
        TypedTerminal first = terminal;
        first.type("hold\r");
        first.await("holding");
        open("xterm");
        answers("say meanwhile\r", "said meanwhile");
        first.type(CTRL_C);
        probes.interrupted.await();
        first.close();
    }

    @Test
    void executesOneLineForATerminal() throws Exception {
        try (TypedTerminal single = new TypedTerminal()) {
            assertEquals(0, shell.execute("say it", single.line("xterm", Optional.empty())));
            assertEquals("said it\r\n", single.all());
            assertEquals(1, shell.execute("nonsense", single.line("xterm", Optional.empty())));
        }
    }
}
