package org.backplane.virtio;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import org.backplane.memory.Access;
import org.backplane.memory.MemoryView;
import org.backplane.memory.OffHeap;

/**
 * Follows the driver's descriptors from a head and turns them into host segments (virtio 1.2,
 * sections 2.7.5 and 2.7.5.3).
 *
 * <p>The table belongs to a driver that may be hostile and may change it meanwhile: each field is
 * loaded once, into a local, and what was checked is what is used. Whatever the table holds, the
 * walk ends: the descriptors are counted, and no chain is longer than its queue.
 *
 * <p>Used under the queue's lock, with guest memory pinned.
 */
final class ChainReader {
    /**
     * Longest segment, in bytes. Keeps lengths positive as an int, and below what one call of
     * preadv(2) takes.
     */
    static final int MAX_SEGMENT = 1 << 30;

    /**
     * Segments a chain may have beyond one a descriptor: borders between memory ranges that its
     * buffers lie over. Far above what a guest with a handful of ranges needs.
     */
    static final int EXTRA_SEGMENTS = 64;

    private static final VarHandle SHORT_OF_BYTES =
            MethodHandles.byteArrayViewVarHandle(short[].class, ByteOrder.LITTLE_ENDIAN);
    private static final VarHandle INT_OF_BYTES =
            MethodHandles.byteArrayViewVarHandle(int[].class, ByteOrder.LITTLE_ENDIAN);
    private static final VarHandle LONG_OF_BYTES =
            MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);

    private final MemoryView memory;
    private final byte[] unaligned = new byte[RingLayout.DESCRIPTOR_BYTES];

    // The descriptor read last.
    private long address;
    private int length;
    private int flags;
    private int next;

    private DescriptorChain chain;
    private int segmentLimit;
    private long total;

    ChainReader(MemoryView memory) {
        this.memory = memory;
    }

    /**
     * Fills a chain from its head on.
     *
     * @param table host address of the descriptor table
     * @return null, or what the driver did wrong
     */
    String read(DescriptorChain into, RingSetup ring, long table) {
        chain = into;
        chain.clear();
        segmentLimit = ring.size() + EXTRA_SEGMENTS;
        total = 0;
        int index = into.head();
        long hostTable = table;
        long guestTable = ring.descriptors();
        int entries = ring.size();
        boolean indirect = false;
        int count = 0;
        for (; ; ) {
            if (index >= entries) {
                return "descriptor %d is outside of its table of %d".formatted(index, entries);
            }
            if (!load(hostTable, guestTable, index)) {
                return "the indirect table at 0x%x is not in memory".formatted(guestTable);
            }
            if ((flags & RingLayout.FLAG_INDIRECT) != 0) {
                String problem = indirectProblem(ring, indirect);
                if (problem != null) {
                    return problem;
                }
                // The descriptor that refers to the table is not counted: a table as long as the
                // queue is what Linux makes for its largest requests. Its WRITE flag is ignored
                // (section 2.7.5.3.2).
                indirect = true;
                guestTable = address;
                entries = Integer.divideUnsigned(length, RingLayout.DESCRIPTOR_BYTES);
                // 0 where the table lies over several ranges: load() then looks at each entry.
                hostTable = translate(guestTable, length & 0xffff_ffffL, Access.READ);
                index = 0;
                continue;
            }
            if (++count > ring.size()) {
                return "the chain at %d is longer than its queue of %d"
                        .formatted(into.head(), ring.size());
            }
            String problem = appendBuffer();
            if (problem != null) {
                return problem;
            }
            if ((flags & RingLayout.FLAG_NEXT) == 0) {
                return null;
            }
            index = next;
        }
    }

    private String indirectProblem(RingSetup ring, boolean nested) {
        if (!ring.indirect()) {
            return "an indirect descriptor without VIRTIO_F_INDIRECT_DESC";
        }
        if (nested) {
            return "an indirect descriptor inside an indirect table";
        }
        if ((flags & RingLayout.FLAG_NEXT) != 0) {
            return "an indirect descriptor that has a next one";
        }
        if (length == 0 || Integer.remainderUnsigned(length, RingLayout.DESCRIPTOR_BYTES) != 0) {
            return "an indirect table of %d bytes".formatted(length & 0xffff_ffffL);
        }
        return null;
    }

    /** Turns the current descriptor's buffer into segments; one of no length has none. */
    private String appendBuffer() {
        boolean writable = (flags & RingLayout.FLAG_WRITE) != 0;
        if (!writable && chain.writableLength() > 0) {
            return "a readable buffer behind a writable one";
        }
        long remaining = length & 0xffff_ffffL;
        total += remaining;
        if (total > RingLayout.MAX_CHAIN_BYTES) {
            return "a chain of more than 2^32 bytes";
        }
        Access access = writable ? Access.WRITE : Access.READ;
        long at = address;
        while (remaining > 0) {
            long piece = Math.min(remaining, MAX_SEGMENT);
            long host = translate(at, piece, access);
            if (host == 0) {
                // Over the border of a range, or outside of all.
                piece = at < 0 ? 0 : Math.min(piece, memory.contiguous(at, access));
                host = piece <= 0 ? 0 : translate(at, piece, access);
            }
            if (host == 0) {
                return "a buffer at 0x%x, 0x%x bytes, that is not in memory"
                        .formatted(address, length & 0xffff_ffffL);
            }
            if (chain.segments() == segmentLimit) {
                return "a chain of more than %d segments".formatted(segmentLimit);
            }
            chain.append(host, (int) piece, writable);
            at += piece;
            remaining -= piece;
        }
        return null;
    }

    /** Guest addresses have 63 bits; neither a start nor an end beyond that is in memory. */
    private long translate(long guestAddress, long bytes, Access access) {
        if (guestAddress < 0 || guestAddress > Long.MAX_VALUE - bytes) {
            return 0;
        }
        return memory.translate(guestAddress, bytes, access);
    }

    /** Loads a descriptor, each field once; false if the entry is not in memory. */
    private boolean load(long hostTable, long guestTable, int index) {
        long offset = (long) index * RingLayout.DESCRIPTOR_BYTES;
        long at = hostTable + offset;
        if (hostTable == 0) {
            at = translate(guestTable + offset, RingLayout.DESCRIPTOR_BYTES, Access.READ);
            if (at == 0) {
                return false;
            }
        }
        if ((at & 7) != 0) {
            // No section asks for an aligned indirect table. A copy reads every byte once too.
            OffHeap.copy(at, unaligned, 0, RingLayout.DESCRIPTOR_BYTES);
            address = (long) LONG_OF_BYTES.get(unaligned, RingLayout.DESCRIPTOR_ADDRESS);
            length = (int) INT_OF_BYTES.get(unaligned, RingLayout.DESCRIPTOR_LENGTH);
            flags = (short) SHORT_OF_BYTES.get(unaligned, RingLayout.DESCRIPTOR_FLAGS) & 0xffff;
            next = (short) SHORT_OF_BYTES.get(unaligned, RingLayout.DESCRIPTOR_NEXT) & 0xffff;
            return true;
        }
        address = OffHeap.getLongOpaque(at + RingLayout.DESCRIPTOR_ADDRESS);
        length = OffHeap.getIntOpaque(at + RingLayout.DESCRIPTOR_LENGTH);
        flags = OffHeap.getShortOpaque(at + RingLayout.DESCRIPTOR_FLAGS) & 0xffff;
        next = OffHeap.getShortOpaque(at + RingLayout.DESCRIPTOR_NEXT) & 0xffff;
        return true;
    }
}
