package org.backplane.machine.slot;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.reflect.Proxy;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Collectors;
import org.backplane.bus.AddressAllocator;
import org.backplane.bus.AddressRange;
import org.backplane.bus.Bus;
import org.backplane.bus.RegionLease;
import org.backplane.bus.Space;
import org.backplane.hypervisor.Hypervisor;
import org.backplane.hypervisor.Vm;
import org.backplane.machine.MachineException;
import org.backplane.machine.SlotState;
import org.backplane.machine.board.BusExits;
import org.backplane.machine.board.RiscvBoard;
import org.backplane.machine.console.Consoles;
import org.backplane.machine.slot.CounterDevice.Factory;
import org.backplane.machine.slot.CounterDevice.Fault;
import org.backplane.machine.slot.Factories.Offer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.osgi.framework.Bundle;
import org.osgi.framework.Version;

@Timeout(60)
class SlotTest {
    private final Map<Integer, Boolean> lines = new TreeMap<>();
    private final Bus bus = new Bus();
    private final Consoles consoles = new Consoles(() -> {});
    private RiscvBoard board;
    private Map<String, List<AddressRange>> holesBefore;
    private Slot slot;
    private int version;

    @BeforeEach
    void makeSlot() throws Exception {
        board =
                new RiscvBoard(
                        "test",
                        8 << 20,
                        1,
                        bus,
                        engine(),
                        new BusExits(bus, event -> {}, octet -> {}));
        holesBefore = holes();
        slot =
                new Slot(
                        new SlotSpec("c0", "counter", Map.of(), "the test"),
                        board,
                        new MachineServices(consoles, request -> {}, offer -> {}));
    }

    @AfterEach
    void close() throws Exception {
        if (slot.state() != SlotState.CLOSED) {
            slot.close();
        }
        assertEquals(holesBefore, holes(), "the slot left something claimed");
        assertFalse(lines.containsValue(true), () -> "a line is still high: " + lines);
        board.close();
        consoles.close();
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

    private Map<String, List<AddressRange>> holes() {
        return bus.windows().stream()
                .collect(Collectors.toMap(AddressAllocator::name, AddressAllocator::holes));
    }

    private Offer offer(Factory factory) {
        int id = ++version;
        var bundle =
                (Bundle)
                        Proxy.newProxyInstance(
                                getClass().getClassLoader(),
                                new Class<?>[] {Bundle.class},
                                (proxy, method, arguments) ->
                                        switch (method.getName()) {
                                            case "getSymbolicName" -> "counter";
                                            case "getVersion" -> new Version(1, 0, id);
                                            case "getBundleId" -> (long) id;
                                            case "hashCode" -> id;
                                            case "equals" -> proxy == arguments[0];
                                            default -> null;
                                        });
        return new Offer("counter", factory, bundle, 0);
    }

    private long base() {
        return bus.regions().stream()
                .filter(
                        region ->
                                region.owner().equals("c0")
                                        && region.window().space() == Space.MMIO)
                .map(RegionLease::range)
                .findFirst()
                .orElseThrow()
                .base();
    }

    private long read(int offset) {
        return bus.read(Space.MMIO, base() + offset, 4) & 0xffff_ffffL;
    }

    private void write(long value) {
        bus.write(Space.MMIO, base(), 4, value);
    }

    @Test
    void filledSlotAnswers() throws Exception {
        slot.fill(offer(new Factory(1, null)));
        assertEquals(SlotState.RUNNING, slot.state());
        write(42);
        assertEquals(42, read(0));
        assertTrue(lines.containsValue(true));
    }

    @Test
    void swapKeepsRegionStateAndLine() throws Exception {
        var first = new Factory(1, null);
        slot.fill(offer(first));
        long base = base();
        write(42);
        slot.swap(offer(new Factory(2, null)));
        assertEquals(base, base());
        assertEquals(2, read(8));
        assertEquals(42, read(0));
        assertTrue(lines.containsValue(true));
        assertEquals(List.of("start", "quiesce", "close"), first.made.get(0).calls);
        write(0);
        assertFalse(lines.containsValue(true), "the old version still drives the line");
    }

    @ParameterizedTest
    @EnumSource(
            value = Fault.class,
            names = {"CREATE", "RESTORE", "START", "LARGER_REGION"})
    void brokenVersionIsRolledBack(Fault fault) throws Exception {
        var first = new Factory(1, null);
        slot.fill(offer(first));
        write(42);
        Offer broken = offer(new Factory(2, fault));
        var refusal = assertThrows(MachineException.class, () -> slot.swap(broken));
        assertTrue(refusal.getMessage().contains("rolled back"), refusal.getMessage());
        assertEquals(SlotState.RUNNING, slot.state());
        assertEquals(1, read(8));
        assertEquals(42, read(0));
        assertTrue(lines.containsValue(true));
        write(43);
        assertEquals(43, read(0));
        slot.swap(offer(new Factory(3, null)));
        assertEquals(3, read(8));
        assertEquals(43, read(0));
    }

    @Test
    void oldVersionThatCannotBeSavedStays() throws Exception {
        slot.fill(offer(new Factory(1, Fault.UNSAVABLE)));
        Offer next = offer(new Factory(2, null));
        var refusal = assertThrows(MachineException.class, () -> slot.swap(next));
        assertTrue(refusal.getMessage().contains("it has a secret"), refusal.getMessage());
        assertEquals(1, read(8));
    }

    @Test
    void oldVersionThatThrowsInQuiesceOrCloseDoesNotKeepTheSlot() throws Exception {
        slot.fill(offer(new Factory(1, Fault.QUIESCE)));
        Offer next = offer(new Factory(2, null));
        assertThrows(MachineException.class, () -> slot.swap(next));
        assertEquals(1, read(8));
        slot.close();
        assertEquals(SlotState.CLOSED, slot.state());
    }

    @Test
    void throwingHandlerFailsTheSlotAndReadsAllOnes() throws Exception {
        slot.fill(offer(new Factory(1, Fault.HANDLER)));
        assertEquals(0xffff_ffffL, read(0));
        awaitFailed();
        assertTrue(slot.report().detail().contains("broken handler"), slot.report().detail());
        assertEquals(0xffff_ffffL, read(0));
    }

    @Test
    void swapRepairsFailedSlot() throws Exception {
        slot.fill(offer(new Factory(1, Fault.HANDLER)));
        read(0);
        awaitFailed();
        slot.swap(offer(new Factory(2, null)));
        assertEquals(SlotState.RUNNING, slot.state());
        assertEquals(2, read(8));
    }

    /** The failure is posted by the access; an operation behind it sees it done. */
    private void awaitFailed() {
        while (slot.state() != SlotState.FAILED) {
            Thread.onSpinWait();
        }
    }

    @Test
    void vacantSlotParksAccessesAndHandsTheStateOn() throws Exception {
        Offer first = offer(new Factory(1, null));
        slot.fill(first);
        write(42);
        slot.vacate(first);
        assertEquals(SlotState.VACANT, slot.state());
        var seen = new CompletableFuture<Long>();
        var guest = new Thread(() -> seen.complete(read(0)));
        guest.start();
        while (guest.getState() != Thread.State.WAITING) {
            Thread.onSpinWait();
        }
        assertFalse(seen.isDone());
        slot.fill(offer(new Factory(2, null)));
        assertEquals(42, seen.get());
        assertEquals(2, read(8));
    }

    @Test
    void vacancyThatNobodyFillsEndsInAllOnesAndGivesItsRegionsBack() throws Exception {
        Offer first = offer(new Factory(1, null));
        slot.fill(first);
        long base = base();
        slot.expireVacancy(slot.vacate(first));
        while (slot.state() == SlotState.VACANT) {
            Thread.onSpinWait();
        }
        assertEquals(0xffff_ffffL, bus.read(Space.MMIO, base, 4) & 0xffff_ffffL);
        assertTrue(bus.regions().stream().noneMatch(region -> region.owner().equals("c0")));
    }

    @Test
    void endOfAnEarlierVacancyDoesNotEndALaterOne() throws Exception {
        Offer first = offer(new Factory(1, null));
        slot.fill(first);
        int earlier = slot.vacate(first);
        Offer second = offer(new Factory(2, null));
        slot.fill(second);
        slot.vacate(second);
        slot.expireVacancy(earlier);
        slot.fill(offer(new Factory(3, null)));
        assertEquals(3, read(8));
    }

    @Test
    void withdrawalOfAnotherOfferChangesNothing() throws Exception {
        slot.fill(offer(new Factory(1, null)));
        slot.vacate(offer(new Factory(1, null)));
        assertEquals(SlotState.RUNNING, slot.state());
    }

    @Test
    void failedFillGivesEverythingBack() {
        Offer broken = offer(new Factory(1, Fault.START));
        var refusal = assertThrows(MachineException.class, () -> slot.fill(broken));
        assertTrue(refusal.getMessage().startsWith("the test: Slot 'c0': "), refusal.getMessage());
        assertEquals(SlotState.FAILED, slot.state());
    }

    @Test
    void resetReachesTheDeviceAndTheSlotGoesOn() throws Exception {
        var factory = new Factory(1, null);
        slot.fill(offer(factory));
        write(42);
        slot.reset();
        assertEquals(0, read(0));
        assertEquals(List.of("start", "quiesce", "reset", "resume"), factory.made.get(0).calls);
        assertFalse(lines.containsValue(true));
    }

    @Test
    void historyTellsTheStepsOfASwap() throws Exception {
        slot.fill(offer(new Factory(1, null)));
        slot.swap(offer(new Factory(2, null)));
        assertEquals(
                List.of("create", "open", "create", "quiesce", "transfer", "open", "swapped"),
                slot.history().stream().map(entry -> entry.step()).toList());
    }
}
