package org.backplane.hart;

import static org.backplane.hart.Program.A0;
import static org.backplane.hart.Program.S0;
import static org.backplane.hart.Program.T0;
import static org.backplane.hart.StateEdits.at;
import static org.backplane.hart.StateEdits.copy;
import static org.backplane.hart.StateEdits.with;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.BitSet;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import net.jqwik.api.Example;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import org.backplane.device.state.SavedState;
import org.backplane.hypervisor.HypervisorException;
import org.backplane.hypervisor.InterruptControllers.RiscvAia;
import org.backplane.hypervisor.VmSpec;
import org.backplane.memory.GuestMemory;
import org.backplane.testkit.GoldenState;

/** What a VM's state holds, and what restoring makes of states of every kind. */
class SavedVmTest {
    static final String GOLDEN = "hart-vm-v1.properties";
    private static final int SATP_SV39 = 8;
    private static final int SETIENUM = 0x1edc;
    private static final int SOURCECFG = 0x0004;
    private static final int TARGET = 0x3004;
    private static final int DOMAINCFG = 0x0000;
    private static final int LEVEL1 = 6;
    private static final int EDGE1 = 4;

    private static SavedState golden() {
        return GoldenState.read(SavedVmTest.class, GOLDEN);
    }

    /** Two harts after a program that leaves something everywhere; hart 1 is to start. */
    private static SavedState scripted() throws Exception {
        try (Rig rig = new Rig(2)) {
            Program p = new Program(Rig.RAM);
            p.csrli(Csrs.SSTATUS, Csrs.STATUS_FS | Csrs.STATUS_SPIE | Csrs.STATUS_SPP);
            p.csrli(Csrs.FCSR, 0x65).csrli(Csrs.STVEC, Rig.RAM + 0x401);
            p.csrli(Csrs.SSCRATCH, -3).csrli(Csrs.SEPC, Rig.RAM + 0x500);
            p.csrli(Csrs.SCAUSE, 13).csrli(Csrs.STVAL, 0x1234_5678_9abcL);
            p.csrli(Csrs.SCOUNTEREN, 5).csrli(Csrs.SENVCFG, 1);
            p.csrli(Csrs.SATP, (long) 3 << 44 | 0x8_0800);
            p.csrli(Csrs.STIMECMP, 0x7000_0000_0000L);
            p.csrli(Csrs.SIE, Interrupts.TIMER_BIT | Interrupts.EXTERNAL_BIT);
            p.csrli(Csrs.SIP, Interrupts.SOFTWARE_BIT);
            p.csrli(Csrs.SISELECT, 0x72).csrli(Csrs.SIREG, 90);
            p.csrli(Csrs.SISELECT, 0xc2).csrli(Csrs.SIREG, 0xf0f0L);
            p.csrli(Csrs.SISELECT, 0x84).csrli(Csrs.SIREG, 1L << 40);
            p.csrli(Csrs.SISELECT, 0x70).csrli(Csrs.SIREG, 1);
            for (int i = 1; i < 32; i++) {
                if (i != Program.T2) {
                    p.li(i, 0x0101_0101_0101_0101L * i);
                    p.emit(Rv64.r(Rv64.OP_FP, 0, 0x79, i, i, 0));
                }
            }
            rig.put(p.exit(A0));
            rig.run(0, Rig.RAM);
            Aplic aplic = rig.vm.aplic();
            aplic.write(DOMAINCFG, 4, 0x100);
            aplic.write(SOURCECFG + 4 * 4, 4, LEVEL1);
            aplic.write(TARGET + 4 * 4, 4, 1 << 18 | 33);
            aplic.write(SOURCECFG + 4 * 30, 4, EDGE1);
            aplic.write(TARGET + 4 * 30, 4, 7);
            aplic.write(SETIENUM, 4, 31);
            aplic.write(0x3000, 4, 60);
            rig.vm.setLine(5, true);
            rig.vm.setLine(31, true);
            rig.hart(1).enterAt(Rig.RAM + 0x600, 1, 0x8100_0000L);
            return with(rig.save(), "guestTime", 12_345_678);
        }
    }

    @Example
    void savesVersionOne() throws Exception {
        assertEquals(GoldenState.write(golden()), GoldenState.write(scripted()));
    }

    @Example
    void restoresVersionOne() throws Exception {
        try (Rig rig = new Rig(2)) {
            rig.vm.restore(golden());
            assertEquals(golden(), rig.vm.save());
            assertEquals(12_345_678, rig.vm.guestTime());
            assertEquals(0x65, rig.hart(0).csrs().save().fcsr());
            assertEquals(0x0505_0505_0505_0505L, rig.hart(0).registers().f[5]);
            rig.vm.signalMsi(Rig.IMSIC, 95);
            assertFalse(rig.hart(0).interrupts().file().pending(), "above the threshold");
            rig.vm.signalMsi(Rig.IMSIC, 70);
            assertTrue(rig.hart(0).interrupts().file().pending());
            // Hart 1 starts where it was to.
            Program p = new Program(Rig.RAM + 0x600).add(A0, A0, Program.A1).exit(A0);
            rig.put(p);
            rig.vm.startTime();
            assertEquals(0x8100_0001L, rig.resume(1));
        }
    }

    @Example
    void guestTimeStandsAtTheSavedValueAndGoesOnFromThere() throws Exception {
        try (Rig rig = new Rig(2)) {
            rig.vm.restore(golden());
            long saved = rig.vm.guestTime();
            assertEquals(saved, rig.vm.guestTime());
            long before = System.nanoTime();
            rig.vm.startTime();
            while (rig.vm.guestTime() == saved) {
                Thread.onSpinWait();
            }
            long passed = rig.vm.guestTime() - saved;
            assertTrue(passed > 0 && passed <= System.nanoTime() - before, "passed " + passed);
        }
    }

    @Example
    void refusesToSaveWhileGuestTimeRuns() throws Exception {
        try (Rig rig = new Rig()) {
            assertThrows(IllegalStateException.class, rig.vm::save);
        }
    }

    @Example
    void refusesToSaveOrRestoreWhileAProcessorRuns() throws Exception {
        try (Rig rig = new Rig(2)) {
            Program p = new Program(Rig.RAM).li(S0, Rig.RAM + 0x1000).label("spin");
            rig.put(p.load(8, A0, 0, S0).beq(A0, 0, "spin").exit(A0));
            rig.hart(0).enterAt(Rig.RAM);
            Rig.Runner runner = rig.start(0);
            while (rig.hart(0).mailbox().away()) {
                Thread.onSpinWait();
            }
            rig.vm.stopTime();
            assertThrows(IllegalStateException.class, rig.vm::save);
            assertThrows(IllegalStateException.class, () -> rig.vm.restore(golden()));
            rig.put(Rig.RAM + 0x1000, 1);
            runner.join();
            assertEquals(1, rig.result(0));
        }
    }

    /** A level that the board drives again is not a second edge. */
    @Example
    void wiresKeepTheirLevels() throws Exception {
        try (Rig rig = new Rig()) {
            rig.vm.aplic().write(SOURCECFG, 4, EDGE1);
            rig.vm.aplic().write(TARGET, 4, 9);
            rig.vm.aplic().write(SETIENUM, 4, 1);
            rig.vm.aplic().write(DOMAINCFG, 4, 0x100);
            rig.vm.setLine(1, true);
            InterruptFile file = rig.hart(0).interrupts().file();
            file.exchange(0x80, -1, 0);
            try (Rig other = rig.restored(rig.save())) {
                InterruptFile restored = other.hart(0).interrupts().file();
                other.vm.setLine(1, true);
                assertEquals(0, restored.read(0x80));
                other.vm.setLine(1, false);
                other.vm.setLine(1, true);
                assertEquals(1 << 9, restored.read(0x80));
            }
        }
    }

    /** Memory was replaced under the VM, and nobody said so with a fence. */
    @Example
    void forgetsTranslationsAndDecodedPages() throws Exception {
        long data = 0x10_0000_0000L;
        long code = 0x11_0000_0000L;
        long flags = 0xcf;
        try (Rig rig = new Rig()) {
            rig.mapIdentity();
            rig.map(data, Rig.RAM + 0x10_0000, flags);
            rig.map(code, Rig.RAM + 0x20_0000, flags);
            rig.put(Rig.RAM + 0x10_0000, 1);
            rig.put(Rig.RAM + 0x11_0000, 2);
            rig.put(new Program(Rig.RAM + 0x20_0000).addi(A0, 0, 16).emit(0x00008067));
            Program p = new Program(Rig.RAM).csrli(Csrs.SATP, Rig.satp(0)).label("again");
            p.li(S0, code).emit(Rv64.i(Rv64.JALR, 0, Program.RA, S0, 0));
            p.li(S0, data).load(8, T0, 0, S0).add(A0, A0, T0).exit(A0).jump("again");
            assertEquals(17, rig.run(p));
            SavedState saved = rig.save();
            rig.map(data, Rig.RAM + 0x11_0000, flags);
            rig.put(new Program(Rig.RAM + 0x20_0000).addi(A0, 0, 32));
            rig.vm.reset();
            rig.vm.restore(saved);
            assertEquals(34, rig.resume(0));
        }
    }

    @Property(tries = 200)
    void savesWhatWasRestored(@ForAll long seed) throws Exception {
        Random random = new Random(seed);
        try (Rig rig = new Rig(2)) {
            SavedState state = any(random, 2).state(rig.vm.layout());
            rig.vm.restore(state);
            assertEquals(state, rig.vm.save());
        }
    }

    /** Whatever accesses were made, the state that they left is not taken for damaged. */
    @Property(tries = 200)
    void restoresWhatInterruptControllersCanBeIn(@ForAll long seed) throws Exception {
        Random random = new Random(seed);
        try (Rig rig = new Rig(2)) {
            int[] offsets = {
                0x1c00, 0x1cdc, 0x1d00, 0x1ddc, 0x1e00, 0x1edc, 0x1f00, 0x1fdc, 0x3000
            };
            for (int i = 0; i < 150; i++) {
                int source = 1 + random.nextInt(6);
                switch (random.nextInt(6)) {
                    case 0 -> rig.vm.aplic().write(DOMAINCFG, 4, random.nextInt());
                    case 1 -> rig.vm.aplic().write(4 * source, 4, random.nextInt(16));
                    case 2 -> rig.vm.aplic().write(0x3000 + 4 * source, 4, random.nextInt());
                    case 3 -> rig.vm.setLine(source, random.nextBoolean());
                    case 4 ->
                            rig.vm
                                    .aplic()
                                    .write(offsets[random.nextInt(9)], 4, 1 << source | source);
                    default -> {
                        InterruptFile file = rig.hart(random.nextInt(2)).interrupts().file();
                        int select = 0x70 + random.nextInt(0x90);
                        if (file.exists(select)) {
                            file.exchange(select, random.nextLong(), random.nextLong());
                        }
                    }
                }
            }
            SavedState saved = rig.save();
            try (Rig other = new Rig(2)) {
                other.vm.restore(saved);
                assertEquals(saved, other.vm.save());
            }
        }
    }

    @Example
    void ignoresUnknownNames() throws Exception {
        SavedState more = golden();
        for (String path : List.of("", "aplic", "hart0", "hart0/imsic", "hart1/entry")) {
            more =
                    at(
                            more,
                            path,
                            part ->
                                    copy(part)
                                            .number("colour", 3)
                                            .bytes("shape", new byte[5])
                                            .child("card", SavedState.of("card", 9).build())
                                            .build());
        }
        try (Rig rig = new Rig(2)) {
            rig.vm.restore(more);
            assertEquals(golden(), rig.vm.save());
        }
    }

    @Example
    void givesWhatIsMissingItsValueAfterReset() throws Exception {
        SavedState hart =
                SavedState.of("hart", 1)
                        .child("imsic", SavedState.of("hart-imsic-file", 1).build())
                        .build();
        SavedState state =
                SavedState.of("hart-vm", 1)
                        .child("aplic", SavedState.of("hart-aplic", 1).build())
                        .child("hart0", hart)
                        .build();
        try (Rig rig = new Rig()) {
            rig.vm.restore(state);
            HartRecord restored = rig.hart(0).save();
            assertEquals(0, rig.vm.guestTime());
            assertEquals(Csrs.COUNTERS, restored.csrs().scounteren());
            assertEquals(-1, restored.interrupts().stimecmp());
            assertEquals(LifeRecord.STOPPED, restored.life().status());
            // Started, it is a hart like any other.
            assertEquals(5, rig.run(new Program(Rig.RAM).li(A0, 5).exit(A0)));
        }
    }

    @Example
    void refusesTheStateOfAVmWithOtherInterruptControllers() throws Exception {
        RiscvAia small = new RiscvAia(Rig.IMSIC, 63, Rig.APLIC, 0x5000, 8, Rig.FREQUENCY);
        try (GuestMemory memory =
                        new GuestMemory("small", List.of(new GuestMemory.RamBank(Rig.RAM, 4096)));
                Rig rig = new Rig(2)) {
            HartVm vm =
                    (HartVm) new HartHypervisor().create(new VmSpec("s", 2, small), memory, rig);
            assertThrows(HypervisorException.class, () -> vm.restore(golden()));
            vm.stopTime();
            SavedState theirs = vm.save();
            assertThrows(HypervisorException.class, () -> rig.vm.restore(theirs));
            vm.close();
        }
    }

    private static VmRecord any(Random random, int harts) {
        return new VmRecord(
                random.nextLong() >>> 2,
                anyAplic(random),
                Stream.generate(() -> anyHart(random)).limit(harts).toList());
    }

    private static HartRecord anyHart(Random random) {
        long[] x = random.longs(32).toArray();
        x[0] = 0;
        long mode = random.nextBoolean() ? 0 : (long) SATP_SV39 << 60;
        return new HartRecord(
                new RegisterRecord(
                        x, random.longs(32).toArray(), random.nextLong() & ~1, random.nextLong()),
                new CsrRecord(
                        random.nextBoolean(),
                        random.nextLong() & Csrs.STATUS_WRITABLE,
                        random.nextLong() & ~2,
                        random.nextInt(8),
                        random.nextInt(2),
                        random.nextLong(),
                        random.nextLong() & ~1,
                        random.nextLong(),
                        random.nextLong(),
                        random.nextInt(0x1000),
                        mode | random.nextLong() >>> 12,
                        random.nextInt(0x100)),
                new InterruptRecord(
                        random.nextBoolean(),
                        random.nextLong() & Interrupts.ALL,
                        random.nextLong()),
                new InterruptFileRecord(
                        random.nextBoolean(),
                        random.nextInt(256),
                        anyBits(random, 255),
                        anyBits(random, 255)),
                anyLife(random));
    }

    private static LifeRecord anyLife(Random random) {
        boolean any = random.nextBoolean();
        return switch (random.nextInt(4)) {
            case 0 -> new LifeRecord(LifeRecord.STARTED, any, false, 0, 0, 0);
            case 1 -> new LifeRecord(LifeRecord.STOPPED, false, false, 0, 0, 0);
            case 2 -> entered(LifeRecord.START_PENDING, false, random);
            default ->
                    any
                            ? entered(LifeRecord.SUSPENDED, true, random)
                            : new LifeRecord(LifeRecord.SUSPENDED, true, false, 0, 0, 0);
        };
    }

    private static LifeRecord entered(int status, boolean waiting, Random random) {
        return new LifeRecord(
                status, waiting, true, random.nextLong(), random.nextLong(), random.nextLong());
    }

    private static AplicRecord anyAplic(Random random) {
        int[] mode = new int[Rig.SOURCES];
        int[] target = new int[Rig.SOURCES];
        BitSet wires = anyBits(random, Rig.SOURCES);
        BitSet pending = anyBits(random, Rig.SOURCES);
        BitSet enabled = anyBits(random, Rig.SOURCES);
        for (int source = 1; source <= Rig.SOURCES; source++) {
            int its = new int[] {0, 1, 4, 5, 6, 7}[random.nextInt(6)];
            mode[source - 1] = its;
            target[source - 1] = its == 0 ? 0 : random.nextInt() & Aplic.TARGET_MASK;
            boolean active = its != 0;
            boolean held = its < LEVEL1 || Aplic.asserted(its, wires.get(source));
            enabled.set(source, active && enabled.get(source));
            pending.set(source, active && held && !enabled.get(source) && pending.get(source));
        }
        return new AplicRecord(
                random.nextBoolean(),
                random.nextInt() & Aplic.TARGET_MASK,
                mode,
                target,
                wires,
                pending,
                enabled);
    }

    private static BitSet anyBits(Random random, int last) {
        BitSet bits = new BitSet();
        for (int i = 1; i <= last; i++) {
            bits.set(i, random.nextBoolean());
        }
        return bits;
    }
}
