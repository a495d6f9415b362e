package org.backplane.machine.slot;

import java.util.concurrent.atomic.AtomicInteger;
import org.backplane.machine.MachineException;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.Expect;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.II_Result;
import org.openjdk.jcstress.infra.results.I_Result;

/** Messages to one control thread from two sides. */
public final class ControlThreadStress {
    private ControlThreadStress() {}

    /** r1, r2: what each caller finds of its own two messages, and both of the other's. */
    @JCStressTest
    @Outcome(id = "1, 1", expect = Expect.ACCEPTABLE, desc = "each side's messages in order")
    @Outcome(expect = Expect.FORBIDDEN, desc = "a message overtook another, or was lost")
    @State
    public static class MessagesOfOneCallerStayInOrder {
        private final ControlThread control = new ControlThread("stress");
        // Of the control thread, without a lock.
        private int posted;
        private int first;
        private int second;

        private int postThenCall(int side) {
            control.post("post", () -> set(side));
            try {
                return control.call("call", () -> side == 0 ? first : second);
            } catch (MachineException e) {
                return -1;
            }
        }

        private void set(int side) {
            posted++;
            if (side == 0) {
                first = 1;
            } else {
                second = 1;
            }
        }

        @Actor
        public void one(II_Result r) {
            r.r1 = postThenCall(0);
        }

        @Actor
        public void other(II_Result r) {
            r.r2 = postThenCall(1);
        }

        @Arbiter
        public void count(II_Result r) {
            try {
                r.r1 = control.call("count", () -> posted) == 2 ? r.r1 : -2;
            } catch (MachineException e) {
                r.r1 = -3;
            } finally {
                control.close();
            }
        }
    }

    /** A call that meets the end: it ran and says so, or did not run and says that. */
    @JCStressTest
    @Outcome(id = "1", expect = Expect.ACCEPTABLE, desc = "ran")
    @Outcome(id = "0", expect = Expect.ACCEPTABLE, desc = "refused")
    @Outcome(expect = Expect.FORBIDDEN, desc = "lost, or run and refused")
    @State
    public static class CallRunsOrIsRefusedAtTheEnd {
        private final ControlThread control = new ControlThread("stress");
        private final AtomicInteger ran = new AtomicInteger();

        @Actor
        public void call(I_Result r) {
            try {
                control.callAction("call", ran::incrementAndGet);
                r.r1 = ran.get();
            } catch (MachineException e) {
                r.r1 = ran.get() == 0 ? 0 : -1;
            }
        }

        @Actor
        public void close() {
            control.close();
        }
    }
}
