package org.backplane.kvm;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.backplane.device.state.SavedState;
import org.backplane.hypervisor.HypervisorException;
import org.backplane.testkit.GoldenState;
import org.junit.jupiter.api.Test;

/** How a VM is written down, and what readers make of states that were not. */
class VmRecordTest {
    private static final String GOLDEN = "kvm-x86-vm-v1.properties";

    private static byte[] bytes(int length, int seed) {
        byte[] bytes = new byte[length];
        for (int i = 0; i < length; i++) {
            bytes[i] = (byte) (i % 251 * seed);
        }
        return bytes;
    }

    private static VcpuRecord processor(int seed) {
        long[] registers = new long[18];
        for (int i = 0; i < registers.length; i++) {
            registers[i] = (0x1111L * seed << 32) + i;
        }
        return new VcpuRecord(
                registers,
                bytes(KvmAbi.SREGS_BYTES, 3 * seed),
                bytes(KvmAbi.XSAVE_BYTES, 5 * seed),
                seed == 1 ? new byte[0] : bytes(KvmAbi.XCRS_BYTES, 7),
                new long[] {0xc000_0080L, 0x500, 0x6e0, -1L * seed},
                bytes(KvmAbi.LAPIC_BYTES, 11 * seed),
                bytes(KvmAbi.VCPU_EVENTS_BYTES, 13),
                bytes(KvmAbi.DEBUGREGS_BYTES, 17),
                seed,
                0x1234_5678_9abcL * seed,
                seed == 2,
                List.of(
                        new Access(true, 0x3f8, 1, 'x'),
                        new Access(false, 0xd000_0ffdL, 8, -1L * seed)),
                new RunPage.Answered(0x1f0, bytes(6, 19)));
    }

    private static VmRecord record() {
        ChipsetRecord chipset =
                new ChipsetRecord(
                        bytes(KvmAbi.PIC_BYTES, 1),
                        bytes(KvmAbi.PIC_BYTES, 2),
                        bytes(KvmAbi.IOAPIC_BYTES, 3),
                        bytes(KvmAbi.PIT_BYTES, 4));
        return new VmRecord(987_654_321L, chipset, List.of(processor(1), processor(2)));
    }

    private static SavedState golden() {
        return GoldenState.read(VmRecordTest.class, GOLDEN);
    }

    @Test
    void savesVersionOne() {
        GoldenState.requireSame(VmRecordTest.class, GOLDEN, record().state());
    }

    @Test
    void readsVersionOne() throws Exception {
        VmRecord read = VmRecord.read(golden(), 2);
        assertEquals(987_654_321L, read.guestTime());
        assertArrayEquals(bytes(KvmAbi.IOAPIC_BYTES, 3), read.chipset().ioApic());
        assertArrayEquals(bytes(KvmAbi.PIT_BYTES, 4), read.chipset().timer());
        VcpuRecord ours = processor(2);
        VcpuRecord theirs = read.processors().get(1);
        assertArrayEquals(ours.registers(), theirs.registers());
        assertArrayEquals(ours.msrs(), theirs.msrs());
        assertArrayEquals(ours.xcrs(), theirs.xcrs());
        assertArrayEquals(ours.lapic(), theirs.lapic());
        assertEquals(ours.owed(), theirs.owed());
        assertEquals(ours.answered().port(), theirs.answered().port());
        assertArrayEquals(ours.answered().elements(), theirs.answered().elements());
        assertEquals(ours.tsc(), theirs.tsc());
        assertTrue(theirs.shutDown());
        assertEquals(golden(), read.state());
    }

    private static SavedState.Builder copy(SavedState state) {
        return SavedVmTest.copy(state);
    }

    private static void assertRefused(SavedState.Builder state, String... parts) {
        String sentence =
                assertThrows(HypervisorException.class, () -> VmRecord.read(state.build(), 2))
                        .getMessage();
        for (String part : parts) {
            assertTrue(sentence.contains(part), sentence);
        }
    }

    private static SavedState.Builder withProcessor(SavedState.Builder processor) {
        return copy(golden()).child("processor1", processor.build());
    }

    private static SavedState.Builder processor() {
        return copy(golden().child("processor1"));
    }

    @Test
    void refusesWhatIsNewerOrMissing() {
        SavedState state = golden();
        SavedState.Builder newer = SavedState.of(state.schema(), 2);
        assertRefused(newer, "version is 2", "reads 1 to 1");
        assertRefused(SavedState.of("kvm-x86-vm", 1), "the VM", "no 'processor0'");
        assertRefused(copy(state).number("guestTime", -1), "guest time");
        assertRefused(copy(state).number("processors", 3), "processors is 3");
    }

    @Test
    void refusesStructuresOfAnotherLength() {
        assertRefused(withProcessor(processor().bytes("sregs", new byte[5])), "sregs", "5 bytes");
        assertRefused(withProcessor(processor().bytes("xsave", new byte[1 << 17])), "xsave");
        assertRefused(withProcessor(processor().bytes("msrs", new byte[24])), "msrs");
        assertRefused(withProcessor(processor().number("mpState", 9)), "mpState is 9");
    }

    @Test
    void refusesStoresThatCannotBe() {
        byte[] store = new byte[24];
        store[0] = 3;
        assertRefused(withProcessor(processor().bytes("owed", store)), "kind 0x3");
        store[0] = 8;
        store[1] = 1;
        assertRefused(withProcessor(processor().bytes("owed", store)), "I/O port");
        store[0] = 1;
        store[10] = 1;
        assertRefused(withProcessor(processor().bytes("owed", store)), "I/O port 0x10000");
    }

    @Test
    void ignoresWhatItDoesNotKnow() throws Exception {
        SavedState more = copy(golden()).number("later", 1).bytes("more", new byte[3]).build();
        assertEquals(golden(), VmRecord.read(more, 2).state());
    }
}
