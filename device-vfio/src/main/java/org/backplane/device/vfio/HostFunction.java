package org.backplane.device.vfio;

import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import org.backplane.device.DeviceException;
import org.backplane.device.vfio.CapabilityRule.Treatment;
import org.backplane.pci.PciShape;
import org.backplane.pci.Type0Header;
import org.backplane.vfio.RegionInfo;
import org.backplane.vfio.VfioDevice;
import org.backplane.vfio.VfioException;

/**
 * What a device is, read once: its identity and capabilities from its configuration space, its BARs
 * from the type bits there and the sizes of its regions. The guest is shown that, with {@link
 * CapabilityTable} in between. Nothing that the device says is trusted: it may be a process.
 */
final class HostFunction {
    /** What is read where no function is (PCI 3.0, 6.1). */
    private static final int NO_VENDOR = 0xffff;

    private final FoundCapability.Function function;
    private final VfioDevice device;
    private final ConfigRegisters config;

    private HostFunction(String slot, VfioDevice device) {
        this.device = device;
        config = new ConfigRegisters(device);
        function = new FoundCapability.Function(slot, device.name(), config);
    }

    /**
     * Reads what the guest will see.
     *
     * @throws DeviceException the device cannot be read, or is none that can be shown: a sentence
     */
    static PciShape shape(String slot, VfioDevice device) throws DeviceException {
        try {
            return new HostFunction(slot, device).shape();
        } catch (VfioException e) {
            throw new DeviceException("Slot '%s': %s".formatted(slot, e.getMessage()), e);
        }
    }

    private PciShape shape() throws DeviceException, VfioException {
        function.require(
                config.size() >= Type0Header.SPACE_SIZE,
                "has a configuration space of %d bytes, and a function has %d at least",
                config.size(),
                Type0Header.SPACE_SIZE);
        int vendor = config.u16(Type0Header.VENDOR_ID);
        function.require(
                vendor != NO_VENDOR && vendor != 0,
                "has the vendor id 0x%04x, by which no guest finds a function: it does not answer, or is none",
                vendor);
        int layout = config.u8(Type0Header.HEADER_TYPE) & ConfigLayout.HEADER_LAYOUT;
        function.require(
                layout == 0,
                "has a header of type %d: it is a bridge, and only what is none can be passed through",
                layout);
        List<PciShape.Bar> bars = bars();
        List<FoundCapability> standard = FoundCapability.standard(function);
        List<FoundCapability> extended = FoundCapability.extended(function);
        Optional<PciShape.Msix> msix = msix(standard, bars);
        Optional<PciShape.Msi> msi = msi(standard);
        try {
            return new PciShape(
                    config.u16(Type0Header.VENDOR_ID),
                    config.u16(Type0Header.DEVICE_ID),
                    config.u8(Type0Header.REVISION_ID),
                    config.u32(Type0Header.REVISION_ID) >>> 8,
                    config.u16(Type0Header.SUBSYSTEM_VENDOR_ID),
                    config.u16(Type0Header.SUBSYSTEM_ID),
                    pin(),
                    bars,
                    capabilities(standard),
                    msix,
                    msi,
                    extended(extended),
                    answered(standard, extended));
        } catch (IllegalArgumentException e) {
            throw function.refused("cannot be shown to a guest: %s", e.getMessage());
        }
    }

    /** Only a pin that VFIO can carry is one that the guest is told of. */
    private int pin() throws DeviceException, VfioException {
        int pin = config.u8(Type0Header.INTERRUPT_PIN);
        function.require(pin <= 4, "has the interrupt pin %d, and there are 4", pin);
        return device.irq(VfioDevice.INTX).count() > 0 ? pin : 0;
    }

    private List<PciShape.Bar> bars() throws DeviceException, VfioException {
        List<PciShape.Bar> bars = new ArrayList<>();
        for (int index = 0; index < Type0Header.BASE_ADDRESS_REGISTERS; index++) {
            int register = config.u32(Type0Header.baseAddress(index));
            RegionInfo region = device.region(index);
            boolean io = (register & Type0Header.BAR_IO) != 0;
            boolean wide =
                    !io && (register & ConfigLayout.BAR_MEMORY_TYPE) == Type0Header.BAR_MEMORY_64;
            if (region.size() != 0 || register != 0) {
                bars.add(bar(index, register, region.size(), io, wide));
            }
            if (wide) {
                index++;
            }
        }
        return bars;
    }

    private PciShape.Bar bar(int index, int register, long size, boolean io, boolean wide)
            throws DeviceException {
        function.require(
                size != 0,
                "has BAR %d (register 0x%08x), whose region has a size of 0%s",
                index,
                register,
                device.readiness().isPresent()
                        ? ""
                        : ": the host has given it no address, for which booting it with pci=realloc may help");
        function.require(
                Long.bitCount(size) == 1,
                "has BAR %d, whose region has 0x%x bytes, which is no power of two",
                index,
                size);
        PciShape.BarKind kind =
                io
                        ? PciShape.BarKind.IO
                        : wide ? PciShape.BarKind.MEMORY_64 : PciShape.BarKind.MEMORY_32;
        boolean prefetchable = !io && (register & Type0Header.BAR_PREFETCHABLE) != 0;
        try {
            return new PciShape.Bar(index, kind, prefetchable, size);
        } catch (IllegalArgumentException e) {
            throw function.refused("cannot be shown to a guest: %s", e.getMessage());
        }
    }

    private static Optional<FoundCapability> of(List<FoundCapability> found, int id) {
        return found.stream().filter(each -> each.id() == id).findFirst();
    }

    private Optional<PciShape.Msi> msi(List<FoundCapability> standard) throws VfioException {
        Optional<FoundCapability> found = of(standard, CapabilityTable.MSI);
        if (found.isEmpty() || device.irq(VfioDevice.MSI).count() == 0) {
            return Optional.empty();
        }
        int at = found.get().offset();
        int control = config.u16(at + ConfigLayout.MSI_CONTROL);
        // VFIO says how many can be had; a guest asks for a power of two.
        int capable =
                1 << (control >>> ConfigLayout.MSI_CAPABLE_SHIFT & ConfigLayout.MSI_CAPABLE_MASK);
        int vectors = Math.min(capable, Integer.highestOneBit(device.irq(VfioDevice.MSI).count()));
        return Optional.of(
                new PciShape.Msi(
                        Math.min(vectors, 32),
                        (control & ConfigLayout.MSI_WIDE) != 0,
                        (control & ConfigLayout.MSI_MASKABLE) != 0,
                        OptionalInt.of(at)));
    }

    private Optional<PciShape.Msix> msix(List<FoundCapability> standard, List<PciShape.Bar> bars)
            throws DeviceException, VfioException {
        Optional<FoundCapability> found = of(standard, CapabilityTable.MSIX);
        if (found.isEmpty() || device.irq(VfioDevice.MSIX).count() == 0) {
            return Optional.empty();
        }
        int at = found.get().offset();
        int vectors =
                (config.u16(at + ConfigLayout.MSIX_CONTROL) & ConfigLayout.MSIX_SIZE_MASK) + 1;
        int had = device.irq(VfioDevice.MSIX).count();
        function.require(
                vectors <= had,
                "has an MSI-X table of %d vectors, of which %d can be had",
                vectors,
                had);
        int table = config.u32(at + ConfigLayout.MSIX_TABLE);
        int pending = config.u32(at + ConfigLayout.MSIX_PBA);
        requireInside("table", table, 16L * vectors, bars);
        requireInside("pending-bit array", pending, (vectors + 63) / 64 * 8L, bars);
        try {
            return Optional.of(
                    new PciShape.Msix(
                            vectors,
                            table & ConfigLayout.MSIX_BIR_MASK,
                            offset(table),
                            pending & ConfigLayout.MSIX_BIR_MASK,
                            offset(pending),
                            OptionalInt.of(at)));
        } catch (IllegalArgumentException e) {
            throw function.refused("cannot be shown to a guest: %s", e.getMessage());
        }
    }

    private static long offset(int register) {
        return register & 0xffff_ffffL & ~ConfigLayout.MSIX_BIR_MASK;
    }

    private void requireInside(String what, int register, long length, List<PciShape.Bar> bars)
            throws DeviceException {
        int index = register & ConfigLayout.MSIX_BIR_MASK;
        Optional<PciShape.Bar> bar =
                bars.stream()
                        .filter(each -> each.index() == index)
                        .filter(each -> each.kind() != PciShape.BarKind.IO)
                        .findFirst();
        function.require(
                bar.isPresent(),
                "has its MSI-X %s in BAR %d, and no memory BAR of that number",
                what,
                index);
        long offset = offset(register);
        function.require(
                offset + length <= bar.get().size(),
                "has an MSI-X %s of 0x%x bytes at 0x%x of BAR %d, past its end at 0x%x",
                what,
                length,
                offset,
                index,
                bar.get().size());
    }

    /** Those with registers; MSI and MSI-X are described apart. */
    private List<PciShape.Capability> capabilities(List<FoundCapability> standard)
            throws VfioException {
        List<PciShape.Capability> shown = new ArrayList<>();
        for (FoundCapability found : standard) {
            if (found.id() == CapabilityTable.POWER_MANAGEMENT) {
                shown.add(EmulatedCapability.power(found, config));
            } else if (found.id() == CapabilityTable.PCI_EXPRESS) {
                shown.add(EmulatedCapability.express(found, config));
            } else if (found.is(Treatment.PASSED)) {
                int body = found.length() - Type0Header.CAPABILITY_BODY;
                shown.add(
                        new PciShape.Capability(
                                found.id(),
                                new byte[body],
                                new byte[body],
                                OptionalInt.of(found.offset())));
            }
        }
        return shown;
    }

    private List<PciShape.ExtendedCapability> extended(List<FoundCapability> extended) {
        List<PciShape.ExtendedCapability> shown = new ArrayList<>();
        for (FoundCapability found : extended) {
            if (found.is(Treatment.PASSED)) {
                int body = Math.max(0, found.length() - Type0Header.EXTENDED_HEADER);
                shown.add(
                        new PciShape.ExtendedCapability(
                                found.offset(),
                                found.id(),
                                found.version(),
                                new byte[body],
                                new byte[body]));
            }
        }
        return shown;
    }

    /**
     * What goes to the device: everything behind the header but the registers of capabilities that
     * are emulated or hidden. Registers that belong to no capability are drivers' business.
     */
    private List<PciShape.ConfigRange> answered(
            List<FoundCapability> standard, List<FoundCapability> extended) {
        boolean beyond = config.size() >= Type0Header.EXTENDED_SIZE;
        int end = beyond ? Type0Header.EXTENDED_SIZE : Type0Header.SPACE_SIZE;
        BitSet passed = new BitSet(end);
        passed.set(Type0Header.END, end);
        standard.forEach(found -> take(passed, found));
        extended.forEach(found -> take(passed, found));
        if (beyond && extended.stream().noneMatch(found -> found.is(Treatment.PASSED))) {
            // An empty chain begins with a register of zeros, whatever is hidden here.
            passed.clear(
                    Type0Header.SPACE_SIZE, Type0Header.SPACE_SIZE + Type0Header.EXTENDED_HEADER);
        }
        List<PciShape.ConfigRange> ranges = new ArrayList<>();
        for (int at = passed.nextSetBit(0); at >= 0; at = passed.nextSetBit(at)) {
            int to = passed.nextClearBit(at);
            ranges.add(new PciShape.ConfigRange(at, to - at));
            at = to;
        }
        return ranges;
    }

    private static void take(BitSet passed, FoundCapability found) {
        if (!found.is(Treatment.PASSED)) {
            passed.clear(found.offset(), found.end() + 3 & ~3);
        }
    }
}
