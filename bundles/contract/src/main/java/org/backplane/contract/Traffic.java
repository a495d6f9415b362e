package org.backplane.contract;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.backplane.linux.Fd;
import org.backplane.testkit.DriverRing;
import org.backplane.testkit.DriverRing.Buffer;
import org.backplane.testkit.FakeDeviceContext;
import org.backplane.testkit.TestMemory;
import org.backplane.virtio.QueuePort;
import org.backplane.virtio.QueueTransport;
import org.backplane.virtio.RingSetup;
import org.backplane.virtio.SplitQueue;
import org.backplane.virtio.VirtioDevice;

/**
 * A driver that knows nothing of the device: it offers chains of any content on every queue, and
 * remembers what it put where. What the device makes of them is its business; where it writes, what
 * it returns and whom it tells is the contract's.
 */
final class Traffic implements QueueTransport {
    private static final int RING = 16;
    private static final int CHAINS = 4;
    private static final int LONGEST = 512;
    private static final int GUARD = 64;
    private static final byte GUARD_BYTE = (byte) 0xa5;

    /** What a chain is made of. */
    enum Chain {
        /** As a request for data: buffers to read, then buffers to fill. */
        BOTH(1, 1),
        READABLE(1, 0),
        WRITABLE(0, 1);

        private final int readable;
        private final int writable;

        Chain(int readable, int writable) {
            this.readable = readable;
            this.writable = writable;
        }
    }

    /** A buffer with what it held, and guards before and behind it. */
    private record Placed(long address, byte[] content, boolean writable) {
        Buffer buffer() {
            return new Buffer(address, content.length, writable);
        }
    }

    private final VirtioDevice device;
    private final TestMemory memory;
    private final FakeDeviceContext slot;
    private final Calls calls;
    private final List<DriverRing> rings = new ArrayList<>();
    private final List<QueuePort> ports = new ArrayList<>();
    private final List<Placed> placed = new ArrayList<>();
    private int offered;
    private int returned;
    private int interrupts;
    private String broken = "";

    Traffic(VirtioDevice device, TestMemory memory, FakeDeviceContext slot, Calls calls) {
        this.device = device;
        this.memory = memory;
        this.slot = slot;
        this.calls = calls;
    }

    /** Sets every queue up and starts the device on them. */
    void activate() {
        for (int size : device.shape().queueSizes()) {
            DriverRing ring = new DriverRing(memory, Math.min(size, RING), false);
            QueuePort port = new QueuePort(rings.size(), size, slot.memory(), this);
            enable(port, ring);
            rings.add(ring);
            ports.add(port);
        }
        device.activate(device.shape().features(), queues());
    }

    private static void enable(QueuePort port, DriverRing ring) {
        String problem =
                port.enable(
                        new RingSetup(
                                ring.size(),
                                ring.descriptors(),
                                ring.available(),
                                ring.used(),
                                true,
                                false));
        Clause.require(problem == null, "the ring cannot be used: %s", problem);
    }

    private List<SplitQueue> queues() {
        return ports.stream().map(QueuePort::queue).toList();
    }

    void disable() {
        ports.forEach(QueuePort::disable);
    }

    /** Offers some chains on every queue, of any kind. */
    void offerSome(Random random) {
        offerSome(random, List.of(Chain.values()));
    }

    /** Offers some chains on every queue, of one or two buffers in each direction. */
    void offerSome(Random random, List<Chain> kinds) {
        for (DriverRing ring : rings) {
            for (int i = 0; i < CHAINS && ring.freeDescriptors() >= CHAINS; i++) {
                Chain kind = kinds.get(random.nextInt(kinds.size()));
                int twice = 1 + random.nextInt(2);
                offer(ring, random, kind.readable * twice, kind.writable * twice, LONGEST);
            }
            ring.publish();
        }
    }

    /** Offers two chains on every queue, each of one large buffer, one in each direction. */
    void offerLarge(Random random, int length) {
        for (DriverRing ring : rings) {
            offer(ring, random, 1, 0, -length);
            offer(ring, random, 0, 1, -length);
            ring.publish();
        }
    }

    /**
     * @param longest of a buffer; if negative, what each has
     */
    private void offer(DriverRing ring, Random random, int readable, int writable, int longest) {
        List<Placed> chain = new ArrayList<>();
        for (int i = 0; i < readable + writable; i++) {
            int length = longest < 0 ? -longest : 1 + random.nextInt(longest);
            chain.add(place(random, length, i >= readable));
        }
        if (ring.add(chain.stream().map(Placed::buffer).toArray(Buffer[]::new)) >= 0) {
            offered++;
            placed.addAll(chain);
        }
    }

    private Placed place(Random random, int length, boolean writable) {
        byte[] content = new byte[length];
        random.nextBytes(content);
        byte[] guarded = new byte[length + 2 * GUARD];
        Arrays.fill(guarded, GUARD_BYTE);
        System.arraycopy(content, 0, guarded, GUARD, length);
        return new Placed(memory.allocate(guarded) + GUARD, content, writable);
    }

    /** Offers descriptors and indices that no driver would. */
    void offerNonsense(Random random) {
        for (DriverRing ring : rings) {
            for (int i = 0; i < ring.size(); i++) {
                long address =
                        random.nextInt(4) == 0
                                ? random.nextLong()
                                : TestMemory.BASE + random.nextInt((int) TestMemory.SIZE);
                int length = random.nextInt(4) == 0 ? random.nextInt() : random.nextInt(1 << 17);
                ring.pokeDescriptor(
                        i, address, length, random.nextInt(8), random.nextInt(ring.size() + 1));
                ring.pokeAvailable(i, random.nextInt(ring.size() + 1));
            }
            ring.pokeAvailableIndex(random.nextInt(ring.size() + 1));
        }
    }

    /** What workers do: each queue's work once, and what the device waits for. */
    void work() throws Exception {
        for (int queue = 0; queue < ports.size(); queue++) {
            device.work(queue);
        }
        collect();
    }

    /** Takes what came back. */
    void collect() {
        for (DriverRing ring : rings) {
            while (ring.collect() != null) {
                returned++;
            }
        }
    }

    /** Serves the descriptors that the device watches. */
    void serveWatches() throws Exception {
        for (Fd descriptor : slot.watched()) {
            calls.during("a watch's work", () -> slot.readable(descriptor));
        }
        collect();
    }

    int offered() {
        return offered;
    }

    int returned() {
        return returned;
    }

    int interrupts() {
        return interrupts;
    }

    /** Why the device, or the ring's rules, stopped a queue; empty if none is. */
    String brokenRing() {
        return broken;
    }

    /** Chains that were taken and not completed. */
    int outstanding() {
        return ports.stream().mapToInt(port -> port.queue().outstanding()).sum();
    }

    /** Completions of chains that were not out. */
    long lateCompletions() {
        return ports.stream().mapToLong(QueuePort::lateCompletions).sum();
    }

    /** What of the driver's memory changed that the device may not change; empty if nothing did. */
    String trespass() {
        for (Placed each : placed) {
            byte[] before = memory.read(each.address - GUARD, GUARD);
            byte[] behind = memory.read(each.address + each.content.length, GUARD);
            for (int i = 0; i < GUARD; i++) {
                if (before[i] != GUARD_BYTE) {
                    return "%d bytes before a buffer of %d bytes"
                            .formatted(GUARD - i, each.content.length);
                }
                if (behind[i] != GUARD_BYTE) {
                    return "%d bytes behind a buffer of %d bytes"
                            .formatted(i + 1, each.content.length);
                }
            }
            if (!each.writable
                    && !Arrays.equals(
                            each.content, memory.read(each.address, each.content.length))) {
                return "a buffer of %d bytes that it may only read".formatted(each.content.length);
            }
        }
        return "";
    }

    @Override
    public void usedBuffers(int queue) {
        interrupts++;
    }

    @Override
    public void broken(int queue, String reason) {
        broken = reason;
    }
}
