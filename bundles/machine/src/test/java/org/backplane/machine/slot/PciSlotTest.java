package org.backplane.machine.slot;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import org.backplane.device.state.SaveSupport;
import org.backplane.device.state.SavedState;
import org.backplane.machine.SlotState;
import org.backplane.pci.ConfigDevice;
import org.backplane.pci.InterruptSwitches;
import org.backplane.pci.Interrupts;
import org.backplane.pci.PciDevice;
import org.backplane.pci.PciFunction;
import org.backplane.pci.PciShape;
import org.backplane.pci.PciWires;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** PCI devices in a slot that answer configuration registers, or follow their interrupts. */
@Timeout(60)
class PciSlotTest {
    private static final int MSI_CONTROL = 0x52;
    private static final int OWN = 0x80;

    private CounterSlot rig;

    @BeforeEach
    void open() throws Exception {
        rig = new CounterSlot();
    }

    @AfterEach
    void close() throws Exception {
        rig.close();
    }

    /** A card with MSI and a register of its own, and no more. */
    private static class Card implements PciDevice {
        PciWires wires;
        Runnable whileSaved = () -> {};

        @Override
        public PciShape shape() {
            return new PciShape(
                    0x10ec,
                    0x8168,
                    0,
                    0x020000,
                    0,
                    0,
                    1,
                    List.of(),
                    List.of(),
                    Optional.empty(),
                    Optional.of(new PciShape.Msi(2, true, true, OptionalInt.of(0x50))),
                    List.of(),
                    List.of(new PciShape.ConfigRange(OWN, 8)));
        }

        @Override
        public long readBar(int bar, long offset, int width) {
            return -1;
        }

        @Override
        public void writeBar(int bar, long offset, int width, long value) {
            throw new AssertionError("no BAR");
        }

        @Override
        public void wired(PciWires given) {
            wires = given;
        }

        @Override
        public void start() {
            // Nothing of the host is behind it.
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
            return new SaveSupport.Saveable(this::saved, state -> {});
        }

        private SavedState saved() {
            whileSaved.run();
            return SavedState.of("card", 1).build();
        }

        @Override
        public void close() {
            // Nothing is held.
        }
    }

    /** Notes which kind of interrupt is on each time it is told of a change. */
    private static class Follower extends Card implements InterruptSwitches {
        final List<Interrupts.Mode> seen = new ArrayList<>();

        @Override
        public synchronized void interruptsChanged() {
            seen.add(wires.interrupts().mode());
        }

        synchronized List<Interrupts.Mode> seen() {
            return List.copyOf(seen);
        }
    }

    /** Answers its register by what was written last, and where. */
    private static final class Answering extends Card implements ConfigDevice {
        private long last;

        @Override
        public synchronized long readConfig(int offset, int width) {
            return last | offset;
        }

        @Override
        public synchronized void writeConfig(int offset, int width, long value) {
            last = value << 16;
        }
    }

    private void fill(Card card) throws Exception {
        rig.slot().fill(rig.code().offer("counter", context -> card));
    }

    private void swap(Card card) throws Exception {
        rig.slot().swap(rig.code().offer("counter", context -> card), false);
    }

    private PciFunction function() {
        return rig.bridge().functions().get(0);
    }

    private void msi(boolean on) {
        function().writeConfig(MSI_CONTROL, 2, on ? 1 : 0);
    }

    @Test
    void aFollowerIsToldInsideOfTheGuestsAccess() throws Exception {
        var follower = new Follower();
        fill(follower);
        msi(true);
        assertEquals(List.of(Interrupts.Mode.INTX, Interrupts.Mode.MSI), follower.seen());
        msi(false);
        assertEquals(3, follower.seen().size());
    }

    @Test
    void theNextOneLooksOnceWhenItIsPutBehindTheFunction() throws Exception {
        fill(new Follower());
        msi(true);
        var next = new Follower();
        swap(next);
        assertEquals(List.of(Interrupts.Mode.MSI), next.seen());
    }

    @Test
    void whatIsWrittenDuringASwapIsToldToTheNext() throws Exception {
        var old = new Follower();
        var next = new Follower();
        var guest = new CompletableFuture<Void>();
        var written = new CountDownLatch(1);
        fill(old);
        old.whileSaved =
                () -> {
                    Thread processor =
                            new Thread(
                                    () -> {
                                        written.countDown();
                                        msi(true);
                                        guest.complete(null);
                                    });
                    processor.start();
                    while (old.wires.interrupts().mode() != Interrupts.Mode.MSI) {
                        Thread.onSpinWait();
                    }
                };
        swap(next);
        written.await();
        guest.join();
        List<Interrupts.Mode> seen = next.seen();
        assertEquals(Interrupts.Mode.MSI, seen.get(seen.size() - 1));
        assertEquals(List.of(Interrupts.Mode.INTX), old.seen(), "it was behind a closed gate");
    }

    @Test
    void whatAFollowerMissedBeforeItIsSeenAtTheSwap() throws Exception {
        var old = new Card();
        fill(old);
        // On the thread that saves: it must not park, and the gate is closed.
        old.whileSaved = () -> msi(true);
        var next = new Follower();
        swap(next);
        assertEquals(List.of(Interrupts.Mode.MSI), next.seen());
    }

    @Test
    void aFollowerThatThrowsFailsItsSlotAndNotTheGuest() throws Exception {
        fill(
                new Follower() {
                    @Override
                    public synchronized void interruptsChanged() {
                        if (wires.interrupts().mode() == Interrupts.Mode.MSI) {
                            throw new IllegalStateException("broken switch");
                        }
                    }
                });
        msi(true);
        assertEquals(SlotState.FAILED, rig.slot().state());
        assertEquals(1, function().readConfig(MSI_CONTROL, 2) & 1, "the register is the slot's");
        msi(false);
    }

    @Test
    void registersOfADeviceAreAnsweredByIt() throws Exception {
        fill(new Answering());
        function().writeConfig(OWN + 4, 2, 0x1234);
        assertEquals(0x1234_0080L, function().readConfig(OWN, 4));
        assertEquals(0x84, function().readConfig(OWN + 4, 2));
        swap(new Answering());
        assertEquals(0x80, function().readConfig(OWN, 4));
    }

    @Test
    void registersThatNobodyAnswersReadAllOnes() throws Exception {
        fill(new Card());
        assertEquals(0xffff_ffffL, function().readConfig(OWN, 4));
        function().writeConfig(OWN, 4, 1);
        rig.slot().close();
        assertTrue(rig.bridge().functions().isEmpty());
    }
}
