package org.backplane.rng;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.backplane.device.DeviceException;
import org.backplane.linux.Fd;
import org.backplane.linux.OpenFlag;
import org.backplane.testkit.DriverRing;
import org.backplane.testkit.DriverRing.Buffer;
import org.backplane.testkit.DriverRing.Used;
import org.backplane.testkit.FakeDeviceContext;
import org.backplane.testkit.TestMemory;
import org.backplane.virtio.QueuePort;
import org.backplane.virtio.QueueTransport;
import org.backplane.virtio.RingSetup;

/** An entropy device in its slot, with a driver on the other side of its queue. */
final class Entropy implements AutoCloseable, QueueTransport {
    final TestMemory memory = new TestMemory();
    final DriverRing ring = new DriverRing(memory, 8, false);
    final FakeDeviceContext slot;
    final QueuePort port;
    VirtioRng device;
    int interrupts;

    /** The slot without a device yet. */
    Entropy(String... settings) throws IOException {
        Map<String, String> all = new HashMap<>();
        for (String setting : settings) {
            String[] words = setting.split("=", 2);
            all.put(words[0], words[1]);
        }
        slot = new FakeDeviceContext("rng0", "virtio-rng", all, memory.guestMemory());
        port = new QueuePort(0, 64, memory.guestMemory().view("queue"), this);
        String problem =
                port.enable(
                        new RingSetup(
                                ring.size(),
                                ring.descriptors(),
                                ring.available(),
                                ring.used(),
                                false,
                                false));
        if (problem != null) {
            throw new AssertionError(problem);
        }
    }

    /** Has the device read a file instead of the host's generator. */
    Entropy from(Path file, OpenFlag flag) throws DeviceException {
        slot.kept(
                "source",
                Fd.class,
                () -> {
                    try {
                        return Fd.open(file, flag);
                    } catch (IOException e) {
                        throw new DeviceException("test", e);
                    }
                });
        return this;
    }

    Entropy plug() throws DeviceException {
        device = (VirtioRng) new VirtioRngFactory().create(slot);
        device.start();
        device.activate(0, List.of(port.queue()));
        return this;
    }

    /** Offers a buffer, zeroed; its guest-physical address. */
    long offer(int length) {
        long address = memory.allocate(length, 1);
        ring.add(Buffer.writable(address, length));
        ring.publish();
        return address;
    }

    /** Lengths of what came back since the last time. */
    List<Integer> answers() {
        List<Integer> lengths = new ArrayList<>();
        for (Used used = ring.collect(); used != null; used = ring.collect()) {
            lengths.add(used.length());
        }
        return lengths;
    }

    @Override
    public void usedBuffers(int queue) {
        interrupts++;
    }

    @Override
    public void broken(int queue, String reason) {
        throw new AssertionError(reason);
    }

    @Override
    public void close() {
        if (device != null) {
            device.close();
        }
        slot.close();
        memory.close();
    }
}
