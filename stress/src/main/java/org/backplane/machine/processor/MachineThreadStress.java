package org.backplane.machine.processor;

import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.Expect;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.III_Result;

/** r1: left in time, r2: orphaned, r3: what is shown of it after. */
@JCStressTest
@Outcome(id = "1, 0, 0", expect = Expect.ACCEPTABLE, desc = "left in time")
@Outcome(id = "0, 1, 1", expect = Expect.ACCEPTABLE, desc = "orphaned")
@Outcome(expect = Expect.FORBIDDEN, desc = "both, or neither")
@State
public class MachineThreadStress {
    private final Object gate = new Object();
    private final MachineThread thread = new MachineThread("visitor", () -> {});

    public MachineThreadStress() {
        thread.entering(gate);
    }

    @Actor
    public void leave(III_Result r) {
        r.r1 = thread.left(gate) ? 1 : 0;
    }

    @Actor
    public void orphan(III_Result r) {
        r.r2 = thread.orphan(gate) ? 1 : 0;
    }

    @Arbiter
    public void look(III_Result r) {
        r.r3 = thread.orphaned() && thread.inside() == null ? 1 : 0;
    }
}
