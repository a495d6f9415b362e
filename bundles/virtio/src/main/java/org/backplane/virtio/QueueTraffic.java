package org.backplane.virtio;

/**
 * What a device has completed on a queue, or on all of a function; totals since it was plugged that
 * never fall, whatever becomes of ring and device.
 *
 * @param requests chains given back to the driver; for a network device a chain is a buffer
 * @param bytesRead bytes that the driver gave the device to read in them: the length of their
 *     readable parts, headers included
 * @param bytesWritten bytes that the device said it wrote into their writable parts
 */
public record QueueTraffic(long requests, long bytesRead, long bytesWritten) {
    static final QueueTraffic NONE = new QueueTraffic(0, 0, 0);

    QueueTraffic plus(QueueTraffic other) {
        return new QueueTraffic(
                requests + other.requests,
                bytesRead + other.bytesRead,
                bytesWritten + other.bytesWritten);
    }
}
