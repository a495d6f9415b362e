package org.backplane.hart;

import org.backplane.memory.OffHeap;

/**
 * Loads and stores that {@link Executor} does not find in its buffers: first accesses to a page,
 * misaligned ones, devices. Belongs to the hart's thread.
 */
final class LoadStore {
    private final Mmu mmu;
    private final DevicePort port;
    private boolean reachedDevice;

    LoadStore(Mmu mmu, DevicePort port) {
        this.mmu = mmu;
        this.port = port;
    }

    /** Whether an access reached a device since last asked. */
    boolean reachedDevice() {
        boolean reached = reachedDevice;
        reachedDevice = false;
        return reached;
    }

    /**
     * Loads, zero-extended.
     *
     * @param width in bytes: 1, 2, 4 or 8
     */
    long load(long address, int width) {
        if ((address & width - 1) != 0) {
            return loadMisaligned(address, width);
        }
        long host = mmu.host(address, Mmu.LOAD);
        if (host == 0) {
            reachedDevice = true;
            return port.load(mmu.device(address, Mmu.LOAD), width);
        }
        switch (width) {
            case 1:
                return OffHeap.getByte(host) & 0xffL;
            case 2:
                return OffHeap.getShort(host) & 0xffffL;
            case 4:
                return OffHeap.getInt(host) & 0xffffffffL;
            default:
                return OffHeap.getLong(host);
        }
    }

    /** Loads byte by byte; both pages are translated before anything is seen. */
    private long loadMisaligned(long address, int width) {
        long split = secondPage(address, width);
        long first = memory(address, Mmu.LOAD);
        long second = split == 0 ? first : memory(split, Mmu.LOAD) + address - split;
        long value = 0;
        for (int i = 0; i < width; i++) {
            long host = inSecond(address + i, split) ? second : first;
            value |= (OffHeap.getByte(host + i) & 0xffL) << Byte.SIZE * i;
        }
        return value;
    }

    /** The page that an access runs into, or 0; a fault there shows that page's address. */
    private static long secondPage(long address, int width) {
        long last = address + width - 1;
        return (address ^ last) >>> Tlb.PAGE_BITS == 0 ? 0 : last & ~Tlb.PAGE_MASK;
    }

    private static boolean inSecond(long address, long split) {
        return split != 0 && (address ^ split) >>> Tlb.PAGE_BITS == 0;
    }

    /**
     * Stores the low bytes of a value.
     *
     * @param width in bytes: 1, 2, 4 or 8
     */
    void store(long address, int width, long value) {
        if ((address & width - 1) != 0) {
            storeMisaligned(address, width, value);
            return;
        }
        long host = mmu.host(address, Mmu.STORE);
        if (host == 0) {
            reachedDevice = true;
            long bits = width == 8 ? value : value & (1L << Byte.SIZE * width) - 1;
            port.store(mmu.device(address, Mmu.STORE), width, bits);
            return;
        }
        switch (width) {
            case 1:
                OffHeap.putByte(host, (byte) value);
                break;
            case 2:
                OffHeap.putShort(host, (short) value);
                break;
            case 4:
                OffHeap.putInt(host, (int) value);
                break;
            default:
                OffHeap.putLong(host, value);
                break;
        }
    }

    /** Stores byte by byte; both pages are translated before anything is stored. */
    private void storeMisaligned(long address, int width, long value) {
        long split = secondPage(address, width);
        long first = memory(address, Mmu.STORE);
        long second = split == 0 ? first : memory(split, Mmu.STORE) + address - split;
        for (int i = 0; i < width; i++) {
            long host = inSecond(address + i, split) ? second : first;
            OffHeap.putByte(host + i, (byte) (value >>> Byte.SIZE * i));
        }
    }

    /** Host address for a part of a misaligned access, which devices do not take. */
    private long memory(long address, int access) {
        long host = mmu.host(address, access);
        if (host == 0) {
            throw mmu.accessFault(address, access);
        }
        return host;
    }

    /** Host address for an atomic access, which devices do not take either. */
    long atomic(long address, int access) {
        return memory(address, access);
    }
}
