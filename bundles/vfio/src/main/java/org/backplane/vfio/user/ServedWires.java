package org.backplane.vfio.user;

import org.backplane.vfio.VfioException;
import org.osgi.annotation.versioning.ProviderType;

/**
 * What a served device reaches its client by, whichever that is and if there is one. Thread-safe;
 * good until the server is closed, and without effect afterwards.
 */
@ProviderType
public interface ServedWires {
    /**
     * Signals a vector of MSI, MSI-X, or a kind without vectors. One that is masked is kept until
     * it is not.
     *
     * @return whether the client has an eventfd for it
     */
    boolean signal(int irq, int vector);

    /** Whether the client has an eventfd for a vector. */
    boolean isSet(int irq, int vector);

    /** Drives INTx. The level is kept over clients. */
    void level(boolean asserted);

    /**
     * Reads the client's memory by a message, and waits for it.
     *
     * @throws VfioException there is no client, or it refuses, or does not answer
     */
    void readMemory(long address, byte[] to) throws VfioException;

    /** Writes the client's memory, likewise. */
    void writeMemory(long address, byte[] from) throws VfioException;
}
