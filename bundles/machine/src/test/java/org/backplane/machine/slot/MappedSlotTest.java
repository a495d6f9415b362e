package org.backplane.machine.slot;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Optional;
import org.backplane.bus.Space;
import org.backplane.device.DeviceException;
import org.backplane.device.context.DeviceContext;
import org.backplane.device.state.SaveSupport;
import org.backplane.linux.LinuxException;
import org.backplane.linux.Mapping;
import org.backplane.linux.Memfd;
import org.backplane.machine.MachineException;
import org.backplane.machine.SlotState;
import org.backplane.machine.slot.Factories.Offer;
import org.backplane.memory.MemoryLayout;
import org.backplane.memory.MemoryRange;
import org.backplane.pci.PciDevice;
import org.backplane.pci.PciFunction;
import org.backplane.pci.PciShape;
import org.backplane.pci.PciShape.Bar;
import org.backplane.pci.PciShape.BarKind;
import org.backplane.pci.PciWires;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Host memory in a slot's BAR, while one device takes over from another, fails or leaves. */
@Timeout(60)
class MappedSlotTest {
    private static final int PAGE = Mapping.pageSize();

    /** Read there, it fails. */
    private static final int BROKEN = 7 * PAGE;

    private CounterSlot rig;

    @BeforeEach
    void open() throws Exception {
        rig = new CounterSlot();
    }

    @AfterEach
    void close() throws Exception {
        rig.close();
    }

    /** A card whose BAR begins with memory that the slot keeps, and ends with registers. */
    private static final class Card implements PciDevice {
        private final Memfd memory;
        private final long pages;
        private final boolean starts;
        private long barSize = 8L * PAGE;

        Card(DeviceContext context, long pages, boolean starts) throws DeviceException {
            memory = context.kept("memory", Memfd.class, Card::open);
            this.pages = pages;
            this.starts = starts;
        }

        private static Memfd open() throws DeviceException {
            try {
                return Memfd.create("bar", 8L * PAGE);
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
                    List.of(new Bar(0, BarKind.MEMORY_32, false, barSize)),
                    List.of(),
                    Optional.empty());
        }

        @Override
        public void wired(PciWires wires) {
            if (pages > 0) {
                wires.map(0, 0, memory, 0, pages * PAGE);
            }
        }

        @Override
        public long readBar(int bar, long offset, int width) {
            if (offset == BROKEN) {
                throw new IllegalStateException("broken register");
            }
            return offset;
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
            return new SaveSupport.Stateless();
        }

        @Override
        public void close() {
            // The slot keeps the memory.
        }
    }

    private Offer offer(long pages) {
        return rig.code().offer("counter", context -> new Card(context, pages, true));
    }

    private Offer fill(long pages) throws MachineException {
        Offer offer = offer(pages);
        rig.slot().fill(offer);
        function().writeConfig(4, 2, 2);
        return offer;
    }

    private PciFunction function() {
        return rig.bridge().functions().get(0);
    }

    private long base() {
        return function().bars().get(0).base();
    }

    private MemoryLayout layout() {
        return rig.board().memory().layout();
    }

    /** Where the guest finds memory of a device, and how much of it. */
    private List<String> mapped() {
        return layout().ranges().stream()
                .filter(range -> range.kind() == MemoryRange.Kind.DEVICE)
                .map(range -> "%d+%d".formatted(range.guestAddress() - base(), range.length()))
                .toList();
    }

    private static String pages(int pages) {
        return "0+" + pages * PAGE;
    }

    @Test
    void aSwapDoesNotTouchWhatBothHave() throws Exception {
        fill(4);
        assertEquals(List.of(pages(4)), mapped());
        long epoch = layout().epoch();
        rig.slot().swap(offer(4), false);
        assertEquals(epoch, layout().epoch());
        rig.slot().swap(offer(2), false);
        assertEquals(List.of(pages(2)), mapped());
        rig.slot().swap(offer(0), false);
        assertEquals(List.of(), mapped());
    }

    @Test
    void aSwapThatIsRolledBackDoesNotTouchIt() throws Exception {
        fill(4);
        long epoch = layout().epoch();
        Offer broken = rig.code().offer("counter", context -> new Card(context, 2, false));
        assertThrows(MachineException.class, () -> rig.slot().swap(broken, false));
        assertEquals(epoch, layout().epoch());
    }

    @Test
    void itGoesOnWhileTheCodeIsReplacedInPlaceAndFollowsTheBar() throws Exception {
        Offer leaving = fill(4);
        long epoch = layout().epoch();
        rig.slot().vacate(leaving);
        assertEquals(epoch, layout().epoch());
        function().writeConfig(0x10, 4, base() + 0x10_0000);
        assertEquals(List.of(pages(4)), mapped());
        epoch = layout().epoch();
        rig.slot().fill(offer(4));
        assertEquals(epoch, layout().epoch());
    }

    @Test
    void aVacancyThatExpiresTakesIt() throws Exception {
        rig.slot().vacate(fill(4));
        rig.slot().expireVacancy(1);
        rig.slot().inspect();
        while (rig.slot().state() == SlotState.VACANT) {
            Thread.onSpinWait();
        }
        assertEquals(1, layout().ranges().size());
    }

    @Test
    void ofADeviceThatFailedNothingAnswersAnyMore() throws Exception {
        fill(4);
        rig.bus().read(Space.MMIO, base() + BROKEN, 4);
        assertEquals(SlotState.FAILED, rig.slot().state());
        assertEquals(List.of(), mapped());
        rig.slot().fill(offer(4));
        assertEquals(List.of(pages(4)), mapped());
    }

    @Test
    void aBarWithoutRoomIsRefusedWithTheOptionAndNothingStaysBehind() throws Exception {
        long epoch = layout().epoch();
        Offer large =
                rig.code()
                        .offer(
                                "counter",
                                context -> {
                                    Card card = new Card(context, 4, true);
                                    card.barSize = 1L << 31;
                                    return card;
                                });
        String refusal =
                assertThrows(MachineException.class, () -> rig.slot().fill(large)).getMessage();
        assertTrue(
                refusal.startsWith("the test: Slot 'c0': c0 bar0 cannot have 0x80000000"), refusal);
        assertTrue(
                refusal.endsWith("a window of 3G would do, start the machine with --mmio32 3G."),
                refusal);
        assertEquals(List.of(), rig.bridge().functions());
        assertEquals(epoch, layout().epoch());
        // The same place takes a card that fits.
        fill(4);
        assertEquals(List.of(pages(4)), mapped());
    }

    @Test
    void unpluggingTakesIt() throws Exception {
        fill(4);
        rig.slot().close();
        assertEquals(1, layout().ranges().size());
    }
}
