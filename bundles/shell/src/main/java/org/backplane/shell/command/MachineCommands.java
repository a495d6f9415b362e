package org.backplane.shell.command;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/** The machine as a whole. */
final class MachineCommands {
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
                        .does("ends the machine and this process")
                        .remark("The guest is not asked: for it, it is a power cut.")
                        .example("vm:stop")
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
        machine.get().stop();
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
