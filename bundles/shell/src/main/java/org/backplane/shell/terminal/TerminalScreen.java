package org.backplane.shell.terminal;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.time.Duration;
import java.util.List;
import org.backplane.shell.command.Screen;
import org.jline.terminal.Attributes;
import org.jline.terminal.Terminal;
import org.jline.utils.AttributedString;
import org.jline.utils.InfoCmp.Capability;
import org.jline.utils.NonBlockingReader;

/** A session's terminal as its commands see it. */
final class TerminalScreen implements Screen {
    private final Terminal terminal;
    private int drawn;

    TerminalScreen(Terminal terminal) {
        this.terminal = terminal;
    }

    @Override
    public int columns() {
        return terminal.getWidth();
    }

    @Override
    public int rows() {
        return terminal.getHeight();
    }

    @Override
    public boolean colours() {
        Integer colours = terminal.getNumericCapability(Capability.max_colors);
        return colours != null && colours >= 8;
    }

    @Override
    public boolean isTerminal() {
        return true;
    }

    @Override
    public boolean redraws() {
        return terminal.getStringCapability(Capability.parm_up_cursor) != null
                && terminal.getStringCapability(Capability.clr_eos) != null;
    }

    @Override
    public void redraw(String text) {
        List<String> lines = text.lines().toList();
        if (redraws()) {
            if (drawn > 0) {
                terminal.puts(Capability.parm_up_cursor, drawn);
            }
            // A line that wraps would be two to move over, and one below the last would scroll.
            List<String> fitting = lines.subList(0, Math.min(lines.size(), rows() - 1));
            for (String line : fitting) {
                AttributedString whole = AttributedString.fromAnsi(line);
                terminal.writer().print(whole.columnSubSequence(0, columns() - 1).toAnsi(terminal));
                terminal.puts(Capability.clr_eol);
                terminal.writer().println();
            }
            terminal.puts(Capability.clr_eos);
            drawn = fitting.size();
        } else {
            terminal.writer().println(text);
        }
        terminal.flush();
    }

    /** The next text begins below what was drawn. */
    void begin() {
        drawn = 0;
    }

    @Override
    public boolean keyWithin(Duration time) throws InterruptedException {
        Attributes before = terminal.enterRawMode();
        try {
            return terminal.reader().read(time.toMillis()) != NonBlockingReader.READ_EXPIRED;
        } catch (InterruptedIOException stop) {
            throw new InterruptedException(stop.getMessage());
        } catch (IOException gone) {
            // Who has no keyboard any more presses no other key.
            return true;
        } finally {
            terminal.setAttributes(before);
        }
    }
}
