package org.backplane.shell.command;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.backplane.machine.Machine;
import org.backplane.machine.MachineException;
import org.backplane.machine.SlotReport;
import org.backplane.machine.UnplugReport;
import org.backplane.shell.command.Choices.Choice;
import org.backplane.shell.command.Choices.Typing;
import org.backplane.shell.format.Quantity;

/** Slots: looking at them, adding and removing them. */
final class SlotCommands {
    private static final String FORCE = "--force";
    private static final String SAVE = "--save";

    private static final String TIMEOUT = "--timeout";

    /** In seconds: nobody waits longer at a prompt. */
    private static final int MOST_PATIENCE = 3600;

    private static final String UP = "up";
    private static final String DOWN = "down";

    private final CurrentMachine machine;
    private final DeviceBundles bundles;

    SlotCommands(CurrentMachine machine, DeviceBundles bundles) {
        this.machine = machine;
        this.bundles = bundles;
    }

    List<Command> all() {
        return List.of(
                Command.named("vm:slots")
                        .does("every slot and what fills it")
                        .example("vm:slots")
                        .runs(call -> machine.get().slots()),
                Command.named("vm:inspect")
                        .does("everything about a slot")
                        .word("SLOT", machine.slots())
                        .example("vm:inspect disk0")
                        .runs(call -> machine.get().inspect(call.arguments().word(0))),
                Command.named("vm:history")
                        .does("the steps in a slot's life")
                        .word("SLOT", machine.slots())
                        .example("vm:history disk0")
                        .runs(call -> machine.get().history(call.arguments().word(0))),
                Command.named("vm:plug")
                        .does("adds a slot, for good if saved")
                        .remark("The settings of each kind are in docs/devices.md.")
                        .flag(SAVE, "writes it into the folder of --config")
                        .word("NAME", Choices.FREE)
                        .word("KIND", machine.kinds())
                        .any("KEY=VALUE", this::settings)
                        .example("vm:plug disk1 virtio-blk path=/srv/data.img ro=on")
                        .runs(this::plug),
                Command.named("vm:pin")
                        .does("which bundle may fill a slot; tells it or changes it")
                        .remark("What runs in the slot changes only by a swap.")
                        .word("SLOT", machine.slots())
                        .optional("SYMBOLIC-NAME[@VERSIONS]|none", this::pins)
                        .example("vm:pin disk0 org.acme.disk@[1,2)")
                        .runs(this::pin),
                Command.named("vm:link")
                        .does("takes a network's link down or up, or shows it")
                        .remark("It stays as it is over swaps and in snapshots.")
                        .word("SLOT", machine.slots())
                        .optional("up|down", Choices.words(UP, DOWN))
                        .example("vm:link net0 down")
                        .runs(this::link),
                Command.named("vm:unplug")
                        .does("removes a slot, if the guest lets go of it")
                        .remark("A guest is asked to let go of what is in a port; Linux takes 6 s.")
                        .flag(TIMEOUT, "S", "seconds that the guest has, 30 by default")
                        .flag(FORCE, "without the guest's consent: surprise removal")
                        .word("SLOT", machine.slots())
                        .example("vm:unplug disk1")
                        .runs(this::unplug));
    }

    private List<Choice> settings(Typing typing) {
        return typing.before().size() < 2 ? List.of() : bundles.settings(typing.before().get(1));
    }

    private List<Choice> pins(Typing typing) {
        return Stream.concat(
                        Stream.of(Choice.of("none", "any bundle")),
                        bundles.names(machine.kindOf(typing.before().get(0))).stream())
                .toList();
    }

    private Object plug(Call call) throws Exception {
        Arguments arguments = call.arguments();
        SlotReport plugged =
                machine.get()
                        .plug(
                                arguments.word(0),
                                arguments.word(1),
                                arguments.settings(2),
                                "vm:plug "
                                        + (arguments.has(SAVE) ? SAVE + " " : "")
                                        + String.join(" ", arguments.words()));
        if (arguments.has(SAVE)) {
            try {
                machine.get().save(plugged.name());
            } catch (MachineException e) {
                // All of it or nothing: the driver has not seen it yet.
                machine.get().unplug(plugged.name(), true);
                throw e;
            }
        }
        return plugged;
    }

    private Object pin(Call call) throws Exception {
        String name = call.arguments().word(0);
        SlotReport slot =
                call.arguments().optional(1).isPresent()
                        ? machine.get().pin(name, call.arguments().word(1))
                        : machine.get().inspect(name).slot();
        String pin = slot.settings().get("pin");
        return new Answer(
                "%s: %s%s"
                        .formatted(
                                slot.name(),
                                pin == null ? "no pin" : pin,
                                slot.detail().isEmpty() ? "" : "; " + slot.detail()),
                slot);
    }

    private Object link(Call call) throws Exception {
        String slot = call.arguments().word(0);
        Optional<String> wanted = call.arguments().optional(1);
        if (wanted.isPresent()) {
            if (!wanted.get().equals(UP) && !wanted.get().equals(DOWN)) {
                throw new ShellException(
                        "A link is up or down, not '%s': %s."
                                .formatted(wanted.get(), call.arguments().usage()));
            }
            machine.get().link(slot, wanted.get().equals(UP));
        }
        String link = machine.get().inspect(slot).facts().get("link");
        if (link == null) {
            throw new ShellException("The slot '%s' has no link.".formatted(slot));
        }
        return new Answer("%s: link %s".formatted(slot, link), Map.of("slot", slot, "link", link));
    }

    private Object unplug(Call call) throws Exception {
        String slot = call.arguments().word(0);
        int seconds =
                call.arguments()
                        .number(TIMEOUT, (int) Machine.UNPLUG_BOUND.toSeconds(), 0, MOST_PATIENCE);
        UnplugReport done =
                machine.get()
                        .unplug(slot, Duration.ofSeconds(seconds), call.arguments().has(FORCE));
        String waited =
                done.waited().toMillis() < 100 ? "" : " after " + Quantity.time(done.waited());
        return new Answer("%s: %s%s".formatted(slot, done.outcome(), waited), done);
    }
}
