package org.backplane.hart;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Sv39 against the rules of section 4.3, and its buffers. */
class TranslationTest {
    private static final long VIRTUAL = 0x12_3456_7000L;
    private static final long PHYSICAL = Rig.RAM + 0x5000;
    private static final int OK = 0;

    private Rig rig;
    private Trap trap;
    private Mmu mmu;

    @BeforeEach
    void setUp() throws Exception {
        rig = new Rig();
        trap = new Trap();
        mmu = new Mmu(rig.vm.memory(), rig.vm.code(), trap);
    }

    @AfterEach
    void tearDown() {
        rig.close();
    }

    /** The cause of the trap, or OK. */
    private int attempt(long address, int access) {
        try {
            if (access == Mmu.FETCH) {
                mmu.code(address);
            } else {
                mmu.host(address, access);
            }
            return OK;
        } catch (Trap raised) {
            assertEquals(address, raised.value(), "stval");
            return raised.cause();
        }
    }

    /** What the specification says of a leaf, written down apart from the code under test. */
    private static boolean permitted(
            long flags, boolean user, boolean sum, boolean mxr, int access) {
        boolean v = (flags & 1) != 0;
        boolean r = (flags & 2) != 0;
        boolean w = (flags & 4) != 0;
        boolean x = (flags & 8) != 0;
        boolean u = (flags & 16) != 0;
        if (!v || !r && w || !r && !x) {
            return false;
        }
        if (user != u && !(u && sum && access != Mmu.FETCH)) {
            return false;
        }
        return access == Mmu.FETCH ? x : access == Mmu.LOAD ? r || mxr && x : w;
    }

    @Test
    void permitsExactlyWhatThePageTableEntrySays() {
        int[] faults = {Trap.FETCH_PAGE_FAULT, Trap.LOAD_PAGE_FAULT, Trap.STORE_PAGE_FAULT};
        List<String> wrong = new ArrayList<>();
        mmu.satp(Rig.satp(0));
        for (int bits = 0; bits < 256; bits++) {
            rig.map(VIRTUAL, PHYSICAL, bits & 31);
            for (int access = 0; access < 3; access++) {
                boolean user = (bits & 32) != 0;
                boolean sum = (bits & 64) != 0;
                boolean mxr = (bits & 128) != 0;
                mmu.clear();
                mmu.context(user, sum, mxr);
                int expected = permitted(bits & 31, user, sum, mxr, access) ? OK : faults[access];
                rig.map(VIRTUAL, PHYSICAL, bits & 31);
                int first = attempt(VIRTUAL, access);
                int second = attempt(VIRTUAL, access);
                if (first != expected || second != expected) {
                    wrong.add("bits " + bits + " access " + access + ": " + first + ", " + second);
                }
            }
        }
        assertEquals(List.of(), wrong);
    }

    @Test
    void aBufferedTranslationServesNoOtherContext() {
        mmu.satp(Rig.satp(0));
        rig.map(VIRTUAL, PHYSICAL, 0xdf);
        mmu.context(true, false, false);
        assertEquals(OK, attempt(VIRTUAL, Mmu.LOAD));
        mmu.context(false, false, false);
        assertEquals(Trap.LOAD_PAGE_FAULT, attempt(VIRTUAL, Mmu.LOAD));
        mmu.context(false, true, false);
        assertEquals(OK, attempt(VIRTUAL, Mmu.LOAD));
        mmu.context(false, false, false);
        assertEquals(Trap.LOAD_PAGE_FAULT, attempt(VIRTUAL, Mmu.LOAD));
    }

    @Test
    void executableCountsAsReadableOnlyWhileMxrIsSet() {
        mmu.satp(Rig.satp(0));
        rig.map(VIRTUAL, PHYSICAL, Sv39.VALID | Sv39.EXECUTE);
        mmu.context(false, false, true);
        assertEquals(OK, attempt(VIRTUAL, Mmu.LOAD));
        mmu.context(false, false, false);
        assertEquals(Trap.LOAD_PAGE_FAULT, attempt(VIRTUAL, Mmu.LOAD));
    }

    @Test
    void loadsSetAccessedAndStoresSetDirty() {
        mmu.satp(Rig.satp(0));
        long flags = Sv39.VALID | Sv39.READ | Sv39.WRITE;
        rig.map(VIRTUAL, PHYSICAL, flags);
        long entry = rig.entry(VIRTUAL, 0);
        attempt(VIRTUAL, Mmu.LOAD);
        assertEquals(PHYSICAL >>> 2 | flags | Sv39.ACCESSED, rig.get(entry));
        attempt(VIRTUAL, Mmu.STORE);
        assertEquals(PHYSICAL >>> 2 | flags | Sv39.ACCESSED | Sv39.DIRTY, rig.get(entry));
    }

    @Test
    void aFaultSetsNeitherAccessedNorDirty() {
        mmu.satp(Rig.satp(0));
        rig.map(VIRTUAL, PHYSICAL, Sv39.VALID | Sv39.READ);
        long before = rig.get(rig.entry(VIRTUAL, 0));
        assertEquals(Trap.STORE_PAGE_FAULT, attempt(VIRTUAL, Mmu.STORE));
        assertEquals(before, rig.get(rig.entry(VIRTUAL, 0)));
    }

    @Test
    void translatesPagesOfEverySize() {
        mmu.satp(Rig.satp(0));
        rig.map(VIRTUAL, PHYSICAL, 0xc7);
        rig.map(0x20_0000_0000L, Rig.RAM, 0xc7, 1);
        rig.map(0x30_0000_0000L, Rig.RAM, 0xc7, 2);
        long ram = rig.memory.layout().ranges().get(0).hostAddress();
        assertEquals(ram + 0x5123, mmu.host(VIRTUAL + 0x123, Mmu.LOAD));
        assertEquals(ram + 0x12345, mmu.host(0x20_0001_2345L, Mmu.LOAD));
        assertEquals(ram + 0x654321, mmu.host(0x30_0065_4321L, Mmu.LOAD));
    }

    @Test
    void refusesSuperpagesThatAreNotAligned() {
        mmu.satp(Rig.satp(0));
        rig.map(0x20_0000_0000L, Rig.RAM + 0x1000, 0xc7, 1);
        assertEquals(Trap.LOAD_PAGE_FAULT, attempt(0x20_0000_0000L, Mmu.LOAD));
    }

    @Test
    void refusesReservedBitsAndPointersWithLeafFlags() {
        mmu.satp(Rig.satp(0));
        rig.map(VIRTUAL, PHYSICAL, 0xc7);
        rig.put(rig.entry(VIRTUAL, 0), rig.get(rig.entry(VIRTUAL, 0)) | 1L << 62);
        assertEquals(Trap.LOAD_PAGE_FAULT, attempt(VIRTUAL, Mmu.LOAD));
        rig.map(VIRTUAL, PHYSICAL, 0xc7);
        assertEquals(OK, attempt(VIRTUAL, Mmu.LOAD));
        mmu.clear();
        long pointer = rig.entry(VIRTUAL, 1);
        rig.put(pointer, rig.get(pointer) | Sv39.USER);
        assertEquals(Trap.LOAD_PAGE_FAULT, attempt(VIRTUAL, Mmu.LOAD));
    }

    @Test
    void refusesAddressesThatAreNotSignExtended() {
        mmu.satp(Rig.satp(0));
        rig.map(VIRTUAL, PHYSICAL, 0xcf);
        for (int access = 0; access < 3; access++) {
            assertEquals(OK, attempt(VIRTUAL, access));
            int fault = attempt(VIRTUAL | 1L << 45, access);
            assertEquals(Trap.FETCH_PAGE_FAULT + (access == 0 ? 0 : access == 1 ? 1 : 3), fault);
        }
    }

    @Test
    void tablesOutsideOfMemoryAreAccessFaults() {
        mmu.satp((long) Sv39.MODE_SV39 << 60 | 0x1000);
        assertEquals(Trap.LOAD_ACCESS_FAULT, attempt(VIRTUAL, Mmu.LOAD));
        assertEquals(Trap.STORE_ACCESS_FAULT, attempt(VIRTUAL, Mmu.STORE));
        assertEquals(Trap.FETCH_ACCESS_FAULT, attempt(VIRTUAL, Mmu.FETCH));
    }

    @Test
    void satpIgnoresModesThatDoNotExist() {
        mmu.satp(Rig.satp(7));
        long before = mmu.satp();
        mmu.satp(9L << 60 | 5);
        assertEquals(before, mmu.satp());
        mmu.satp(10L << 60 | 5);
        assertEquals(before, mmu.satp());
    }

    @Test
    void satpHasAddressSpacesOfEightBits() {
        mmu.satp(Rig.satp(0xffff));
        assertEquals(Rig.satp(0xff), mmu.satp());
    }

    @Test
    void anAddressSpaceDoesNotSeeAnothersTranslation() {
        long ram = rig.memory.layout().ranges().get(0).hostAddress();
        mmu.context(true, false, false);
        mmu.satp(Rig.satp(1));
        rig.map(VIRTUAL, PHYSICAL, 0xd7);
        assertEquals(ram + 0x5000, mmu.host(VIRTUAL, Mmu.LOAD));
        mmu.satp(Rig.satp(2));
        rig.map(VIRTUAL, PHYSICAL + 0x1000, 0xd7);
        assertEquals(ram + 0x6000, mmu.host(VIRTUAL, Mmu.LOAD));
    }

    @Test
    void anAddressSpaceKeepsItsTranslationsWhileAnotherIsInUse() {
        long ram = rig.memory.layout().ranges().get(0).hostAddress();
        mmu.context(true, false, false);
        mmu.satp(Rig.satp(1));
        rig.map(VIRTUAL, PHYSICAL, 0xd7);
        mmu.host(VIRTUAL, Mmu.LOAD);
        mmu.satp(Rig.satp(2));
        rig.map(VIRTUAL, PHYSICAL + 0x1000, 0xd7);
        mmu.satp(Rig.satp(1));
        assertEquals(ram + 0x5000, mmu.host(VIRTUAL, Mmu.LOAD));
        mmu.dropSpace(1);
        assertEquals(ram + 0x6000, mmu.host(VIRTUAL, Mmu.LOAD));
    }

    @Test
    void aFenceOfOneSpaceLeavesOthers() {
        long ram = rig.memory.layout().ranges().get(0).hostAddress();
        mmu.context(true, false, false);
        mmu.satp(Rig.satp(1));
        rig.map(VIRTUAL, PHYSICAL, 0xd7);
        mmu.host(VIRTUAL, Mmu.LOAD);
        rig.map(VIRTUAL, PHYSICAL + 0x1000, 0xd7);
        mmu.dropSpace(2);
        mmu.drop(VIRTUAL, 2);
        assertEquals(ram + 0x5000, mmu.host(VIRTUAL, Mmu.LOAD));
        mmu.drop(VIRTUAL, 1);
        assertEquals(ram + 0x6000, mmu.host(VIRTUAL, Mmu.LOAD));
    }

    @Test
    void supervisorPagesThatAreNotGlobalBelongToTheirSpace() {
        long ram = rig.memory.layout().ranges().get(0).hostAddress();
        mmu.satp(Rig.satp(1));
        rig.map(VIRTUAL, PHYSICAL, 0xc7);
        assertEquals(ram + 0x5000, mmu.host(VIRTUAL, Mmu.LOAD));
        rig.map(VIRTUAL, PHYSICAL + 0x1000, 0xc7);
        mmu.satp(Rig.satp(2));
        assertEquals(ram + 0x6000, mmu.host(VIRTUAL, Mmu.LOAD));
    }

    @Test
    void globalPagesSurviveAChangeOfAddressSpace() {
        long ram = rig.memory.layout().ranges().get(0).hostAddress();
        mmu.satp(Rig.satp(1));
        rig.map(VIRTUAL, PHYSICAL, 0xe7);
        assertEquals(ram + 0x5000, mmu.host(VIRTUAL, Mmu.LOAD));
        rig.map(VIRTUAL, PHYSICAL + 0x1000, 0xe7);
        mmu.satp(Rig.satp(2));
        assertEquals(ram + 0x5000, mmu.host(VIRTUAL, Mmu.LOAD));
        mmu.drop(VIRTUAL, Fence.ANY_SPACE);
        assertEquals(ram + 0x6000, mmu.host(VIRTUAL, Mmu.LOAD));
    }

    @Test
    void aFenceOfAnyAddressInASuperpageDropsAllOfIt() {
        long ram = rig.memory.layout().ranges().get(0).hostAddress();
        mmu.satp(Rig.satp(0));
        long virtual = 0x20_0000_0000L;
        rig.map(virtual, Rig.RAM, 0xc7, 1);
        assertEquals(ram + 0x3000, mmu.host(virtual + 0x3000, Mmu.LOAD));
        rig.map(virtual, Rig.RAM + 0x20_0000, 0xc7, 1);
        mmu.drop(virtual + 0x10_0000, Fence.ANY_SPACE);
        assertEquals(ram + 0x20_3000, mmu.host(virtual + 0x3000, Mmu.LOAD));
    }

    @Test
    void pagesThatAreNoMemoryAreDevices() {
        mmu.satp(Rig.satp(0));
        rig.map(VIRTUAL, Rig.DEVICE & ~0xfffL, 0xc7);
        for (int i = 0; i < 2; i++) {
            assertEquals(0, mmu.host(VIRTUAL + 8, Mmu.STORE));
            assertEquals(Rig.DEVICE + 8, mmu.device(VIRTUAL + 8, Mmu.STORE));
        }
    }
}
