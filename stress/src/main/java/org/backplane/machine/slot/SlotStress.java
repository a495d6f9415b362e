package org.backplane.machine.slot;

import org.backplane.machine.MachineException;
import org.backplane.machine.SlotState;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.Expect;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.II_Result;
import org.openjdk.jcstress.infra.results.I_Result;

/** A guest's accesses through the bus while the device behind them is replaced. */
public final class SlotStress {
    private static final int VERSION = 8;

    private SlotStress() {}

    /** A slot with the first version in it; a swap puts in the second. */
    private abstract static class Filled {
        final CounterSlot rig;
        final CounterDevice.Factory first = new CounterDevice.Factory(1, null);
        final CounterDevice.Factory second;

        Filled() {
            this(null);
        }

        Filled(CounterDevice.Fault fault) {
            second = new CounterDevice.Factory(2, fault);
            try {
                rig = new CounterSlot();
                rig.fill(first);
            } catch (Exception e) {
                throw new IllegalStateException(e);
            }
        }

        int swap() {
            try {
                rig.slot().swap(rig.offer(second), false);
                return 1;
            } catch (MachineException e) {
                return 0;
            }
        }

        void close() {
            try {
                rig.close();
            } catch (Exception e) {
                throw new IllegalStateException(e);
            }
        }
    }

    /** r1: the version that answers meanwhile, r2: the one that answers after. */
    @JCStressTest
    @Outcome(
            id = {"1, 2", "2, 2"},
            expect = Expect.ACCEPTABLE,
            desc = "the old one or the new one")
    @Outcome(expect = Expect.FORBIDDEN, desc = "neither")
    @State
    public static class ReadIsAnsweredByTheOldOrTheNew extends Filled {
        @Actor
        public void guest(II_Result r) {
            r.r1 = (int) rig.read(VERSION);
        }

        @Actor
        public void swapping() {
            swap();
        }

        @Arbiter
        public void look(II_Result r) {
            r.r2 = (int) rig.read(VERSION);
            close();
        }
    }

    /** The write meets the old device, which saves it, or the new one. */
    @JCStressTest
    @Outcome(id = "7", expect = Expect.ACCEPTABLE, desc = "kept")
    @Outcome(expect = Expect.FORBIDDEN, desc = "lost")
    @State
    public static class WriteIsNotLostInASwap extends Filled {
        @Actor
        public void guest() {
            rig.write(7);
        }

        @Actor
        public void swapping() {
            swap();
        }

        @Arbiter
        public void look(I_Result r) {
            r.r1 = rig.lineIsHigh() ? (int) rig.read(0) : -1;
            close();
        }
    }

    /** As before, but the new version refuses the state. */
    @JCStressTest
    @Outcome(id = "0, 7", expect = Expect.ACCEPTABLE, desc = "rolled back, and the write kept")
    @Outcome(expect = Expect.FORBIDDEN, desc = "lost")
    @State
    public static class WriteIsNotLostInARollBack extends Filled {
        public WriteIsNotLostInARollBack() {
            super(CounterDevice.Fault.RESTORE);
        }

        @Actor
        public void guest() {
            rig.write(7);
        }

        @Actor
        public void swapping(II_Result r) {
            r.r1 = swap();
        }

        @Arbiter
        public void look(II_Result r) {
            r.r2 = rig.lineIsHigh() ? (int) rig.read(0) : -1;
            close();
        }
    }

    /** The old device throws as it is replaced: the slot runs the new one, whoever is first. */
    @JCStressTest
    @Outcome(id = "1, 2", expect = Expect.ACCEPTABLE, desc = "the new one runs")
    @Outcome(expect = Expect.FORBIDDEN, desc = "the fault of the old one is held against the new")
    @State
    public static class FaultOfTheOldIsNoneOfTheNew extends Filled {
        public FaultOfTheOldIsNoneOfTheNew() {
            first.made.forEach(CounterDevice::throwFromNowOn);
        }

        @Actor
        public void guest() {
            rig.read(0);
        }

        @Actor
        public void swapping(II_Result r) {
            r.r1 = swap();
        }

        @Arbiter
        public void look(II_Result r) {
            r.r2 = rig.slot().state() == SlotState.RUNNING ? (int) rig.read(VERSION) : -1;
            close();
        }
    }
}
