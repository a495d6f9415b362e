package org.backplane.virtio;

import java.io.IOException;
import org.backplane.testkit.DriverRing.Used;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.Expect;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.III_Result;

/** A queue whose device was cut off, while a thread of that device goes on. */
public final class SplitQueueStress {
    private SplitQueueStress() {}

    /** A ring with two requests; a device that is cut off and the one after it. */
    private abstract static class TwoRequests {
        final QueueRig rig;
        private volatile SplitQueue next;

        TwoRequests() {
            try {
                rig = new QueueRig(4, false);
            } catch (IOException e) {
                throw new IllegalStateException(e);
            }
            rig.submit(rig.writable(4));
            rig.submit(rig.writable(4));
        }

        static void serve(SplitQueue queue) {
            for (DescriptorChain chain = queue.poll(); chain != null; chain = queue.poll()) {
                queue.complete(chain, 1);
                queue.interrupt();
            }
        }

        void cutOffAndServe() {
            next = rig.queue.successor();
            serve(next);
        }

        /** How often each head came back, and what is left undone or was called broken. */
        void count(III_Result r) {
            for (Used used = rig.driver.collect(); used != null; used = rig.driver.collect()) {
                if (used.head() == 0) {
                    r.r1++;
                } else {
                    r.r2++;
                }
            }
            r.r3 = next.outstanding() + rig.queue.outstanding() + rig.reasons.size();
            rig.close();
        }
    }

    /** A completion that comes late. */
    @JCStressTest
    @Outcome(id = "1, 1, 0", expect = Expect.ACCEPTABLE, desc = "each request came back once")
    @Outcome(expect = Expect.FORBIDDEN, desc = "lost, or twice in the ring")
    @State
    public static class LateCompletionReachesTheRingOnce extends TwoRequests {
        private final DescriptorChain out = rig.queue.poll();

        @Actor
        public void cutOff() {
            cutOffAndServe();
        }

        @Actor
        public void complete() {
            rig.queue.complete(out, 1);
            rig.queue.interrupt();
        }

        @Arbiter
        public void look(III_Result r) {
            count(r);
        }
    }

    /** A worker that is still in its loop. */
    @JCStressTest
    @Outcome(id = "1, 1, 0", expect = Expect.ACCEPTABLE, desc = "each request came back once")
    @Outcome(expect = Expect.FORBIDDEN, desc = "lost, or twice in the ring")
    @State
    public static class WorkerThatGoesOnServesNothingTwice extends TwoRequests {
        @Actor
        public void cutOff() {
            cutOffAndServe();
        }

        @Actor
        public void work() {
            serve(rig.queue);
        }

        @Arbiter
        public void look(III_Result r) {
            count(r);
        }
    }
}
