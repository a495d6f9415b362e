package org.backplane.vfio.kernel;

import static org.backplane.vfio.kernel.VfioAbi.*;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.backplane.linux.EventFd;
import org.backplane.memory.MemoryChanges;
import org.backplane.memory.MemoryListener;
import org.backplane.memory.MemoryRange;
import org.backplane.vfio.PciHostAddress;
import org.backplane.vfio.RegionInfo.Area;
import org.backplane.vfio.VfioDevice;
import org.backplane.vfio.VfioException;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** On a kernel that is played; VfioTrial in the rig does the like on a real one. */
class VfioContainerTest {
    private static final PciHostAddress NIC = PciHostAddress.parse("01:00.0").orElseThrow();
    private static final PciHostAddress DISK = PciHostAddress.parse("02:00.0").orElseThrow();
    private static final PciHostAddress SECOND = PciHostAddress.parse("01:01.0").orElseThrow();
    private static final MemoryRange LOW = range(0, 0x80000000L, MemoryRange.Kind.RAM);
    private static final MemoryRange HIGH =
            range(0x1_0000_0000L, 0x40000000L, MemoryRange.Kind.RAM);
    private static final MemoryRange BAR = range(0xf0000000L, 0x4000, MemoryRange.Kind.DEVICE);

    @TempDir Path root;

    private HostTree tree;
    private PlayedKernel kernel;
    private final PlayedMemory memory = new PlayedMemory();

    private static final class PlayedMemory implements MemoryChanges {
        private final List<MemoryListener> listeners = new ArrayList<>();
        private final List<MemoryRange> ranges = new ArrayList<>(List.of(LOW, HIGH));
        private int holds;

        @Override
        public void addListener(MemoryListener listener) {
            ranges.forEach(listener::added);
            listeners.add(listener);
        }

        @Override
        public void removeListener(MemoryListener listener) {
            listeners.remove(listener);
        }

        @Override
        public PageHold holdPages() {
            holds++;
            return () -> holds--;
        }
    }

    private static MemoryRange range(long address, long length, MemoryRange.Kind kind) {
        return new MemoryRange(address, length, 0x7000_0000_0000L + address, null, 0, kind, true);
    }

    @BeforeEach
    void aHostWithTwoGroups() throws IOException {
        tree = new HostTree(root);
        tree.addReady(NIC.toString(), 5);
        tree.addReady(DISK.toString(), 6);
        kernel = new PlayedKernel(Files.write(root.resolve("device"), new byte[0x80000]));
    }

    private VfioContainer container() {
        return new VfioContainer(tree.host(), kernel, memory);
    }

    private void assertNothingIsLeft() {
        assertEquals(List.of(), kernel.open());
        assertEquals(Map.of(), kernel.maps);
        assertEquals(List.of(), memory.listeners);
        assertEquals(0, memory.holds);
    }

    private String refused(PciHostAddress address) {
        return assertThrows(VfioException.class, () -> container().open(address)).getMessage();
    }

    @ParameterizedTest
    @EnumSource(IommuChoice.class)
    void mapsGuestMemoryAtTheGuestsAddressesWhileThereIsADevice(IommuChoice choice)
            throws Exception {
        VfioContainer container = container();
        KernelDevice nic = container.open(NIC, choice);
        KernelDevice disk = container.open(DISK, choice);
        Map<Long, Long> ram =
                Map.of(LOW.guestAddress(), LOW.length(), HIGH.guestAddress(), HIGH.length());
        assertEquals(ram, kernel.maps);
        assertEquals(1, memory.holds);
        nic.close();
        nic.close();
        assertEquals(ram, kernel.maps);
        disk.close();
        assertNothingIsLeft();
        container.open(NIC, choice);
        assertEquals(ram, kernel.maps);
        container.close();
        assertNothingIsLeft();
        assertThrows(VfioException.class, () -> container.open(NIC, choice));
    }

    @ParameterizedTest
    @EnumSource(
            value = IommuChoice.class,
            names = {"GROUP", "IOMMUFD"})
    void nothingIsLeftWhicheverCallFails(IommuChoice choice) throws Exception {
        VfioContainer whole = container();
        whole.open(NIC, choice);
        int calls = kernel.calls;
        whole.close();
        assertTrue(calls > 20, "only " + calls);
        for (int failing = 1; failing <= calls; failing++) {
            kernel = new PlayedKernel(root.resolve("device"));
            kernel.failing = failing;
            VfioContainer container = container();
            String which = "call " + failing;
            VfioException e =
                    assertThrows(VfioException.class, () -> container.open(NIC, choice), which);
            assertTrue(
                    e.getMessage().contains("Input/output error")
                            || e.getMessage().contains("has no IOMMU of type 1 version 2"),
                    e::getMessage);
            assertNothingIsLeft();
            container.open(NIC, choice);
            container.close();
            assertNothingIsLeft();
        }
    }

    @ParameterizedTest
    @EnumSource(
            value = IommuChoice.class,
            names = {"GROUP", "IOMMUFD"})
    void aDeviceThatFailsLeavesTheOthersAsTheyWere(IommuChoice choice) throws Exception {
        VfioContainer container = container();
        container.open(DISK, choice);
        List<String> open = kernel.open();
        Map<Long, Long> maps = Map.copyOf(kernel.maps);
        int before = kernel.calls;
        container.open(NIC, choice).close();
        int calls = kernel.calls - before;
        for (int failing = 1; failing <= calls; failing++) {
            kernel.failing = kernel.calls + failing;
            try {
                // What only tidies up may fail unseen.
                container.open(NIC, choice).close();
            } catch (VfioException e) {
                assertTrue(e.getMessage().contains("Input/output error"), e::getMessage);
            }
            assertEquals(open, kernel.open());
            assertEquals(maps, kernel.maps);
        }
        container.close();
        assertNothingIsLeft();
    }

    @Test
    void devicesOfOneGroupShareItsFile() throws Exception {
        tree.addReady(SECOND.toString(), 5);
        VfioContainer container = container();
        KernelDevice first = container.open(NIC, IommuChoice.GROUP);
        KernelDevice second = container.open(SECOND, IommuChoice.GROUP);
        assertSame(first.assignable(), second.assignable());
        first.close();
        assertTrue(second.assignable().isOpen());
        second.close();
        assertNothingIsLeft();
    }

    @Test
    void barsOfOthersAreMappedWhereTheKernelAllowsIt() throws Exception {
        VfioContainer container = container();
        container.open(NIC, IommuChoice.GROUP);
        memory.listeners.forEach(listener -> listener.added(BAR));
        assertTrue(kernel.maps.containsKey(BAR.guestAddress()));
        memory.listeners.forEach(listener -> listener.removed(BAR));
        assertFalse(kernel.maps.containsKey(BAR.guestAddress()));
        // Refused, which is no failure, and later taken out.
        kernel.unmappable = BAR.guestAddress();
        memory.listeners.forEach(listener -> listener.added(BAR));
        assertFalse(kernel.maps.containsKey(BAR.guestAddress()));
        memory.listeners.forEach(listener -> listener.removed(BAR));
        container.close();
        assertNothingIsLeft();
    }

    @Test
    void ramThatTheKernelHasNoEntryForIsRefusedWithTheLimitsName() {
        kernel.mostMappings = 1;
        String sentence = refused(NIC);
        assertTrue(sentence.contains("dma_entry_limit"), sentence);
        assertNothingIsLeft();
    }

    @Test
    void refusesRamThatMeetsReservedRegions() throws Exception {
        tree.reserved(
                5,
                """
                0x0000000000000000 0x0000000000ffffff direct-relaxable
                0x0000000070000000 0x00000000700fffff msi
                """);
        String sentence = refused(NIC);
        assertTrue(sentence.contains("0x70000000-0x700fffff (msi, group 5)"), sentence);
        assertTrue(sentence.contains("1792 MiB at most"), sentence);
        assertNothingIsLeft();
    }

    @Test
    void aSecondGroupsReservedRegionsAreHeldAgainstWhatIsMapped() throws Exception {
        tree.reserved(6, "0x0000000120000000 0x00000001200fffff reserved\n");
        VfioContainer container = container();
        container.open(NIC);
        VfioException e = assertThrows(VfioException.class, () -> container.open(DISK));
        assertTrue(e.getMessage().contains("(reserved, group 6)"), e::getMessage);
        assertEquals(2, kernel.maps.size());
        container.close();
        assertNothingIsLeft();
    }

    @Test
    void aSecondGroupsReservedRegionsAreHeldAgainstBarsToo() throws Exception {
        tree.reserved(6, "0x00000000f0002000 0x00000000f0002fff direct-relaxable\n");
        VfioContainer container = container();
        container.open(NIC);
        memory.listeners.forEach(listener -> listener.added(BAR));
        container.open(DISK).close();
        tree.reserved(6, "0x00000000f0002000 0x00000000f0002fff reserved\n");
        List<String> open = kernel.open();
        VfioException e = assertThrows(VfioException.class, () -> container.open(DISK));
        assertTrue(
                e.getMessage()
                        .contains(
                                "A BAR of another device at 0xf0000000-0xf0003fff meets what the host reserves at 0xf0002000-0xf0002fff (reserved, group 6)"),
                e::getMessage);
        assertTrue(e.getMessage().contains("plug this one first"), e::getMessage);
        assertEquals(open, kernel.open());
        assertEquals(3, kernel.maps.size());

        // As the sentence has it.
        memory.listeners.forEach(listener -> listener.removed(BAR));
        container.open(DISK);
        memory.listeners.forEach(listener -> listener.added(BAR));
        assertEquals(2, kernel.maps.size());
        container.close();
        assertNothingIsLeft();
    }

    @ParameterizedTest
    @CsvSource({"GROUP, true", "IOMMUFD, true", "GROUP, false", "IOMMUFD, false"})
    void aSecondGroupThatReachesLessIsRefusedWithWhatItReaches(
            IommuChoice choice, boolean kernelCompares) throws Exception {
        kernel.compares = kernelCompares;
        List<IovaRange> reached = List.of(new IovaRange(0, 0x1_1fffffffL));
        kernel.reach.put("dev/vfio/6'", reached);
        kernel.reach.put("dev/vfio/devices/vfio2'", reached);
        VfioContainer container = container();
        container.open(NIC, choice);
        List<String> open = kernel.open();
        VfioException e = assertThrows(VfioException.class, () -> container.open(DISK, choice));
        assertTrue(
                e.getMessage()
                        .contains(
                                "RAM at 0x100000000-0x13fffffff is not wholly inside of what the host's IOMMU lets devices use, 0x0-0x11fffffff; give this piece of the guest's memory 512 MiB at most"),
                e::getMessage);
        assertEquals(open, kernel.open());
        assertEquals(1, kernel.attached.size());
        assertEquals(2, kernel.maps.size());
        container.close();
        assertNothingIsLeft();
    }

    @Test
    void refusesRamOutsideOfTheIommusAddresses() {
        kernel.usable =
                List.of(new IovaRange(0, 0xfedfffffL), new IovaRange(0xfef00000L, 0x1_1fffffffL));
        String sentence = refused(NIC);
        assertTrue(sentence.contains("0x0-0xfedfffff, 0xfef00000-0x11fffffff"), sentence);
        assertTrue(sentence.contains("512 MiB at most"), sentence);
        assertNothingIsLeft();
    }

    @Test
    void aGroupThatIsNotViableNamesTheSiblingAndItsDriver() throws Exception {
        tree.add("0000:01:00.1", "e1000e", 5, 0x020000);
        tree.add("0000:00:1c.0", "pcieport", 5, 0x060400);
        String sentence = refused(NIC);
        assertTrue(
                sentence.contains("0000:01:00.1 (8086:10d3, driver e1000e) in it is with the host"),
                sentence);
        assertTrue(sentence.contains("backplane vfio bind 0000:01:00.1"), sentence);
        assertFalse(sentence.contains("pcieport"), sentence);
        assertEquals(0, kernel.calls);
    }

    @Test
    void aGroupThatOnlyTheKernelCallsNotViableIsRefusedToo() {
        kernel.answers.put(VFIO_GROUP_GET_STATUS, 0);
        String sentence = refused(NIC);
        assertTrue(sentence.contains("the kernel calls its IOMMU group 5 not viable"), sentence);
        assertNothingIsLeft();
    }

    @Test
    void aDeviceInUseNamesWhoHasIt() throws Exception {
        tree.process(4711, "qemu-system-x86", "/dev/vfio/5");
        VfioContainer other = new VfioContainer(tree.host(), kernel, new PlayedMemory());
        other.open(NIC, IommuChoice.GROUP);
        String sentence = refused(NIC);
        assertTrue(
                sentence.contains("/dev/vfio/5 is held by process 4711 (qemu-system-x86)"),
                sentence);
        other.close();
        kernel.answers.put(IommufdAbi.VFIO_DEVICE_BIND_IOMMUFD, -HostKernel.EINVAL);
        VfioException e =
                assertThrows(VfioException.class, () -> container().open(NIC, IommuChoice.IOMMUFD));
        assertTrue(e.getMessage().contains("held by process 4711"), e::getMessage);
        assertNothingIsLeft();
    }

    @Test
    void refusesWhatCannotBeUsedWithTheRemedy() throws Exception {
        tree.add("0000:03:00.0", "nvme", 7, 0x010802);
        tree.add("0000:04:00.0", "vfio-pci", -1, 0x020000);
        assertTrue(
                refused(PciHostAddress.parse("03:00.0").orElseThrow())
                        .contains("by its driver nvme; hand it over with: backplane vfio bind"));
        assertTrue(
                refused(PciHostAddress.parse("04:00.0").orElseThrow())
                        .contains("no IOMMU of the host translates for it"));
        assertTrue(
                refused(PciHostAddress.parse("09:00.0").orElseThrow())
                        .contains("has no PCI function 0000:09:00.0"));
        VfioContainer container = container();
        container.open(NIC);
        VfioException e = assertThrows(VfioException.class, () -> container.open(NIC));
        assertTrue(e.getMessage().contains("in another slot of this machine"), e::getMessage);
        container.close();
        Files.delete(root.resolve("dev/vfio/devices/vfio2"));
        VfioException none =
                assertThrows(
                        VfioException.class, () -> container().open(DISK, IommuChoice.IOMMUFD));
        assertTrue(none.getMessage().contains("iommu=iommufd needs"), none::getMessage);
    }

    @Test
    void takesTheOwnFileWhereTheKernelHasNoGroups() throws Exception {
        Files.delete(root.resolve("dev/vfio/5"));
        VfioContainer container = container();
        KernelDevice device = container.open(NIC);
        assertTrue(device.assignable().name().contains("dev/vfio/devices/vfio1"));
        container.close();
        assertNothingIsLeft();
    }

    @Test
    void saysWhatOfARegionCanBeMapped() throws Exception {
        KernelDevice device = container().open(NIC);
        assertEquals(
                List.of(new Area(0, 0x2000), new Area(0x3000, 0x1000)),
                device.region(0).mappable());
        assertTrue(device.region(0).msixMappable());
        assertEquals(List.of(new Area(0, 0x1000)), device.region(2).mappable());
        assertEquals(List.of(), device.region(4).mappable());
        assertEquals(0x20, device.region(4).size());
        assertEquals(0, device.region(VfioDevice.VGA).size());
        assertEquals(65, device.irq(VfioDevice.MSIX).count());
        assertFalse(device.irq(VfioDevice.MSIX).resizable());
        device.close();
    }

    @Test
    void registersAreReadAndWrittenWhereTheRegionIs() throws Exception {
        KernelDevice device = container().open(NIC);
        device.write(2, 8, 8, 0x1122334455667788L);
        assertEquals(0x1122334455667788L, device.read(2, 8, 8));
        assertEquals(0x55667788L, device.read(2, 8, 4));
        assertEquals(0x3344L, device.read(2, 12, 2));
        assertEquals(0x88L, device.read(2, 8, 1));
        device.write(2, 9, 1, 0xff);
        assertEquals(0xff88L, device.read(2, 8, 2));
        byte[] file = Files.readAllBytes(root.resolve("device"));
        assertEquals((byte) 0x88, file[0x20008]);
        for (long offset : new long[] {-1, 0x1000, 0xffd, Long.MAX_VALUE}) {
            assertThrows(VfioException.class, () -> device.read(2, offset, 4));
            assertThrows(VfioException.class, () -> device.write(2, offset, 4, 0));
        }
        device.close();
    }

    @Test
    void vectorsAreToldInOneRequest() throws Exception {
        KernelDevice device = container().open(NIC);
        try (EventFd event = EventFd.open()) {
            device.trigger(VfioDevice.MSIX, 3, List.of(Optional.of(event), Optional.empty()));
            ByteBuffer set = kernel.irqSets.get(0);
            assertEquals(
                    VFIO_IRQ_SET_DATA_EVENTFD | VFIO_IRQ_SET_ACTION_TRIGGER,
                    set.getInt(IRQ_SET_FLAGS));
            assertEquals(28, set.getInt(IRQ_SET_ARGSZ));
            assertEquals(3, set.getInt(IRQ_SET_START));
            assertEquals(2, set.getInt(IRQ_SET_COUNT));
            assertEquals(event.number(), set.getInt(IRQ_SET_DATA));
            assertEquals(-1, set.getInt(IRQ_SET_DATA + 4));
            device.disable(VfioDevice.MSIX);
            assertEquals(0, kernel.irqSets.get(1).getInt(IRQ_SET_COUNT));
            kernel.answers.put(VFIO_DEVICE_SET_IRQS, 1);
            VfioException e =
                    assertThrows(
                            VfioException.class,
                            () ->
                                    device.trigger(
                                            VfioDevice.MSI,
                                            0,
                                            List.of(Optional.of(event), Optional.of(event))));
            assertTrue(e.getMessage().contains("only 1 of the 2 vectors"), e::getMessage);
        }
        device.close();
    }
}
