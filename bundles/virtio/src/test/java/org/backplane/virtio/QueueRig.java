package org.backplane.virtio;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.backplane.memory.MemoryView;
import org.backplane.testkit.DriverRing;
import org.backplane.testkit.DriverRing.Buffer;
import org.backplane.testkit.TestMemory;

/** A queue with a driver on its other side, and a record of what it pulled on. */
final class QueueRig implements AutoCloseable, QueueTransport {
    final TestMemory memory;
    final MemoryView view;
    final DriverRing driver;
    final QueuePort port;
    final SplitQueue queue;
    final List<String> reasons = new ArrayList<>();
    int interrupts;

    QueueRig(int size, boolean eventIndex) throws IOException {
        this(size, eventIndex, true);
    }

    QueueRig(int size, boolean eventIndex, boolean indirect) throws IOException {
        memory = new TestMemory();
        view = memory.guestMemory().view("device");
        driver = new DriverRing(memory, size, eventIndex);
        port = new QueuePort(0, size, view, this);
        queue = port.queue();
        String problem = port.enable(setup(driver, eventIndex, indirect));
        if (problem != null) {
            throw new AssertionError(problem);
        }
    }

    static RingSetup setup(DriverRing ring, boolean eventIndex, boolean indirect) {
        return new RingSetup(
                ring.size(),
                ring.descriptors(),
                ring.available(),
                ring.used(),
                eventIndex,
                indirect);
    }

    /** A readable buffer with that content. */
    Buffer readable(byte... content) {
        return Buffer.readable(memory.allocate(content), content.length);
    }

    /** A writable buffer. */
    Buffer writable(int length) {
        return Buffer.writable(memory.allocate(length, 16), length);
    }

    /** Offers one buffer and publishes it. */
    int submit(Buffer... buffers) {
        int head = driver.add(buffers);
        driver.publish();
        return head;
    }

    @Override
    public synchronized void usedBuffers(int index) {
        interrupts++;
    }

    @Override
    public synchronized void broken(int index, String reason) {
        reasons.add(reason);
    }

    @Override
    public void close() {
        memory.close();
    }
}
