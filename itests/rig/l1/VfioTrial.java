import java.io.File;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import org.backplane.linux.Epoll;
import org.backplane.linux.EventFd;
import org.backplane.linux.Mapping;
import org.backplane.memory.Access;
import org.backplane.memory.GuestMemory;
import org.backplane.memory.MemoryLease;
import org.backplane.memory.OffHeap;
import org.backplane.vfio.IrqInfo;
import org.backplane.vfio.PciHostAddress;
import org.backplane.vfio.RegionInfo;
import org.backplane.vfio.VfioDevice;
import org.backplane.vfio.VfioException;
import org.backplane.vfio.kernel.IommuChoice;
import org.backplane.vfio.kernel.KernelDevice;
import org.backplane.vfio.kernel.VfioContainer;

/**
 * Tries the kernel's VFIO with no machine around it, on devices that QEMU plays: {@code VfioTrial
 * group|iommufd EDU OTHER..}. EDU is QEMU's teaching device (docs/specs/edu.rst there), which does
 * DMA and raises its interrupt when told; of the others, regions and interrupts are tried. Prints
 * "ok:" or "FAILED:" for each check; the status is 1 if one failed.
 */
final class VfioTrial {
    private static final int EDU_ID = 0;
    private static final int EDU_LIVENESS = 4;
    private static final int EDU_RAISE = 0x60;
    private static final int EDU_ACKNOWLEDGE = 0x64;
    private static final int EDU_SOURCE = 0x80;
    private static final int EDU_TARGET = 0x88;
    private static final int EDU_COUNT = 0x90;
    private static final int EDU_COMMAND = 0x98;
    private static final int EDU_BUFFER = 0x40000;
    private static final int COMMAND = 4;
    private static final int RAM = 64 << 20;

    /** Half of the teaching device's buffer: QEMU 7.2 takes all of it for one too many. */
    private static final int BLOCK = 2048;

    /** Of another device, where the teaching device's 28 address bits reach. */
    private static final long BAR_PLACE = 0x8000000;

    private final IommuChoice choice;
    private final GuestMemory memory;
    private int failed;

    private VfioTrial(IommuChoice choice, GuestMemory memory) {
        this.choice = choice;
        this.memory = memory;
    }

    public static void main(String[] arguments) throws Exception {
        IommuChoice choice = IommuChoice.parse(arguments[0]).orElseThrow();
        List<PciHostAddress> devices = new ArrayList<>();
        for (int i = 1; i < arguments.length; i++) {
            devices.add(PciHostAddress.parse(arguments[i]).orElseThrow());
        }
        try (GuestMemory memory =
                new GuestMemory("trial", List.of(new GuestMemory.RamBank(0, RAM)))) {
            VfioTrial trial = new VfioTrial(choice, memory);
            trial.run(devices);
            System.exit(trial.failed == 0 ? 0 : 1);
        }
    }

    private void check(String what, boolean holds) {
        System.out.println((holds ? "ok: " : "FAILED: ") + what);
        failed += holds ? 0 : 1;
    }

    private interface Attempt {
        void make() throws Exception;
    }

    /** The sentence of what has to be refused. */
    private String refused(String what, Attempt attempt) throws Exception {
        try {
            attempt.make();
            check(what + " is refused", false);
            return "";
        } catch (VfioException e) {
            System.out.println("   " + e.getMessage());
            return e.getMessage();
        }
    }

    private void run(List<PciHostAddress> addresses) throws Exception {
        long before = openFiles();
        for (int round = 1; round <= 2; round++) {
            try (VfioContainer container = VfioContainer.open(memory)) {
                KernelDevice edu = container.open(addresses.get(0), choice);
                describe(edu);
                teaching(edu);
                for (PciHostAddress address : addresses.subList(1, addresses.size())) {
                    KernelDevice other = container.open(address, choice);
                    describe(other);
                    vectors(other);
                    reset(other);
                    peerToPeer(edu, other);
                }
                dma(edu);
                String sentence =
                        refused(
                                "the same device in another machine",
                                () -> {
                                    try (VfioContainer second = VfioContainer.open(memory)) {
                                        second.open(addresses.get(0), choice);
                                    }
                                });
                check(
                        "a busy device names who has it",
                        sentence.contains("process " + ProcessHandle.current().pid()));
            }
            check("round " + round + " leaves no file open", openFiles() == before);
        }
        check("no memory stays pinned", pinned() == 0);
    }

    private static long openFiles() {
        int vfio = 0;
        for (File file : new File("/proc/self/fd").listFiles()) {
            try {
                String target = Files.readSymbolicLink(file.toPath()).toString();
                vfio +=
                        target.contains("vfio") || target.contains("iommu") || target.contains("event")
                                ? 1
                                : 0;
            } catch (java.io.IOException e) {
                // The folder's own.
                continue;
            }
        }
        return vfio;
    }

    private static long pinned() throws Exception {
        for (String line : Files.readAllLines(Path.of("/proc/self/status"))) {
            if (line.startsWith("VmPin:") || line.startsWith("VmLck:")) {
                long kilobytes = Long.parseLong(line.replaceAll("\\D", ""));
                if (kilobytes > 0) {
                    return kilobytes;
                }
            }
        }
        return 0;
    }

    private void describe(VfioDevice device) throws VfioException {
        System.out.printf(
                "%s %04x:%04x, %s%n",
                device.name(),
                device.read(VfioDevice.CONFIG, 0, 2),
                device.read(VfioDevice.CONFIG, 2, 2),
                device.resettable() ? "resettable" : "no reset");
        for (int i = 0; i <= VfioDevice.VGA; i++) {
            RegionInfo region = device.region(i);
            if (region.size() > 0) {
                System.out.println("   " + region);
            }
        }
        for (int i = 0; i <= VfioDevice.REQUEST; i++) {
            IrqInfo irq = device.irq(i);
            if (irq.count() > 0) {
                System.out.println("   " + irq);
            }
        }
        check(
                device.name() + " has a configuration space of 256 bytes or 4 KiB",
                device.region(VfioDevice.CONFIG).size() == 256
                        || device.region(VfioDevice.CONFIG).size() == 4096);
        // Memory space, I/O space, bus master.
        device.write(VfioDevice.CONFIG, COMMAND, 2, 7);
    }

    private void teaching(VfioDevice edu) throws Exception {
        long id = edu.read(0, EDU_ID, 4);
        check("the teaching device says its version", (id & 0xffff) == 0xed);
        edu.write(0, EDU_LIVENESS, 4, 0x12345678);
        check("a store arrives", edu.read(0, EDU_LIVENESS, 4) == (~0x12345678 & 0xffffffffL));
        RegionInfo bar = edu.region(0);
        try (Mapping mapping =
                Mapping.shared(
                        edu.mapping(0), bar.fileOffset(), 4096, Mapping.Protection.READ_WRITE)) {
            check("its BAR can be mapped", OffHeap.getInt(mapping.address()) == (int) id);
        }
        line(edu);
        messages(edu);
    }

    private static boolean comes(EventFd event) throws Exception {
        try (Epoll epoll = Epoll.open()) {
            epoll.add(event, Epoll.READABLE, 1);
            return epoll.await(5000) == 1 && event.drain() > 0;
        }
    }

    private void line(VfioDevice edu) throws Exception {
        IrqInfo irq = edu.irq(VfioDevice.INTX);
        check("its line is automasked", irq.count() == 1 && irq.automasked() && irq.maskable());
        try (EventFd event = EventFd.open();
                EventFd again = EventFd.open()) {
            edu.trigger(VfioDevice.INTX, 0, List.of(Optional.of(event)));
            edu.resample(VfioDevice.INTX, Optional.of(again));
            edu.write(0, EDU_RAISE, 4, 1);
            check("its line signals an eventfd", comes(event));
            again.signal();
            check("a line still high signals again once it is resampled", comes(event));
            edu.write(0, EDU_ACKNOWLEDGE, 4, 1);
            again.signal();
            edu.mask(VfioDevice.INTX);
            event.drain();
            edu.write(0, EDU_RAISE, 4, 2);
            check("a masked line is silent", event.drain() == 0);
            edu.unmask(VfioDevice.INTX);
            check("it signals when it is unmasked", comes(event));
            edu.write(0, EDU_ACKNOWLEDGE, 4, 2);
            edu.disable(VfioDevice.INTX);
        }
    }

    private void messages(VfioDevice edu) throws Exception {
        try (EventFd event = EventFd.open()) {
            edu.trigger(VfioDevice.MSI, 0, List.of(Optional.of(event)));
            edu.write(0, EDU_RAISE, 4, 1);
            check("its message signals an eventfd", comes(event));
            edu.write(0, EDU_ACKNOWLEDGE, 4, 1);
            edu.disable(VfioDevice.MSI);
        }
    }

    private void dma(VfioDevice edu) throws Exception {
        long host = memory.layout().translate(0x1000, 0x3000, Access.WRITE);
        for (int i = 0; i < BLOCK; i += 4) {
            OffHeap.putInt(host + i, 0x5a000000 + i);
            OffHeap.putInt(host + 0x2000 + i, 0);
        }
        copy(edu, 0x1000, EDU_BUFFER, BLOCK, 1);
        copy(edu, EDU_BUFFER, 0x3000, BLOCK, 3);
        boolean same = true;
        for (int i = 0; i < BLOCK; i += 4) {
            same &= OffHeap.getInt(host + 0x2000 + i) == 0x5a000000 + i;
        }
        check("DMA reads and writes guest memory at the guest's addresses", same);
    }

    private void copy(VfioDevice edu, long from, long to, long count, int command)
            throws Exception {
        edu.write(0, EDU_SOURCE, 8, from);
        edu.write(0, EDU_TARGET, 8, to);
        edu.write(0, EDU_COUNT, 8, count);
        edu.write(0, EDU_COMMAND, 8, command);
        long deadline = System.nanoTime() + 10_000_000_000L;
        while ((edu.read(0, EDU_COMMAND, 8) & 1) != 0 && System.nanoTime() < deadline) {
            Thread.onSpinWait();
        }
    }

    private void vectors(VfioDevice device) throws Exception {
        int count = device.irq(VfioDevice.MSIX).count();
        if (count == 0) {
            return;
        }
        List<EventFd> events = new ArrayList<>();
        List<Optional<EventFd>> all = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            EventFd event = EventFd.open();
            events.add(event);
            all.add(Optional.of(event));
        }
        device.trigger(VfioDevice.MSIX, 0, all);
        device.trigger(VfioDevice.MSIX, count / 2, List.of(Optional.empty()));
        device.trigger(VfioDevice.MSIX, count / 2, List.of(Optional.of(events.get(count / 2))));
        device.disable(VfioDevice.MSIX);
        device.trigger(VfioDevice.MSIX, 0, Collections.nCopies(count, Optional.empty()));
        device.disable(VfioDevice.MSIX);
        events.forEach(EventFd::close);
        check(device.name() + " takes eventfds for its " + count + " vectors", true);
        refused(
                "a vector behind the last",
                () -> device.trigger(VfioDevice.MSIX, count, List.of(Optional.empty())));
    }

    private void reset(VfioDevice device) throws Exception {
        if (device.resettable()) {
            device.reset();
            check(device.name() + " is reset", device.read(VfioDevice.CONFIG, COMMAND, 2) == 0
                    || device.read(VfioDevice.CONFIG, 0, 2) != 0xffff);
            device.write(VfioDevice.CONFIG, COMMAND, 2, 7);
        } else {
            refused("a reset where there is none", device::reset);
        }
    }

    /** The teaching device reads another's BAR; the kernel may refuse that, which is no failure. */
    private void peerToPeer(VfioDevice edu, VfioDevice other) throws Exception {
        RegionInfo bar = other.region(0);
        if (bar.mappable().isEmpty() || bar.size() < 4096) {
            return;
        }
        try (MemoryLease lease =
                memory.map(BAR_PLACE, other.mapping(0), bar.fileOffset(), 4096, true)) {
            long there = other.read(0, 8, 4);
            copy(edu, BAR_PLACE + 8, EDU_BUFFER, 4, 1);
            copy(edu, EDU_BUFFER, 0x5000, 4, 3);
            int got = OffHeap.getInt(memory.layout().translate(0x5000, 4, Access.READ));
            System.out.printf(
                    "   peer to peer: register 8 of %s is 0x%x, the teaching device reads 0x%x%n",
                    other.name(), there, got);
            if (choice == IommuChoice.GROUP) {
                check("a device reads the BAR of " + other.name() + " by DMA", got == (int) there);
            }
        }
    }
}
