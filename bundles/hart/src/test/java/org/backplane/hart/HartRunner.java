package org.backplane.hart;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import org.backplane.hypervisor.ExitHandler;
import org.backplane.hypervisor.HypervisorException;
import org.backplane.hypervisor.InterruptControllers.RiscvAia;
import org.backplane.hypervisor.Vcpu;
import org.backplane.hypervisor.Vm;
import org.backplane.hypervisor.VmSpec;
import org.backplane.memory.Access;
import org.backplane.memory.GuestMemory;
import org.backplane.memory.OffHeap;

/** Runs programs on a hart, in S-mode without translation: the tested side. */
final class HartRunner implements ExitHandler, AutoCloseable {
    /** Stores here tell the runner of a trap, or of the program's end. */
    private static final int REPORT = 0x1000_0000;

    private static final int REPORT_CAUSE = 0;
    private static final int REPORT_PC = 8;
    private static final int REPORT_VALUE = 16;
    private static final int REPORT_DONE = 24;

    private static final int SRET = 0x10200073;
    private static final int TRAP_VECTOR = GuestProgram.ENTRY + 0x100;
    private static final long LENGTH = GuestProgram.END - GuestProgram.BASE;

    private final GuestMemory memory;
    private final Vm vm;
    private final List<String> traps = new ArrayList<>();

    private HartRunner() throws IOException, HypervisorException {
        memory =
                new GuestMemory(
                        "differential",
                        List.of(new GuestMemory.RamBank(GuestProgram.BASE, LENGTH)));
        RiscvAia aia = new RiscvAia(0x2800_0000, 63, 0x0c00_0000, 0x5000, 1, 10_000_000);
        vm = new HartHypervisor().create(new VmSpec("differential", 1, aia), memory, this);
    }

    static GuestProgram.Results run(GuestProgram program) throws IOException, HypervisorException {
        try (HartRunner runner = new HartRunner()) {
            return runner.execute(program);
        }
    }

    private GuestProgram.Results execute(GuestProgram program) throws HypervisorException {
        put(GuestProgram.ENTRY, entry().code());
        put(TRAP_VECTOR, trapHandler(program.afterIllegal()).code());
        put(GuestProgram.FINISH, finish().code());
        put(GuestProgram.CODE, program.code());
        put(GuestProgram.DATA, program.data());
        Vcpu hart = vm.vcpus().get(0);
        hart.enterAt(GuestProgram.ENTRY);
        hart.run();
        if (!traps.isEmpty()) {
            throw new AssertionError("the program trapped: " + String.join(", ", traps));
        }
        byte[] output = new byte[program.outputLength()];
        if (output.length > 0) {
            OffHeap.copy(host(GuestProgram.OUTPUT, output.length), output, 0, output.length);
        }
        return new GuestProgram.Results(ByteBuffer.wrap(output).order(ByteOrder.LITTLE_ENDIAN));
    }

    private void put(int address, byte[] bytes) {
        if (bytes.length > 0) {
            OffHeap.copy(bytes, 0, host(address, bytes.length), bytes.length);
        }
    }

    private long host(int address, int length) {
        return memory.layout().translate(address, length, Access.WRITE);
    }

    /** Floating point on, and a trap vector. */
    private static GuestProgram entry() {
        GuestProgram entry = new GuestProgram();
        entry.emit(Rv64.u(Rv64.LUI, 5, (int) Csrs.STATUS_FS));
        entry.emit(Rv64.csrrs(0, Csrs.SSTATUS, 5));
        entry.loadAddress(5, TRAP_VECTOR).emit(Rv64.csrrw(0, Csrs.STVEC, 5));
        entry.loadAddress(5, GuestProgram.CODE);
        return entry.emit(Rv64.i(Rv64.JALR, 0, 0, 5, 0));
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
            case REPORT_DONE:
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
