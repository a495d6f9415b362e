package org.backplane.machine.slot;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.reflect.Proxy;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import org.backplane.bus.Bus;
import org.backplane.bus.RegionLease;
import org.backplane.bus.Space;
import org.backplane.device.state.SavedState;
import org.backplane.device.state.StateFormat;
import org.backplane.hypervisor.Hypervisor;
import org.backplane.hypervisor.Vm;
import org.backplane.machine.MachineException;
import org.backplane.machine.SlotState;
import org.backplane.machine.board.BusExits;
import org.backplane.machine.board.RiscvBoard;
import org.backplane.machine.board.WindowSizes;
import org.backplane.machine.dial.Dial;
import org.backplane.machine.dial.first.FirstDial;
import org.backplane.machine.dial.second.SecondDial;
import org.backplane.machine.slot.CounterDevice.Factory;
import org.backplane.machine.slot.CounterDevice.Fault;
import org.backplane.machine.slot.Factories.Offer;
import org.backplane.testkit.GoldenState;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Slots that are saved and made anew, on a board that the saved ones have left. */
@Timeout(60)
class SlotSnapshotTest {
    private final Map<Integer, Boolean> lines = new TreeMap<>();
    private final Bus bus = new Bus();
    private final PlayedCode code = new PlayedCode();
    private final List<Slot> slots = new ArrayList<>();
    private RiscvBoard board;

    @BeforeEach
    void makeBoard() throws Exception {
        board =
                new RiscvBoard(
                        "test",
                        8 << 20,
                        WindowSizes.OWN,
                        1,
                        bus,
                        engine(),
                        new BusExits(bus, 1, event -> {}, octet -> {}));
    }

    @AfterEach
    void close() throws Exception {
        for (Slot slot : slots) {
            if (slot.state() != SlotState.CLOSED) {
                slot.close();
            }
        }
        board.close();
        code.close();
    }

    private Hypervisor engine() {
        var vm =
                (Vm)
                        Proxy.newProxyInstance(
                                getClass().getClassLoader(),
                                new Class<?>[] {Vm.class},
                                (proxy, method, arguments) -> {
                                    if (method.getName().equals("setLine")) {
                                        synchronized (lines) {
                                            lines.put(
                                                    (Integer) arguments[0], (Boolean) arguments[1]);
                                        }
                                    }
                                    return method.getReturnType() == long.class ? 0L : null;
                                });
        return (Hypervisor)
                Proxy.newProxyInstance(
                        getClass().getClassLoader(),
                        new Class<?>[] {Hypervisor.class},
                        (proxy, method, arguments) ->
                                method.getName().equals("create") ? vm : "test");
    }

    private Slot slot(String name) {
        var slot =
                new Slot(
                        new SlotSpec(name, "counter", Map.of("colour", "red"), "the test"),
                        board,
                        code.services());
        slots.add(slot);
        return slot;
    }

    private Offer offer(Factory factory) {
        return code.offer("counter", factory);
    }

    private Offer offer(int version) {
        return offer(new Factory(version, null));
    }

    private long base(String slot) {
        return bus.regions().stream()
                .filter(
                        region ->
                                region.owner().equals(slot)
                                        && region.window().space() == Space.MMIO)
                .map(RegionLease::range)
                .findFirst()
                .orElseThrow()
                .base();
    }

    private long read(String slot, int offset) {
        return bus.read(Space.MMIO, base(slot) + offset, 4) & 0xffff_ffffL;
    }

    private void write(String slot, long value) {
        bus.write(Space.MMIO, base(slot), 4, value);
    }

    private static SavedState save(Slot slot) throws MachineException {
        List<SavedState> saved = new ArrayList<>();
        Standstill.of(List.of(slot), saved).close();
        return saved.get(0);
    }

    private Slot restore(SavedState saved, Offer offer) throws Exception {
        SavedSlot state = SavedSlot.of(saved);
        Slot slot = slot(state.spec().name());
        slot.restore(offer, state);
        return slot;
    }

    @Test
    void restoredSlotIsWhereItWasAndWhatItWas() throws Exception {
        Slot before = slot("before");
        before.fill(offer(1));
        Slot saved = slot("c0");
        saved.fill(offer(1));
        write("c0", 42);
        long place = base("c0");
        List<Integer> line = SavedSlot.of(save(saved)).lines();
        SavedState state = save(saved);
        before.close();
        saved.close();
        assertFalse(lines.get(line.get(0)));

        Slot restored = restore(state, offer(2));
        assertEquals(saved.spec(), restored.spec());
        assertEquals(place, base("c0"));
        assertEquals(line, SavedSlot.of(save(restored)).lines());
        assertTrue(lines.get(line.get(0)), "the device drives its line again");
        restored.letIn();
        assertEquals(42, read("c0", 0));
        assertEquals(2, read("c0", 8));
    }

    /**
     * As a snapshot's bytes have it: made by a release, restored by the next, not the other way.
     */
    @Test
    void stateOfAnOlderSchemaIsRestoredAndOneOfANewerIsRefused() throws Exception {
        Slot saved = slot("c0");
        saved.fill(code.offer("counter", FirstDial::new));
        write("c0", 42);
        SavedState older = StateFormat.decode(StateFormat.encode(save(saved)));
        assertEquals(1, older.child("device").version());
        saved.close();
        Slot restored = restore(older, code.offer("counter", SecondDial::new));
        restored.letIn();
        assertEquals(42, read("c0", Dial.LEVEL));
        assertEquals(Dial.TOP, read("c0", Dial.CEILING));
        SavedState newer = save(restored);
        restored.close();
        var refusal =
                assertThrows(
                        MachineException.class,
                        () -> restore(newer, code.offer("counter", FirstDial::new)));
        assertTrue(
                refusal.getMessage().contains("has version 2 and this code reads 1 at most"),
                refusal.getMessage());
    }

    @Test
    void restoredSlotLetsNobodyInUntilAllGoOn() throws Exception {
        Slot saved = slot("c0");
        saved.fill(offer(1));
        write("c0", 42);
        SavedState state = save(saved);
        saved.close();
        Slot restored = restore(state, offer(1));
        CompletableFuture<Long> access = CompletableFuture.supplyAsync(() -> read("c0", 0));
        assertTrue(restored.inspect().facts().get("gate").startsWith("closed"));
        restored.letIn();
        assertEquals(42, access.get());
    }

    @Test
    void accessDuringTheStandstillIsAnsweredAfterIt() throws Exception {
        Slot slot = slot("c0");
        var factory = new Factory(1, null);
        slot.fill(offer(factory));
        write("c0", 7);
        List<SavedState> saved = new ArrayList<>();
        CompletableFuture<Long> access;
        try (Standstill still = Standstill.of(slots, saved)) {
            access = CompletableFuture.supplyAsync(() -> read("c0", 0));
            assertFalse(access.isDone());
        }
        assertEquals(7, access.get());
        assertEquals(List.of("start", "quiesce", "save", "resume"), factory.made.get(0).calls);
    }

    @Test
    void whatIsAskedDuringTheStandstillComesAfterIt() throws Exception {
        Slot slot = slot("c0");
        slot.fill(offer(1));
        write("c0", 7);
        List<SavedState> saved = new ArrayList<>();
        CompletableFuture<Void> swap;
        try (Standstill still = Standstill.of(slots, saved)) {
            swap =
                    CompletableFuture.runAsync(
                            () -> {
                                try {
                                    slot.swap(offer(2), false);
                                } catch (MachineException e) {
                                    throw new AssertionError(e);
                                }
                            });
            assertFalse(swap.isDone());
            assertEquals("1.0.1", slot.report().version());
        }
        swap.get();
        assertEquals(2, read("c0", 8));
        assertEquals(7, read("c0", 0));
    }

    @Test
    void oneSlotThatCannotBeSavedLetsAllGoOn() throws Exception {
        Slot good = slot("good");
        good.fill(offer(1));
        Slot bad = slot("bad");
        bad.fill(offer(new Factory(1, Fault.UNSAVABLE)));
        MachineException refusal =
                assertThrows(MachineException.class, () -> Standstill.of(slots, new ArrayList<>()));
        assertEquals(
                "The slot 'bad' cannot be saved: its state cannot be saved: it has a secret.",
                refusal.getMessage());
        write("good", 3);
        write("bad", 4);
        assertEquals(3, read("good", 0));
        assertEquals(4, read("bad", 0));
    }

    @Test
    void vacantSlotKeepsWhatIsParked() throws Exception {
        Slot slot = slot("c0");
        Offer leaving = offer(1);
        slot.fill(leaving);
        write("c0", 9);
        slot.vacate(leaving);
        SavedState state = save(slot);
        assertEquals(SlotState.VACANT, slot.state());
        slot.close();
        Slot restored = restore(state, offer(2));
        restored.letIn();
        assertEquals(9, read("c0", 0));
    }

    @Test
    void failedSlotIsFailedAndRepairedByASwap() throws Exception {
        Slot slot = slot("c0");
        slot.fill(offer(new Factory(1, Fault.HANDLER)));
        long place = base("c0");
        read("c0", 0);
        while (slot.state() != SlotState.FAILED) {
            Thread.onSpinWait();
        }
        SavedState state = save(slot);
        slot.close();
        Slot restored = restore(state, offer(2));
        restored.letIn();
        assertEquals(SlotState.FAILED, restored.state());
        assertTrue(restored.report().detail().contains("broken handler"));
        assertEquals(place, base("c0"));
        assertEquals(0xffff_ffffL, read("c0", 8));
        restored.swap(offer(3), false);
        assertEquals(3, read("c0", 8));
    }

    @Test
    void waitingSlotIsSavedAsEmpty() throws Exception {
        SavedSlot saved = SavedSlot.of(save(slot("c0")));
        assertEquals(SavedSlot.Condition.EMPTY, saved.condition());
        assertEquals(Optional.empty(), saved.device());
    }

    @Test
    void placeOfAnotherIsRefusedAndNothingIsLeft() throws Exception {
        Slot saved = slot("c0");
        saved.fill(offer(1));
        SavedState state = save(saved);
        MachineException refusal =
                assertThrows(MachineException.class, () -> restore(state, offer(1)));
        assertTrue(refusal.getMessage().contains("'c0'"), refusal.getMessage());
        saved.close();
        slots.remove(0);
        slots.remove(0).close();
        assertTrue(bus.regions().stream().noneMatch(region -> region.owner().equals("c0")));
    }

    @Test
    void deviceThatRefusesItsStateRefusesTheRestore() throws Exception {
        Slot saved = slot("c0");
        saved.fill(offer(1));
        SavedState state = save(saved);
        saved.close();
        MachineException refusal =
                assertThrows(
                        MachineException.class,
                        () -> restore(state, offer(new Factory(2, Fault.RESTORE))));
        assertEquals(
                "the slot 'c0' refuses its state: it does not like the state",
                refusal.getMessage());
    }

    @Test
    void everySourceIsToldToTheEngineAnew() throws Exception {
        Slot slot = slot("c0");
        slot.fill(offer(1));
        write("c0", 1);
        int source = SavedSlot.of(save(slot)).lines().get(0);
        lines.clear();
        board.lines().assertAll();
        assertTrue(lines.get(source));
        assertEquals(1, lines.values().stream().filter(high -> high).count());
        assertEquals(63, lines.size());
    }

    @Test
    void firstSchemaIsStillRead() throws Exception {
        SavedState golden = GoldenState.read(getClass(), "slot-v1.properties");
        SavedSlot saved = SavedSlot.of(golden);
        assertEquals("c0", saved.spec().name());
        assertEquals(Map.of("colour", "red"), saved.spec().settings());
        assertEquals("counter 1.0.1", saved.offer());
        assertEquals(2, saved.places().size());
        assertEquals(golden, saved.toSaved(), "version 1 is what is written");
        Slot restored = restore(golden, offer(2));
        restored.letIn();
        assertEquals(42, read("c0", 0));
        assertEquals(saved.places().get(0).range().base(), base("c0"));
    }

    @Test
    void linkThatIsDownIsKept() throws Exception {
        Slot before = slot("c0");
        before.fill(offer(2));
        SavedSlot saved = SavedSlot.of(save(before));
        before.close();
        assertTrue(saved.linkUp());
        SavedState down =
                new SavedSlot(
                                saved.spec(),
                                saved.offer(),
                                saved.condition(),
                                saved.detail(),
                                saved.port(),
                                saved.pciDevice(),
                                saved.places(),
                                saved.lines(),
                                false,
                                saved.face(),
                                saved.device())
                        .toSaved();
        assertFalse(SavedSlot.of(down).linkUp());
        Slot restored = restore(down, offer(2));
        assertFalse(SavedSlot.of(save(restored)).linkUp());
    }
}
