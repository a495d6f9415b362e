package org.backplane.testdev;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.backplane.device.DeviceException;
import org.backplane.device.GuestErrors;
import org.backplane.device.state.SaveSupport;
import org.backplane.device.state.SavedState;
import org.backplane.linux.EventFd;
import org.backplane.pci.PciDevice;
import org.backplane.pci.PciShape;
import org.backplane.pci.PciShape.Bar;
import org.backplane.pci.PciShape.BarKind;
import org.backplane.pci.PciWires;

/**
 * A function for tests of low-level accesses, with the registers of QEMU's pci-testdev: BAR 0 in
 * memory and BAR 1 in I/O space, each with three tests. A driver starts a test by its number, reads
 * where to write what, writes, and reads how many writes were detected.
 *
 * <p>With vectors it has a BAR 4 of this project's own, in memory: the MSI-X structures, and a
 * register to which a driver writes a vector's number. The device then signals an eventfd, and
 * never the vector: what a device of the host's kernel does. With a line it has a pin, likewise.
 *
 * <p>QEMU gives the writes of two of the tests to an event of the kernel, which counts for itself.
 * Here every write is an access to the device, so that all three count in the header.
 */
final class PciTestdev implements PciDevice {
    static final int MEMORY = 0;
    static final int PORTS = 1;
    static final int MEMBAR = 2;

    /** Bytes; the header lies in the first half, what is written to in the second. */
    static final int MEMORY_SIZE = 4096;

    static final int PORTS_SIZE = 256;

    /** The BAR of the vectors: their table at 0. */
    static final int VECTORS = 4;

    static final int VECTORS_SIZE = 4096;
    static final int PENDING = 0x800;

    /** Written: the number of the vector to raise. */
    static final int RAISE = 0xc00;

    /** Written: raises the pin. */
    static final int RAISE_LINE = 0xc04;

    /** Read, 4 bytes: interrupts of the pin that the guest has finished with, of this device's. */
    static final int FINISHED = 0xc08;

    static final int MOST_VECTORS = 64;

    private final List<EventFd> vectors;
    private final Optional<Line> line;
    private final Optional<BarStore> store;
    private int finished;

    /** The slot's eventfds of the pin. */
    record Line(EventFd trigger, EventFd resample) {}

    private final PciShape shape;
    private final GuestErrors mistakes;
    private final SaveSupport saveSupport = new SaveSupport.Saveable(this::save, this::restore);

    /** Of all processors, under this object's lock. */
    private TestdevState state = TestdevState.REST;

    /**
     * @param membar bytes of BAR 2; 0 for none
     * @param vectors the slot's eventfds, one for each vector; empty for a function without MSI-X
     * @param line empty for a function without a pin
     * @param store what is behind the BAR of {@link BarStore#SIZE}, if anything; closed with this
     */
    PciTestdev(
            long membar,
            List<EventFd> vectors,
            Optional<Line> line,
            Optional<BarStore> store,
            String slot) {
        this.line = line;
        this.store = store;
        this.vectors = List.copyOf(vectors);
        mistakes = new GuestErrors(slot);
        List<Bar> bars =
                new ArrayList<>(
                        List.of(
                                new Bar(MEMORY, BarKind.MEMORY_32, false, MEMORY_SIZE),
                                new Bar(PORTS, BarKind.IO, false, PORTS_SIZE)));
        if (membar > 0) {
            bars.add(new Bar(MEMBAR, BarKind.MEMORY_64, true, membar));
        }
        if (!vectors.isEmpty() || line.isPresent()) {
            bars.add(new Bar(VECTORS, BarKind.MEMORY_32, false, VECTORS_SIZE));
        }
        shape =
                new PciShape(
                        0x1b36,
                        0x0005,
                        0,
                        0x00ff00,
                        0x1af4,
                        0x1100,
                        line.isPresent() ? 1 : 0,
                        bars,
                        List.of(),
                        vectors.isEmpty()
                                ? Optional.empty()
                                : Optional.of(
                                        new PciShape.Msix(
                                                vectors.size(), VECTORS, 0, VECTORS, PENDING)));
    }

    @Override
    public PciShape shape() {
        return shape;
    }

    @Override
    public synchronized long readBar(int bar, long offset, int width) {
        if (bar == MEMBAR && store.isPresent()) {
            return store.get().read(offset, width);
        }
        if (bar == MEMBAR || bar == VECTORS) {
            return bar == VECTORS && offset == FINISHED ? finished : -1;
        }
        byte[] header = header();
        long value = 0;
        for (int i = 0; i < width; i++) {
            long at = offset + i;
            long octet = at < header.length ? header[(int) at] & 0xff : 0;
            value |= octet << Byte.SIZE * i;
        }
        return value;
    }

    private byte[] header() {
        if (state.test() < 0) {
            return new byte[0];
        }
        return TestHeader.of(
                state.bar() == MEMORY ? "mmio" : "portio",
                state.test(),
                target(state.bar(), state.test()),
                state.count());
    }

    /** Where a test wants its writes: each test of the function has an offset of its own. */
    private static int target(int bar, int test) {
        return bar == MEMORY
                ? MEMORY_SIZE / 2 + test
                : PORTS_SIZE / 2 + TestHeader.TESTS.size() + test;
    }

    @Override
    public synchronized void writeBar(int bar, long offset, int width, long value) {
        if (bar == MEMBAR) {
            store.ifPresent(behind -> behind.write(offset, width, value));
            return;
        }
        if (bar == VECTORS) {
            raise(offset, value);
            return;
        }
        for (int i = 0; i < width; i++) {
            writeByte(bar, offset + i, (int) (value >>> Byte.SIZE * i) & 0xff);
        }
    }

    /** The guest has finished with an interrupt of the pin. */
    synchronized void finished() {
        finished += (int) line.orElseThrow().resample().drain();
    }

    private void raise(long offset, long value) {
        if (offset == RAISE && value >= 0 && value < vectors.size()) {
            vectors.get((int) value).signal();
        } else if (offset == RAISE_LINE && line.isPresent()) {
            line.get().trigger().signal();
        } else {
            mistakes.add("a write of 0x%x to BAR %d at 0x%x", value, VECTORS, offset);
        }
    }

    private void writeByte(int bar, long offset, int octet) {
        if (offset == TestHeader.TEST) {
            state =
                    octet < TestHeader.TESTS.size()
                            ? new TestdevState(bar, octet, 0)
                            : TestdevState.REST;
            return;
        }
        int test = state.test();
        if (test < 0 || bar != state.bar() || offset != target(bar, test)) {
            mistakes.add("a write of 0x%x to BAR %d at 0x%x", octet, bar, offset);
        } else if (test == TestHeader.WILDCARD || octet == TestHeader.data(test)) {
            state = new TestdevState(bar, test, state.count() + 1);
        }
    }

    @Override
    public void wired(PciWires wires) {
        for (int vector = 0; vector < vectors.size(); vector++) {
            // The slot ends it with the device.
            wires.trigger(vector, vectors.get(vector));
        }
        line.ifPresent(pin -> wires.attach(pin.trigger(), pin.resample()));
        store.ifPresent(behind -> behind.wired(wires, MEMBAR));
    }

    @Override
    public void start() {
        // There is nothing of the host behind it.
    }

    @Override
    public void quiesce() {
        // A test is a guest's register access, and never under way.
    }

    @Override
    public boolean idle() {
        return true;
    }

    @Override
    public void resume() {
        // Nothing was stopped.
    }

    @Override
    public synchronized void reset() {
        state = TestdevState.REST;
    }

    @Override
    public SaveSupport saveSupport() {
        return saveSupport;
    }

    private synchronized SavedState save() {
        return state.saved(store);
    }

    private synchronized void restore(SavedState saved) throws DeviceException {
        TestdevState next = TestdevState.of(saved);
        if (store.isPresent()) {
            store.get().restore(saved);
        }
        state = next;
    }

    @Override
    public void close() {
        store.ifPresent(BarStore::close);
    }
}
