package org.backplane.testkit;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.backplane.memory.Access;
import org.backplane.memory.GuestMemory;
import org.backplane.memory.GuestMemory.RamBank;
import org.backplane.memory.MemoryView;
import org.backplane.memory.OffHeap;

/**
 * A few MiB of real guest memory with a plain allocator: what a driver under test works in.
 *
 * <p>By default two banks of 2 MiB that lie next to each other in the guest, so that a buffer over
 * {@link #BOUNDARY} is contiguous to the driver and two ranges to the device. Values are
 * little-endian. The typed accesses must lie inside one bank. Not thread-safe where it allocates.
 */
public final class TestMemory implements AutoCloseable {
    /** First guest-physical address. */
    public static final long BASE = 0x8000_0000L;

    /** Bytes in all, without the caller's own banks. */
    public static final long SIZE = 4 << 20;

    /** Where the first bank ends and the second begins. */
    public static final long BOUNDARY = BASE + SIZE / 2;

    private final GuestMemory memory;
    private final MemoryView view;
    private final long end;
    private final boolean borrowed;
    private long next;

    public TestMemory() throws IOException {
        this(List.of(new RamBank(BASE, SIZE / 2), new RamBank(BOUNDARY, SIZE / 2)));
    }

    /** With banks of the caller's choice; the allocator serves from the first only. */
    public TestMemory(List<RamBank> banks) throws IOException {
        this(
                new GuestMemory("testkit", new ArrayList<>(banks)),
                banks.get(0).guestAddress(),
                banks.get(0).length(),
                false);
    }

    private TestMemory(GuestMemory memory, long first, long length, boolean borrowed) {
        this.memory = memory;
        this.borrowed = borrowed;
        view = memory.view("driver");
        next = first;
        end = first + length;
    }

    /**
     * A part of the memory of a machine.
     *
     * @param memory stays the caller's
     * @param first guest-physical address
     * @param length in bytes, inside one bank
     */
    public static TestMemory inside(GuestMemory memory, long first, long length) {
        return new TestMemory(memory, first, length, true);
    }

    public GuestMemory guestMemory() {
        return memory;
    }

    /**
     * Takes zeroed guest memory from the first bank; never given back.
     *
     * @param size in bytes
     * @param alignment in bytes, a power of two
     * @return its guest-physical address
     */
    public long allocate(long size, long alignment) {
        long start = (next + alignment - 1) & -alignment;
        if (size > end - start) {
            throw new IllegalStateException("the test's memory is used up");
        }
        next = start + size;
        return start;
    }

    /** Allocates and fills. */
    public long allocate(byte[] content) {
        long address = allocate(content.length, 16);
        write(address, content);
        return address;
    }

    /** The host address of a run inside one bank. */
    public long host(long address, long length) {
        long host = view.translate(address, length, Access.WRITE);
        if (host == 0) {
            throw new IllegalArgumentException(
                    "0x%x bytes at 0x%x are not inside one bank".formatted(length, address));
        }
        return host;
    }

    /** Copies out of guest memory, over several banks if need be. */
    public byte[] read(long address, int length) {
        byte[] content = new byte[length];
        int done = 0;
        while (done < length) {
            int piece = piece(address + done, length - done);
            OffHeap.copy(host(address + done, piece), content, done, piece);
            done += piece;
        }
        return content;
    }

    /** Copies into guest memory, over several banks if need be. */
    public void write(long address, byte[] content) {
        int done = 0;
        while (done < content.length) {
            int piece = piece(address + done, content.length - done);
            OffHeap.copy(content, done, host(address + done, piece), piece);
            done += piece;
        }
    }

    public int getByte(long address) {
        return OffHeap.getByte(host(address, 1)) & 0xff;
    }

    public void putByte(long address, int value) {
        OffHeap.putByte(host(address, 1), (byte) value);
    }

    public int getShort(long address) {
        return OffHeap.getShort(host(address, 2)) & 0xffff;
    }

    public void putShort(long address, int value) {
        OffHeap.putShort(host(address, 2), (short) value);
    }

    public int getInt(long address) {
        return OffHeap.getInt(host(address, 4));
    }

    public void putInt(long address, int value) {
        OffHeap.putInt(host(address, 4), value);
    }

    public long getLong(long address) {
        return OffHeap.getLong(host(address, 8));
    }

    public void putLong(long address, long value) {
        OffHeap.putLong(host(address, 8), value);
    }

    @Override
    public void close() {
        view.revoke();
        if (!borrowed) {
            memory.close();
        }
    }

    private int piece(long address, int wanted) {
        long run = view.contiguous(address, Access.WRITE);
        if (run <= 0) {
            throw new IllegalArgumentException("no memory at 0x%x".formatted(address));
        }
        return (int) Math.min(run, wanted);
    }
}
