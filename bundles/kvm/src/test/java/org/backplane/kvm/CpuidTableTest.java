package org.backplane.kvm;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.HashSet;
import java.util.List;
import java.util.Set;
import net.jqwik.api.Example;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;

class CpuidTableTest {
    private static final List<CpuidEntry> SUPPORTED =
            List.of(
                    new CpuidEntry(0, 0, 0, 0x1f, 1, 2, 3),
                    new CpuidEntry(1, 0, 0, 0x806f8, 0x00ff_0800, 1 << 21, 0x178b_fbff),
                    new CpuidEntry(4, 0, 1, 0x7c00_4121, 5, 6, 7),
                    new CpuidEntry(4, 3, 1, 0x7c0f_c163, 5, 6, 7),
                    new CpuidEntry(4, 4, 1, 0, 0, 0, 0),
                    new CpuidEntry(0xb, 0, 1, 1, 2, 0x100, 9),
                    new CpuidEntry(0xb, 1, 1, 6, 64, 0x201, 9),
                    new CpuidEntry(0x1f, 0, 1, 1, 2, 0x100, 9),
                    new CpuidEntry(0x4000_0000, 0, 0, 0x4000_0001, 0x4b4d_564b, 0x564b_4d56, 0x4d),
                    new CpuidEntry(0x8000_0007, 0, 0, 0, 3, 0, 0x799),
                    new CpuidEntry(0x8000_0008, 0, 0, 0x3030, 0, 0x703f, 0),
                    new CpuidEntry(0x8000_001e, 0, 0, 9, 0x109, 0x300, 0));

    private static CpuidEntry leaf(List<CpuidEntry> table, int function, int index) {
        return table.stream()
                .filter(entry -> entry.function() == function && entry.index() == index)
                .findFirst()
                .orElseThrow();
    }

    private static List<CpuidEntry> table(int processors, int processor) {
        return new CpuidTable(SUPPORTED, processors, true).of(processor);
    }

    /** What an operating system makes of the shifts: one package, and each its own core. */
    @Property
    void everyProcessorIsACoreOfItsOwnInOnePackage(
            @ForAll @IntRange(min = 1, max = 255) int count) {
        Set<Integer> cores = new HashSet<>();
        for (int i = 0; i < count; i++) {
            List<CpuidEntry> table = table(count, i);
            CpuidEntry threads = leaf(table, 0xb, 0);
            CpuidEntry package_ = leaf(table, 0xb, 1);
            int identity = package_.edx();
            assertEquals(i, identity);
            assertEquals(i, leaf(table, 1, 0).ebx() >>> 24);
            assertEquals(1, threads.ebx());
            assertEquals(count, package_.ebx());
            assertEquals(0, identity >>> package_.eax(), "the package's number");
            cores.add(identity >>> threads.eax());
            assertEquals(2, leaf(table, 0xb, 2).ecx());
        }
        assertEquals(count, cores.size());
    }

    @Example
    void saysThatItIsAGuestOfKvm() {
        List<CpuidEntry> table = table(2, 1);
        assertEquals(1, leaf(table, 1, 0).ecx() >>> 31);
        assertEquals(0x4b4d_564b, leaf(table, 0x4000_0000, 0).ebx());
    }

    @Example
    void deadlineTimerComesFromItsCapability() {
        assertEquals(1 << 24, leaf(table(1, 0), 1, 0).ecx() & 1 << 24);
        List<CpuidEntry> without = new CpuidTable(SUPPORTED, 1, false).of(0);
        assertEquals(0, leaf(without, 1, 0).ecx() & 1 << 24);
    }

    @Example
    void promisesNothingOfTheTimeStampCounterOnOtherHosts() {
        assertEquals(0x699, leaf(table(1, 0), 0x8000_0007, 0).edx());
    }

    @Example
    void lastLevelCacheIsSharedByAllAndTheFirstByNone() {
        List<CpuidEntry> table = table(5, 2);
        assertEquals(0, leaf(table, 4, 0).eax() >>> 14 & 0xfff);
        assertEquals(7, leaf(table, 4, 3).eax() >>> 14 & 0xfff);
        assertEquals(7, leaf(table, 4, 3).eax() >>> 26);
        assertEquals(0x163, leaf(table, 4, 3).eax() & 0x3ff);
        assertEquals(0, leaf(table, 4, 4).eax());
    }

    @Example
    void secondVersionOfTheTopologyIsLeftOut() {
        assertEquals(0, table(4, 0).stream().filter(e -> e.function() == 0x1f).count());
    }

    @Example
    void amdLeavesSayTheSame() {
        List<CpuidEntry> table = table(5, 3);
        assertEquals(0x3004, leaf(table, 0x8000_0008, 0).ecx());
        assertEquals(3, leaf(table, 0x8000_001e, 0).eax());
        assertEquals(3, leaf(table, 0x8000_001e, 0).ebx());
    }

    private static int bits(int sizes) {
        CpuidEntry leaf = new CpuidEntry(0x8000_0008, 0, 0, sizes, 0, 0, 0);
        return CpuidTable.physicalAddressBits(List.of(leaf));
    }

    @Example
    void addressesAreAsWideAsTheyAreToldAndMapped() {
        assertEquals(39, bits(0x3027));
        assertEquals(48, bits(0x30_3034), "52 told, the second stage maps 48");
        assertEquals(40, bits(0x30_3028), "40 told, the second stage could map 48");
        assertEquals(36, CpuidTable.physicalAddressBits(List.of()));
    }
}
