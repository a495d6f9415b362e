package org.backplane.launcher.dev;

import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.ClosedWatchServiceException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneId;
import java.time.format.DateTimeFormatter;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.SortedSet;
import java.util.TreeSet;
import org.backplane.launcher.ShellClient;
import org.backplane.launcher.option.Problems;

/**
 * Puts every build of a project into the slots of a running machine that take its kinds. Used by
 * one thread, until the machine ends.
 */
public final class SwapOnBuild {
    private static final DateTimeFormatter TIME =
            DateTimeFormatter.ofPattern("HH:mm:ss", Locale.ROOT).withZone(ZoneId.systemDefault());

    private final String machine;
    private final MachineSlots slots;
    private final Optional<String> only;
    private final Builds builds;
    private final PrintStream out;

    /**
     * @param machine its name, for messages
     * @param socket of its shell
     * @param only the slot to swap; all whose kind fits, if absent
     * @param builds the project's, closed by its owner
     * @param out gets a line for each swap
     */
    public SwapOnBuild(
            String machine, Path socket, Optional<String> only, Builds builds, PrintStream out) {
        this.machine = machine;
        slots = new MachineSlots(socket);
        this.only = only;
        this.builds = builds;
        this.out = out;
    }

    /**
     * Looks what is there and says what will be done. A build that is there already is not new and
     * is not swapped.
     *
     * @param folder that is watched, for the message
     * @param problems gets a sentence if no swap can ever come of it
     */
    public void begin(Path folder, Problems problems) throws IOException {
        SortedSet<String> kinds = new TreeSet<>();
        for (Build build : builds.present()) {
            kinds.addAll(build.kinds());
            build.discard();
        }
        List<MachineSlots.Slot> there = slots.all();
        List<MachineSlots.Slot> fitting =
                there.stream()
                        .filter(slot -> only.map(slot.name()::equals).orElse(true))
                        .filter(slot -> kinds.isEmpty() || kinds.contains(slot.kind()))
                        .toList();
        if (fitting.isEmpty()) {
            if (only.isPresent()
                    && there.stream().noneMatch(slot -> slot.name().equals(only.get()))) {
                problems.add(
                        "--slot",
                        only.get(),
                        "'" + machine + "' has no such slot; it has " + MachineSlots.listed(there));
            } else {
                problems.add(
                        "the project offers "
                                + String.join(", ", kinds)
                                + ", but "
                                + only.map(name -> "that is not the kind of --slot " + name)
                                        .orElse("'" + machine + "' has no slot of that kind")
                                + "; it has "
                                + MachineSlots.listed(there));
            }
            return;
        }
        out.println(
                "watching "
                        + folder
                        + (kinds.isEmpty() && only.isEmpty()
                                ? ", where no device bundle is yet: each new one goes into the"
                                        + " slots of its kind among "
                                : ": each new build of the device bundle goes into ")
                        + MachineSlots.listed(fitting)
                        + " of '"
                        + machine
                        + "'; Ctrl-C ends");
    }

    /**
     * Swaps until the machine ends.
     *
     * @throws IOException with a sentence: the machine has ended, or the project is gone
     */
    public void run() throws IOException, InterruptedException {
        try (ShellClient witness = slots.connect()) {
            Thread waiting = new Thread(() -> awaitEnd(witness), "end of " + machine);
            waiting.setDaemon(true);
            waiting.start();
            while (true) {
                for (Build build : builds.next()) {
                    swap(build);
                    build.discard();
                }
            }
        } catch (ClosedWatchServiceException e) {
            throw new IOException(
                    "the machine '" + machine + "' has ended, or its shell was stopped", e);
        }
    }

    private void awaitEnd(ShellClient witness) {
        witness.awaitEnd();
        try {
            builds.close();
        } catch (IOException e) {
            out.println("the folder is watched on, although the machine ended: " + e.getMessage());
        }
    }

    private void swap(Build build) throws IOException {
        if (build.kinds().isEmpty()) {
            say(
                    build,
                    "no device bundle: its manifest has no"
                            + " Provide-Capability: org.backplane.device;kind=..");
            return;
        }
        List<MachineSlots.Slot> fitting =
                slots.of(build.kinds()).stream()
                        .filter(slot -> only.map(slot.name()::equals).orElse(true))
                        .toList();
        if (fitting.isEmpty()) {
            say(
                    build,
                    "no slot"
                            + only.map(name -> " '" + name + "'").orElse("")
                            + " of "
                            + String.join(", ", build.kinds())
                            + " is there");
        }
        for (MachineSlots.Slot slot : fitting) {
            MachineSlots.Answer answer = slots.swap(slot, build.copy());
            Duration time = Duration.between(build.saved(), Instant.now());
            // The copy means nothing to a reader.
            String text = answer.text().replace(build.copy().toString(), build.jar().toString());
            say(
                    build,
                    answer.status() == 0
                            ? text + "; " + time.toMillis() + " ms from saved to in use"
                            : text);
        }
    }

    private void say(Build build, String text) {
        out.println(
                TIME.format(Instant.now().truncatedTo(ChronoUnit.SECONDS))
                        + " "
                        + build.jar().getFileName()
                        + ": "
                        + text);
    }
}
