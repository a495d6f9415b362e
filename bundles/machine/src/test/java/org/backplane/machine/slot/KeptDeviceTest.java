package org.backplane.machine.slot;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.lang.reflect.Proxy;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import org.backplane.bus.Space;
import org.backplane.device.DeviceException;
import org.backplane.device.context.DeviceContext;
import org.backplane.device.state.SaveSupport;
import org.backplane.device.state.SavedState;
import org.backplane.linux.LinuxException;
import org.backplane.linux.Mapping;
import org.backplane.linux.Memfd;
import org.backplane.machine.MachineException;
import org.backplane.machine.SlotState;
import org.backplane.machine.slot.Factories.Offer;
import org.backplane.memory.MemoryRange;
import org.backplane.pci.PciDevice;
import org.backplane.pci.PciFunction;
import org.backplane.pci.PciShape;
import org.backplane.pci.PciShape.Bar;
import org.backplane.pci.PciShape.BarKind;
import org.backplane.pci.PciWires;
import org.backplane.vfio.VfioDevice;
import org.backplane.vfio.VfioException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * A device of elsewhere that the slot keeps, and that works by itself: how long it may, after the
 * code that could stop it.
 */
@Timeout(60)
class KeptDeviceTest {
    /** Read there, the code fails. */
    private static final int BROKEN = Mapping.pageSize();

    private static final List<Object> COMMAND = List.of(VfioDevice.CONFIG, 4L, 2);
    private static final int DECODING = 2;
    private static final int BUS_MASTER = 4;

    /** Has nothing to do with DMA, and is the card's to keep. */
    private static final int REPORTS_ERRORS = 0x100;

    private final List<String> calls = new ArrayList<>();

    /** In the card; the code leaves it alone. */
    private volatile long command = REPORTS_ERRORS | BUS_MASTER | DECODING;

    private volatile boolean answers = true;
    private volatile CountDownLatch hang = new CountDownLatch(0);
    private volatile boolean there = true;

    /** How often code took over what the code before had saved. */
    private volatile int restored;

    private CounterSlot rig;

    @BeforeEach
    void open() throws Exception {
        rig = new CounterSlot();
    }

    @AfterEach
    void close() throws Exception {
        rig.close();
    }

    private VfioDevice elsewhere() {
        synchronized (calls) {
            calls.add("open");
        }
        return (VfioDevice)
                Proxy.newProxyInstance(
                        getClass().getClassLoader(),
                        new Class<?>[] {VfioDevice.class},
                        (proxy, method, arguments) ->
                                switch (method.getName()) {
                                    case "equals" -> proxy == arguments[0];
                                    case "read" -> command();
                                    case "attend" -> there;
                                    case "write" -> {
                                        assertEquals(COMMAND, List.of(arguments).subList(0, 3));
                                        command = (Long) arguments[3];
                                        yield noted("COMMAND 0x%x".formatted(command));
                                    }
                                    default -> noted(method.getName());
                                });
    }

    private long command() throws Exception {
        hang.await();
        if (!answers) {
            throw new VfioException("it does not answer.");
        }
        return command;
    }

    private Object noted(String call) {
        synchronized (calls) {
            calls.add("%s, %d mapped".formatted(call, mappedRanges()));
        }
        return null;
    }

    private long mappedRanges() {
        return rig.board().memory().layout().ranges().stream()
                .filter(range -> range.kind() == MemoryRange.Kind.DEVICE)
                .count();
    }

    private List<String> calls() {
        synchronized (calls) {
            List<String> seen = List.copyOf(calls);
            calls.clear();
            return seen;
        }
    }

    /** A card with a page of memory and a page of registers. */
    private final class Card implements PciDevice {
        private final boolean starts;
        private final Memfd memory;

        Card(DeviceContext context, boolean starts) throws DeviceException {
            this.starts = starts;
            context.kept("device", VfioDevice.class, KeptDeviceTest.this::elsewhere);
            memory = context.kept("memory", Memfd.class, this::made);
        }

        private Memfd made() throws DeviceException {
            try {
                return Memfd.create("bar", Mapping.pageSize());
            } catch (LinuxException e) {
                throw new DeviceException(e.getMessage(), e);
            }
        }

        @Override
        public PciShape shape() {
            return new PciShape(
                    0x10ec,
                    0x8168,
                    0,
                    0x020000,
                    0,
                    0,
                    0,
                    List.of(new Bar(0, BarKind.MEMORY_32, false, 2L * Mapping.pageSize())),
                    List.of(),
                    Optional.empty());
        }

        @Override
        public void wired(PciWires wires) {
            wires.map(0, 0, memory, 0, Mapping.pageSize());
        }

        @Override
        public long readBar(int bar, long offset, int width) {
            throw new IllegalStateException("broken register");
        }

        @Override
        public void writeBar(int bar, long offset, int width, long value) {
            throw new AssertionError("nobody writes");
        }

        @Override
        public void start() throws DeviceException {
            if (!starts) {
                throw new DeviceException("it does not start");
            }
        }

        @Override
        public void quiesce() {
            // It does nothing by itself.
        }

        @Override
        public boolean idle() {
            return true;
        }

        @Override
        public void resume() {
            // It was not stopped.
        }

        @Override
        public void reset() {
            // It has no state.
        }

        @Override
        public SaveSupport saveSupport() {
            return new SaveSupport.Saveable(
                    () -> SavedState.of("card", 1).build(), state -> restored++);
        }

        @Override
        public void close() {
            // The slot keeps what there is.
        }
    }

    private Offer offer(boolean starts) {
        return rig.code().offer("counter", context -> new Card(context, starts));
    }

    private Offer fill() throws MachineException {
        Offer offer = offer(true);
        rig.slot().fill(offer);
        function().writeConfig(4, 2, BUS_MASTER | DECODING);
        assertEquals(List.of("open"), calls());
        assertEquals(1, mappedRanges());
        return offer;
    }

    private void fail() {
        rig.bus().read(Space.MMIO, function().bars().get(0).base() + BROKEN, 4);
        assertEquals(SlotState.FAILED, rig.slot().state());
    }

    private PciFunction function() {
        return rig.bridge().functions().get(0);
    }

    @Test
    void aResetOfTheMachineLeavesItToItsCode() throws Exception {
        fill();
        rig.slot().reset();
        rig.slot().swap(offer(true), false);
        assertEquals(List.of(), calls());
    }

    @Test
    void aResetEndsItWhereTheCodeHasFailed() throws Exception {
        fill();
        fail();
        calls();
        rig.slot().reset();
        assertEquals(List.of("close, 0 mapped"), calls());
        rig.slot().fill(offer(true));
        assertEquals(List.of("open"), calls());
    }

    @Test
    void aResetEndsItWhereTheCodeWasTakenAway() throws Exception {
        rig.slot().vacate(fill());
        assertEquals(List.of(), calls());
        assertEquals(1, mappedRanges());
        rig.slot().reset();
        assertEquals(List.of("close, 0 mapped"), calls());
        rig.slot().fill(offer(true));
        assertEquals(List.of("open"), calls());
    }

    @Test
    void itEndsWithTheVacancy() throws Exception {
        rig.slot().vacate(fill());
        rig.slot().expireVacancy(1);
        // An operation behind that one.
        rig.slot().reset();
        assertEquals(List.of("close, 0 mapped"), calls());
    }

    @Test
    void codeThatIsRefusedLeavesNoneOpen() {
        assertThrows(MachineException.class, () -> rig.slot().fill(offer(false)));
        assertEquals(List.of("open", "close, 0 mapped"), calls());
    }

    @Test
    void doesNoDmaFromTheFailureOfItsCodeUntilARepair() throws Exception {
        fill();
        fail();
        assertEquals(List.of("COMMAND 0x102, 0 mapped"), calls(), "before the guest goes on");
        rig.slot().swap(offer(true), false);
        assertEquals(List.of("COMMAND 0x106, 0 mapped"), calls());
        assertEquals(1, restored);
    }

    @Test
    void aRepairLeavesBusMasteringOffIfTheGuestHasSwitchedItOffMeanwhile() throws Exception {
        fill();
        fail();
        function().writeConfig(4, 2, DECODING);
        rig.slot().swap(offer(true), false);
        assertEquals(List.of("COMMAND 0x102, 0 mapped"), calls());
    }

    @Test
    void codeThatIsRefusedAfterAFailureLeavesItOff() throws Exception {
        fill();
        fail();
        calls();
        // As the code might have that then does not start.
        command |= BUS_MASTER;
        assertThrows(MachineException.class, () -> rig.slot().swap(offer(false), false));
        assertEquals(List.of("COMMAND 0x102, 0 mapped"), calls());
    }

    @Test
    void oneThatCannotBeStoppedIsLetGo() throws Exception {
        fill();
        answers = false;
        fail();
        assertEquals(List.of("close, 0 mapped"), calls());
        answers = true;
        rig.slot().swap(offer(true), false);
        assertEquals(List.of("open"), calls());
        assertEquals(0, restored, "what was saved is of a device that was on");
    }

    @Test
    void oneThatDoesNotAnswerInTimeIsLetGo() throws Exception {
        fill();
        hang = new CountDownLatch(1);
        fail();
        assertEquals(List.of("close, 0 mapped"), calls());
        hang.countDown();
    }

    @Test
    void oneThatIsGoneIsKeptForCodeThatLooksForIt() throws Exception {
        fill();
        answers = false;
        there = false;
        fail();
        rig.slot().swap(offer(true), false);
        assertEquals(List.of(), calls());
    }
}
