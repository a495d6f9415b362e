package org.backplane.virtio;

import org.osgi.annotation.versioning.ConsumerType;

/** What a queue pulls on. Called under no lock, by the queue's worker and by completing threads. */
@ConsumerType
public interface QueueTransport {
    /** The driver wants to hear of used buffers (virtio 1.2, section 2.7.10). */
    void usedBuffers(int queue);

    /** The driver broke the ring's rules and the queue has stopped: the device needs reset. */
    void broken(int queue, String reason);
}
