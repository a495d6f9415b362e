package org.backplane.launcher;

import java.io.IOException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.time.Instant;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.backplane.launcher.folder.Locations;
import org.backplane.launcher.folder.LogFile;
import org.backplane.launcher.folder.RunFolder;
import org.backplane.launcher.folder.RunFolders;
import org.backplane.launcher.folder.RunningMachine;
import org.backplane.launcher.framework.Distribution;
import org.backplane.launcher.framework.MachineFramework;
import org.backplane.launcher.framework.StartException;
import org.backplane.launcher.option.Plan;

/**
 * One machine in this process, from its run folder to its end. Closing stops it; a signal that ends
 * the process stops it too.
 */
public final class MachineRun implements AutoCloseable {
    private static final Logger LOG = System.getLogger(MachineRun.class.getName());
    private static final long STOP_SECONDS = 30;
    private static final String SHELL_HISTORY = "shell.history";

    private final RunFolders folders;
    private final RunFolder folder;
    private final LogFile log;
    private final MachineFramework framework;
    private final Thread hook = new Thread(this::stop, "shutdown");
    private boolean stopped;

    private MachineRun(
            RunFolders folders, RunFolder folder, LogFile log, MachineFramework framework) {
        this.folders = folders;
        this.folder = folder;
        this.log = log;
        this.framework = framework;
    }

    /**
     * Takes the run folder, opens the log and starts the framework.
     *
     * @throws IOException with a sentence if the folder or the log cannot be had
     * @throws StartException if the bundles do not start
     */
    public static MachineRun start(Distribution distribution, Locations locations, Plan plan)
            throws IOException, StartException {
        plan.restore().ifPresent(DigestRehearsal::begin);
        RunFolders folders = new RunFolders(locations.runBase(), Locations.uid());
        RunFolder folder = folders.acquire(plan.name());
        try {
            return start(distribution, locations, plan, folders, folder);
        } catch (IOException | RuntimeException e) {
            folders.release(folder);
            throw e;
        }
    }

    private static MachineRun start(
            Distribution distribution,
            Locations locations,
            Plan plan,
            RunFolders folders,
            RunFolder folder)
            throws IOException, StartException {
        new RunningMachine(
                        plan.name(),
                        ProcessHandle.current().pid(),
                        Instant.now(),
                        plan.memory(),
                        plan.cpus())
                .write(folder);
        System.setProperty("jffi.extract.dir", folder.make("native").toString());
        System.setProperty(
                "org.backplane.shell.history", locations.logs().resolve(SHELL_HISTORY).toString());
        LogFile log = LogFile.open(locations.logs(), plan.name());
        LOG.log(Level.INFO, "process entered at " + Main.entered().toEpochMilli() + " ms");
        LOG.log(Level.INFO, plan::toString);
        MachineFramework framework =
                new MachineFramework(
                        distribution,
                        folder,
                        MachineFramework.Properties.of(plan, locations.logs()));
        MachineRun run = new MachineRun(folders, folder, log, framework);
        Runtime.getRuntime().addShutdownHook(run.hook);
        try {
            boolean watching = plan.config().isPresent() || plan.bundles().isPresent();
            framework.start(Optional.of(plan.toMap(folder.path())), watching);
            return run;
        } catch (StartException e) {
            run.close();
            throw e;
        }
    }

    public RunFolder folder() {
        return folder;
    }

    public LogFile log() {
        return log;
    }

    /** Completed by the machine when it ends. */
    public CompletableFuture<Object> end() {
        return framework.end();
    }

    /** Completed when the shell was started: the guest runs by then. */
    public CompletableFuture<Void> shellStarted() {
        return framework.secondList();
    }

    /** How a machine ended: an exit status, and the sentence to print if it is not empty. */
    public record Outcome(int status, String sentence) {}

    /** Waits for the end of the machine. */
    public Outcome await() throws InterruptedException {
        try {
            Object status = end().get();
            return new Outcome(status instanceof Integer number ? number : 0, "");
        } catch (ExecutionException e) {
            Throwable reason = e.getCause();
            LOG.log(Level.ERROR, "the machine ended with a failure", reason);
            String message = reason.getMessage() == null ? reason.toString() : reason.getMessage();
            return new Outcome(
                    reason instanceof IllegalArgumentException
                            ? ExitStatus.BAD_INPUT
                            : ExitStatus.FAILED,
                    // What is missing may be what was refused.
                    Stream.concat(Stream.of(message), framework.refusals().stream())
                            .collect(Collectors.joining(" ")));
        }
    }

    @Override
    public void close() {
        stop();
        try {
            Runtime.getRuntime().removeShutdownHook(hook);
        } catch (IllegalStateException e) {
            LOG.log(Level.DEBUG, "the process is ending already", e);
        }
    }

    private synchronized void stop() {
        if (stopped) {
            return;
        }
        stopped = true;
        try {
            if (!framework.stop(STOP_SECONDS, TimeUnit.SECONDS)) {
                LOG.log(
                        Level.WARNING,
                        "the bundles did not stop within {0} s; the process ends all the same",
                        STOP_SECONDS);
            }
            folders.release(folder);
        } catch (IOException e) {
            LOG.log(Level.WARNING, "the run folder cannot be removed", e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        log.close();
    }
}
