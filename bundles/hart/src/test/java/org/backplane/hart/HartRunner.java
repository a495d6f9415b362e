package org.backplane.hart;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import org.backplane.device.state.SavedState;
import org.backplane.hypervisor.ExitHandler;
import org.backplane.hypervisor.HypervisorException;
import org.backplane.hypervisor.InterruptControllers.RiscvAia;
import org.backplane.hypervisor.Vm;
import org.backplane.hypervisor.VmSpec;
import org.backplane.memory.Access;
import org.backplane.memory.GuestMemory;
import org.backplane.memory.OffHeap;

/**
 * Runs programs on a hart: the tested side. Either in S-mode without translation, or in U-mode with
 * every page of 4 KiB somewhere else in memory than its neighbours.
 */
final class HartRunner implements ExitHandler, AutoCloseable {
    /** Stores here tell the runner of a trap, or of the program's end. */
    private static final int REPORT = 0x1000_0000;

    private static final int REPORT_CAUSE = 0;
    private static final int REPORT_PC = 8;
    private static final int REPORT_VALUE = 16;
    private static final int REPORT_DONE = 24;

    /** Stores here tell of a step of the program, after which it may be moved. */
    static final int REPORT_STEP = REPORT + 32;

    private static final int SRET = 0x10200073;
    private static final long LENGTH = GuestProgram.END - GuestProgram.BASE;

    /** The runner's own code and tables; the same address with translation and without. */
    private static final long OWN = 0x9000_0000L;

    private static final long TRAP_VECTOR = OWN + 0x100;
    private static final long TABLES = OWN + 0x1000;
    private static final long OWN_LENGTH = 0x10_0000;

    /** Where translated pages are, a power of two of them and more than are used. */
    private static final long PAGES = 0x8000_0000L;

    private static final int PAGE_COUNT = 1 << 15;
    private static final int PAGE = 4096;
    private static final int STRIDE = 12347;
    private static final long PAGE_FLAGS =
            Sv39.VALID | Sv39.READ | Sv39.WRITE | Sv39.EXECUTE | Sv39.USER;
    private static final long KNOWN = Sv39.ACCESSED | Sv39.DIRTY;

    private final boolean translated;
    private final GuestMemory memory;
    private final VmSpec spec;
    private Vm vm;
    private boolean moving;
    private boolean done;
    private final List<String> traps = new ArrayList<>();

    private HartRunner(boolean translated) throws IOException, HypervisorException {
        this.translated = translated;
        GuestMemory.RamBank program =
                translated
                        ? new GuestMemory.RamBank(PAGES, (long) PAGE_COUNT * PAGE)
                        : new GuestMemory.RamBank(GuestProgram.BASE, LENGTH);
        GuestMemory.RamBank own = new GuestMemory.RamBank(OWN, OWN_LENGTH);
        memory = new GuestMemory("differential", List.of(program, own));
        RiscvAia aia = new RiscvAia(0x2800_0000, 63, 0x0c00_0000, 0x5000, 1, 10_000_000);
        spec = new VmSpec("differential", 1, aia);
        vm = new HartHypervisor().create(spec, memory, this);
    }

    /**
     * What a program that was moved came to.
     *
     * @param moves how often it was saved and restored
     */
    record Moved(GuestProgram.Results results, int moves) {}

    /** Runs a program that is saved and restored to a VM just made after each step it reports. */
    static Moved runMoving(GuestProgram program, boolean translated)
            throws IOException, HypervisorException {
        try (HartRunner runner = new HartRunner(translated)) {
            if (translated) {
                runner.mapPages();
            }
            runner.load(program);
            int moves = runner.move();
            return new Moved(runner.results(program), moves);
        }
    }

    /** Goes on until the end of the program, in a VM just made after each step it reports. */
    private int move() throws HypervisorException {
        int moves = 0;
        moving = true;
        vm.vcpus().get(0).run();
        while (!done) {
            vm.stopTime();
            SavedState state = vm.save();
            vm.close();
            vm = new HartHypervisor().create(spec, memory, this);
            vm.restore(state);
            vm.startTime();
            moves++;
            vm.vcpus().get(0).run();
        }
        return moves;
    }

    static GuestProgram.Results run(GuestProgram program) throws IOException, HypervisorException {
        try (HartRunner runner = new HartRunner(false)) {
            return runner.execute(program);
        }
    }

    static GuestProgram.Results runTranslated(GuestProgram program)
            throws IOException, HypervisorException {
        try (HartRunner runner = new HartRunner(true)) {
            runner.mapPages();
            return runner.execute(program);
        }
    }

    private GuestProgram.Results execute(GuestProgram program) throws HypervisorException {
        load(program);
        vm.vcpus().get(0).run();
        return results(program);
    }

    private void load(GuestProgram program) {
        put(OWN, entry().code());
        put(TRAP_VECTOR, trapHandler(program.afterIllegal()).code());
        put(GuestProgram.FINISH, finish().code());
        put(GuestProgram.CODE, program.code());
        put(GuestProgram.DATA, program.data());
        vm.vcpus().get(0).enterAt(OWN);
    }

    private GuestProgram.Results results(GuestProgram program) {
        if (!traps.isEmpty()) {
            throw new AssertionError("the program trapped: " + String.join(", ", traps));
        }
        byte[] output = new byte[program.outputLength()];
        for (int at = 0; at < output.length; at += PAGE) {
            int length = Math.min(PAGE, output.length - at);
            OffHeap.copy(host(GuestProgram.OUTPUT + at, length), output, at, length);
        }
        return new GuestProgram.Results(ByteBuffer.wrap(output).order(ByteOrder.LITTLE_ENDIAN));
    }

    private void put(long address, byte[] bytes) {
        int length;
        for (int at = 0; at < bytes.length; at += length) {
            int left = PAGE - (int) (address + at) % PAGE;
            length = Math.min(left, bytes.length - at);
            OffHeap.copy(bytes, at, host(address + at, length), length);
        }
    }

    private long host(long address, int length) {
        return memory.layout().translate(physical(address), length, Access.WRITE);
    }

    private long physical(long address) {
        if (!translated || address >= PAGES) {
            return address;
        }
        long page = (address - GuestProgram.BASE) / PAGE;
        return PAGES + page * STRIDE % PAGE_COUNT * PAGE + address % PAGE;
    }

    /** Gigapages for the reports and the runner's own code; tables of three levels for the rest. */
    private void mapPages() {
        long gigabyte = 1L << 30;
        entry(TABLES, 0, 0, Sv39.VALID | Sv39.READ | Sv39.WRITE | Sv39.USER | KNOWN);
        entry(TABLES, (int) (OWN / gigabyte), 2 * gigabyte, Sv39.VALID | Sv39.EXECUTE | KNOWN);
        long middle = TABLES + PAGE;
        entry(TABLES, (int) (GuestProgram.BASE / gigabyte), middle, Sv39.VALID);
        long leaf = middle;
        for (int page = 0; page < LENGTH / PAGE; page++) {
            int index = page % (PAGE / Long.BYTES);
            if (index == 0) {
                leaf += PAGE;
                entry(middle, page * Long.BYTES / PAGE, leaf, Sv39.VALID);
            }
            // Some pages have yet to be marked as accessed and dirty.
            long flags = page % 3 == 0 ? PAGE_FLAGS : PAGE_FLAGS | KNOWN;
            entry(leaf, index, physical(GuestProgram.BASE + (long) page * PAGE), flags);
        }
    }

    private void entry(long table, int index, long target, long flags) {
        OffHeap.putLong(host(table + index * Long.BYTES, Long.BYTES), target >>> 2 | flags);
    }

    /** Floating point on, a trap vector, and to the program in its mode. */
    private GuestProgram entry() {
        GuestProgram entry = new GuestProgram();
        entry.emit(Rv64.u(Rv64.LUI, 5, (int) (Csrs.STATUS_FS | Csrs.STATUS_SUM)));
        entry.emit(Rv64.csrrs(0, Csrs.SSTATUS, 5));
        entry.emit(Rv64.u(Rv64.AUIPC, 5, 0)).emit(Rv64.addi(5, 5, 0x100 - 8));
        entry.emit(Rv64.csrrw(0, Csrs.STVEC, 5));
        if (translated) {
            entry.emit(Rv64.addi(5, 0, Sv39.MODE_SV39)).emit(Rv64.i(Rv64.OP_IMM, 1, 5, 5, 60));
            entry.loadAddress(6, (int) (TABLES / PAGE)).emit(Rv64.r(Rv64.OP, 6, 0, 5, 5, 6));
            entry.emit(Rv64.csrrw(0, Csrs.SATP, 5));
            entry.emit(Rv64.r(Rv64.SYSTEM, 0, Encoding.SFENCE_VMA, 0, 0, 0));
        }
        entry.loadAddress(5, GuestProgram.CODE).emit(Rv64.csrrw(0, Csrs.SEPC, 5));
        if (!translated) {
            entry.emit(Rv64.addi(5, 0, (int) Csrs.STATUS_SPP));
            entry.emit(Rv64.csrrs(0, Csrs.SSTATUS, 5));
        }
        return entry.emit(SRET);
    }

    private static GuestProgram trapHandler(int afterIllegal) {
        GuestProgram handler = new GuestProgram();
        if (afterIllegal != 0) {
            handler.emit(Rv64.csrrs(29, Csrs.SCAUSE, 0));
            handler.emit(Rv64.addi(30, 0, Trap.ILLEGAL_INSTRUCTION));
            int other = handler.here();
            handler.emit(0).emit(Rv64.csrrs(29, Csrs.SEPC, 0));
            Rv64.skip(handler, 29, 30, afterIllegal);
            handler.emit(Rv64.csrrw(0, Csrs.SEPC, 29)).emit(Rv64.addi(afterIllegal, 0, 1));
            handler.emit(SRET);
            handler.patch(other, Rv64.b(1, 29, 30, handler.here() - other));
        }
        handler.loadAddress(6, REPORT);
        handler.emit(Rv64.csrrs(5, Csrs.SCAUSE, 0)).emit(Rv64.sd(5, REPORT_CAUSE, 6));
        handler.emit(Rv64.csrrs(5, Csrs.SEPC, 0)).emit(Rv64.sd(5, REPORT_PC, 6));
        handler.emit(Rv64.csrrs(5, Csrs.STVAL, 0)).emit(Rv64.sd(5, REPORT_VALUE, 6));
        return handler.emit(Rv64.sd(0, REPORT_DONE, 6)).emit(Rv64.j(0, 0));
    }

    private static GuestProgram finish() {
        GuestProgram finish = new GuestProgram();
        finish.loadAddress(6, REPORT);
        return finish.emit(Rv64.sd(0, REPORT_DONE, 6)).emit(Rv64.j(0, 0));
    }

    @Override
    public long mmioRead(int vcpu, long address, int width) {
        traps.add("load from 0x" + Long.toHexString(address));
        return -1;
    }

    @Override
    public void mmioWrite(int vcpu, long address, int width, long value) {
        switch ((int) (address - REPORT)) {
            case REPORT_CAUSE:
                traps.add("scause " + Long.toHexString(value));
                break;
            case REPORT_PC:
                traps.add("sepc " + Long.toHexString(value));
                break;
            case REPORT_VALUE:
                traps.add("stval " + Long.toHexString(value));
                break;
            case REPORT_STEP - REPORT:
                if (moving) {
                    vm.vcpus().get(0).kick();
                }
                break;
            case REPORT_DONE:
                done = true;
                vm.vcpus().get(0).kick();
                break;
            default:
                traps.add("store to 0x" + Long.toHexString(address));
                break;
        }
    }

    @Override
    public long ioRead(int vcpu, int port, int width) {
        throw new AssertionError("RISC-V has no ports");
    }

    @Override
    public void ioWrite(int vcpu, int port, int width, long value) {
        throw new AssertionError("RISC-V has no ports");
    }

    @Override
    public void systemEvent(int vcpu, SystemEvent event) {
        traps.add("system event " + event);
        vm.vcpus().get(0).kick();
    }

    @Override
    public void debugConsole(int octet) {
        traps.add("console " + octet);
    }

    @Override
    public void close() {
        vm.close();
        memory.close();
    }
}
