package org.backplane.testkit.vfio;

import java.util.List;
import java.util.Map;
import org.backplane.testkit.vfio.Action.Cell;
import org.backplane.testkit.vfio.BarDescription.Kind;
import org.backplane.vfio.RegionInfo.Area;
import org.backplane.vfio.VfioDevice;

/** Devices that tests and people ask for. */
public final class DescribedDevices {
    /** In the registers of every device here: a write signals the MSI-X vector of that number. */
    public static final long DOORBELL = 0x800;

    /** A write drives INTx: high for anything but 0. */
    public static final long LEVEL = 0x808;

    /** Eight bytes: the address that {@link #COPY_START} copies from; to and length are behind. */
    public static final long COPY_SOURCE = 0x810;

    public static final long COPY_DESTINATION = 0x818;
    public static final long COPY_LENGTH = 0x820;

    /** Four bytes: 1 once copied, 2 if that could not be. */
    public static final long COPY_STATUS = 0x828;

    /** A write copies in the client's memory, through its mapping. */
    public static final long COPY_START = 0x830;

    /** A write copies by messages. */
    public static final long COPY_BY_MESSAGES = 0x838;

    private DescribedDevices() {}

    /** By the names that the command line takes. */
    public static Map<String, DeviceDescription> byName() {
        return Map.of(
                "r8168", r8168(),
                "many-vectors", manyVectors(),
                "sparse", sparse(),
                "small", small());
    }

    /** What real devices do not have: registers that a test makes the device act by. */
    private static Register[] testRegisters() {
        return new Register[] {
            Register.acting(DOORBELL, 4, new Action.SignalWritten(VfioDevice.MSIX)),
            Register.acting(LEVEL, 4, new Action.Level()),
            Register.masked(COPY_STATUS, 4, 0, 0),
            Register.acting(COPY_START, 4, copy(false)),
            Register.acting(COPY_BY_MESSAGES, 4, copy(true))
        };
    }

    private static Action copy(boolean byMessages) {
        return new Action.Copy(COPY_SOURCE, COPY_DESTINATION, COPY_LENGTH, COPY_STATUS, byMessages);
    }

    /**
     * A Realtek r8168, as far as Linux's driver r8169 needs it to find a card: the chip's version
     * in TxConfig (RTL8168c), a reset that ends, a PHY that answers, and an address. It has no
     * traffic. Registers are in BAR 2 and, the first 256 bytes, in BAR 0; the table of MSI-X is in
     * BAR 4, and takes far less of it than there is.
     */
    public static DeviceDescription r8168() {
        Map<Integer, Cell> phy =
                Map.of(
                        // Control, without its reset bit: a reset is over at once.
                        0, new Cell(0x1140, 0x7fff),
                        // Status: autonegotiation, extended status, no link.
                        1, new Cell(0x7949, 0),
                        2, new Cell(0x001c, 0),
                        3, new Cell(0xc912, 0),
                        15, new Cell(0x3000, 0));
        Action phyAccess = new Action.Mailbox(16, 32, 0xffff, 0x8000_0000L, phy);
        Action linkPhyAccess = new Action.Mailbox(16, 32, 0xffff, 0x8000_0000L, Map.of());
        BarDescription registers =
                BarDescription.trapped(2, Kind.MEMORY_64, 4096)
                        .with(
                                // The address 52:54:00:81:68:01.
                                Register.masked(0x00, 4, 0x8100_5452L, -1),
                                Register.masked(0x04, 4, 0x0168, -1),
                                // CounterAddrLow: counters are reset and dumped at once.
                                new Register(0x10, 4, 0, -1, 0x9, List.of()),
                                // ChipCmd: the reset bit clears itself.
                                new Register(0x37, 1, 0, 0x9c, 0x10, List.of()),
                                // TxConfig: the version is 0x3c2.
                                Register.masked(0x40, 4, 0x3c20_0000L, 0x0303_ffffL),
                                Register.acting(0x60, 4, phyAccess),
                                // PHYstatus: no link.
                                Register.fixed(0x6c, 1, 0),
                                // The PHY of the PCI Express link, as far as it is asked for.
                                Register.acting(0x80, 4, linkPhyAccess))
                        .with(testRegisters());
        return DeviceDescription.of("r8168", 0x10ec, 0x8168, 0x020000)
                .withRevision(2)
                .with(BarDescription.mirror(0, Kind.IO, 256, 2))
                .with(registers)
                .with(BarDescription.mapped(4, Kind.MEMORY_64_PREFETCHABLE, 16384))
                .with(CapabilityDescription.msi(0x50, 1, true, false))
                .with(CapabilityDescription.express(0x70))
                .with(CapabilityDescription.msix(0xb0, 4, 4, 0, 4, 0x1000));
    }

    /** As many vectors as MSI-X has: 32 KiB of table, pending bits behind. */
    public static DeviceDescription manyVectors() {
        return DeviceDescription.of("many-vectors", 0x1b36, 0x0005, 0xff0000)
                .with(BarDescription.trapped(0, Kind.MEMORY_32, 4096, testRegisters()))
                .with(BarDescription.mapped(2, Kind.MEMORY_64, 65536))
                .with(CapabilityDescription.express(0x40))
                .with(CapabilityDescription.msix(0x80, 2048, 2, 0, 2, 0x8000));
    }

    /**
     * Registers, table and memory in one BAR of 64 KiB: pages 2 and 3 and the last half can be
     * mapped; pending bits are before the table.
     */
    public static DeviceDescription sparse() {
        return DeviceDescription.of("sparse", 0x1b36, 0x0006, 0xff0000)
                .with(
                        BarDescription.trapped(0, Kind.MEMORY_64, 65536, testRegisters())
                                .mapping(new Area(0x2000, 0x2000), new Area(0x8000, 0x8000)))
                .with(CapabilityDescription.express(0x40))
                .with(CapabilityDescription.msix(0x80, 16, 0, 0x5000, 0, 0x4800));
    }

    /** Conventional PCI with BARs below a page, MSI with masks, no MSI-X and no reset. */
    public static DeviceDescription small() {
        return DeviceDescription.of("small", 0x1b36, 0x0007, 0xff0000)
                .withoutReset()
                .with(
                        BarDescription.trapped(
                                0,
                                Kind.MEMORY_32,
                                256,
                                Register.acting(0x80, 4, new Action.Level()),
                                Register.acting(0x84, 4, new Action.SignalWritten(VfioDevice.MSI))))
                .with(BarDescription.trapped(1, Kind.IO, 32))
                .with(BarDescription.trapped(5, Kind.MEMORY_32_PREFETCHABLE, 16))
                .with(CapabilityDescription.msi(0x40, 8, false, true));
    }
}
