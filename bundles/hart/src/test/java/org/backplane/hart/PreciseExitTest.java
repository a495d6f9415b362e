package org.backplane.hart;

import static org.backplane.hart.Program.A0;
import static org.backplane.hart.Program.A1;
import static org.backplane.hart.Program.A5;
import static org.backplane.hart.Program.S0;
import static org.backplane.hart.Program.S1;
import static org.backplane.hart.Program.SP;
import static org.backplane.hart.Program.T0;
import static org.backplane.hart.StateEdits.with;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.backplane.device.state.SavedState;
import org.backplane.hypervisor.HypervisorException;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * A hart inside an exit is before the instruction that made it: the state is the one saved before,
 * and a VM restored from it makes the same access and ends the same.
 */
@Timeout(60)
class PreciseExitTest {
    private static final long MARKER = Rig.DEVICE + 0x800;
    private static final long TEXT = Rig.RAM + 0x10_0000;
    private static final long VIRTUAL = 0x10_0000_0000L;
    private static final long LAST = Rig.RAM + Rig.SIZE - 8;
    private static final long ANSWER = 0x8182_8384_8586_8788L;
    private static final long PAGE_END = Rig.RAM + 2 * CodePage.SIZE;
    private static final int MARKER_BYTES = 4;
    private static final int AMOADD = 0;

    private static final long SRST = 0x53525354;
    private static final long DBCN = 0x4442434e;
    private static final long FLOATS_INITIAL = 1L << 13;

    private record Form(String name, Consumer<Program> setUp, Consumer<Program> access) {
        @Override
        public String toString() {
            return name;
        }
    }

    private static Form word(String name, int word) {
        return new Form(name, p -> {}, p -> p.emit(word));
    }

    private static Form half(String name, int half) {
        return new Form(name, p -> {}, p -> p.half(half));
    }

    private static Form onStack(String name, int half) {
        return new Form(name, p -> p.li(SP, Rig.DEVICE), p -> p.half(half));
    }

    private static Form clean(String name, int word) {
        return new Form(
                name + " with clean registers",
                p -> p.csrli(Csrs.SSTATUS, FLOATS_INITIAL),
                p -> p.emit(word));
    }

    private static Form translated(String name, int word) {
        return new Form(
                name + " behind a page table",
                p -> p.csrli(Csrs.SATP, Rig.satp(0)).li(S0, VIRTUAL),
                p -> p.emit(word));
    }

    private static Form acrossPages(String name, int word) {
        return new Form(
                name + " across two pages",
                p -> p.until(PAGE_END - 2 - MARKER_BYTES),
                p -> p.emit(word));
    }

    private static Form call(String name, long extension, int function, long a0, long a1) {
        return new Form(
                name,
                p ->
                        p.li(Program.A7, extension)
                                .li(Program.A6, function)
                                .li(A0, a0)
                                .li(A1, a1)
                                .li(Program.A2, 0),
                p -> p.ecall());
    }

    static Stream<Form> forms() {
        int x10 = 2 << 2;
        int wide = 3;
        Stream<Form> loads =
                IntStream.range(0, 7)
                        .mapToObj(i -> word("load " + i, Rv64.i(Rv64.LOAD, i, A0, S0, 0)));
        Stream<Form> stores =
                IntStream.range(0, 4)
                        .mapToObj(i -> word("store " + i, Rv64.s(Rv64.STORE, i, S0, A0, 0)));
        Stream<Form> others =
                Stream.of(
                        word("load to its base", Rv64.ld(S0, 0, S0)),
                        word("load to x0", Rv64.ld(0, 0, S0)),
                        word("flw", Rv64.i(Rv64.LOAD_FP, 2, A0, S0, 0)),
                        word("fld", Rv64.fld(A0, 0, S0)),
                        word("fsw", Rv64.s(Rv64.STORE_FP, 2, S0, A0, 0)),
                        word("fsd", Rv64.fsd(A0, 0, S0)),
                        clean("flw", Rv64.i(Rv64.LOAD_FP, 2, A0, S0, 0)),
                        clean("fld", Rv64.fld(A0, 0, S0)),
                        clean("fsd", Rv64.fsd(A0, 0, S0)),
                        half("c.lw", 0x4000 | x10),
                        half("c.ld", 0x6000 | x10),
                        half("c.fld", 0x2000 | x10),
                        half("c.sw", 0xc000 | x10),
                        half("c.sd", 0xe000 | x10),
                        half("c.fsd", 0xa000 | x10),
                        onStack("c.lwsp", 0x4002 | A0 << 7),
                        onStack("c.ldsp", 0x6002 | A0 << 7),
                        onStack("c.ldsp to its base", 0x6002 | SP << 7),
                        onStack("c.fldsp", 0x2002 | A0 << 7),
                        onStack("c.swsp", 0xc002 | A0 << 2),
                        onStack("c.sdsp", 0xe002 | A0 << 2),
                        onStack("c.fsdsp", 0xa002 | A0 << 2),
                        acrossPages("lw", Rv64.i(Rv64.LOAD, 2, A0, S0, 0)),
                        acrossPages("sd", Rv64.s(Rv64.STORE, wide, S0, A0, 0)),
                        acrossPages("fld", Rv64.fld(A0, 0, S0)),
                        translated("ld", Rv64.ld(A0, 0, S0)),
                        translated("sd", Rv64.sd(A0, 0, S0)),
                        call("console putchar", 1, 0, 'c', 0),
                        call("debug console byte", DBCN, 2, 'd', 0),
                        call("debug console write", DBCN, 0, 5, TEXT),
                        call("shutdown", SRST, 0, 0, 0),
                        call("reboot", SRST, 0, 1, 0));
        return Stream.of(loads, stores, others).flatMap(s -> s);
    }

    /** Marks the place, makes the access, and shows all that came of it. */
    private static Program program(Form form) {
        Program p = new Program(Rig.RAM).csrli(Csrs.SSTATUS, Csrs.STATUS_FS);
        p.li(A0, 0x1122_3344_5566_7788L).emit(Rv64.r(Rv64.OP_FP, 0, 0x79, A0, A0, 0));
        p.li(S0, Rig.DEVICE).li(S1, MARKER);
        form.setUp().accept(p);
        p.store(8, A5, 0, S1);
        p.label("access");
        form.access().accept(p);
        return p.addi(A1, A1, 1).emit(Rv64.addi(A0, S0, 0)).exit(A0);
    }

    @ParameterizedTest
    @MethodSource("forms")
    void stateInsideAnExitIsThatBeforeTheInstruction(Form form) throws Exception {
        Program program = program(form);
        try (Rig rig = new Rig()) {
            rig.mapIdentity();
            rig.map(VIRTUAL, Rig.DEVICE, Sv39.VALID | Sv39.READ | Sv39.WRITE);
            rig.write(TEXT, "hello".getBytes(StandardCharsets.US_ASCII));
            rig.device = address -> ANSWER;
            rig.vm.stopTime();
            rig.exit = () -> rig.hart(0).kick();
            rig.run(program);
            assertEquals(1, rig.stores.size(), "the marker");
            SavedState before = rig.vm.save();
            Inside inside = new Inside(rig);
            rig.exit = inside;
            rig.resume(0);
            assertEquals(before, inside.state);
            assertEquals(program.address("access"), before.child("hart0").number("pc", 0));
            try (Rig other = inside.restored) {
                other.device = rig.device;
                other.resume(0);
                assertEquals(timeless(rig.save()), timeless(other.save()));
                rig.stores.remove();
                assertEquals(List.copyOf(rig.stores), List.copyOf(other.stores));
                assertEquals(List.copyOf(rig.events), List.copyOf(other.events));
                assertEquals(rig.console.toString(), other.console.toString());
            }
        }
    }

    private static SavedState timeless(SavedState state) {
        return with(state, "guestTime", 0);
    }

    /** Saves and restores elsewhere inside the first exit. */
    private static final class Inside implements Runnable {
        private final Rig rig;
        SavedState state;
        Rig restored;

        Inside(Rig rig) {
            this.rig = rig;
        }

        @Override
        public void run() {
            if (state != null) {
                return;
            }
            state = rig.vm.save();
            try {
                restored = rig.restored(state);
            } catch (IOException | HypervisorException e) {
                throw new IllegalStateException(e);
            }
        }
    }

    static Stream<Arguments> accessesThatDevicesDoNotTake() {
        return Stream.of(
                Arguments.of("amoadd.w", amo(AMOADD, 4), Rig.DEVICE, Trap.STORE_ACCESS_FAULT),
                Arguments.of("amoadd.d", amo(AMOADD, 8), Rig.DEVICE, Trap.STORE_ACCESS_FAULT),
                Arguments.of("lr.w", amo(Encoding.LR, 4), Rig.DEVICE, Trap.LOAD_ACCESS_FAULT),
                Arguments.of("lr.d", amo(Encoding.LR, 8), Rig.DEVICE, Trap.LOAD_ACCESS_FAULT),
                Arguments.of("sc.w", amo(Encoding.SC, 4), Rig.DEVICE, Trap.STORE_ACCESS_FAULT),
                Arguments.of("sc.d", amo(Encoding.SC, 8), Rig.DEVICE, Trap.STORE_ACCESS_FAULT),
                Arguments.of("ld", Rv64.ld(A0, 4, S0), Rig.DEVICE, Trap.LOAD_ACCESS_FAULT),
                Arguments.of("sd", Rv64.sd(A0, 4, S0), Rig.DEVICE, Trap.STORE_ACCESS_FAULT),
                Arguments.of("fld", Rv64.fld(A0, 4, S0), Rig.DEVICE, Trap.LOAD_ACCESS_FAULT),
                Arguments.of("fsd", Rv64.fsd(A0, 4, S0), Rig.DEVICE, Trap.STORE_ACCESS_FAULT),
                Arguments.of("ld over the end", Rv64.ld(A0, 4, S0), LAST, Trap.LOAD_ACCESS_FAULT),
                Arguments.of("sd over the end", Rv64.sd(A0, 4, S0), LAST, Trap.STORE_ACCESS_FAULT));
    }

    private static int amo(int function, int width) {
        int rs2 = function == Encoding.LR ? 0 : A1;
        int funct3 = Integer.numberOfTrailingZeros(width);
        return Rv64.r(Rv64.AMO, funct3, function << 2, A0, S0, rs2);
    }

    /** Atomic and misaligned accesses trap before anything is seen: there is nothing to repeat. */
    @ParameterizedTest(name = "{0}")
    @MethodSource("accessesThatDevicesDoNotTake")
    void accessesOfMoreThanOneStepMakeNoExit(String name, int word, long base, int cause)
            throws Exception {
        try (Rig rig = new Rig()) {
            AtomicInteger exits = new AtomicInteger();
            rig.exit = exits::incrementAndGet;
            Program p = new Program(Rig.RAM).la(T0, "handler").csrw(Csrs.STVEC, T0);
            p.csrli(Csrs.SSTATUS, Csrs.STATUS_FS).li(S0, base).li(A0, -1).emit(word).exit(0);
            p.until(Rig.RAM + 0x100).label("handler").csrr(S1, Csrs.SCAUSE).exit(S1);
            assertEquals(cause, rig.run(p));
            assertEquals(0, exits.get());
            assertEquals(-1, rig.hart(0).registers().x[A0]);
            assertEquals(0, rig.get(LAST));
        }
    }
}
