package org.backplane.launcher.terminal;

import java.io.IOException;
import java.lang.ProcessBuilder.Redirect;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import sun.misc.Signal;

/**
 * The terminal that this process was started on. The {@code backplane} script saved its settings
 * and restores them however this process ends; here they are only changed. Thread-safe.
 */
public final class LocalTerminal {
    private static final Logger LOG = System.getLogger(LocalTerminal.class.getName());
    private static final Pattern ROWS_AND_COLUMNS = Pattern.compile("(\\d+) (\\d+)");
    private static final int INPUT = 0;
    private static final int OUTPUT = 1;

    /** In characters; 0 where the terminal does not know. */
    public record Size(int columns, int rows) {}

    private final String type;
    // Guarded by this.
    private final List<Consumer<Size>> listeners = new ArrayList<>();
    private Size size;

    /** A terminal that is known already. */
    public LocalTerminal(String type, Size size) {
        this.type = type;
        this.size = size;
    }

    /** The terminal on both standard input and standard output, or empty. */
    public static Optional<LocalTerminal> ofThisProcess() throws InterruptedException {
        return isTerminal(INPUT) && isTerminal(OUTPUT)
                ? Optional.of(new LocalTerminal(typeOf(System.getenv()), readSize()))
                : Optional.empty();
    }

    /**
     * Tells the columns and rows of this process's terminal, now and after every change; nothing
     * where there is no terminal.
     */
    public static void watchSizeOfThisProcess(Consumer<int[]> listener) {
        try {
            ofThisProcess()
                    .ifPresent(
                            terminal ->
                                    terminal.watchSize(
                                            size ->
                                                    listener.accept(
                                                            new int[] {
                                                                size.columns(), size.rows()
                                                            })));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    static String typeOf(Map<String, String> environment) {
        String type = environment.getOrDefault("TERM", "");
        return type.matches("[\\w.+-]{1,64}") ? type : "dumb";
    }

    /** As in {@code TERM}. */
    public String type() {
        return type;
    }

    public synchronized Size size() {
        return size;
    }

    /**
     * Tells somebody the size, now and after every change; changes come on a thread of the JVM's.
     */
    public void watchSize(Consumer<Size> listener) {
        synchronized (this) {
            if (listeners.isEmpty()) {
                handleChanges();
            }
            listeners.add(listener);
        }
        listener.accept(size());
    }

    @SuppressWarnings("sunapi")
    private void handleChanges() {
        try {
            Signal.handle(new Signal("WINCH"), signal -> changed());
        } catch (IllegalArgumentException e) {
            LOG.log(Level.WARNING, "changes of the terminal's size are not heard of", e);
        }
    }

    private void changed() {
        Size now;
        try {
            now = readSize();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return;
        }
        List<Consumer<Size>> told;
        synchronized (this) {
            size = now;
            told = List.copyOf(listeners);
        }
        told.forEach(listener -> listener.accept(now));
    }

    /**
     * Has every byte delivered as typed, Ctrl-C included. Output processing stays, so that the
     * launcher's own lines begin at the left. Does nothing if standard input is no terminal.
     */
    public static void deliverEveryByte() throws InterruptedException {
        set("-icanon -echo -isig -iexten -ixon -icrnl -inlcr -istrip min 1 time 0".split(" "));
    }

    /** Has every byte shown as it comes too: for what draws on the whole of the terminal. */
    public static void showEveryByte() throws InterruptedException {
        set("-opost");
    }

    private static void set(String... settings) throws InterruptedException {
        List<String> command = new ArrayList<>(List.of(settings));
        command.add(0, "stty");
        try {
            if (isTerminal(INPUT) && exec(command) != 0) {
                LOG.log(
                        Level.WARNING,
                        "stty did not set the terminal; the console waits for lines");
            }
        } catch (IOException e) {
            LOG.log(Level.WARNING, "stty is missing; the console waits for whole lines", e);
        }
    }

    private static boolean isTerminal(int descriptor) throws InterruptedException {
        return mayBeTerminal(descriptor) && test(descriptor);
    }

    /** Pipes, files and what is no device in /dev are none: no process is started to ask. */
    private static boolean mayBeTerminal(int descriptor) {
        try {
            Path file = Files.readSymbolicLink(Path.of("/proc/self/fd/" + descriptor));
            return file.startsWith("/dev") && !file.equals(Path.of("/dev/null"));
        } catch (IOException e) {
            LOG.log(Level.DEBUG, "what a descriptor is has to be asked for", e);
            return true;
        }
    }

    private static boolean test(int descriptor) throws InterruptedException {
        try {
            return new ProcessBuilder("test", "-t", Integer.toString(descriptor))
                            .inheritIO()
                            .start()
                            .waitFor()
                    == 0;
        } catch (IOException e) {
            LOG.log(Level.WARNING, "test is missing; what is a terminal is not known", e);
            return false;
        }
    }

    private static Size readSize() throws InterruptedException {
        try {
            Process stty =
                    new ProcessBuilder("stty", "size")
                            .redirectInput(Redirect.INHERIT)
                            .redirectError(Redirect.DISCARD)
                            .start();
            String text =
                    new String(stty.getInputStream().readAllBytes(), StandardCharsets.US_ASCII);
            stty.waitFor();
            return parse(text);
        } catch (IOException e) {
            LOG.log(Level.WARNING, "stty is missing; the terminal's size is not known", e);
            return new Size(0, 0);
        }
    }

    /** Reads what {@code stty size} prints: rows first. */
    static Size parse(String text) {
        Matcher size = ROWS_AND_COLUMNS.matcher(text.strip());
        return size.matches() && text.length() < 16
                ? new Size(Integer.parseInt(size.group(2)), Integer.parseInt(size.group(1)))
                : new Size(0, 0);
    }

    private static int exec(List<String> command) throws IOException, InterruptedException {
        return new ProcessBuilder(command)
                .redirectInput(Redirect.INHERIT)
                .redirectOutput(Redirect.DISCARD)
                .redirectError(Redirect.DISCARD)
                .start()
                .waitFor();
    }
}
