package org.backplane.device.virtio.blk;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * The device-specific configuration (virtio 1.2, section 5.2.4), constant but for the cache mode.
 */
final class BlkConfig {
    /** Descriptors of a queue; a chain is no longer than that. */
    static final int QUEUE_SIZE = 256;

    /** Header and status take a descriptor each. */
    static final int SEG_MAX = QUEUE_SIZE - 2;

    static final int MAX_DISCARD_RANGES = 32;

    /** 2 GiB at a time: the host only changes its map of blocks. */
    static final int MAX_DISCARD_SECTORS = 1 << 22;

    static final int MAX_WRITE_ZEROES_RANGES = 1;

    /** 64 MiB at a time: where the host must write them, the queue stands still for no longer. */
    static final int MAX_WRITE_ZEROES_SECTORS = 1 << 17;

    /** Larger blocks than a page mean nothing to a guest. */
    private static final int LARGEST_BLOCK = 4096;

    private final ByteBuffer fields =
            ByteBuffer.allocate(BlkWire.CONFIG_BYTES).order(ByteOrder.LITTLE_ENDIAN);

    BlkConfig(BlkSettings settings, Image image) {
        int block = Math.max(Math.min(image.blockSize(), LARGEST_BLOCK), BlkWire.SECTOR);
        int exponent = Integer.numberOfTrailingZeros(Integer.highestOneBit(block / BlkWire.SECTOR));
        int sectorsPerBlock = 1 << exponent;
        fields.putLong(BlkWire.CONFIG_CAPACITY, image.size() >> BlkWire.SECTOR_SHIFT);
        fields.putInt(BlkWire.CONFIG_SEG_MAX, SEG_MAX);
        fields.putInt(BlkWire.CONFIG_BLK_SIZE, BlkWire.SECTOR);
        fields.put(BlkWire.CONFIG_PHYSICAL_BLOCK_EXP, (byte) exponent);
        fields.putShort(BlkWire.CONFIG_MIN_IO_SIZE, (short) sectorsPerBlock);
        fields.putShort(BlkWire.CONFIG_NUM_QUEUES, (short) settings.queues());
        if (settings.readOnly()) {
            return;
        }
        if (settings.discard()) {
            fields.putInt(BlkWire.CONFIG_MAX_DISCARD_SECTORS, MAX_DISCARD_SECTORS);
            fields.putInt(BlkWire.CONFIG_MAX_DISCARD_SEG, MAX_DISCARD_RANGES);
            fields.putInt(BlkWire.CONFIG_DISCARD_SECTOR_ALIGNMENT, sectorsPerBlock);
            fields.put(BlkWire.CONFIG_WRITE_ZEROES_MAY_UNMAP, (byte) 1);
        }
        fields.putInt(BlkWire.CONFIG_MAX_WRITE_ZEROES_SECTORS, MAX_WRITE_ZEROES_SECTORS);
        fields.putInt(BlkWire.CONFIG_MAX_WRITE_ZEROES_SEG, MAX_WRITE_ZEROES_RANGES);
    }

    /** In sectors. */
    long capacity() {
        return fields.getLong(BlkWire.CONFIG_CAPACITY);
    }

    /**
     * @param writeback the cache mode now
     * @return the value, little-endian; bytes beyond the layout read as 0
     */
    long read(int offset, int width, boolean writeback) {
        long value = 0;
        for (int i = width - 1; i >= 0; i--) {
            int at = offset + i;
            int octet = 0;
            if (at == BlkWire.CONFIG_WRITEBACK) {
                octet = writeback ? 1 : 0;
            } else if (at >= 0 && at < BlkWire.CONFIG_BYTES) {
                octet = fields.get(at) & 0xff;
            }
            value = value << 8 | octet;
        }
        return value;
    }
}
