package org.backplane.hart;

import org.backplane.memory.OffHeap;

/**
 * A hart's address translation: Sv39 or none, and what was translated lately. Belongs to the hart's
 * thread.
 *
 * <p>Buffers are kept by context: U, S, and S with SUM, in which alone S-mode reaches user pages.
 * The S context is not tagged with address spaces, as a kernel's pages are global: entries that are
 * not make the context be dropped when the address space changes.
 */
final class Mmu {
    static final int FETCH = 0;
    static final int LOAD = 1;
    static final int STORE = 2;

    private static final int CODE_ENTRIES = 512;
    private static final int[] ACCESS_FAULTS = {
        Trap.FETCH_ACCESS_FAULT, Trap.LOAD_ACCESS_FAULT, Trap.STORE_ACCESS_FAULT
    };
    private static final int[] PAGE_FAULTS = {
        Trap.FETCH_PAGE_FAULT, Trap.LOAD_PAGE_FAULT, Trap.STORE_PAGE_FAULT
    };

    private final PhysicalMemory memory;
    private final CodeCache cache;
    private final Trap trap;

    private final AddressSpace user = new AddressSpace(new CodeTlb(CODE_ENTRIES));
    private final AddressSpace supervisor = new AddressSpace(new CodeTlb(CODE_ENTRIES));
    private final AddressSpace supervisorOfUser = new AddressSpace(supervisor.code);

    /** Where superpages were taken apart: dropping a page there takes a whole search. */
    private final SuperpageFilter superpages = new SuperpageFilter();

    private AddressSpace current = supervisor;
    private boolean translating;
    private boolean userMode;
    private boolean userAccess;
    private boolean executableReadable;
    private boolean supervisorHasLocal;
    private long root;
    private long asidTag;
    private long dataTag;
    private long codeTag;
    private long satp;

    /** Of the last walk. */
    private long leaf;

    private int leafBits;

    Mmu(PhysicalMemory memory, CodeCache cache, Trap trap) {
        this.memory = memory;
        this.cache = cache;
        this.trap = trap;
    }

    /** The buffers of the current context. */
    AddressSpace space() {
        return current;
    }

    /** The current address space as in the tags of data buffers of the current context. */
    long dataTag() {
        return dataTag;
    }

    /** The same for code, which S-mode fetches from its own pages only, with or without SUM. */
    long codeTag() {
        return codeTag;
    }

    /** Privilege and sstatus changed. */
    void context(boolean nowUser, boolean sum, boolean mxr) {
        if (mxr != executableReadable) {
            executableReadable = mxr;
            user.clearData();
            supervisor.clearData();
            supervisorOfUser.clearData();
        }
        userMode = nowUser;
        userAccess = sum;
        current = nowUser ? user : sum && translating ? supervisorOfUser : supervisor;
        dataTag = current == supervisor ? 0 : asidTag;
        codeTag = nowUser ? asidTag : 0;
    }

    long satp() {
        return satp;
    }

    private static boolean offers(int mode) {
        return mode == Sv39.MODE_BARE || mode == Sv39.MODE_SV39;
    }

    /** Whether satp can have a value. */
    static boolean holds(long satp) {
        return offers(Sv39.mode(satp)) && Sv39.asid(satp) >>> Tlb.SPACE_BITS == 0;
    }

    /** Writes satp; a mode other than Bare and Sv39 leaves all of it as it was (section 4.1.11). */
    void satp(long value) {
        int mode = Sv39.mode(value);
        if (!offers(mode)) {
            return;
        }
        int asid = Sv39.asid(value) & (1 << Tlb.SPACE_BITS) - 1;
        boolean newMode = translating != (mode == Sv39.MODE_SV39);
        translating = mode == Sv39.MODE_SV39;
        root = Sv39.root(value);
        long tag = (long) asid << Tlb.SPACE_SHIFT;
        satp = (long) mode << 60 | (long) asid << 44 | root >>> Tlb.PAGE_BITS;
        if (newMode) {
            clear();
        } else if (tag != asidTag && supervisorHasLocal) {
            clearSupervisor();
        }
        asidTag = tag;
        context(userMode, userAccess, executableReadable);
    }

    private void clearSupervisor() {
        supervisor.clear();
        supervisorHasLocal = false;
    }

    /** Drops every translation. */
    void clear() {
        user.clear();
        clearSupervisor();
        supervisorOfUser.clear();
        superpages.clear();
    }

    /** Drops the translations of code: what is entered next is compared with memory again. */
    void clearCode() {
        user.code.clear();
        supervisor.code.clear();
    }

    /** SFENCE.VMA of one page; asid -1 is any. */
    void drop(long address, int asid) {
        int bits = superpages.bits(address);
        long space = asid < 0 ? -1 : spaceTag(asid);
        user.drop(address, bits, space);
        supervisorOfUser.drop(address, bits, space);
        // Untagged: its global entries, too, which costs no more than a walk.
        supervisor.drop(address, bits, -1);
    }

    /** SFENCE.VMA of an address space. */
    void dropSpace(int asid) {
        long space = spaceTag(asid);
        user.dropSpace(space);
        supervisorOfUser.dropSpace(space);
        if (supervisorHasLocal) {
            clearSupervisor();
        }
    }

    private static long spaceTag(int asid) {
        return (long) (asid & (1 << Tlb.SPACE_BITS) - 1) << Tlb.SPACE_SHIFT;
    }

    /** As {@link #code}, for a page that may be in the buffer. */
    CodePage bufferedCode(long address) {
        CodePage page = current.code.find(address, codeTag());
        return page != null ? page : code(address);
    }

    /**
     * The decoded page for a virtual address; fills the code buffer.
     *
     * @throws Trap it cannot be fetched from
     */
    CodePage code(long address) {
        long physical = translate(address, FETCH) & ~Tlb.PAGE_MASK;
        long host = memory.map().main(physical);
        if (host == 0) {
            throw trap.of(Trap.FETCH_ACCESS_FAULT, address);
        }
        CodePage page = cache.page(physical, host);
        current.code.fill(address, codeTag(), page);
        note(address);
        return page;
    }

    /**
     * Host address of a virtual address, in a page of memory; fills the buffer. The access stays in
     * the page.
     *
     * @return 0 where there is no memory: {@link #device} says what is
     * @throws Trap the access is not permitted
     */
    long host(long address, int access) {
        Tlb tlb = access == STORE ? current.write : current.read;
        int entry = tlb.find(address, dataTag());
        if (entry >= 0) {
            return address + tlb.deltas[entry];
        }
        Tlb device = access == STORE ? current.deviceWrite : current.deviceRead;
        if (device.find(address, dataTag()) >= 0) {
            return 0;
        }
        long physical = translate(address, access);
        PhysicalMap map = memory.map();
        long host = access == STORE ? map.write(physical) : map.read(physical);
        if (host == 0) {
            device.fill(address, dataTag(), physical - address);
        } else {
            tlb.fill(address, dataTag(), host - address);
        }
        note(address);
        return host;
    }

    /** Guest-physical address of a virtual address for which {@link #host} just returned 0. */
    long device(long address, int access) {
        Tlb device = access == STORE ? current.deviceWrite : current.deviceRead;
        return address + device.deltas[device.find(address, dataTag())];
    }

    Trap accessFault(long address, int access) {
        return trap.of(ACCESS_FAULTS[access], address);
    }

    /** Remembers what has to be known of a page whose translation was just put into a buffer. */
    private void note(long address) {
        if (!translating) {
            return;
        }
        if (leafBits != Tlb.PAGE_BITS) {
            superpages.add(address, leafBits);
        }
        if ((leaf & (Sv39.GLOBAL | Sv39.USER)) == 0) {
            supervisorHasLocal = true;
        }
    }

    private Trap pageFault(long address, int access) {
        return trap.of(PAGE_FAULTS[access], address);
    }

    /** Translates by the page tables (section 4.3.2), setting A and D. */
    private long translate(long address, int access) {
        if (!translating) {
            return address;
        }
        if (!Sv39.canonical(address)) {
            throw pageFault(address, access);
        }
        PhysicalMap map = memory.map();
        long table = root;
        boolean global = false;
        for (int level = Sv39.LEVELS - 1; level >= 0; level--) {
            long host = map.main(table + Sv39.offset(address, level));
            if (host == 0) {
                throw accessFault(address, access);
            }
            long entry = OffHeap.getLongVolatile(host);
            if (!Sv39.wellFormed(entry)) {
                throw pageFault(address, access);
            }
            global |= (entry & Sv39.GLOBAL) != 0;
            if (Sv39.leaf(entry)) {
                leafBits = Sv39.pageBits(level);
                entry = touch(map, table, host, entry, level, address, access);
                leaf = global ? entry | Sv39.GLOBAL : entry;
                long offset = (1L << leafBits) - 1;
                return Sv39.target(entry) | address & offset;
            }
            table = Sv39.target(entry);
        }
        throw pageFault(address, access);
    }

    /** Checks a leaf and sets its A and D, by compare-and-set: others write page tables, too. */
    private long touch(
            PhysicalMap map,
            long table,
            long host,
            long first,
            int level,
            long address,
            int access) {
        long entry = first;
        for (; ; ) {
            if (!permits(entry, access)
                    || (Sv39.target(entry) & (1L << Sv39.pageBits(level)) - 1) != 0) {
                throw pageFault(address, access);
            }
            long touched = entry | Sv39.ACCESSED | (access == STORE ? Sv39.DIRTY : 0);
            if (touched == entry) {
                return entry;
            }
            if (map.write(table) == 0) {
                throw accessFault(address, access);
            }
            if (OffHeap.compareAndSetLong(host, entry, touched)) {
                return touched;
            }
            entry = OffHeap.getLongVolatile(host);
            if (!Sv39.wellFormed(entry) || !Sv39.leaf(entry)) {
                throw pageFault(address, access);
            }
        }
    }

    private boolean permits(long entry, int access) {
        if ((entry & Sv39.USER) != 0) {
            if (!userMode && (access == FETCH || !userAccess)) {
                return false;
            }
        } else if (userMode) {
            return false;
        }
        switch (access) {
            case FETCH:
                return (entry & Sv39.EXECUTE) != 0;
            case LOAD:
                return (entry & Sv39.READ) != 0
                        || executableReadable && (entry & Sv39.EXECUTE) != 0;
            default:
                return (entry & Sv39.WRITE) != 0;
        }
    }
}
