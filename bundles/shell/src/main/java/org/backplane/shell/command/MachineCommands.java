package org.backplane.shell.command;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.backplane.machine.Machine;

/** The machine as a whole. */
final class MachineCommands {
    private static final String TIMEOUT = "--timeout";
    private static final String FORCE = "--force";

    /** In seconds: what a distribution's services may take to stop. */
    private static final int PATIENCE = 60;

    private static final int MOST_PATIENCE = 86_400;

    private final CurrentMachine machine;

    MachineCommands(CurrentMachine machine) {
        this.machine = machine;
    }

    List<Command> all() {
        return List.of(
                Command.named("vm:status")
                        .does("the machine: state, engine, memory, time")
                        .example("vm:status --json")
                        .runs(call -> machine.get().report()),
                Command.named("vm:pause")
                        .does("stops the processors until vm:resume")
                        .example("vm:pause")
                        .runs(this::pause),
                Command.named("vm:resume")
                        .does("lets the processors go on")
                        .example("vm:resume")
                        .runs(this::resume),
                Command.named("vm:reset")
                        .does("reboots the guest without asking it")
                        .remark("What the guest has not written to its disks is lost.")
                        .example("vm:reset")
                        .runs(this::reset),
                Command.named("vm:stop")
                        .does("asks the guest to shut down, and waits for the end of the machine")
                        .remark("Where no device has a power button, and where the guest does not")
                        .remark("run, the machine ends at once: for the guest it is a power cut.")
                        .flag(TIMEOUT, "S", "seconds that the guest has, 60 by default")
                        .flag(FORCE, "without asking the guest")
                        .example("vm:stop --timeout 120")
                        .runs(this::stop),
                Command.named("vm:snapshot")
                        .does("writes the whole machine into a new folder, for run --restore")
                        .remark("Disk images are not part of it.")
                        .word("DIR", Paths.folders())
                        .example("vm:snapshot /srv/machines/before-upgrade")
                        .runs(this::snapshot));
    }

    private Object pause(Call call) throws Exception {
        machine.get().pause();
        return machine.get().report();
    }

    private Object resume(Call call) throws Exception {
        machine.get().resume();
        return machine.get().report();
    }

    private Object reset(Call call) throws Exception {
        machine.get().reset();
        return new Answer("the guest reboots", machine.get().report());
    }

    private Object stop(Call call) throws Exception {
        int seconds = call.arguments().number(TIMEOUT, PATIENCE, 0, MOST_PATIENCE);
        Machine stopped = machine.get();
        if (call.arguments().has(FORCE) || !stopped.powerButton()) {
            stopped.stop();
        } else if (!stopped.awaitEnd(Duration.ofSeconds(seconds))) {
            throw new ShellException(
                    "The guest still runs %d s after its power button was pressed; vm:stop --force ends it without asking."
                            .formatted(seconds));
        }
        return null;
    }

    private Object snapshot(Call call) throws Exception {
        Path folder = call.arguments().path(0, call.folder());
        machine.get().snapshot(folder);
        return new Answer(
                "The machine is in '%s'; go on from there with: backplane run --restore %s"
                        .formatted(folder, folder),
                Map.of("folder", folder.toString()));
    }
}
