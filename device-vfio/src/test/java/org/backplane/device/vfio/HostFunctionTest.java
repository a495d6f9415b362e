package org.backplane.device.vfio;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import org.backplane.device.DeviceException;
import org.backplane.linux.EventFd;
import org.backplane.pci.PciShape;
import org.backplane.vfio.IrqInfo;
import org.backplane.vfio.RegionInfo;
import org.backplane.vfio.VfioDevice;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What devices say of themselves, and what of it no guest can be shown. */
@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class HostFunctionTest {
    private static String refusal(PlayedDevice device) {
        return assertThrows(DeviceException.class, () -> HostFunction.shape("nic1", device))
                .getMessage();
    }

    /** The capability's bytes behind its header. */
    private static byte[] express(PlayedDevice device) throws DeviceException {
        return HostFunction.shape("nic1", device).capabilities().stream()
                .filter(each -> each.id() == CapabilityTable.PCI_EXPRESS)
                .findFirst()
                .orElseThrow()
                .body();
    }

    private static PlayedDevice nvme() {
        return PlayedDevice.nvme();
    }

    @Test
    void takesIdentityFromTheHeader() throws Exception {
        PciShape shape = HostFunction.shape("nic1", nvme());
        assertEquals(0x1b36, shape.vendorId());
        assertEquals(0x0010, shape.deviceId());
        assertEquals(0x02, shape.revision());
        assertEquals(0x010802, shape.classCode());
        assertEquals(0x1af4, shape.subsystemVendorId());
        assertEquals(0x1100, shape.subsystemId());
        assertEquals(1, shape.interruptPin());
    }

    @Test
    void refusesAVendorByWhichNoGuestFindsIt() {
        assertEquals(
                "Slot 'nic1': 0000:01:00.0 has the vendor id 0xffff, by which no guest finds a function: it does not answer, or is none; give another device, or mend the server of this one.",
                refusal(nvme().set(0, 2, 0xffff)));
    }

    @Test
    void keepsMsixWhereItIs() throws Exception {
        assertEquals(
                Optional.of(new PciShape.Msix(5, 0, 0x2000, 0, 0x3000, OptionalInt.of(0x40))),
                HostFunction.shape("nic1", nvme()).msix());
    }

    @Test
    void keepsMsixInTwoBars() throws Exception {
        PlayedDevice device = nvme().bar(2, 0b0100, 0x1000).set(0x48, 4, 0x802);
        assertEquals(
                Optional.of(new PciShape.Msix(5, 0, 0x2000, 2, 0x800, OptionalInt.of(0x40))),
                HostFunction.shape("nic1", device).msix());
    }

    @Test
    void theUpperHalfOfAWideBarIsNoBar() throws Exception {
        assertEquals(
                List.of(new PciShape.Bar(0, PciShape.BarKind.MEMORY_64, false, 0x4000)),
                HostFunction.shape("nic1", nvme().set(0x14, 4, 0x40)).bars());
    }

    @Test
    void showsNoPinThatVfioDoesNotCarry() throws Exception {
        PlayedDevice device =
                nvme().irq(
                                VfioDevice.INTX,
                                new IrqInfo(VfioDevice.INTX, 0, false, false, false, false));
        assertEquals(0, HostFunction.shape("nic1", device).interruptPin());
    }

    @Test
    void asksForAsManyMsiVectorsAsVfioHas() throws Exception {
        PlayedDevice device =
                nvme().set(0x81, 1, 0xc0)
                        .set(0xc0, 2, 0x6005)
                        // 64 bits, maskable, capable of 32.
                        .set(0xc2, 2, 0x018a)
                        .irq(
                                VfioDevice.MSI,
                                new IrqInfo(VfioDevice.MSI, 20, true, false, false, false));
        assertEquals(
                Optional.of(new PciShape.Msi(16, true, true, OptionalInt.of(0xc0))),
                HostFunction.shape("nic1", device).msi());
    }

    @Test
    void refusesABarWhoseRegionIsEmpty() {
        assertEquals(
                "Slot 'nic1': 0000:01:00.0 has BAR 2 (register 0x0000000c), whose region has a size of 0: the host has given it no address, for which booting it with pci=realloc may help; give another device, or mend the server of this one.",
                refusal(nvme().set(0x18, 4, 0b1100)));
    }

    @Test
    void aServersEmptyRegionIsNoMatterOfHowTheHostBoots() throws Exception {
        PlayedDevice server = nvme().set(0x18, 4, 0b1100);
        try (EventFd socket = EventFd.open()) {
            server.readiness = Optional.of(socket);
            assertEquals(
                    "Slot 'nic1': 0000:01:00.0 has BAR 2 (register 0x0000000c), whose region has a size of 0; give another device, or mend the server of this one.",
                    refusal(server));
        }
    }

    @Test
    void refusesARegionThatIsNoPowerOfTwo() {
        assertEquals(
                "Slot 'nic1': 0000:01:00.0 has BAR 2, whose region has 0x3000 bytes, which is no power of two; give another device, or mend the server of this one.",
                refusal(nvme().bar(2, 0b1100, 0x3000)));
    }

    @Test
    void refusesATablePastTheEndOfItsBar() {
        assertEquals(
                "Slot 'nic1': 0000:01:00.0 has an MSI-X table of 0x50 bytes at 0x3fc0 of BAR 0, past its end at 0x4000; give another device, or mend the server of this one.",
                refusal(nvme().set(0x44, 4, 0x3fc0)));
    }

    @Test
    void refusesPendingBitsPastTheEndOfTheirBar() {
        assertEquals(
                "Slot 'nic1': 0000:01:00.0 has an MSI-X pending-bit array of 0x8 bytes at 0x4000 of BAR 0, past its end at 0x4000; give another device, or mend the server of this one.",
                refusal(nvme().set(0x48, 4, 0x4000)));
    }

    @Test
    void refusesATableInABarThatIsNotThere() {
        assertEquals(
                "Slot 'nic1': 0000:01:00.0 has its MSI-X table in BAR 3, and no memory BAR of that number; give another device, or mend the server of this one.",
                refusal(nvme().set(0x44, 4, 0x2003)));
    }

    @Test
    void refusesATableOverItsPendingBits() {
        assertEquals(
                "Slot 'nic1': 0000:01:00.0 cannot be shown to a guest: no PCI function: MSI-X table at 0x2000 and PBA at 0x2040 overlap; give another device, or mend the server of this one.",
                refusal(nvme().set(0x48, 4, 0x2040)));
    }

    @Test
    void refusesABridge() {
        assertEquals(
                "Slot 'nic1': 0000:01:00.0 has a header of type 1: it is a bridge, and only what is none can be passed through; give another device, or mend the server of this one.",
                refusal(nvme().set(0x0e, 1, 0x81)));
    }

    @Test
    void refusesCapabilitiesInACircle() {
        assertEquals(
                "Slot 'nic1': 0000:01:00.0 has a list of capabilities that leads to 0x40, which is no place for one; give another device, or mend the server of this one.",
                refusal(nvme().set(0x61, 1, 0x40)));
    }

    @Test
    void refusesExtendedCapabilitiesInACircle() {
        assertEquals(
                "Slot 'nic1': 0000:01:00.0 has a list of extended capabilities that leads to 0x100, which is no place for one; give another device, or mend the server of this one.",
                refusal(nvme().set(0x100, 4, 0x1001_0003)));
    }

    @Test
    void refusesACapabilityInsideOfAnother() {
        assertEquals(
                "Slot 'nic1': 0000:01:00.0 has the capability 'MSI-X' of 12 bytes at 0x40, which ends at 0x48; give another device, or mend the server of this one.",
                refusal(nvme().set(0x61, 1, 0x48).set(0x48, 2, 0x0009)));
    }

    @Test
    void showsAnExpressCapabilityThatIsCutShortAsVersionOne() throws Exception {
        PlayedDevice device = nvme().set(0x81, 1, 0x98).set(0x98, 2, 0x6009).set(0x9a, 1, 8);
        byte[] express = express(device);
        assertEquals(1, express[0]);
        assertEquals(0x18 - 2, express.length);
    }

    @Test
    void showsSpeedAndWidthOfTheLinkAndNothingElseOfIt() throws Exception {
        PlayedDevice device = nvme().set(0x92, 2, 0x3811);
        byte[] express = express(device);
        assertEquals(0x11, express[0x12 - 2]);
        assertEquals(0, express[0x13 - 2]);
        // Of the capabilities no power management.
        assertEquals(0x00, express[0x0d - 2]);
    }

    /**
     * Payloads of 256 and requests of 4096 bytes, a common clock and the latencies with it, D3hot.
     */
    @Test
    void whatTheHostTunesIsNoPartOfTheShape() throws Exception {
        PlayedDevice tuned =
                nvme().set(0x88, 2, 0x582f)
                        .set(0x8a, 2, 0x000f)
                        .set(0x8c, 4, 0x0042_5c11)
                        .set(0x90, 2, 0x0043)
                        .set(0x92, 2, 0x1011)
                        .set(0xa8, 2, 0x0409)
                        .set(0xb0, 2, 0x0001)
                        .set(0x64, 2, 0x0103);
        assertEquals(HostFunction.shape("nic1", nvme()), HostFunction.shape("nic1", tuned));
    }

    @Test
    void controlsOfTheLinkBeginAsAfterAReset() throws Exception {
        byte[] express = express(nvme().set(0x88, 2, 0x582f));
        assertEquals(0x10, express[0x08 - 2]);
        assertEquals(0x28, express[0x09 - 2]);
    }

    @Test
    void keepsAFunctionOfOneMultifunctionDevice() throws Exception {
        assertEquals(
                HostFunction.shape("nic1", nvme()),
                HostFunction.shape("nic1", nvme().set(0x0e, 1, 0x80)));
    }

    @Test
    void takesEveryTypeOfBar() throws Exception {
        PlayedDevice device =
                nvme().bar(2, 0b1000, 0x1000)
                        .bar(3, 1, 32)
                        .bar(4, 0b1100, 1L << 33)
                        .region(new RegionInfo(2, 256, true, true, 2L << 40, List.of(), false));
        assertEquals(
                List.of(
                        new PciShape.Bar(0, PciShape.BarKind.MEMORY_64, false, 0x4000),
                        new PciShape.Bar(2, PciShape.BarKind.MEMORY_32, true, 256),
                        new PciShape.Bar(3, PciShape.BarKind.IO, false, 32),
                        new PciShape.Bar(4, PciShape.BarKind.MEMORY_64, true, 1L << 33)),
                HostFunction.shape("nic1", device).bars());
    }
}
