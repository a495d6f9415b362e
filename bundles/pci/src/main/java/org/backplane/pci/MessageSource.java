package org.backplane.pci;

/** The messages of a function, by vector. Thread-safe, never waits for the guest. */
sealed interface MessageSource permits MsixTable, Msi {
    /** How many vectors there are. */
    int vectors();

    /** A request of the device, for a vector that there is. */
    void signal(int vector);

    /** Has a trigger carry an eventfd's signals to a vector that has none. */
    void attach(int vector, VectorTriggers.Trigger trigger);

    /** Has the trigger hold its signals; it carries none when this returns. */
    void detach(int vector, VectorTriggers.Trigger trigger);
}
