package org.backplane.shell;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.List;
import org.backplane.machine.MachineException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;

class VmCommandsTest {
    private final RecordedMachine machine = new RecordedMachine();
    private final VmCommands commands = new VmCommands(() -> machine);

    @Test
    void everyCommandIsOffered() {
        assertArrayEquals(
                new String[] {
                    "accept",
                    "history",
                    "inspect",
                    "link",
                    "map",
                    "pause",
                    "pci",
                    "pin",
                    "plug",
                    "reset",
                    "resume",
                    "slots",
                    "snapshot",
                    "stale",
                    "status",
                    "stop",
                    "swap",
                    "unplug"
                },
                VmCommands.names());
    }

    @Test
    void returnsTheMachinesRecords() throws ShellException, MachineException {
        assertEquals(machine.slots(), commands.slots());
        assertEquals(machine.map(), commands.map());
        assertEquals(machine.functions(), commands.pci());
        assertEquals(machine.report(), commands.status());
        assertEquals(machine.stillLoaded(), commands.stale());
        assertEquals(machine.inspect("disk0"), commands.inspect("disk0"));
        assertEquals(machine.history("disk0"), commands.history("disk0"));
    }

    @Test
    void plugTakesSettings() throws ShellException, MachineException {
        commands.plug("disk1", "virtio-blk", "image=/a=b", "ro");
        assertEquals(
                List.of(
                        "plug disk1 virtio-blk {image=/a=b, ro=true}"
                                + " (vm:plug disk1 virtio-blk image=/a=b ro)"),
                machine.asked);
    }

    @Test
    void plugSavesTheSlotIfAsked() throws ShellException, MachineException {
        String name = commands.plug("--save", "disk1", "virtio-blk").name();
        assertEquals(
                List.of(
                        "plug disk1 virtio-blk {} (vm:plug --save disk1 virtio-blk)",
                        "save " + name),
                machine.asked);
    }

    @Test
    void pinTellsAndChanges() throws ShellException, MachineException {
        assertEquals("disk0: no pin", commands.pin("disk0"));
        assertEquals(List.of(), machine.asked);
        assertEquals(
                "disk0: org.acme.disk@1; outside of its pin",
                commands.pin("disk0", "org.acme.disk@1"));
        assertEquals(List.of("pin disk0 org.acme.disk@1"), machine.asked);
    }

    @Test
    void linkTellsAndChanges() throws ShellException, MachineException {
        machine.link = "down";
        assertEquals("disk0: link down", commands.link("disk0"));
        assertEquals(List.of(), machine.asked);
        assertEquals("disk0: link up", commands.link("disk0", "up"));
        assertEquals(List.of("link disk0 up"), machine.asked);
        assertSentence(
                "A link is up or down, not 'off'; usage: vm:link SLOT [up|down]",
                () -> commands.link("disk0", "off"));
        machine.link = null;
        assertSentence("The slot 'disk0' has no link.", () -> commands.link("disk0"));
    }

    @Test
    void unplugAndResetSayThatTheyDid() throws ShellException, MachineException {
        assertEquals("disk0: unplugged", commands.unplug("disk0"));
        assertEquals("the guest reboots", commands.reset());
    }

    @Test
    void unplugAsksTheGuestUnlessForced() throws ShellException, MachineException {
        commands.unplug("disk0");
        commands.unplug("--force", "disk0");
        assertEquals(List.of("unplug disk0 false", "unplug disk0 true"), machine.asked);
    }

    @Test
    void swapTakesTheLatestUnlessTold() throws ShellException, MachineException {
        commands.swap("disk0");
        commands.swap("--force", "disk0", "1.2.3");
        commands.swap("--replug", "disk0", "1.2.3");
        commands.accept("disk0");
        assertEquals(
                List.of(
                        "swap disk0 latest false",
                        "swap disk0 1.2.3 true",
                        "replug disk0 1.2.3 false",
                        "accept disk0"),
                machine.asked);
    }

    @Test
    void snapshotTakesAWholePath() throws ShellException, MachineException {
        assertEquals(
                "The machine is in '/tmp/later'; go on from there with:"
                        + " backplane run --restore /tmp/later",
                commands.snapshot("/tmp/./later"));
        assertSentence(
                "'later' is not a whole path, give it from '/' on: vm:snapshot DIR.",
                () -> commands.snapshot("later"));
        assertSentence("Something is missing: vm:snapshot DIR.", commands::snapshot);
        assertEquals(List.of("snapshot /tmp/later"), machine.asked);
    }

    @Test
    void runsTheMachine() throws ShellException, MachineException {
        commands.pause();
        commands.resume();
        commands.reset();
        commands.stop();
        assertEquals(List.of("pause", "resume", "reset", "stop"), machine.asked);
    }

    @Test
    void answersBadArgumentsWithTheUsage() {
        assertSentence("'now' is too much: vm:slots.", () -> commands.slots("now"));
        assertSentence("Something is missing: vm:inspect SLOT.", commands::inspect);
        assertSentence("'b' is too much: vm:history SLOT.", () -> commands.history("a", "b"));
        assertSentence(
                "Something is missing: vm:plug [--save] NAME KIND [KEY=VALUE...].",
                () -> commands.plug("disk1"));
        assertSentence(
                "The setting '=x' has no name: vm:plug [--save] NAME KIND [KEY=VALUE...].",
                () -> commands.plug("disk1", "virtio-blk", "=x"));
        assertSentence(
                "The setting 'a' is there twice: vm:plug [--save] NAME KIND [KEY=VALUE...].",
                () -> commands.plug("disk1", "virtio-blk", "a=1", "a=2"));
        assertSentence(
                "There is no option '--gently': vm:unplug [--force] SLOT.",
                () -> commands.unplug("--gently", "disk0"));
        assertEquals(List.of(), machine.asked);
    }

    @Test
    void saysThatThereIsNoMachine() {
        assertSentence(
                "There is no machine now: bundle org.backplane.machine is not active.",
                new VmCommands(() -> null)::slots);
    }

    private static void assertSentence(String expected, Executable command) {
        assertEquals(expected, assertThrows(ShellException.class, command).getMessage());
    }
}
