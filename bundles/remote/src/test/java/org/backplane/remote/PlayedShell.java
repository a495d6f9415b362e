package org.backplane.remote;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import org.backplane.machine.terminal.TerminalLine;
import org.backplane.machine.terminal.TerminalSession;
import org.backplane.machine.terminal.TerminalShell;
import org.backplane.machine.terminal.TerminalSize;

/**
 * Plays the machine's shell. A session echoes every byte until {@code q}; {@code vm:slots} prints a
 * line, {@code fail} fails, {@code wait} waits until it is interrupted, {@code copy} prints what it
 * reads.
 */
final class PlayedShell implements TerminalShell {
    /** What came to pass, in words. */
    final BlockingQueue<String> events = new LinkedBlockingQueue<>();

    @Override
    public TerminalSession open(TerminalLine line, Runnable ended) {
        events.add("open " + line.type() + " " + text(line.size()));
        var thread = new Thread(() -> echo(line, ended), "played-session");
        thread.setDaemon(true);
        thread.start();
        return new TerminalSession() {
            @Override
            public void resize(TerminalSize size) {
                events.add("resize " + text(size));
            }

            @Override
            public void close() {
                events.add("close");
                thread.interrupt();
            }
        };
    }

    static String text(TerminalSize size) {
        return size.columns() + "x" + size.rows();
    }

    private void echo(TerminalLine line, Runnable ended) {
        try {
            print(line.out(), "played> ");
            int typed = line.in().read();
            while (typed >= 0 && typed != 'q') {
                print(line.out(), "<" + (char) typed + ">");
                typed = line.in().read();
            }
            print(line.out(), "bye\r\n");
            events.add("ended");
        } catch (IOException e) {
            events.add("broken");
        } finally {
            ended.run();
        }
    }

    private static void print(OutputStream out, String text) throws IOException {
        out.write(text.getBytes(StandardCharsets.UTF_8));
        out.flush();
    }

    @Override
    public int execute(String command, TerminalLine line) {
        events.add("terminal " + line.type() + " " + text(line.size()));
        return execute(command, line.in(), line.out());
    }

    @Override
    public int execute(String command, InputStream in, OutputStream out) {
        events.add("execute " + command);
        try {
            switch (command) {
                case "vm:slots" -> print(out, "uart0\nrng0\n");
                case "copy" -> in.transferTo(out);
                case "wait" -> {
                    print(out, "waiting\n");
                    synchronized (this) {
                        wait();
                    }
                }
                default -> {
                    print(out, "There is no command '" + command + "'.\n");
                    return 1;
                }
            }
            return 0;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            events.add("interrupted");
            return 1;
        }
    }
}
