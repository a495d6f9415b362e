package org.backplane.kvm;

import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.management.ThreadMXBean;
import java.lang.management.ManagementFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What the way to the guest and back leaves for the garbage collector. */
@Timeout(60)
class AllocationTest {
    private static final int WARM = 4_000;
    private static final int COUNTED = 8_000;

    @Test
    void exitsAllocateNothing() throws Exception {
        ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        long self = Thread.currentThread().getId();
        long[] bytes = new long[2];
        int[] made = new int[1];
        try (KvmRig rig = KvmRig.open()) {
            rig.keeping = false;
            rig.exit =
                    () -> {
                        int now = ++made[0];
                        if (now == WARM) {
                            bytes[0] = threads.getThreadAllocatedBytes(self);
                        } else if (now == WARM + COUNTED) {
                            bytes[1] = threads.getThreadAllocatedBytes(self);
                            rig.processor(0).kick();
                        }
                    };
            rig.load("every");
            rig.processor(0).run();
        }
        // An object has 16 bytes at least; what is made once, by the first question too, is less.
        long allocated = bytes[1] - bytes[0];
        assertTrue(allocated < COUNTED, allocated + " bytes in " + COUNTED + " exits");
    }
}
