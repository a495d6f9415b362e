package org.backplane.vfio.kernel;

import static org.backplane.vfio.kernel.VfioAbi.*;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.backplane.linux.EventFd;
import org.backplane.linux.Fd;
import org.backplane.linux.Ioctl;
import org.backplane.linux.LinuxException;
import org.backplane.linux.OpenFileLimit;
import org.backplane.vfio.IrqInfo;
import org.backplane.vfio.PciHostAddress;
import org.backplane.vfio.RegionInfo;
import org.backplane.vfio.VfioDevice;
import org.backplane.vfio.VfioException;

/**
 * A PCI function of this host, driven by vfio-pci. Registers are reached by pread(2) and pwrite(2),
 * one access of the guest's width each; what can be mapped is better mapped.
 */
public final class KernelDevice implements VfioDevice {
    /** Besides the vectors: line, error and request. */
    private static final int OTHER_EVENTS = 5;

    private final VfioContainer container;
    private final PciHostAddress address;
    private final HostKernel kernel;
    private final Opened opened;
    private final boolean resettable;
    private final List<RegionInfo> regions = new ArrayList<>();
    private final List<IrqInfo> irqs = new ArrayList<>();

    /** Guarded by itself: what an access reads or writes. */
    private final ByteBuffer register = Structures.of(Long.BYTES);

    /**
     * @param opened this object's from now on, unless this throws
     */
    KernelDevice(VfioContainer container, PciHostAddress address, HostKernel kernel, Opened opened)
            throws VfioException {
        this.container = container;
        this.address = address;
        this.kernel = kernel;
        this.opened = opened;
        DeviceQueries queries = new DeviceQueries(kernel, opened.file());
        DeviceQueries.DeviceInfo info = queries.info();
        resettable = info.resettable();
        for (int i = 0; i < VFIO_PCI_NUM_REGIONS; i++) {
            regions.add(i < info.regions() ? queries.region(i) : DeviceQueries.absentRegion(i));
        }
        for (int i = 0; i < VFIO_PCI_NUM_IRQS; i++) {
            irqs.add(i < info.irqs() ? queries.irq(i) : DeviceQueries.absentIrq(i));
        }
        requireOpenFiles();
    }

    private void requireOpenFiles() throws VfioException {
        int vectors = Math.max(irq(MSIX).count(), irq(MSI).count());
        try {
            OpenFileLimit.require(
                    vectors + OTHER_EVENTS, "%s with its %d vectors".formatted(address, vectors));
        } catch (IOException e) {
            throw new VfioException(e.getMessage(), e);
        }
    }

    public PciHostAddress address() {
        return address;
    }

    /** What KVM is told of; stays this object's. */
    public Fd assignable() {
        return opened.assignable();
    }

    @Override
    public String name() {
        return address.toString();
    }

    @Override
    public boolean resettable() {
        return resettable;
    }

    @Override
    public RegionInfo region(int index) {
        return index >= 0 && index < regions.size()
                ? regions.get(index)
                : DeviceQueries.absentRegion(index);
    }

    @Override
    public IrqInfo irq(int index) {
        return index >= 0 && index < irqs.size() ? irqs.get(index) : DeviceQueries.absentIrq(index);
    }

    @Override
    public long read(int region, long offset, int width) throws VfioException {
        long at = place(region, offset, width);
        synchronized (register) {
            register.clear().limit(width);
            try {
                if (opened.file().pread(register, at) != width) {
                    throw failure("read", region, offset, width, "nothing answers there", null);
                }
            } catch (LinuxException e) {
                throw failure("read", region, offset, width, e.getMessage(), e);
            }
            return switch (width) {
                case 1 -> register.get(0) & 0xffL;
                case 2 -> register.getShort(0) & 0xffffL;
                case 4 -> register.getInt(0) & 0xffff_ffffL;
                default -> register.getLong(0);
            };
        }
    }

    @Override
    public void write(int region, long offset, int width, long value) throws VfioException {
        long at = place(region, offset, width);
        synchronized (register) {
            register.clear();
            register.putLong(0, value).limit(width);
            try {
                if (opened.file().pwrite(register, at) != width) {
                    throw failure("write", region, offset, width, "nothing answers there", null);
                }
            } catch (LinuxException e) {
                throw failure("write", region, offset, width, e.getMessage(), e);
            }
        }
    }

    private long place(int region, long offset, int width) throws VfioException {
        RegionInfo info = region(region);
        if (width != 1 && width != 2 && width != 4 && width != 8) {
            throw new IllegalArgumentException("an access of " + width + " bytes");
        }
        if (offset < 0 || offset > info.size() - width) {
            throw failure("access", region, offset, width, "it is outside of the region", null);
        }
        return info.fileOffset() + offset;
    }

    private VfioException failure(
            String what, int region, long offset, int width, String reason, Exception cause) {
        return new VfioException(
                "%s: %s of %d bytes at 0x%x in region %d (0x%x bytes): %s; see 'dmesg'."
                        .formatted(
                                address,
                                what,
                                width,
                                offset,
                                region,
                                region(region).size(),
                                reason),
                cause);
    }

    @Override
    public Fd mapping(int region) {
        return opened.file();
    }

    @Override
    public void trigger(int irq, int start, List<Optional<EventFd>> events) throws VfioException {
        ByteBuffer set =
                set(
                        VFIO_IRQ_SET_DATA_EVENTFD | VFIO_IRQ_SET_ACTION_TRIGGER,
                        irq,
                        start,
                        events.size(),
                        events.size());
        for (int i = 0; i < events.size(); i++) {
            set.putInt(IRQ_SET_DATA + i * Integer.BYTES, events.get(i).map(Fd::number).orElse(-1));
        }
        int result = kernel.call(opened.file(), VFIO_DEVICE_SET_IRQS, set);
        if (result > 0) {
            throw new VfioException(
                    "%s gets only %d of the %d vectors that it asks for: the host has no more; use fewer devices, or fewer vectors in the guest's driver."
                            .formatted(address, result, events.size()));
        }
        check(
                result,
                "signal vectors %d to %d of kind %d"
                        .formatted(start, start + events.size() - 1, irq));
    }

    @Override
    public void resample(int irq, Optional<EventFd> event) throws VfioException {
        ByteBuffer set =
                set(VFIO_IRQ_SET_DATA_EVENTFD | VFIO_IRQ_SET_ACTION_UNMASK, irq, 0, 1, 1)
                        .putInt(IRQ_SET_DATA, event.map(Fd::number).orElse(-1));
        check(
                kernel.call(opened.file(), VFIO_DEVICE_SET_IRQS, set),
                "be unmasked by an eventfd, kind " + irq);
    }

    @Override
    public void mask(int irq) throws VfioException {
        action(VFIO_IRQ_SET_ACTION_MASK, irq, 1, "be masked, kind " + irq);
    }

    @Override
    public void unmask(int irq) throws VfioException {
        action(VFIO_IRQ_SET_ACTION_UNMASK, irq, 1, "be unmasked, kind " + irq);
    }

    @Override
    public void disable(int irq) throws VfioException {
        action(VFIO_IRQ_SET_ACTION_TRIGGER, irq, 0, "end its interrupts of kind " + irq);
    }

    private void action(int action, int irq, int count, String what) throws VfioException {
        check(
                kernel.call(
                        opened.file(),
                        VFIO_DEVICE_SET_IRQS,
                        set(VFIO_IRQ_SET_DATA_NONE | action, irq, 0, count, 0)),
                what);
    }

    private static ByteBuffer set(int flags, int irq, int start, int count, int events) {
        return Structures.sized(IRQ_SET_DATA + events * Integer.BYTES)
                .putInt(IRQ_SET_FLAGS, flags)
                .putInt(IRQ_SET_INDEX, irq)
                .putInt(IRQ_SET_START, start)
                .putInt(IRQ_SET_COUNT, count);
    }

    @Override
    public void reset() throws VfioException {
        if (!resettable) {
            throw new VfioException(
                    "%s has no reset; unplug and plug it, or reset it with the host."
                            .formatted(address));
        }
        check(kernel.call(opened.file(), VFIO_DEVICE_RESET, 0), "be reset");
    }

    private void check(int result, String what) throws VfioException {
        if (result < 0) {
            throw new VfioException(
                    "%s cannot %s: %s; see 'dmesg'."
                            .formatted(address, what, Ioctl.reason(-result)));
        }
    }

    /**
     * Gives the device back: its interrupts end, and with the last device of the machine the
     * guest's memory is closed to devices. Closing again does nothing.
     */
    @Override
    public void close() {
        container.closed(this);
    }

    void release() {
        opened.release().run();
    }

    @Override
    public String toString() {
        return name();
    }
}
