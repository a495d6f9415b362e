package org.backplane.machine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.backplane.device.DeviceException;
import org.backplane.device.state.SavedState;
import org.backplane.machine.board.WindowSizes;
import org.backplane.testkit.GoldenState;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class MachineStateTest {
    private static SavedState part(String schema) {
        return SavedState.of(schema, 1).number("value", 7).build();
    }

    private static MachineState state() {
        return state("");
    }

    private static MachineState state(String format) {
        return state(format, WindowSizes.OWN);
    }

    private static MachineState state(String format, WindowSizes windows) {
        return state(format, "", windows);
    }

    private static MachineState state(String format, String board, WindowSizes windows) {
        return new MachineState(
                "hart",
                "stdio",
                Path.of("/boot/vmlinux"),
                Optional.of(Path.of("/boot/initrd")),
                "console=ttyS0 name=é",
                format,
                board,
                512L << 20,
                windows,
                2,
                3,
                part("memory-image"),
                part("engine"),
                part("pci-function"),
                List.of(part("slot"), part("slot")));
    }

    @Test
    void whatIsReadIsWhatWasSaved() throws DeviceException {
        assertEquals(state(), MachineState.of(state().toSaved()));
    }

    @Test
    void boardIsKeptWhereItWasGiven() throws DeviceException {
        MachineState state = state("", "riscv-cam", WindowSizes.OWN);
        assertEquals(state, MachineState.of(state.toSaved()));
        assertEquals("", MachineState.of(state().toSaved()).boardName());
    }

    @Test
    void formatOfTheKernelIsKeptWhereItWasGiven() throws DeviceException {
        assertEquals("flat", MachineState.of(state("flat").toSaved()).format());
    }

    @Test
    void sizesOfWindowsAreKeptWhereTheyWereGiven() throws DeviceException {
        MachineState saved = state("", new WindowSizes(2L << 30, 4L << 40));
        assertEquals(saved, MachineState.of(saved.toSaved()));
    }

    @Test
    void firstSchemaIsStillRead() throws DeviceException {
        SavedState golden = GoldenState.read(getClass(), "machine-v1.properties");
        assertEquals(state(), MachineState.of(golden));
        assertEquals(golden, state().toSaved(), "version 1 is what is written");
    }

    @Test
    void slotsKeepTheirOrder() throws DeviceException {
        List<SavedState> slots =
                java.util.stream.IntStream.range(0, 12)
                        .mapToObj(each -> SavedState.of("slot", 1).number("at", each).build())
                        .toList();
        SavedState.Builder saved = SavedState.of("machine", 1);
        SavedState whole = state().toSaved();
        whole.numbers().forEach(saved::number);
        whole.byteNames().forEach(name -> saved.bytes(name, whole.bytes(name)));
        whole.children().forEach(saved::child);
        for (int i = 0; i < slots.size(); i++) {
            saved.child("slot" + i, slots.get(i));
        }
        assertEquals(slots, MachineState.of(saved.build()).slots());
    }

    @ParameterizedTest
    @ValueSource(strings = {"memory", "cpus", "kernel", "image", "vm", "bridge"})
    void stateThatLacksSomethingIsRefused(String lacking) {
        SavedState whole = state().toSaved();
        SavedState.Builder saved = SavedState.of("machine", 1);
        whole.numbers()
                .forEach(
                        (name, value) -> {
                            if (!name.equals(lacking)) {
                                saved.number(name, value);
                            }
                        });
        whole.byteNames()
                .forEach(
                        name -> {
                            if (!name.equals(lacking)) {
                                saved.bytes(name, whole.bytes(name));
                            }
                        });
        whole.children()
                .forEach(
                        (name, value) -> {
                            if (!name.equals(lacking)) {
                                saved.child(name, value);
                            }
                        });
        DeviceException refusal =
                assertThrows(DeviceException.class, () -> MachineState.of(saved.build()));
        assertTrue(
                refusal.getMessage().startsWith("The saved state of the machine has "),
                refusal.getMessage());
    }

    @Test
    void newerSchemaIsRefused() {
        assertThrows(
                DeviceException.class, () -> MachineState.of(SavedState.of("machine", 2).build()));
    }
}
