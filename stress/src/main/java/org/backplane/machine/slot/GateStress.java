package org.backplane.machine.slot;

import java.time.Duration;
import java.util.List;
import org.backplane.machine.processor.MachineThread;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.Expect;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.III_Result;
import org.openjdk.jcstress.infra.results.II_Result;
import org.openjdk.jcstress.infra.results.I_Result;

/** What may become of a visitor while the control thread works the gate. */
public final class GateStress {
    /** Longer than any visit here: nothing that is right waits for it. */
    private static final Duration LONG = Duration.ofSeconds(10);

    private GateStress() {}

    /** A gate, and a thread of the machine that an actor plays: it never runs. */
    private abstract static class Door {
        final Gate gate = new Gate(thread -> {});
        final Visitor visitor = new Visitor();

        /** As is done with a gate that stays shut for too long. */
        void clear() {
            gate.abandon(() -> List.of(visitor));
        }

        /** Whether nobody counts as inside, nor less than nobody. */
        int empty() {
            try {
                return gate.close(Duration.ZERO) ? 1 : 0;
            } catch (InterruptedException e) {
                throw new IllegalStateException(e);
            }
        }

        int closed() {
            try {
                return gate.close(LONG) ? 1 : 0;
            } catch (InterruptedException e) {
                throw new IllegalStateException(e);
            }
        }
    }

    static final class Visitor extends MachineThread {
        volatile int successors;

        Visitor() {
            super("visitor", () -> {});
        }

        @Override
        public void replace() {
            successors = 1;
        }
    }

    /** r1: closed in time, r2: visitors seen inside then. */
    @JCStressTest
    @Outcome(id = "1, 0", expect = Expect.ACCEPTABLE, desc = "closed and empty")
    @Outcome(expect = Expect.FORBIDDEN, desc = "somebody is inside of a closed gate")
    @State
    public static class NobodyIsInsideOfAClosedGate extends Door {
        private volatile int inside;

        @Actor
        public void visit() {
            long ticket = gate.enter(visitor);
            inside = 1;
            inside = 0;
            gate.leave(visitor, ticket);
        }

        @Actor
        public void close(II_Result r) {
            r.r1 = closed();
            r.r2 = inside;
            r.r2 |= inside;
            gate.open();
        }
    }

    /** What a visitor wrote before it left is seen by who closed the gate, without a fence. */
    @JCStressTest
    @Outcome(id = "0", expect = Expect.ACCEPTABLE, desc = "the visitor came later")
    @Outcome(id = "2", expect = Expect.ACCEPTABLE, desc = "the whole visit is seen")
    @Outcome(expect = Expect.FORBIDDEN, desc = "half of a visit is seen")
    @State
    public static class ClosingSeesTheWholeVisit extends Door {
        private int first;
        private int second;

        @Actor
        public void visit() {
            long ticket = gate.enter(visitor);
            first = 1;
            second = 1;
            gate.leave(visitor, ticket);
        }

        @Actor
        public void close(I_Result r) {
            closed();
            r.r1 = second + first;
            gate.open();
        }
    }

    /** r1: told that it may go on, r2: replaced, r3: the gate is empty. */
    @JCStressTest
    @Outcome(id = "1, 0, 1", expect = Expect.ACCEPTABLE, desc = "left in time")
    @Outcome(id = "0, 1, 1", expect = Expect.ACCEPTABLE, desc = "orphaned")
    @Outcome(expect = Expect.FORBIDDEN, desc = "two runners, none, or a wrong count")
    @State
    public static class LeavesInTimeOrIsOrphaned extends Door {
        private final long ticket = gate.enter(visitor);

        public LeavesInTimeOrIsOrphaned() {
            gate.shut();
        }

        @Actor
        public void leave(III_Result r) {
            r.r1 = gate.leave(visitor, ticket) ? 1 : 0;
        }

        @Actor
        public void abandon(III_Result r) {
            clear();
            r.r2 = visitor.successors;
        }

        @Arbiter
        public void count(III_Result r) {
            r.r3 = empty();
        }
    }

    /**
     * A thread at the door, or beyond it, while the gate is shut, cleared and opened to the next
     * device. r1: whether it goes on as a runner, r2: whether another was made, r3: empty.
     */
    @JCStressTest
    @Outcome(id = "1, 0, 1", expect = Expect.ACCEPTABLE, desc = "in time, or parked")
    @Outcome(id = "0, 1, 1", expect = Expect.ACCEPTABLE, desc = "orphaned")
    @Outcome(expect = Expect.FORBIDDEN, desc = "two runners, none, or a wrong count")
    @State
    public static class ArrivalIsOneRunnerWhenOthersAreAbandoned extends Door {
        @Actor
        public void visit(III_Result r) {
            long ticket = gate.enter(visitor);
            r.r1 = ticket != Gate.ORPHANED && gate.leave(visitor, ticket) ? 1 : 0;
        }

        @Actor
        public void abandon(III_Result r) {
            gate.shut();
            clear();
            gate.changeOver();
            gate.open();
            r.r2 = visitor.successors;
        }

        @Arbiter
        public void count(III_Result r) {
            r.r3 = empty();
        }
    }

    /**
     * As before, and somebody else comes and goes, so that the visitor has to try again. r1:
     * whether it was let in to the next device although it was replaced.
     */
    @JCStressTest
    @Outcome(id = "0, 1", expect = Expect.ACCEPTABLE, desc = "orphans stay with their device")
    @Outcome(expect = Expect.FORBIDDEN, desc = "an orphan calls the next device, or counts")
    @State
    public static class OrphanIsNotLetInToTheNextDevice extends Door {
        private final long before = gate.generation();

        @Actor
        public void visit(II_Result r) {
            long ticket = gate.enter(visitor);
            if (ticket >= 0) {
                r.r1 = ticket != before && visitor.orphaned() ? 1 : 0;
                gate.leave(visitor, ticket);
            }
        }

        @Actor
        public void abandon() {
            gate.leave(null, gate.enter(null));
            gate.shut();
            clear();
            gate.changeOver();
            gate.open();
        }

        @Arbiter
        public void count(II_Result r) {
            r.r2 = empty();
        }
    }

    /**
     * Who was counted in when the gate was shut is out by the time it was cleared, or found. r1: it
     * is inside still and may go on, r2: empty.
     */
    @JCStressTest
    @Outcome(id = "0, 1", expect = Expect.ACCEPTABLE, desc = "out, or found")
    @Outcome(expect = Expect.FORBIDDEN, desc = "somebody was overlooked")
    @State
    public static class WhoWasCountedInIsFound extends Door {
        private final long before = gate.generation();
        private volatile boolean cleared;

        @Actor
        public void visit(II_Result r) {
            long ticket = gate.enter(visitor);
            boolean late = cleared;
            boolean kept = ticket != Gate.ORPHANED && gate.leave(visitor, ticket);
            r.r1 = ticket == before && late && kept ? 1 : 0;
        }

        @Actor
        public void abandon() {
            gate.shut();
            clear();
            cleared = true;
            gate.open();
        }

        @Arbiter
        public void count(II_Result r) {
            r.r2 = empty();
        }
    }

    /**
     * A thread that was counted in and looks late for whom to call. r1: it would call the next
     * device, and nobody counts it there.
     */
    @JCStressTest
    @Outcome(id = "0, 1", expect = Expect.ACCEPTABLE, desc = "each to its own device")
    @Outcome(expect = Expect.FORBIDDEN, desc = "an old ticket admitted to the next device")
    @State
    public static class OldTicketAdmitsToNoLaterDevice extends Door {
        private final long before = gate.generation();
        private volatile Seat<Integer> seat = new Seat<>(0, before);

        @Actor
        public void visit(II_Result r) {
            long ticket = gate.enter(visitor);
            if (ticket != Gate.ORPHANED) {
                Seat<Integer> now = seat;
                r.r1 = ticket == before && now.admits(ticket) ? now.taken() : 0;
                gate.leave(visitor, ticket);
            }
        }

        @Actor
        public void abandon() {
            gate.shut();
            clear();
            gate.changeOver();
            seat = new Seat<>(1, gate.generation());
            gate.open();
        }

        @Arbiter
        public void count(II_Result r) {
            r.r2 = empty();
        }
    }

    /** A late leaver and a visitor of the next device. r1: the latter still counts. */
    @JCStressTest
    @Outcome(id = "0, 1", expect = Expect.ACCEPTABLE, desc = "each counts for itself")
    @Outcome(expect = Expect.FORBIDDEN, desc = "an old ticket counted a new visitor out")
    @State
    public static class OldTicketCountsNobodyOut extends Door {
        private final long old = gate.enter(visitor);
        private long ticket;

        @Actor
        public void leaveLate() {
            gate.leave(visitor, old);
        }

        @Actor
        public void open() {
            gate.shut();
            clear();
            gate.changeOver();
            gate.open();
            ticket = gate.enter(null);
        }

        @Arbiter
        public void count(II_Result r) {
            r.r1 = empty();
            gate.open();
            gate.leave(null, ticket);
            r.r2 = empty();
        }
    }

    /** Who arrives at a gate that closes and then refuses is let in before, or sent away. */
    @JCStressTest
    @Outcome(
            id = {"0, 1", "1, 1"},
            expect = Expect.ACCEPTABLE,
            desc = "in before, or sent away")
    @Outcome(expect = Expect.FORBIDDEN, desc = "orphaned, or a wrong count")
    @State
    public static class RefusalWakesWhoParked extends Door {
        @Actor
        public void visit(II_Result r) {
            long ticket = gate.enter(visitor);
            if (ticket >= 0) {
                r.r1 = 1;
                gate.leave(visitor, ticket);
            } else if (ticket != Gate.REFUSED) {
                r.r1 = -1;
            }
        }

        @Actor
        public void refuse() {
            gate.shut();
            gate.refuse();
        }

        @Arbiter
        public void count(II_Result r) {
            r.r2 = visitor.inside() == null ? empty() : -1;
        }
    }

    /** Who parked is let in when the gate opens, whatever it was in between. */
    @JCStressTest
    @Outcome(id = "1, 1", expect = Expect.ACCEPTABLE, desc = "let in")
    @Outcome(expect = Expect.FORBIDDEN, desc = "sent away, or a wrong count")
    @State
    public static class OpeningLetsInWhoParked extends Door {
        public OpeningLetsInWhoParked() {
            gate.shut();
        }

        @Actor
        public void visit(II_Result r) {
            long ticket = gate.enter(visitor);
            r.r1 = ticket >= 0 && gate.leave(visitor, ticket) ? 1 : 0;
        }

        @Actor
        public void open() {
            gate.open();
            gate.shut();
            gate.open();
        }

        @Arbiter
        public void count(II_Result r) {
            r.r2 = empty();
        }
    }

    /** r1: the ticket is the next device's, r2: what is seen of that device. */
    @JCStressTest
    @Outcome(
            id = {"0, 0", "1, 1"},
            expect = Expect.ACCEPTABLE,
            desc = "ticket and device agree")
    @Outcome(expect = Expect.FORBIDDEN, desc = "a fault would be told of the wrong device")
    @State
    public static class TicketIsOfTheDeviceThatIsCalled extends Door {
        private final long before = gate.generation();
        private int device;

        @Actor
        public void visit(II_Result r) {
            long ticket = gate.enter(visitor);
            r.r1 = ticket == before ? 0 : 1;
            r.r2 = device;
            gate.leave(visitor, ticket);
        }

        @Actor
        public void replace() {
            closed();
            device = 1;
            gate.changeOver();
            gate.open();
        }
    }
}
