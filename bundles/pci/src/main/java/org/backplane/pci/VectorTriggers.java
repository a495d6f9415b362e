package org.backplane.pci;

import org.backplane.linux.EventFd;
import org.osgi.annotation.versioning.ConsumerType;

/** What carries signals of eventfds to the vectors of functions: the machine's. */
@ConsumerType
@FunctionalInterface
public interface VectorTriggers {
    /**
     * Makes one, that holds its signals for now.
     *
     * @param event stays open until the trigger is closed; nobody else waits for it meanwhile
     * @param signalled raises the vector by the table; on any thread, waits for nothing
     */
    Trigger open(EventFd event, Runnable signalled);

    /** Carries the signals of one eventfd. No method is called while another is under way. */
    @ConsumerType
    interface Trigger extends AutoCloseable {
        /**
         * Each signal delivers a message from now on: by the kernel where the engine has a way for
         * that, else as {@link #report} does.
         */
        void deliver(long address, int data);

        /** Each signal is reported from now on; no message of before arrives after this returns. */
        void report();

        /** Signals stay in the eventfd; likewise. */
        void hold();

        /** Ends it; closing twice is closing once. */
        @Override
        void close();
    }
}
