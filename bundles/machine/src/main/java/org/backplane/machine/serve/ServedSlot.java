package org.backplane.machine.serve;

import org.backplane.machine.MachineException;

/** What a client makes necessary of the slot whose device it uses. Waits until it is done. */
public interface ServedSlot {
    /** As after plugging: the device at rest and reset, and what is seen of it. */
    void reset() throws MachineException;

    /** Puts a device into the slot if it has failed. */
    void renew() throws MachineException;
}
