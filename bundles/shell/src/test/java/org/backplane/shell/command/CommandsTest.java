package org.backplane.shell.command;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Optional;
import org.backplane.machine.SlotReport;
import org.backplane.shell.RecordedMachine;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.osgi.framework.Bundle;

class CommandsTest {
    private final RecordedMachine machine = new RecordedMachine();
    private Catalogue commands =
            Catalogue.of(
                    new CurrentMachine(() -> machine),
                    new DeviceBundles(() -> new Bundle[0]),
                    new BundleCommands(null));

    private Object run(String name, String... words) throws Exception {
        Command command = commands.find("vm:" + name).orElseThrow();
        Arguments arguments = command.read(List.of(words));
        return command.run(new Call(arguments, Screen.NONE, Optional.empty(), null));
    }

    private String text(String name, String... words) throws Exception {
        return run(name, words).toString();
    }

    @Test
    void everyCommandIsExplained() {
        for (Command command : commands.commands()) {
            String help = command.help();
            assertTrue(help.startsWith(command.usage() + "\n    " + command.summary()), help);
            assertFalse(command.summary().isEmpty(), help);
            assertTrue(command.example().startsWith(command.fullName()), help);
        }
    }

    @Test
    void everyExampleCanBeRead() throws Exception {
        for (Command command : commands.commands()) {
            List<String> words = List.of(command.example().split(" "));
            command.read(words.subList(1, words.size()));
        }
    }

    @Test
    void helpIsGivenInsteadOfActing() throws Exception {
        assertEquals(
                """
                vm:unplug [--timeout S] [--force] SLOT
                    removes a slot, if the guest lets go of it
                    A guest is asked to let go of what is in a port; Linux takes 6 s.
                  --timeout S seconds that the guest has, 30 by default
                  --force    without the guest's consent: surprise removal
                  --json     the answer as one line of JSON
                  --help     this help; nothing is done
                example: vm:unplug disk1""",
                run("unplug", "--help"));
        assertEquals(List.of(), machine.asked);
    }

    @Test
    void returnsTheMachinesRecords() throws Exception {
        assertEquals(machine.slots(), run("slots"));
        assertEquals(machine.map(), run("map"));
        assertEquals(machine.functions(), run("pci"));
        assertEquals(machine.report(), run("status"));
        assertEquals(machine.stillLoaded(), run("stale"));
        assertEquals(machine.inspect("disk0"), run("inspect", "disk0"));
        assertEquals(machine.history("disk0"), run("history", "disk0"));
    }

    @Test
    void plugTakesSettings() throws Exception {
        run("plug", "disk1", "virtio-blk", "image=/a=b", "ro");
        assertEquals(
                List.of(
                        "plug disk1 virtio-blk {image=/a=b, ro=true}"
                                + " (vm:plug disk1 virtio-blk image=/a=b ro)"),
                machine.asked);
    }

    @Test
    void plugSavesTheSlotIfAsked() throws Exception {
        String name = ((SlotReport) run("plug", "--save", "disk1", "virtio-blk")).name();
        assertEquals(
                List.of(
                        "plug disk1 virtio-blk {} (vm:plug --save disk1 virtio-blk)",
                        "save " + name),
                machine.asked);
    }

    @Test
    void pinTellsAndChanges() throws Exception {
        assertEquals("disk0: no pin", text("pin", "disk0"));
        assertEquals(List.of(), machine.asked);
        assertEquals(
                "disk0: org.acme.disk@1; outside of its pin",
                text("pin", "disk0", "org.acme.disk@1"));
        assertEquals(List.of("pin disk0 org.acme.disk@1"), machine.asked);
    }

    @Test
    void linkTellsAndChanges() throws Exception {
        machine.link = "down";
        assertEquals("disk0: link down", text("link", "disk0"));
        assertEquals(List.of(), machine.asked);
        assertEquals("disk0: link up", text("link", "disk0", "up"));
        assertEquals(List.of("link disk0 up"), machine.asked);
        assertSentence(
                "A link is up or down, not 'off': vm:link SLOT [up|down].",
                () -> run("link", "disk0", "off"));
        machine.link = null;
        assertSentence("The slot 'disk0' has no link.", () -> run("link", "disk0"));
    }

    @Test
    void helpListsAndExplains() {
        for (Command command : commands.commands()) {
            assertEquals(command, commands.find(command.fullName()).orElseThrow());
        }
        assertTrue(commands.find("swap").orElseThrow().help().startsWith("vm:swap "));
    }

    @Test
    void unplugAndResetSayThatTheyDid() throws Exception {
        assertEquals("disk0: unplugged", text("unplug", "disk0"));
        assertEquals("the guest reboots", text("reset"));
    }

    @Test
    void unplugAsksTheGuestUnlessForced() throws Exception {
        run("unplug", "disk0");
        run("unplug", "--force", "disk0");
        run("unplug", "--timeout", "5", "disk0");
        assertEquals(
                List.of("unplug disk0 30 false", "unplug disk0 30 true", "unplug disk0 5 false"),
                machine.asked);
    }

    @Test
    void swapTakesTheLatestUnlessTold() throws Exception {
        run("swap", "disk0");
        run("swap", "--force", "disk0", "1.2.3");
        run("swap", "--replug", "disk0", "1.2.3");
        run("accept", "disk0");
        assertEquals(
                List.of(
                        "swap disk0 latest false",
                        "swap disk0 1.2.3 true",
                        "replug disk0 1.2.3 false",
                        "accept disk0"),
                machine.asked);
    }

    @Test
    void snapshotTakesAWholePath() throws Exception {
        assertEquals(
                "The machine is in '/tmp/later'; go on from there with:"
                        + " backplane run --restore /tmp/later",
                text("snapshot", "/tmp/./later"));
        assertSentence(
                "'later' is not a whole path, give it from '/' on: vm:snapshot DIR.",
                () -> run("snapshot", "later"));
        assertSentence("Something is missing: vm:snapshot DIR.", () -> run("snapshot"));
        assertEquals(List.of("snapshot /tmp/later"), machine.asked);
    }

    @Test
    void runsTheMachine() throws Exception {
        run("pause");
        run("resume");
        run("reset");
        run("stop");
        assertEquals(List.of("pause", "resume", "reset", "stop"), machine.asked);
    }

    @Test
    void stopAsksTheGuestWhereItCanAndWaits() throws Exception {
        machine.guest = RecordedMachine.Guest.ENDS;
        run("stop");
        run("stop", "--timeout", "5");
        assertEquals(
                List.of("power button", "await end 60", "power button", "await end 5"),
                machine.asked);
    }

    @Test
    void stopTellsOfAGuestThatIgnoresItsButton() {
        machine.guest = RecordedMachine.Guest.IGNORES;
        assertSentence(
                "The guest still runs 5 s after its power button was pressed;"
                        + " vm:stop --force ends it without asking.",
                () -> run("stop", "--timeout", "5"));
        assertEquals(List.of("power button", "await end 5"), machine.asked);
    }

    @Test
    void stopByForceAsksNobody() throws Exception {
        machine.guest = RecordedMachine.Guest.IGNORES;
        run("stop", "--force");
        assertEquals(List.of("stop"), machine.asked);
    }

    @Test
    void refusesTimesThatAreNone() {
        for (String time : List.of("", "x", "-1", "86401", "1.5", "9999999999")) {
            assertSentence(
                    "'--timeout %s' is no number from 0 to 86400: vm:stop [--timeout S] [--force]."
                            .formatted(time),
                    () -> run("stop", "--timeout", time));
        }
        assertSentence(
                "The option '--timeout' needs a word behind it: vm:stop [--timeout S] [--force].",
                () -> run("stop", "--timeout"));
        assertEquals(List.of(), machine.asked);
    }

    @Test
    void answersBadArgumentsWithTheUsage() {
        assertSentence("'now' is too much: vm:slots.", () -> run("slots", "now"));
        assertSentence("Something is missing: vm:inspect SLOT.", () -> run("inspect"));
        assertSentence("'b' is too much: vm:history SLOT.", () -> run("history", "a", "b"));
        assertSentence(
                "Something is missing: vm:plug [--save] NAME KIND [KEY=VALUE...].",
                () -> run("plug", "disk1"));
        assertSentence(
                "The setting '=x' has no name: vm:plug [--save] NAME KIND [KEY=VALUE...].",
                () -> run("plug", "disk1", "virtio-blk", "=x"));
        assertSentence(
                "The setting 'a' is there twice: vm:plug [--save] NAME KIND [KEY=VALUE...].",
                () -> run("plug", "disk1", "virtio-blk", "a=1", "a=2"));
        assertSentence(
                "There is no option '--gently': vm:unplug [--timeout S] [--force] SLOT.",
                () -> run("unplug", "--gently", "disk0"));
        assertEquals(List.of(), machine.asked);
    }

    @Test
    void saysThatThereIsNoMachine() {
        commands =
                Catalogue.of(
                        new CurrentMachine(() -> null),
                        new DeviceBundles(() -> new Bundle[0]),
                        new BundleCommands(null));
        assertSentence(
                "There is no machine now: bundle org.backplane.machine is not active.",
                () -> run("slots"));
    }

    private static void assertSentence(String expected, Executable command) {
        assertEquals(expected, assertThrows(ShellException.class, command).getMessage());
    }
}
