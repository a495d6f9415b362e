package org.backplane.machine.slot;

import java.lang.reflect.Proxy;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Collectors;
import org.backplane.bus.AddressAllocator;
import org.backplane.bus.AddressRange;
import org.backplane.bus.Bus;
import org.backplane.bus.RegionLease;
import org.backplane.bus.Space;
import org.backplane.hypervisor.Hypervisor;
import org.backplane.hypervisor.Vm;
import org.backplane.machine.SlotState;
import org.backplane.machine.board.BusExits;
import org.backplane.machine.board.RiscvBoard;
import org.backplane.machine.board.WindowSizes;
import org.backplane.machine.slot.CounterDevice.Factory;
import org.backplane.machine.slot.Factories.Offer;
import org.backplane.pci.HostBridge;
import org.osgi.framework.Bundle;

/** A slot {@code c0} for counters on a real board, whose engine only notes the lines. */
final class CounterSlot implements AutoCloseable {
    private final Map<Integer, Boolean> lines = new TreeMap<>();
    private final Bus bus = new Bus();
    private final PlayedCode code = new PlayedCode();
    private final List<Factory> factories = new CopyOnWriteArrayList<>();
    private final AtomicInteger abandonedExits = new AtomicInteger();
    private final RiscvBoard board;
    private final Map<String, List<AddressRange>> holesBefore;
    private final Slot slot;

    CounterSlot() throws Exception {
        board =
                new RiscvBoard(
                        "test",
                        8 << 20,
                        WindowSizes.OWN,
                        1,
                        bus,
                        engine(),
                        new BusExits(bus, 1, event -> {}, octet -> {}));
        holesBefore = holes();
        slot =
                new Slot(
                        new SlotSpec("c0", "counter", Map.of(), "the test"),
                        board,
                        code.services());
        code.askUse(slot::uses);
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

    Slot slot() {
        return slot;
    }

    Bus bus() {
        return bus;
    }

    HostBridge bridge() {
        return board.bridge();
    }

    RiscvBoard board() {
        return board;
    }

    PlayedCode code() {
        return code;
    }

    AtomicInteger abandonedExits() {
        return abandonedExits;
    }

    Offer offer(Factory factory) {
        factories.add(factory);
        return code.offer("counter", factory);
    }

    Offer fill(Factory factory) throws Exception {
        Offer offer = offer(factory);
        slot.fill(offer);
        return offer;
    }

    /** Other code of a bundle, in a slot that the code before has left. */
    Offer update(Bundle bundle, Factory factory) throws Exception {
        factories.add(factory);
        Offer offer = PlayedCode.offer("counter", factory, bundle);
        slot.fill(offer);
        return offer;
    }

    boolean lineIsHigh() {
        synchronized (lines) {
            return lines.containsValue(true);
        }
    }

    boolean hasRegions() {
        return bus.regions().stream().anyMatch(region -> region.owner().equals("c0"));
    }

    long base() {
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

    long read(int offset) {
        return bus.read(Space.MMIO, base() + offset, 4) & 0xffff_ffffL;
    }

    void write(long value) {
        bus.write(Space.MMIO, base(), 4, value);
    }

    /** Lets every call go on that hangs. */
    void release() {
        factories.forEach(factory -> factory.release.countDown());
    }

    /** Everything was given back, or the test fails. */
    @Override
    public void close() throws Exception {
        release();
        if (slot.state() != SlotState.CLOSED) {
            slot.close();
        }
        if (!holesBefore.equals(holes())) {
            throw new AssertionError("the slot left something claimed");
        }
        if (lineIsHigh()) {
            throw new AssertionError("a line is still high: " + lines);
        }
        board.close();
        code.close();
    }
}
