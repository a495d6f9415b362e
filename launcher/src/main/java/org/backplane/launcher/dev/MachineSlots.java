package org.backplane.launcher.dev;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.SortedSet;
import java.util.stream.Collectors;
import org.backplane.launcher.ShellClient;

/** The slots of a running machine, through its shell. */
final class MachineSlots {
    /**
     * One slot.
     *
     * @param kind of device that it takes
     */
    record Slot(String name, String kind) {
        @Override
        public String toString() {
            return name + " (" + kind + ")";
        }
    }

    /**
     * What a command said.
     *
     * @param status 0 if it succeeded
     * @param text without the last end of line
     */
    record Answer(int status, String text) {}

    private final Path socket;

    /**
     * @param socket of the machine's shell
     */
    MachineSlots(Path socket) {
        this.socket = socket;
    }

    /** Connects and says nothing, to learn when the machine ends. */
    ShellClient connect() throws IOException {
        return ShellClient.connect(socket);
    }

    /** Every slot, in the machine's order. */
    List<Slot> all() throws IOException {
        Answer answer = execute("vm:slots");
        if (answer.status() != 0) {
            throw new IOException("the machine does not tell its slots: " + answer.text());
        }
        // A table with a heading: SLOT, KIND and more. Neither of the two has spaces.
        return answer.text()
                .lines()
                .skip(1)
                .map(line -> line.split("\\s+", 3))
                .filter(cells -> cells.length > 1)
                .map(cells -> new Slot(cells[0], cells[1]))
                .toList();
    }

    /** Those slots whose kind is one of these. */
    List<Slot> of(SortedSet<String> kinds) throws IOException {
        return all().stream().filter(slot -> kinds.contains(slot.kind())).toList();
    }

    Answer swap(Slot slot, Path jar) throws IOException {
        return execute("vm:swap " + slot.name() + " " + ShellClient.word(jar.toString()));
    }

    private Answer execute(String command) throws IOException {
        ByteArrayOutputStream text = new ByteArrayOutputStream();
        try (ShellClient client = connect()) {
            int status =
                    client.execute(command, new PrintStream(text, false, StandardCharsets.UTF_8));
            return new Answer(status, text.toString(StandardCharsets.UTF_8).stripTrailing());
        }
    }

    /** The slots for a sentence. */
    static String listed(List<Slot> slots) {
        return slots.stream().map(Slot::toString).collect(Collectors.joining(", "));
    }
}
