package org.backplane.launcher.tour;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.backplane.launcher.MachineRun;
import org.backplane.launcher.ShellClient;

/**
 * The machine of a tour: its guest by the console, the machine itself by its shell. Bounds are
 * there to end a tour that hangs, far above what anything takes.
 */
final class TourMachine {
    private static final Duration BOOT_BOUND = Duration.ofMinutes(5);
    private static final Duration BOUND = Duration.ofMinutes(3);
    private static final Pattern DIGEST = Pattern.compile("\\b[0-9a-f]{64}\\b");

    private final MachineRun run;
    private final ConsoleDialog console;

    /** What a command of the shell printed, and its status. */
    record Answer(int status, String text) {}

    TourMachine(MachineRun run, ConsoleDialog console) {
        this.run = run;
        this.console = console;
    }

    /** Waits until the machine's first processor and its shell run. */
    static void awaitShell(MachineRun run) throws TourException, InterruptedException {
        try {
            run.shellStarted()
                    .acceptEither(run.end().thenAccept(status -> {}), nothing -> {})
                    .get(BOOT_BOUND.toSeconds(), TimeUnit.SECONDS);
        } catch (ExecutionException e) {
            throw new TourException(e.getCause().getMessage());
        } catch (TimeoutException e) {
            throw new TourException("no processor ran within " + BOOT_BOUND.toSeconds() + " s");
        }
        if (run.end().isDone()) {
            throw new TourException("the machine ended at once; see the log");
        }
    }

    /** Waits until the guest has booted. */
    void awaitBoot() throws TourException, InterruptedException {
        console.awaitReady(BOOT_BOUND);
    }

    /** Runs a command of the guest's shell, which has to succeed, and returns what it printed. */
    String guest(String command) throws TourException, IOException, InterruptedException {
        ConsoleDialog.Reply reply = console.run(command, BOUND);
        if (reply.status() != 0) {
            throw new TourException(
                    "'" + command + "' ended with " + reply.status() + ": " + reply.output());
        }
        return reply.output();
    }

    /** Sends a command that the guest does not survive. */
    void send(String command) throws IOException {
        console.send(command);
    }

    /** Waits for the end of the machine, which has to be a good one. */
    void awaitEnd() throws TourException, InterruptedException {
        try {
            Object status = run.end().get(BOUND.toSeconds(), TimeUnit.SECONDS);
            if (!Integer.valueOf(0).equals(status)) {
                throw new TourException("the machine ended with status " + status);
            }
        } catch (ExecutionException e) {
            throw new TourException(e.getCause().getMessage());
        } catch (TimeoutException e) {
            throw new TourException("the machine did not end within " + BOUND.toSeconds() + " s");
        }
    }

    /** Runs a command of the machine's shell, which has to succeed. */
    String shell(String command) throws TourException, IOException {
        Answer answer = ask(command);
        if (answer.status != 0) {
            throw new TourException(
                    "'" + command + "' ended with " + answer.status + ": " + answer.text.strip());
        }
        return answer.text;
    }

    /** Runs a command of the machine's shell, whatever becomes of it. */
    Answer ask(String command) throws IOException {
        ByteArrayOutputStream output = new ByteArrayOutputStream();
        int status;
        try (ShellClient client = connect()) {
            status = client.execute(command, printer(output));
        }
        return new Answer(status, output.toString(StandardCharsets.UTF_8));
    }

    /** Types lines into a session of the machine's shell and returns what it printed. */
    String session(String lines) throws IOException {
        ByteArrayOutputStream output = new ByteArrayOutputStream();
        try (ShellClient client = connect()) {
            client.session(
                    new ByteArrayInputStream(lines.getBytes(StandardCharsets.UTF_8)),
                    printer(output));
        }
        return output.toString(StandardCharsets.UTF_8);
    }

    private ShellClient connect() throws IOException {
        return ShellClient.connect(run.folder().path().resolve(ShellClient.SOCKET));
    }

    private static PrintStream printer(ByteArrayOutputStream output) {
        return new PrintStream(output, true, StandardCharsets.UTF_8);
    }

    /** A folder for what a tour makes; it goes with the machine. */
    Path folder() throws IOException {
        return run.folder().make("tour");
    }

    /** The SHA-256 in what a command printed. */
    static String digest(String output) throws TourException {
        Matcher matcher = DIGEST.matcher(output);
        if (!matcher.find()) {
            throw new TourException("the guest gave no digest but: " + output);
        }
        return matcher.group();
    }

    static void same(String what, String wanted, String found) throws TourException {
        if (!wanted.equals(found)) {
            throw new TourException(what + " has digest " + found + " and not " + wanted);
        }
    }
}
