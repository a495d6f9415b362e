package org.backplane.launcher;

import java.io.IOException;
import java.util.List;
import org.backplane.launcher.folder.Locations;
import org.backplane.launcher.folder.RunFolders;
import org.backplane.launcher.framework.Distribution;
import org.backplane.launcher.framework.Distribution.Group;
import org.backplane.launcher.framework.StartException;
import org.backplane.launcher.option.HostLibraries;
import org.backplane.launcher.option.HostMemory;
import org.backplane.launcher.option.Plan;
import org.backplane.launcher.option.PlanReader;
import org.backplane.launcher.terminal.LocalTerminal;

/** Runs a machine on this process's terminal. */
public record ForegroundMachine(Distribution distribution, Locations locations) {
    public static ForegroundMachine ofThisProcess() throws IOException {
        return new ForegroundMachine(Distribution.ofThisProcess(), Locations.ofThisUser());
    }

    /** Reads plans for this host. */
    public PlanReader reader() throws IOException {
        RunFolders folders = new RunFolders(locations.runBase(), Locations.uid());
        return new PlanReader(
                HostMemory.ofThisHost(),
                HostLibraries.ofThisHost(),
                List.of(distribution.folder(Group.DEVICE)),
                folders::isRunning);
    }

    /**
     * Runs a machine to its end and prints what went wrong.
     *
     * @return the exit status
     */
    public int run(Plan plan) throws IOException, InterruptedException {
        if (plan.console().equals("stdio")) {
            LocalTerminal.deliverEveryByte();
        }
        return run(
                plan,
                run -> {
                    MachineRun.Outcome outcome = run.await();
                    if (!outcome.sentence().isEmpty()) {
                        System.err.println("backplane: " + outcome.sentence());
                    }
                    return outcome.status();
                });
    }

    /** What is done with a machine while it runs. */
    public interface Use {
        /** Returns the exit status. */
        int of(MachineRun run) throws IOException, InterruptedException;
    }

    /**
     * Starts a machine, uses it and stops it.
     *
     * @return the exit status
     */
    public int run(Plan plan, Use use) throws IOException, InterruptedException {
        try (MachineRun run = MachineRun.start(distribution, locations, plan)) {
            return use.of(run);
        } catch (StartException e) {
            e.sentences().forEach(sentence -> System.err.println("backplane: " + sentence));
            return ExitStatus.FAILED;
        }
    }
}
