package org.backplane.device;

import org.backplane.device.state.SaveSupport;
import org.osgi.annotation.versioning.ConsumerType;

/**
 * What answers in a slot. Life: create, restore?, start, (reset | quiesce, resume)*, quiesce, save,
 * close. Life-cycle calls come one at a time from the slot's control thread; handlers and callbacks
 * come through the slot's gate, so none runs while the gate is closed. A device has no threads and
 * never waits.
 */
@ConsumerType
public interface Device {
    /** Begins to act on the host. */
    void start() throws DeviceException;

    /**
     * Takes no new request. Requests taken earlier complete, and register accesses go on, until
     * {@link #idle}.
     */
    void quiesce();

    /** Whether no request is under way. Called after {@link #quiesce}, often. */
    boolean idle();

    /** Undoes {@link #quiesce}. */
    void resume();

    /** Goes back to the state after start; the guest, or its reset, asked for it. */
    void reset();

    /** How the device's state is saved and restored. */
    SaveSupport saveSupport();

    /** Lets go of what is not a lease. The machine closes the leases afterwards. */
    void close();
}
