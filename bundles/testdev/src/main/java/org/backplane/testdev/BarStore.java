package org.backplane.testdev;

import org.backplane.device.DeviceException;
import org.backplane.device.context.DeviceContext;
import org.backplane.device.state.SavedState;
import org.backplane.linux.LinuxException;
import org.backplane.linux.Mapping;
import org.backplane.linux.Memfd;
import org.backplane.memory.OffHeap;
import org.backplane.pci.PciWires;

/**
 * Host memory behind a BAR, which the guest reaches without an exit. In its second page of 4 KiB
 * every access comes to the device: what is read there is the number of stores to that page.
 *
 * <p>The memory is the slot's, so that the guest's stores go on while one version of the device
 * takes over from another.
 */
final class BarStore implements AutoCloseable {
    /** In bytes. */
    static final int SIZE = 1 << 20;

    static final int COUNTED = 0x1000;
    static final int COUNTED_SIZE = 0x1000;

    private static final String CONTENT = "content";
    private static final String STORES = "stores";

    private final Memfd memory;
    private final Mapping view;

    /** Whether the slot has had the memory only since this device was made: it is all zeroes. */
    private final boolean blank;

    /** Of all processors, under this object's lock. */
    private int stores;

    private BarStore(Memfd memory, Mapping view, boolean blank) {
        this.memory = memory;
        this.view = view;
        this.blank = blank;
    }

    static BarStore of(DeviceContext context) throws DeviceException {
        boolean[] opened = {false};
        Memfd memory =
                context.kept(
                        "memory",
                        Memfd.class,
                        () -> {
                            opened[0] = true;
                            return open(context.slot());
                        });
        try {
            Mapping view = Mapping.shared(memory, 0, SIZE, Mapping.Protection.READ_WRITE);
            return new BarStore(memory, view, opened[0]);
        } catch (LinuxException e) {
            throw new DeviceException(
                    "Slot '%s': %s.".formatted(context.slot(), e.getMessage()), e);
        }
    }

    private static Memfd open(String slot) throws DeviceException {
        try {
            return Memfd.create(slot, SIZE);
        } catch (LinuxException e) {
            throw new DeviceException("Slot '%s': %s.".formatted(slot, e.getMessage()), e);
        }
    }

    void wired(PciWires wires, int bar) {
        wires.map(bar, 0, memory, 0, SIZE);
        wires.trap(bar, COUNTED, COUNTED_SIZE);
    }

    private static boolean counted(long offset) {
        return offset >= COUNTED && offset < COUNTED + COUNTED_SIZE;
    }

    /** An access inside the BAR that was not mapped. */
    synchronized long read(long offset, int width) {
        if (counted(offset)) {
            return stores;
        }
        long value = 0;
        for (int i = 0; i < width; i++) {
            value |= (OffHeap.getByte(view.address() + offset + i) & 0xffL) << Byte.SIZE * i;
        }
        return value;
    }

    /** As {@link #read}. */
    synchronized void write(long offset, int width, long value) {
        if (counted(offset)) {
            stores++;
            return;
        }
        for (int i = 0; i < width; i++) {
            OffHeap.putByte(view.address() + offset + i, (byte) (value >>> Byte.SIZE * i));
        }
    }

    synchronized void save(SavedState.Builder into) {
        byte[] content = new byte[SIZE];
        OffHeap.copy(view.address(), content, 0, SIZE);
        into.bytes(CONTENT, content).number(STORES, Integer.toUnsignedLong(stores));
    }

    /** In a swap the memory is there already, and the guest may have stored to it since. */
    synchronized void restore(SavedState saved) throws DeviceException {
        stores = (int) saved.number(STORES, 0, 0, 0xffff_ffffL);
        byte[] content = saved.bytes(CONTENT, SIZE, SIZE);
        if (blank) {
            OffHeap.copy(content, 0, view.address(), SIZE);
        }
    }

    @Override
    public void close() {
        view.close();
    }
}
