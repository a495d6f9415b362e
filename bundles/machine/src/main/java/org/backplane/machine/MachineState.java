package org.backplane.machine;

import java.nio.charset.StandardCharsets;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.backplane.device.DeviceException;
import org.backplane.device.state.SavedState;
import org.backplane.machine.board.WindowSizes;

/**
 * A machine as a snapshot keeps it: schema {@code machine}, version 1. Text is UTF-8; the slots are
 * the children {@code slot0}, {@code slot1} and so on, in the order in which they were made.
 *
 * @param engine name of the engine, whose state {@code vm} is
 * @param console of the machine then: what else names it follows the console of the machine now
 * @param kernel for reboots, as are initrd and append
 * @param format of the kernel; empty if its content tells it, and then not in the state
 * @param boardName empty for the one that goes with the engine, and then not in the state
 * @param memory in bytes
 * @param windows of PCI; not in the state where they are the board's own
 * @param image what tells where the pages of the memory belong
 * @param board what is the board's own, the child {@code bridge}
 */
record MachineState(
        String engine,
        String console,
        Path kernel,
        Optional<Path> initrd,
        String append,
        String format,
        String boardName,
        long memory,
        WindowSizes windows,
        int cpus,
        int boots,
        SavedState image,
        SavedState vm,
        SavedState board,
        List<SavedState> slots) {
    static final String SCHEMA = "machine";
    static final int VERSION = 1;

    private static final int MOST_SLOTS = 10_000;
    private static final int MOST_CPUS = 1024;
    private static final long PAGE = 4096;

    MachineState {
        slots = List.copyOf(slots);
    }

    SavedState toSaved() {
        SavedState.Builder state =
                SavedState.of(SCHEMA, VERSION)
                        .bytes("engine", utf8(engine))
                        .bytes("console", utf8(console))
                        .bytes("kernel", utf8(kernel.toString()))
                        .bytes("append", utf8(append))
                        .number("memory", memory)
                        .number("cpus", cpus)
                        .number("boots", boots)
                        .child("image", image)
                        .child("vm", vm)
                        .child("bridge", board);
        if (windows.mmio32() != 0) {
            state.number("mmio32", windows.mmio32());
        }
        if (windows.mmio64() != 0) {
            state.number("mmio64", windows.mmio64());
        }
        if (!boardName.isEmpty()) {
            state.bytes("board", utf8(boardName));
        }
        if (!format.isEmpty()) {
            state.bytes("format", utf8(format));
        }
        initrd.ifPresent(path -> state.bytes("initrd", utf8(path.toString())));
        for (int i = 0; i < slots.size(); i++) {
            state.child("slot" + i, slots.get(i));
        }
        return state.build();
    }

    /**
     * Reads a state of unknown origin.
     *
     * @throws DeviceException it is none of a machine
     */
    static MachineState of(SavedState saved) throws DeviceException {
        saved.require(SCHEMA, VERSION);
        long memory = saved.number("memory", 0);
        require(memory > 0 && memory % PAGE == 0, "%d bytes of memory", memory);
        long cpus = saved.number("cpus", 0);
        require(cpus >= 1 && cpus <= MOST_CPUS, "%d processors", cpus);
        List<SavedState> slots = new ArrayList<>();
        SavedState slot = saved.child("slot0");
        while (slot != null && slots.size() < MOST_SLOTS) {
            slots.add(slot);
            slot = saved.child("slot" + slots.size());
        }
        Optional<Path> kernel = path(saved, "kernel");
        require(kernel.isPresent(), "no kernel");
        return new MachineState(
                text(saved, "engine"),
                text(saved, "console"),
                kernel.get(),
                path(saved, "initrd"),
                text(saved, "append"),
                text(saved, "format"),
                text(saved, "board"),
                memory,
                new WindowSizes(saved.number("mmio32", 0), saved.number("mmio64", 0)),
                (int) cpus,
                (int) Math.max(0, Math.min(Integer.MAX_VALUE, saved.number("boots", 1))),
                child(saved, "image"),
                child(saved, "vm"),
                child(saved, "bridge"),
                slots);
    }

    private static SavedState child(SavedState saved, String name) throws DeviceException {
        SavedState child = saved.child(name);
        require(child != null, "no '%s'", name);
        return child;
    }

    private static Optional<Path> path(SavedState saved, String name) throws DeviceException {
        String text = text(saved, name);
        try {
            return text.isEmpty() ? Optional.empty() : Optional.of(Path.of(text));
        } catch (InvalidPathException e) {
            throw new DeviceException("The saved state of the machine has an odd path.", e);
        }
    }

    private static void require(boolean held, String objection, Object... values)
            throws DeviceException {
        if (!held) {
            throw new DeviceException(
                    "The saved state of the machine has %s."
                            .formatted(objection.formatted(values)));
        }
    }

    private static String text(SavedState saved, String name) {
        byte[] value = saved.bytes(name);
        return value == null ? "" : new String(value, StandardCharsets.UTF_8);
    }

    private static byte[] utf8(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }
}
