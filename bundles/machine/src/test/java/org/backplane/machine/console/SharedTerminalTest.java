package org.backplane.machine.console;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Optional;
import java.util.function.Consumer;
import org.backplane.machine.terminal.TerminalLine;
import org.backplane.machine.terminal.TerminalSession;
import org.backplane.machine.terminal.TerminalShell;
import org.backplane.machine.terminal.TerminalSize;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class SharedTerminalTest {
    private final ByteArrayOutputStream shown = new ByteArrayOutputStream();
    private final StringBuilder guest = new StringBuilder();
    private final PlayedShell shell = new PlayedShell();
    private final PlayedSource source = new PlayedSource();
    private final SharedTerminal terminal =
            new SharedTerminal(shown, octet -> guest.append((char) octet), source);

    /** A shell whose sessions a test leads by hand. */
    private static final class PlayedShell implements TerminalShell {
        TerminalLine line;
        Runnable ended;
        TerminalSize resized;
        int closed;
        boolean endsWhenClosed = true;
        RuntimeException refusal;

        @Override
        public TerminalSession open(TerminalLine opened, Runnable whenEnded) {
            if (refusal != null) {
                throw refusal;
            }
            line = opened;
            ended = whenEnded;
            return new TerminalSession() {
                @Override
                public void resize(TerminalSize size) {
                    resized = size;
                }

                @Override
                public void close() {
                    closed++;
                    if (endsWhenClosed) {
                        whenEnded.run();
                    }
                }
            };
        }

        @Override
        public int execute(String command, InputStream in, OutputStream out) {
            throw new AssertionError(command);
        }

        @Override
        public int execute(String command, TerminalLine opened) {
            throw new AssertionError(command);
        }

        void says(String text) throws IOException {
            line.out().write(text.getBytes(StandardCharsets.UTF_8));
        }
    }

    private final class PlayedSource implements ShellSource {
        boolean there = true;
        Consumer<TerminalSize> size;

        @Override
        public Optional<TerminalShell> shell() {
            return there ? Optional.of(shell) : Optional.empty();
        }

        @Override
        public String terminal() {
            return "xterm";
        }

        @Override
        public void watchSize(Consumer<TerminalSize> listener) {
            size = listener;
            listener.accept(new TerminalSize(100, 30));
        }
    }

    private void guestSays(String text) throws IOException {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        terminal.show(bytes, bytes.length);
    }

    private void type(String text) {
        text.chars().forEach(terminal::typed);
    }

    private String shown() {
        String text = shown.toString(StandardCharsets.UTF_8);
        shown.reset();
        return text;
    }

    @Test
    void keysGoToWhoIsShown() throws IOException {
        type("ls");
        terminal.toggle();
        type("vm");
        terminal.toggle();
        type("!");
        assertEquals("ls!", guest.toString());
        assertEquals("vm", new String(shell.line.in().readAllBytes(), StandardCharsets.UTF_8));
    }

    @Test
    void keepsWhatTheGuestSaysForTheReturn() throws IOException {
        guestSays("before ");
        terminal.toggle();
        shown();
        guestSays("meanwhile ");
        shell.says("of the shell");
        assertEquals("of the shell", shown());
        terminal.toggle();
        guestSays("after");
        assertTrue(shown().endsWith("console]\r\nmeanwhile after"));
    }

    @Test
    void worksAgainAndAgain() throws IOException {
        for (int i = 0; i < 3; i++) {
            terminal.toggle();
            shell.says("visit " + i);
            guestSays("kept " + i);
            terminal.toggle();
            String text = shown();
            assertTrue(text.contains("visit " + i) && text.endsWith("kept " + i), text);
        }
        assertEquals(3, shell.closed);
    }

    @Test
    void keepsTheLatestAndSaysHowMuchIsLost() throws IOException {
        terminal.toggle();
        guestSays("x".repeat(1 << 18) + "latest");
        shown();
        terminal.toggle();
        String text = shown();
        assertTrue(text.contains("[6 bytes before this are lost]"), text.substring(0, 200));
        assertTrue(text.endsWith("xlatest"));
        terminal.toggle();
        terminal.toggle();
        assertFalse(shown().contains("lost"));
    }

    @Test
    void theEndOfTheSessionShowsTheGuest() throws IOException {
        terminal.toggle();
        guestSays("kept");
        shell.ended.run();
        type("a");
        assertTrue(shown().endsWith("kept"));
        assertEquals("a", guest.toString());
    }

    @Test
    void whatWasLeftBehindSaysNoMore() throws IOException {
        terminal.toggle();
        terminal.toggle();
        shown();
        shell.says("late");
        assertEquals("", shown());
    }

    @Test
    void returnsFromAShellThatDoesNotEnd() throws IOException {
        shell.endsWhenClosed = false;
        terminal.toggle();
        terminal.toggle();
        type("still the shell's");
        terminal.toggle();
        type("g");
        assertEquals("g", guest.toString());
        shown();
        shell.ended.run();
        assertEquals("", shown(), "the late end changes nothing");
    }

    @Test
    void saysThatThereIsNoShell() throws IOException {
        source.there = false;
        terminal.toggle();
        assertTrue(shown().contains("the shell is not there"));
        guestSays("goes on");
        assertEquals("goes on", shown());
        source.there = true;
        terminal.toggle();
        shell.says("now");
        assertTrue(shown().endsWith("now"));
    }

    @Test
    void saysThatAShellCouldNotBeOpened() throws IOException {
        shell.refusal = new IllegalStateException("stopped");
        terminal.toggle();
        guestSays("goes on");
        String text = shown();
        assertTrue(text.contains("the shell is not there") && text.endsWith("goes on"), text);
        type("a");
        assertEquals("a", guest.toString());
    }

    @Test
    void tellsTheSizeAndItsChanges() {
        terminal.toggle();
        assertEquals(new TerminalSize(100, 30), shell.line.size());
        source.size.accept(new TerminalSize(50, 20));
        assertEquals(new TerminalSize(50, 20), shell.resized);
        terminal.toggle();
        source.size.accept(new TerminalSize(60, 25));
        terminal.toggle();
        assertEquals(new TerminalSize(60, 25), shell.line.size());
    }
}
