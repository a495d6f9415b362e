package org.backplane.hart;

import java.util.Arrays;

/** What the instructions of one hart work on. Belongs to the hart's thread. */
final class Registers {
    /** x0 to x31, and {@link Op#NOWHERE}. */
    final long[] x = new long[Op.NOWHERE + 1];

    /** f0 to f31, singles boxed. */
    final long[] f = new long[32];

    long pc;

    /** Instructions completed before the current run of {@link Executor}. */
    private long retired;

    void reset() {
        Arrays.fill(x, 0);
        Arrays.fill(f, 0);
        pc = 0;
    }

    RegisterRecord save() {
        return new RegisterRecord(Arrays.copyOf(x, RegisterRecord.COUNT), f.clone(), pc, retired);
    }

    void restore(RegisterRecord saved) {
        System.arraycopy(saved.x(), 0, x, 0, saved.x().length);
        System.arraycopy(saved.f(), 0, f, 0, saved.f().length);
        pc = saved.pc();
        retired = saved.retired();
    }

    void retire(int count) {
        retired += count;
    }

    long retired() {
        return retired;
    }
}
