package org.backplane.machine.serve;

import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.backplane.linux.Fd;
import org.backplane.machine.MachineException;
import org.backplane.machine.board.Board;
import org.backplane.pci.MsiLayout;
import org.backplane.pci.PciFunction;
import org.backplane.pci.PciShape;
import org.backplane.pci.Type0Header;
import org.backplane.vfio.IrqInfo;
import org.backplane.vfio.RegionInfo;
import org.backplane.vfio.VfioDevice;
import org.backplane.vfio.VfioException;
import org.backplane.vfio.user.ServedDevice;
import org.backplane.vfio.user.ServedMemory;
import org.backplane.vfio.user.ServedWires;

/**
 * The one function of a machine as a vfio-user client sees it. Whatever it asks for goes the way
 * that a guest's accesses go: over the bus, and through a gate, to the device that fills the slot
 * at that time.
 */
final class ServedFunction implements ServedDevice {
    private final ClientInterrupts interrupts;
    private final FunctionAccess access;
    private final ClientConfig config;
    private final Optional<MsixDriver> msix;
    private final List<VectorDriver> drivers;
    private final ClientMemory memory;
    private final ServedSlot slot;
    private final List<RegionInfo> regions;
    private ServedWires wires;

    /**
     * @param function in its slot, with its BARs placed
     */
    ServedFunction(Board board, PciFunction function, ServedSlot slot) {
        this.slot = slot;
        var client = (ClientVm) board.vm();
        interrupts = client.interrupts();
        access = new FunctionAccess(client, function);
        memory = new ClientMemory(board.memory());
        PciShape shape = function.shape();
        Optional<MsiDriver> msi =
                shape.msi().map(of -> new MsiDriver(access, of, access.capability(MsiLayout.ID)));
        msix =
                shape.msix()
                        .map(
                                of ->
                                        new MsixDriver(
                                                access,
                                                of,
                                                access.capability(Type0Header.MSIX_ID)));
        drivers = Stream.<VectorDriver>concat(msi.stream(), msix.stream()).toList();
        config = new ClientConfig(access, drivers);
        regions = IntStream.rangeClosed(0, VfioDevice.VGA).mapToObj(this::describe).toList();
    }

    private RegionInfo describe(int index) {
        Optional<PciShape.Bar> bar = access.function().shape().bar(index);
        long size =
                index == VfioDevice.CONFIG ? config.size() : bar.map(PciShape.Bar::size).orElse(0L);
        return new RegionInfo(index, size, size > 0, size > 0, 0, List.of(), false);
    }

    @Override
    public void wired(ServedWires to) {
        wires = to;
        interrupts.wired(to);
    }

    @Override
    public boolean resettable() {
        return true;
    }

    @Override
    public RegionInfo region(int index) {
        return regions.get(index);
    }

    /** Every access comes here: what a device has mapped may be another one after a swap. */
    @Override
    public Optional<Fd> mapping(int region) {
        return Optional.empty();
    }

    @Override
    public IrqInfo irq(int index) {
        if (index == VfioDevice.INTX) {
            int pins = access.function().shape().interruptPin() == 0 ? 0 : 1;
            return new IrqInfo(index, pins, true, true, true, false);
        }
        int vectors =
                drivers.stream()
                        .filter(driver -> driver.kind() == index)
                        .mapToInt(VectorDriver::vectors)
                        .sum();
        return new IrqInfo(index, vectors, vectors > 0, false, false, vectors > 0);
    }

    @Override
    public long read(int region, long offset, int width) {
        return region == VfioDevice.CONFIG
                ? config.read((int) offset, width)
                : access.readBar(region, offset, width);
    }

    @Override
    public void write(int region, long offset, int width, long value) {
        if (region == VfioDevice.CONFIG) {
            config.write((int) offset, width, value);
        } else if (msix.filter(driver -> driver.covers(region, offset, width)).isEmpty()) {
            access.writeBar(region, offset, width, value);
        }
    }

    @Override
    public void interruptsSet(int irq) {
        drivers.stream()
                .filter(driver -> driver.kind() == irq)
                .forEach(driver -> driver.settle(vector -> wires.isSet(irq, vector)));
    }

    @Override
    public void interruptFinished() {
        interrupts.finish();
    }

    /** Interrupts and memory stay the client's. */
    @Override
    public void reset() throws VfioException {
        try {
            slot.reset();
        } catch (MachineException e) {
            throw new VfioException(e.getMessage(), e);
        }
        config.begin();
        drivers.forEach(VectorDriver::again);
    }

    @Override
    public void map(ServedMemory given) throws VfioException {
        memory.map(given);
    }

    @Override
    public void unmap(List<ServedMemory> taken) {
        memory.unmap(taken);
    }

    /**
     * The device is reset while the client's memory is still there, so that requests end as they
     * should. The next client finds one that works, even if this one has broken it.
     */
    @Override
    public void left() throws VfioException {
        drivers.forEach(driver -> driver.settle(vector -> false));
        reset();
        try {
            slot.renew();
        } catch (MachineException e) {
            throw new VfioException(e.getMessage(), e);
        }
    }
}
