package org.backplane.itests;

import java.util.Set;
import org.backplane.hypervisor.Hypervisor;

/** An engine whose guest does what the test says, and whose lines the test sees. */
public interface DrivenEngine extends Hypervisor {
    /**
     * A load of the guest's; parks as one does.
     *
     * @param width in bytes
     */
    long load(long address, int width);

    void store(long address, int width, long value);

    long in(int port, int width);

    /** The wired sources that are high. */
    Set<Integer> high();
}
