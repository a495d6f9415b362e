package org.backplane.device.virtio.blk;

/**
 * Numbers and offsets of the block device (virtio 1.2, section 5.2). All values are little-endian.
 */
final class BlkWire {
    private BlkWire() {}

    static final int DEVICE_ID = 2;

    /** PCI class: mass storage controller, other. */
    static final int CLASS_CODE = 0x018000;

    static final int SECTOR = 512;
    static final int SECTOR_SHIFT = 9;

    // Section 5.2.3, feature bits.
    static final long F_SEG_MAX = 1 << 2;
    static final long F_RO = 1 << 5;
    static final long F_BLK_SIZE = 1 << 6;
    static final long F_FLUSH = 1 << 9;
    static final long F_TOPOLOGY = 1 << 10;
    static final long F_CONFIG_WCE = 1 << 11;
    static final long F_MQ = 1 << 12;
    static final long F_DISCARD = 1 << 13;
    static final long F_WRITE_ZEROES = 1 << 14;

    // Section 5.2.4, struct virtio_blk_config.
    static final int CONFIG_CAPACITY = 0;
    static final int CONFIG_SEG_MAX = 12;
    static final int CONFIG_BLK_SIZE = 20;
    static final int CONFIG_PHYSICAL_BLOCK_EXP = 24;
    static final int CONFIG_MIN_IO_SIZE = 26;
    static final int CONFIG_WRITEBACK = 32;
    static final int CONFIG_NUM_QUEUES = 34;
    static final int CONFIG_MAX_DISCARD_SECTORS = 36;
    static final int CONFIG_MAX_DISCARD_SEG = 40;
    static final int CONFIG_DISCARD_SECTOR_ALIGNMENT = 44;
    static final int CONFIG_MAX_WRITE_ZEROES_SECTORS = 48;
    static final int CONFIG_MAX_WRITE_ZEROES_SEG = 52;
    static final int CONFIG_WRITE_ZEROES_MAY_UNMAP = 56;
    static final int CONFIG_BYTES = 60;

    // Section 5.2.6, struct virtio_blk_req: the readable header, then data, then one status byte.
    static final int HEADER_TYPE = 0;
    static final int HEADER_SECTOR = 8;
    static final int HEADER_BYTES = 16;

    static final int T_IN = 0;
    static final int T_OUT = 1;
    static final int T_FLUSH = 4;
    static final int T_GET_ID = 8;
    static final int T_DISCARD = 11;
    static final int T_WRITE_ZEROES = 13;

    static final byte S_OK = 0;
    static final byte S_IOERR = 1;
    static final byte S_UNSUPP = 2;

    static final int ID_BYTES = 20;

    // Section 5.2.6, struct virtio_blk_discard_write_zeroes.
    static final int RANGE_SECTOR = 0;
    static final int RANGE_SECTORS = 8;
    static final int RANGE_FLAGS = 12;
    static final int RANGE_BYTES = 16;
    static final int RANGE_UNMAP = 1;
}
