package org.backplane.device.virtio.blk;

import java.io.IOException;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import org.backplane.linux.IoVec;
import org.backplane.virtio.DescriptorChain;
import org.backplane.virtio.SplitQueue;

/**
 * One request queue of a disk: takes requests and carries them out, one after the other, on the
 * queue's worker (virtio 1.2, section 5.2.6).
 *
 * <p>How a driver divides a request into descriptors means nothing (section 2.7.4.2): the header is
 * the first 16 readable bytes, the status is the last writable byte, and the data lies between.
 * Each byte that decides something is copied out once, and what was checked is what is used.
 */
final class BlkQueue {
    /** Completions before the driver is interrupted, if it wants to be: bounds their delay. */
    private static final int BATCH = 16;

    private static final VarHandle INT =
            MethodHandles.byteArrayViewVarHandle(int[].class, ByteOrder.LITTLE_ENDIAN);
    private static final VarHandle LONG =
            MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);

    private final VirtioBlk disk;
    private final Image image;
    private final long capacity;
    private final byte[] id;
    private final IoVec vector = new IoVec(BlkConfig.SEG_MAX);
    private final byte[] header = new byte[BlkWire.HEADER_BYTES];
    private final byte[] status = new byte[1];
    private final byte[] ranges = new byte[BlkConfig.MAX_DISCARD_RANGES * BlkWire.RANGE_BYTES];

    /** Bytes of data stored into the chain's writable part, from its start. */
    private long stored;

    BlkQueue(VirtioBlk disk, Image image, String serial) {
        this.disk = disk;
        this.image = image;
        this.capacity = image.size() >> BlkWire.SECTOR_SHIFT;
        id = Arrays.copyOf(serial.getBytes(StandardCharsets.US_ASCII), BlkWire.ID_BYTES);
    }

    /** Carries requests out until there are none, or the disk is quiesced. */
    void serve(SplitQueue queue) {
        queue.disableNotifications();
        do {
            int finished = 0;
            DescriptorChain chain;
            while (!disk.quiesced() && (chain = queue.poll()) != null) {
                carryOut(queue, chain);
                if (++finished % BATCH == 0) {
                    queue.interrupt();
                }
            }
            queue.interrupt();
        } while (queue.enableNotifications() && !disk.quiesced());
    }

    private void carryOut(SplitQueue queue, DescriptorChain chain) {
        long room = chain.writableLength() - 1;
        if (room < 0) {
            queue.broken("a request without room for its status");
            return;
        }
        stored = 0;
        try {
            if (chain.read(0, header, 0, BlkWire.HEADER_BYTES) < BlkWire.HEADER_BYTES) {
                status[0] = wrong("a header of less than 16 bytes");
            } else {
                status[0] = execute(queue, chain, room);
            }
        } catch (IOException e) {
            disk.hostFailed(e);
            status[0] = BlkWire.S_IOERR;
        }
        chain.write(room, status, 0, 1);
        // Section 2.7.8.2: bytes from the start; without the data before it the status cannot
        // count.
        long written = stored == room ? room + 1 : stored;
        queue.complete(chain, (int) Math.min(written, Integer.MAX_VALUE));
    }

    private byte execute(SplitQueue queue, DescriptorChain chain, long room) throws IOException {
        long sector = (long) LONG.get(header, BlkWire.HEADER_SECTOR);
        switch ((int) INT.get(header, BlkWire.HEADER_TYPE)) {
            case BlkWire.T_IN:
                return read(chain, sector, room);
            case BlkWire.T_OUT:
                return write(chain, sector, chain.readableLength() - BlkWire.HEADER_BYTES);
            case BlkWire.T_FLUSH:
                // What is done should not wait for the device behind the image.
                queue.interrupt();
                image.flush();
                return BlkWire.S_OK;
            case BlkWire.T_GET_ID:
                stored = chain.write(0, id, 0, (int) Math.min(room, BlkWire.ID_BYTES));
                return BlkWire.S_OK;
            case BlkWire.T_DISCARD:
                return disk.negotiated(BlkWire.F_DISCARD)
                        ? ranges(chain, BlkConfig.MAX_DISCARD_RANGES, false)
                        : BlkWire.S_UNSUPP;
            case BlkWire.T_WRITE_ZEROES:
                return disk.negotiated(BlkWire.F_WRITE_ZEROES)
                        ? ranges(chain, BlkConfig.MAX_WRITE_ZEROES_RANGES, true)
                        : BlkWire.S_UNSUPP;
            default:
                return BlkWire.S_UNSUPP;
        }
    }

    private byte read(DescriptorChain chain, long sector, long bytes) throws IOException {
        if (!onDisk(sector, bytes)) {
            return wrong("a read of %d bytes at sector %d of %d", bytes, sector, capacity);
        }
        long at = sector << BlkWire.SECTOR_SHIFT;
        long left = bytes;
        vector.clear();
        for (int i = chain.readableSegments(); left > 0; i++) {
            long length = Math.min(chain.length(i), left);
            if (vector.isFull()) {
                at = readSome(at);
            }
            vector.add(chain.address(i), length);
            left -= length;
        }
        readSome(at);
        stored = bytes;
        return BlkWire.S_OK;
    }

    private long readSome(long at) throws IOException {
        long bytes = vector.bytes();
        image.read(vector, at);
        vector.clear();
        return at + bytes;
    }

    private byte write(DescriptorChain chain, long sector, long bytes) throws IOException {
        if (disk.readOnly()) {
            return wrong("a write to a read-only disk, sector %d", sector);
        }
        if (!onDisk(sector, bytes)) {
            return wrong("a write of %d bytes at sector %d of %d", bytes, sector, capacity);
        }
        long at = sector << BlkWire.SECTOR_SHIFT;
        int skip = BlkWire.HEADER_BYTES;
        vector.clear();
        for (int i = 0; i < chain.readableSegments(); i++) {
            int length = chain.length(i);
            int from = Math.min(skip, length);
            skip -= from;
            if (from == length) {
                continue;
            }
            if (vector.isFull()) {
                at = writeSome(at);
            }
            vector.add(chain.address(i) + from, length - from);
        }
        writeSome(at);
        if (disk.writesThrough()) {
            image.flush();
        }
        return BlkWire.S_OK;
    }

    private long writeSome(long at) throws IOException {
        long bytes = vector.bytes();
        image.write(vector, at);
        vector.clear();
        return at + bytes;
    }

    /** Discard and write zeroes: nothing is done unless every range is right. */
    private byte ranges(DescriptorChain chain, int most, boolean zero) throws IOException {
        long bytes = chain.readableLength() - BlkWire.HEADER_BYTES;
        if (bytes < BlkWire.RANGE_BYTES
                || bytes % BlkWire.RANGE_BYTES != 0
                || bytes > (long) most * BlkWire.RANGE_BYTES) {
            return wrong("%d bytes of ranges, at most %d ranges", bytes, most);
        }
        int end = chain.read(BlkWire.HEADER_BYTES, ranges, 0, (int) bytes);
        for (int at = 0; at < end; at += BlkWire.RANGE_BYTES) {
            byte verdict = judge(at, zero);
            if (verdict != BlkWire.S_OK) {
                return verdict;
            }
        }
        for (int at = 0; at < end; at += BlkWire.RANGE_BYTES) {
            long offset =
                    (long) LONG.get(ranges, at + BlkWire.RANGE_SECTOR) << BlkWire.SECTOR_SHIFT;
            long length =
                    (long) (int) INT.get(ranges, at + BlkWire.RANGE_SECTORS)
                            << BlkWire.SECTOR_SHIFT;
            if (length == 0) {
                continue;
            }
            if (zero) {
                boolean unmap =
                        ((int) INT.get(ranges, at + BlkWire.RANGE_FLAGS) & BlkWire.RANGE_UNMAP)
                                != 0;
                image.zero(offset, length, unmap && disk.givesBack());
            } else {
                image.discard(offset, length);
            }
        }
        if (disk.writesThrough()) {
            image.flush();
        }
        return BlkWire.S_OK;
    }

    private byte judge(int at, boolean zero) {
        int flags = (int) INT.get(ranges, at + BlkWire.RANGE_FLAGS);
        if ((flags & ~(zero ? BlkWire.RANGE_UNMAP : 0)) != 0) {
            return BlkWire.S_UNSUPP;
        }
        long sector = (long) LONG.get(ranges, at + BlkWire.RANGE_SECTOR);
        long sectors = Integer.toUnsignedLong((int) INT.get(ranges, at + BlkWire.RANGE_SECTORS));
        long most = zero ? BlkConfig.MAX_WRITE_ZEROES_SECTORS : BlkConfig.MAX_DISCARD_SECTORS;
        if (sectors > most || !onDisk(sector, sectors << BlkWire.SECTOR_SHIFT)) {
            return wrong("a range of %d sectors at sector %d of %d", sectors, sector, capacity);
        }
        return BlkWire.S_OK;
    }

    /** Whether whole sectors are meant, all of them there. No sum, so that none wraps around. */
    private boolean onDisk(long sector, long bytes) {
        return bytes % BlkWire.SECTOR == 0
                && sector >= 0
                && sector <= capacity
                && bytes >> BlkWire.SECTOR_SHIFT <= capacity - sector;
    }

    private byte wrong(String format, Object... values) {
        disk.guestMistook(format, values);
        return BlkWire.S_IOERR;
    }
}
