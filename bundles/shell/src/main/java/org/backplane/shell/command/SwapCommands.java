package org.backplane.shell.command;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.backplane.shell.command.Choices.Choice;
import org.backplane.shell.command.Choices.Typing;

/** Replacing the code of devices. */
final class SwapCommands {
    private static final String FORCE = "--force";
    private static final String REPLUG = "--replug";
    private static final String LATEST = "latest";
    private static final String JAR = ".jar";

    private final CurrentMachine machine;
    private final DeviceBundles bundles;

    SwapCommands(CurrentMachine machine, DeviceBundles bundles) {
        this.machine = machine;
        this.bundles = bundles;
    }

    List<Command> all() {
        return List.of(
                Command.named("vm:swap")
                        .does("replaces the code of a slot's device under the guest")
                        .remark("Without a version it takes the latest that is installed.")
                        .remark("For 10 seconds the code before takes over again if the new fails.")
                        .flag(
                                FORCE,
                                "cuts off a device that does not come to rest or tell its state")
                        .flag(REPLUG, "unplugs and plugs: for code of another shape")
                        .word("SLOT", machine.slots())
                        .optional("VERSION|JAR", this::versions)
                        .example("vm:swap disk0 /home/me/my-disk/target/my-disk-1.1.0.jar")
                        .runs(this::swap),
                Command.named("vm:accept")
                        .does("ends the probation of a slot's latest swap")
                        .word("SLOT", machine.slots())
                        .example("vm:accept disk0")
                        .runs(this::accept),
                Command.named("vm:stale")
                        .does("code that was replaced and whose class loader is not collected yet")
                        .example("vm:stale")
                        .runs(call -> machine.get().stillLoaded()));
    }

    private List<Choice> versions(Typing typing) {
        return Stream.of(
                        Stream.of(Choice.of(LATEST, "the highest installed")),
                        bundles.versions(machine.kindOf(typing.before().get(0))).stream(),
                        Paths.files(JAR).of(typing).stream())
                .flatMap(choices -> choices)
                .toList();
    }

    private Object swap(Call call) throws Exception {
        Arguments arguments = call.arguments();
        String slot = arguments.word(0);
        Optional<String> given = arguments.optional(1);
        String version =
                given.isPresent() && given.get().endsWith(JAR) && call.folder().isPresent()
                        ? arguments.path(1, call.folder()).toString()
                        : given.orElse(LATEST);
        return arguments.has(REPLUG)
                ? machine.get().replug(slot, version, arguments.has(FORCE))
                : machine.get().swap(slot, version, arguments.has(FORCE));
    }

    private Object accept(Call call) throws Exception {
        machine.get().accept(call.arguments().word(0));
        return new Answer("", Map.of("accepted", call.arguments().word(0)));
    }
}
