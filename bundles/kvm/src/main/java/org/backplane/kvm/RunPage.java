package org.backplane.kvm;

import static org.backplane.kvm.KvmAbi.*;

import java.util.List;
import org.backplane.hypervisor.ExitHandler;
import org.backplane.linux.Mapping;
import org.backplane.memory.OffHeap;

/**
 * What a processor shares with KVM, {@code struct kvm_run}: why it came out of the guest, and the
 * accesses that wait for an answer. Belongs to the thread that runs the processor; while that is
 * inside of an exit handler, to whoever saves the processor.
 */
final class RunPage implements AutoCloseable {
    private final Mapping mapping;
    private final long at;

    /**
     * Whether an exit waits to be served. Set before the handler is called and cleared after it
     * returned, so that another thread can serve the exit again.
     */
    private volatile boolean pending;

    /** How much of the exit has been served: elements of a string of ports, bytes of memory. */
    private int served;

    /** Elements that an I/O port gave before the processor was saved in the midst of a string. */
    private Answered answered = Answered.NONE;

    /**
     * The beginning of a string read from an I/O port.
     *
     * @param elements as the port gave them, one after the other
     */
    record Answered(int port, byte[] elements) {
        static final Answered NONE = new Answered(0, new byte[0]);
    }

    RunPage(Mapping mapping) {
        this.mapping = mapping;
        at = mapping.address();
    }

    boolean pending() {
        return pending;
    }

    /** The processor came out with an exit. */
    void arrived() {
        served = 0;
        pending = true;
    }

    /** The exit is done with. */
    void done() {
        pending = false;
    }

    /** Forgets exits and what was answered: the processor's state is another. */
    void forget(Answered now) {
        pending = false;
        answered = now;
    }

    int reason() {
        return OffHeap.getInt(at + RUN_EXIT_REASON);
    }

    int u32(int offset) {
        return OffHeap.getInt(at + offset);
    }

    long u64(int offset) {
        return OffHeap.getLong(at + offset);
    }

    int u8(int offset) {
        return OffHeap.getByte(at + offset) & 0xff;
    }

    void immediateExit(boolean on) {
        OffHeap.putByteVolatile(at + RUN_IMMEDIATE_EXIT, (byte) (on ? 1 : 0));
    }

    byte[] content() {
        byte[] content = new byte[(int) mapping.length()];
        OffHeap.copy(at, content, 0, content.length);
        return content;
    }

    void content(byte[] content) {
        OffHeap.copy(content, 0, at, content.length);
    }

    /** Makes the rest of an access to I/O ports: a string of elements, mostly of one. */
    void ports(int vcpu, ExitHandler exits) {
        int width = u8(RUN_IO_SIZE);
        int port = OffHeap.getShort(at + RUN_IO_PORT) & 0xffff;
        long data = at + u64(RUN_IO_DATA_OFFSET);
        boolean out = u8(RUN_IO_DIRECTION) == KVM_EXIT_IO_OUT;
        int count = u32(RUN_IO_COUNT);
        if (!out && served == 0 && answered.elements.length > 0 && answered.port == port) {
            served = replay(data, width, count);
        }
        for (; served < count; served++) {
            long element = data + (long) served * width;
            if (out) {
                exits.ioWrite(vcpu, port, width, load(element, width));
            } else {
                store(element, width, exits.ioRead(vcpu, port, width));
            }
        }
    }

    private int replay(long data, int width, int count) {
        int given = Math.min(answered.elements.length / width, count);
        OffHeap.copy(answered.elements, 0, data, given * width);
        answered = Answered.NONE;
        return given;
    }

    /**
     * Makes the rest of an access to memory space. What crosses a page comes in two exits, whose
     * widths may be odd: those are made in pieces that a device knows.
     */
    void memory(int vcpu, ExitHandler exits) {
        long address = u64(RUN_MMIO_ADDRESS);
        int length = u32(RUN_MMIO_LENGTH);
        boolean store = u8(RUN_MMIO_IS_WRITE) != 0;
        while (served < length) {
            int width = Integer.highestOneBit(length - served);
            long data = at + RUN_MMIO_DATA + served;
            if (store) {
                exits.mmioWrite(vcpu, address + served, width, load(data, width));
            } else {
                store(data, width, exits.mmioRead(vcpu, address + served, width));
            }
            served += width;
        }
    }

    /** Whether the pending exit is an access that stores. */
    boolean stores() {
        return switch (reason()) {
            case KVM_EXIT_IO -> u8(RUN_IO_DIRECTION) == KVM_EXIT_IO_OUT;
            case KVM_EXIT_MMIO -> u8(RUN_MMIO_IS_WRITE) != 0;
            default -> false;
        };
    }

    /** Adds the stores of the exit that have not been made, in their order. */
    void collect(List<Access> stores) {
        collect(stores, served);
    }

    /** Adds the stores of an exit of which none has been made. */
    void collectWhole(List<Access> stores) {
        collect(stores, 0);
    }

    private void collect(List<Access> stores, int from) {
        if (reason() == KVM_EXIT_IO) {
            int width = u8(RUN_IO_SIZE);
            int port = OffHeap.getShort(at + RUN_IO_PORT) & 0xffff;
            long data = at + u64(RUN_IO_DATA_OFFSET);
            for (int i = from; i < u32(RUN_IO_COUNT); i++) {
                stores.add(new Access(true, port, width, load(data + (long) i * width, width)));
            }
        } else {
            int length = u32(RUN_MMIO_LENGTH);
            int made = from;
            while (made < length) {
                int width = Integer.highestOneBit(length - made);
                long value = load(at + RUN_MMIO_DATA + made, width);
                stores.add(new Access(false, u64(RUN_MMIO_ADDRESS) + made, width, value));
                made += width;
            }
        }
    }

    /** What a port has given of the string that the exit reads. */
    Answered answered() {
        if (!pending || reason() != KVM_EXIT_IO || u8(RUN_IO_DIRECTION) == KVM_EXIT_IO_OUT) {
            return answered;
        }
        byte[] elements = new byte[served * u8(RUN_IO_SIZE)];
        OffHeap.copy(at + u64(RUN_IO_DATA_OFFSET), elements, 0, elements.length);
        return new Answered(OffHeap.getShort(at + RUN_IO_PORT) & 0xffff, elements);
    }

    private static long load(long address, int width) {
        return switch (width) {
            case 1 -> OffHeap.getByte(address) & 0xffL;
            case 2 -> OffHeap.getShort(address) & 0xffffL;
            case 4 -> OffHeap.getInt(address) & 0xffff_ffffL;
            default -> OffHeap.getLong(address);
        };
    }

    private static void store(long address, int width, long value) {
        switch (width) {
            case 1 -> OffHeap.putByte(address, (byte) value);
            case 2 -> OffHeap.putShort(address, (short) value);
            case 4 -> OffHeap.putInt(address, (int) value);
            default -> OffHeap.putLong(address, value);
        }
    }

    @Override
    public void close() {
        mapping.close();
    }
}
