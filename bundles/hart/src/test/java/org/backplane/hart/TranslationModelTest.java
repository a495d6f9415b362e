package org.backplane.hart;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import net.jqwik.api.EdgeCasesMode;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.ShrinkingMode;
import org.backplane.memory.Access;

/**
 * Drawn page tables of several address spaces, changed with the least fence that the specification
 * asks for each change (privileged architecture 1.12, section 4.2.1): whatever the buffers hold, an
 * access has to end as a walk of the tables as they are now.
 */
class TranslationModelTest {
    private static final int SPACES = 3;
    private static final int STEPS = 400;
    private static final int LOCAL = 1;
    private static final int GLOBAL = 511;
    private static final long[] PAGES = {0, 1, 2, 511};
    private static final long DEVICES = 0x1000_0000L;

    /** The tables of one space, or those that all share for the global region. */
    private record Tables(long root, long middle, long[] leaves) {}

    private final List<String> history = new ArrayList<>();
    private final Trap trap = new Trap();
    private Random random;
    private Rig rig;
    private Mmu mmu;
    private Tables[] spaces;
    private Tables shared;
    private int current;
    private boolean user;
    private boolean sum;
    private boolean mxr;

    /** Whether this run is about large pages. */
    private boolean superpages;

    @Property(tries = 100, edgeCases = EdgeCasesMode.NONE, shrinking = ShrinkingMode.OFF)
    void accessesEndAsAWalkOfTheTablesWould(@ForAll long seed) throws Exception {
        random = new Random(seed);
        history.clear();
        try (Rig fresh = new Rig()) {
            rig = fresh;
            mmu = new Mmu(rig.vm.memory(), rig.vm.code(), trap);
            build();
            for (int step = 0; step < STEPS; step++) {
                switch (random.nextInt(8)) {
                    case 0:
                        changePage();
                        break;
                    case 1:
                        if (superpages || random.nextInt(4) == 0) {
                            changeUpper();
                        }
                        break;
                    case 2:
                        if (random.nextInt(2) == 0) {
                            enter(random.nextInt(SPACES));
                        } else {
                            privilege();
                        }
                        break;
                    default:
                        access();
                        break;
                }
            }
        }
    }

    private void build() {
        long next = Rig.TABLES;
        spaces = new Tables[SPACES];
        shared = new Tables(0, next, new long[] {next + 0x1000, next + 0x2000});
        next += 0x3000;
        for (int i = 0; i < SPACES; i++) {
            long middle = next + 0x1000;
            spaces[i] = new Tables(next, middle, new long[] {middle + 0x1000, middle + 0x2000});
            next += 0x4000;
            put(spaces[i].root, LOCAL, pointer(middle));
            put(spaces[i].root, GLOBAL, pointer(shared.middle));
        }
        for (int big = 0; big < 2; big++) {
            put(shared.middle, big, pointer(shared.leaves[big]));
            for (Tables tables : spaces) {
                put(tables.middle, big, pointer(tables.leaves[big]));
            }
        }
        superpages = random.nextBoolean();
        user = false;
        sum = false;
        mxr = false;
        mmu.context(false, false, false);
        enter(0);
    }

    private static long pointer(long table) {
        return table >>> 2 | Sv39.VALID;
    }

    private void put(long table, int index, long entry) {
        rig.put(table + (long) index * Sv39.ENTRY_BYTES, entry);
    }

    private long get(long table, int index) {
        return rig.get(table + (long) index * Sv39.ENTRY_BYTES);
    }

    private static long address(boolean global, int big, long page) {
        long top = global ? -1L << 30 : (long) LOCAL << 30;
        return top + ((long) big << 21) + (page << 12);
    }

    private void enter(int space) {
        current = space;
        history.add("satp " + space);
        long root = spaces[space].root >>> Tlb.PAGE_BITS;
        mmu.satp((long) Sv39.MODE_SV39 << 60 | (long) (space + 1) << 44 | root);
    }

    private void privilege() {
        user = random.nextBoolean();
        sum = random.nextBoolean();
        mxr = random.nextInt(4) == 0;
        history.add("user " + user + " sum " + sum + " mxr " + mxr);
        mmu.context(user, sum, mxr);
    }

    /** Any flags, those that permit something more often than not. */
    private long flags(boolean global) {
        long flags = random.nextInt(256) & ~Sv39.GLOBAL;
        if (random.nextInt(4) != 0) {
            flags |= Sv39.VALID | Sv39.READ;
        }
        if (random.nextInt(32) == 0) {
            flags |= 1L << (54 + random.nextInt(10));
        }
        return global ? flags | Sv39.GLOBAL : flags;
    }

    private long target(int bits) {
        long target = random.nextInt(16) == 0 ? DEVICES : Rig.RAM;
        return target + ((long) random.nextInt(1 << 11) << Tlb.PAGE_BITS) & -1L << bits;
    }

    private void changePage() {
        boolean global = random.nextInt(4) == 0;
        int space = random.nextInt(SPACES);
        Tables tables = global ? shared : spaces[space];
        int big = random.nextInt(2);
        long page = PAGES[random.nextInt(PAGES.length)];
        long entry = target(12) >>> 2 | flags(global);
        put(tables.leaves[big], (int) page, entry);
        history.add("page " + global + space + " " + big + "." + page + " = " + hex(entry));
        fenceOf(global, space, address(global, big, page));
    }

    /** A 2 MiB or 1 GiB entry becomes a leaf, a pointer or nothing. */
    private void changeUpper() {
        boolean global = random.nextInt(4) == 0;
        int space = random.nextInt(SPACES);
        Tables tables = global ? shared : spaces[space];
        boolean top = !global && random.nextInt(3) == 0;
        int index = top ? LOCAL : random.nextInt(2);
        long table = top ? tables.root : tables.middle;
        long down = top ? tables.middle : tables.leaves[index];
        long before = get(table, index);
        int kind = random.nextInt(8);
        int bits = random.nextInt(8) == 0 ? 12 : top ? 30 : 21;
        long leaf = target(bits) >>> 2 | flags(global);
        long entry = kind == 0 ? 0 : kind < (superpages ? 2 : 4) ? pointer(down) : leaf;
        put(table, index, entry);
        history.add("upper " + global + space + " " + top + index + " = " + hex(entry));
        boolean wasLeaf = (before & Sv39.VALID) == 0 || Sv39.leaf(before);
        if (wasLeaf && Sv39.leaf(entry)) {
            // Any address in the page will do.
            long inside = top ? random.nextInt(1 << 30) : random.nextInt(1 << 21);
            fenceOf(global, space, address(global, top ? 0 : index, 0) + inside);
        } else if (global || random.nextBoolean()) {
            history.add("fence all");
            mmu.clear();
        } else {
            history.add("fence space " + space);
            mmu.dropSpace(space + 1);
        }
    }

    private void fenceOf(boolean global, int space, long address) {
        int kind = random.nextInt(8);
        history.add("fence " + kind + " " + hex(address));
        if (kind == 0) {
            mmu.clear();
        } else if (global || kind < 4) {
            mmu.drop(address, Fence.ANY_SPACE);
        } else if (kind == 4) {
            mmu.dropSpace(space + 1);
        } else {
            mmu.drop(address, space + 1);
        }
    }

    private void access() {
        boolean global = random.nextInt(4) == 0;
        long offset = random.nextInt(512) * 8L;
        long address =
                address(global, random.nextInt(2), PAGES[random.nextInt(PAGES.length)]) + offset;
        int kind = random.nextInt(3);
        String expected = walk(address, kind);
        history.add("access " + kind + " " + hex(address) + " -> " + expected);
        assertEquals(expected, attempt(address, kind), () -> String.join("\n", history));
    }

    private String attempt(long address, int kind) {
        try {
            if (kind == Mmu.FETCH) {
                return hex(mmu.bufferedCode(address).address());
            }
            long host = mmu.host(address, kind);
            if (host == 0) {
                return "device " + hex(mmu.device(address, kind));
            }
            return "host " + hex(host);
        } catch (Trap thrown) {
            assertEquals(address, thrown.value());
            return "cause " + thrown.cause();
        }
    }

    /** Section 4.3.2, from the tables alone. */
    private String walk(long address, int kind) {
        String pageFault = "cause " + (kind == Mmu.FETCH ? 12 : kind == Mmu.LOAD ? 13 : 15);
        long table = spaces[current].root;
        for (int level = 2; level >= 0; level--) {
            int shift = 12 + 9 * level;
            if (!memory(table)) {
                return "cause " + (kind == Mmu.FETCH ? 1 : kind == Mmu.LOAD ? 5 : 7);
            }
            long entry = get(table, (int) (address >>> shift) & 511);
            boolean r = (entry & 2) != 0;
            boolean w = (entry & 4) != 0;
            boolean x = (entry & 8) != 0;
            if ((entry & 1) == 0 || w && !r || entry >>> 54 != 0) {
                return pageFault;
            }
            long physical = entry >>> 10 << 12;
            if (!r && !x) {
                if ((entry & 0xd0) != 0) {
                    return pageFault;
                }
                table = physical;
                continue;
            }
            boolean ofUser = (entry & 16) != 0;
            boolean reaches = ofUser ? user || sum && kind != Mmu.FETCH : !user;
            boolean permits = kind == Mmu.FETCH ? x : kind == Mmu.LOAD ? r || mxr && x : w;
            long inside = (1L << shift) - 1;
            if (!reaches || !permits || (physical & inside) != 0) {
                return pageFault;
            }
            return reached(physical | address & inside, kind);
        }
        return pageFault;
    }

    private static boolean memory(long physical) {
        return physical >= Rig.RAM && physical < Rig.RAM + Rig.SIZE;
    }

    private String reached(long physical, int kind) {
        boolean memory = memory(physical);
        if (kind == Mmu.FETCH) {
            return memory ? hex(physical & -4096) : "cause " + Trap.FETCH_ACCESS_FAULT;
        }
        long host = memory ? rig.memory.layout().translate(physical, 8, Access.READ) : 0;
        return memory ? "host " + hex(host) : "device " + hex(physical);
    }

    private static String hex(long value) {
        return Long.toHexString(value);
    }
}
