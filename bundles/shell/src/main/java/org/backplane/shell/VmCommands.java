package org.backplane.shell;

import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.function.Supplier;
import org.apache.felix.service.command.Descriptor;
import org.backplane.machine.AddressMap;
import org.backplane.machine.FunctionReport;
import org.backplane.machine.HistoryEntry;
import org.backplane.machine.Machine;
import org.backplane.machine.MachineException;
import org.backplane.machine.MachineReport;
import org.backplane.machine.SlotInspection;
import org.backplane.machine.SlotReport;

/** The commands of scope {@code vm}: every public method but those of Object is one. */
public final class VmCommands {
    static final String SCOPE = "vm";
    private static final String FORCE = "--force";
    private static final String REPLUG = "--replug";
    private static final String SAVE = "--save";
    private static final String LATEST = "latest";
    private static final String UP = "up";
    private static final String DOWN = "down";

    private final Supplier<Machine> machines;

    /** Takes where to get the machine from, null while there is none. */
    VmCommands(Supplier<Machine> machines) {
        this.machines = machines;
    }

    /** The names of the commands, for Gogo. */
    static String[] names() {
        return Arrays.stream(VmCommands.class.getDeclaredMethods())
                .filter(method -> Modifier.isPublic(method.getModifiers()))
                .map(Method::getName)
                .distinct()
                .sorted()
                .toArray(String[]::new);
    }

    private Machine machine() throws ShellException {
        Machine machine = machines.get();
        if (machine == null) {
            throw new ShellException(
                    "There is no machine now: bundle org.backplane.machine is not active.");
        }
        return machine;
    }

    @Descriptor("the machine: state, engine, memory, time")
    public MachineReport status(String... words) throws ShellException {
        Arguments.none("vm:status", words);
        return machine().report();
    }

    @Descriptor("every slot and what fills it")
    public List<SlotReport> slots(String... words) throws ShellException {
        Arguments.none("vm:slots", words);
        return machine().slots();
    }

    @Descriptor("memory, windows, regions and free holes by address")
    public AddressMap map(String... words) throws ShellException {
        Arguments.none("vm:map", words);
        return machine().map();
    }

    @Descriptor("PCI functions with their BARs")
    public List<FunctionReport> pci(String... words) throws ShellException {
        Arguments.none("vm:pci", words);
        return machine().functions();
    }

    @Descriptor("everything about a slot: SLOT")
    public SlotInspection inspect(String... words) throws ShellException, MachineException {
        return machine().inspect(Arguments.one("vm:inspect SLOT", words));
    }

    @Descriptor("the steps in a slot's life: SLOT")
    public List<HistoryEntry> history(String... words) throws ShellException, MachineException {
        return machine().history(Arguments.one("vm:history SLOT", words));
    }

    @Descriptor("adds a slot, for good if saved: [--save] NAME KIND [KEY=VALUE...]")
    public SlotReport plug(String... words) throws ShellException, MachineException {
        Arguments arguments =
                Arguments.of("vm:plug [--save] NAME KIND [KEY=VALUE...]", Set.of(SAVE), words)
                        .count(2, Integer.MAX_VALUE);
        SlotReport plugged =
                machine()
                        .plug(
                                arguments.words().get(0),
                                arguments.words().get(1),
                                arguments.settings(2),
                                "vm:plug " + String.join(" ", words));
        if (arguments.has(SAVE)) {
            machine().save(plugged.name());
        }
        return plugged;
    }

    @Descriptor("which bundle may fill a slot: SLOT [SYMBOLIC-NAME[@VERSIONS]|none]")
    public String pin(String... words) throws ShellException, MachineException {
        List<String> given =
                Arguments.of("vm:pin SLOT [SYMBOLIC-NAME[@VERSIONS]|none]", Set.of(), words)
                        .count(1, 2)
                        .words();
        SlotReport slot =
                given.size() > 1
                        ? machine().pin(given.get(0), given.get(1))
                        : machine().inspect(given.get(0)).slot();
        String pin = slot.settings().get("pin");
        return "%s: %s%s"
                .formatted(
                        slot.name(),
                        pin == null ? "no pin" : pin,
                        slot.detail().isEmpty() ? "" : "; " + slot.detail());
    }

    @Descriptor("removes a slot: [--force] SLOT")
    public String unplug(String... words) throws ShellException, MachineException {
        Arguments arguments =
                Arguments.of("vm:unplug [--force] SLOT", Set.of(FORCE), words).count(1, 1);
        String slot = arguments.words().get(0);
        machine().unplug(slot, arguments.has(FORCE));
        return slot + ": unplugged";
    }

    @Descriptor("replaces the code of a slot's device: [--force] [--replug] SLOT [VERSION|JAR]")
    public Object swap(String... words) throws ShellException, MachineException {
        Arguments arguments =
                Arguments.of(
                                "vm:swap [--force] [--replug] SLOT [VERSION|JAR]",
                                Set.of(FORCE, REPLUG),
                                words)
                        .count(1, 2);
        String slot = arguments.words().get(0);
        String version = arguments.words().size() > 1 ? arguments.words().get(1) : LATEST;
        return arguments.has(REPLUG)
                ? machine().replug(slot, version, arguments.has(FORCE))
                : machine().swap(slot, version, arguments.has(FORCE));
    }

    @Descriptor("takes a network's link down or up, or shows it: SLOT [up|down]")
    public String link(String... words) throws ShellException, MachineException {
        String usage = "vm:link SLOT [up|down]";
        List<String> given = Arguments.of(usage, Set.of(), words).count(1, 2).words();
        String slot = given.get(0);
        if (given.size() > 1) {
            String wanted = given.get(1);
            if (!wanted.equals(UP) && !wanted.equals(DOWN)) {
                throw new ShellException(
                        "A link is up or down, not '%s'; usage: %s".formatted(wanted, usage));
            }
            machine().link(slot, wanted.equals(UP));
        }
        String link = machine().inspect(slot).facts().get("link");
        if (link == null) {
            throw new ShellException("The slot '%s' has no link.".formatted(slot));
        }
        return "%s: link %s".formatted(slot, link);
    }

    @Descriptor("ends the probation of a slot's latest swap: SLOT")
    public void accept(String... words) throws ShellException, MachineException {
        Arguments arguments = Arguments.of("vm:accept SLOT", Set.of(), words).count(1, 1);
        machine().accept(arguments.words().get(0));
    }

    @Descriptor("code that was replaced and whose class loader is not collected yet")
    public List<String> stale(String... words) throws ShellException {
        Arguments.none("vm:stale", words);
        return machine().stillLoaded();
    }

    @Descriptor("writes the whole machine into a new folder, for run --restore: DIR")
    public String snapshot(String... words) throws ShellException, MachineException {
        String usage = "vm:snapshot DIR";
        Path folder = Arguments.folder(usage, Arguments.one(usage, words));
        machine().snapshot(folder);
        return "The machine is in '%s'; go on from there with: backplane run --restore %s"
                .formatted(folder, folder);
    }

    @Descriptor("stops the processors until vm:resume")
    public MachineReport pause(String... words) throws ShellException, MachineException {
        Arguments.none("vm:pause", words);
        machine().pause();
        return machine().report();
    }

    @Descriptor("lets the processors go on")
    public MachineReport resume(String... words) throws ShellException, MachineException {
        Arguments.none("vm:resume", words);
        machine().resume();
        return machine().report();
    }

    @Descriptor("ends the machine and this process")
    public void stop(String... words) throws ShellException {
        Arguments.none("vm:stop", words);
        machine().stop();
    }

    @Descriptor("reboots the guest without asking it")
    public String reset(String... words) throws ShellException, MachineException {
        Arguments.none("vm:reset", words);
        machine().reset();
        return "the guest reboots";
    }
}
