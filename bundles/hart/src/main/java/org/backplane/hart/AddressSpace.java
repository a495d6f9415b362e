package org.backplane.hart;

/** The translation buffers of one context of privilege. */
final class AddressSpace {
    private static final int MEMORY_ENTRIES = 512;
    private static final int DEVICE_ENTRIES = 32;

    /** Pages of host memory; deltas lead to host addresses. */
    final Tlb read = new Tlb(MEMORY_ENTRIES);

    final Tlb write = new Tlb(MEMORY_ENTRIES);

    /** Pages that are no memory; deltas lead to guest-physical addresses. */
    final Tlb deviceRead = new Tlb(DEVICE_ENTRIES);

    final Tlb deviceWrite = new Tlb(DEVICE_ENTRIES);

    final CodeTlb code;

    /**
     * @param code may be shared with another context in which fetches have the same permissions
     */
    AddressSpace(CodeTlb code) {
        this.code = code;
    }

    void clear() {
        clearData();
        code.clear();
    }

    void clearData() {
        read.clear();
        write.clear();
        deviceRead.clear();
        deviceWrite.clear();
    }

    void drop(long address, int bits, long space) {
        read.drop(address, bits, space);
        write.drop(address, bits, space);
        deviceRead.drop(address, bits, space);
        deviceWrite.drop(address, bits, space);
        code.drop(address, bits, space);
    }

    void dropSpace(long space) {
        read.dropSpace(space);
        write.dropSpace(space);
        deviceRead.dropSpace(space);
        deviceWrite.dropSpace(space);
        code.dropSpace(space);
    }
}
