package org.backplane.hart;

import static java.nio.charset.StandardCharsets.US_ASCII;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Assumptions;

/** Runs programs under QEMU's user-mode emulation: the reference of the differential tests. */
final class QemuUser {
    private static final String BINARY = "qemu-riscv64";
    private static final Pattern VERSION = Pattern.compile("version (\\d+)\\.");
    private static final int OLDEST = 7;
    private static final int EM_RISCV = 243;
    private static final int EF_RISCV_RVC_FLOAT_ABI_DOUBLE = 0x5;
    private static final int ELF_HEADER = 64;
    private static final int PROGRAM_HEADER = 56;
    private static final int SYS_WRITE = 64;
    private static final int SYS_EXIT = 93;
    private static final int SYS_RT_SIGACTION = 134;
    private static final int SIGILL = 4;
    private static final int SA_SIGINFO = 4;

    /** Of the pc in a signal frame's ucontext; the registers follow from x1 on. */
    private static final int UCONTEXT_PC = 176;

    private static final int SIGNAL_HANDLER = GuestProgram.ENTRY + 0x100;
    private static final int SIGNAL_ACTION = GuestProgram.ENTRY + 0x200;

    private QemuUser() {}

    /**
     * Skips the calling test, with the reason, where there is no emulator to compare with. Before
     * 7.0 it is none for F and D: operands were not checked for NaN boxing, and FMIN and FMAX kept
     * to IEEE 754-2008, where a signalling NaN beside a number gives NaN (unprivileged ISA, F 2.2).
     */
    static void assumeInstalled() throws IOException, InterruptedException {
        String reason = missing();
        if (reason != null) {
            System.err.println(reason);
            Assumptions.abort(reason);
        }
    }

    /** Why there is no emulator to compare with, or null. */
    static String missing() throws IOException, InterruptedException {
        for (String directory : System.getenv("PATH").split(":")) {
            if (Files.isExecutable(Path.of(directory, BINARY))) {
                Process process = new ProcessBuilder(BINARY, "--version").start();
                String version = new String(process.getInputStream().readAllBytes(), US_ASCII);
                process.waitFor();
                Matcher number = VERSION.matcher(version);
                return number.find() && Integer.parseInt(number.group(1)) >= OLDEST
                        ? null
                        : "skipped: " + BINARY + " is older than " + OLDEST + ": " + version;
            }
        }
        return "skipped: no " + BINARY + " on the PATH to compare with (Debian package qemu-user)";
    }

    static GuestProgram.Results run(GuestProgram program) throws IOException, InterruptedException {
        return run(program, "rv64");
    }

    /**
     * @param cpu as the emulator's option takes it
     */
    static GuestProgram.Results run(GuestProgram program, String cpu)
            throws IOException, InterruptedException {
        Path image = Files.createTempFile("differential", ".elf");
        Path output = Files.createTempFile("differential", ".out");
        try {
            Files.write(image, elf(program));
            Files.setPosixFilePermissions(image, PosixFilePermissions.fromString("rwx------"));
            Process process =
                    new ProcessBuilder(BINARY, "-cpu", cpu, image.toString())
                            .redirectOutput(output.toFile())
                            .redirectError(ProcessBuilder.Redirect.INHERIT)
                            .start();
            int status = process.waitFor();
            byte[] bytes = Files.readAllBytes(output);
            if (status != 0 || bytes.length != program.outputLength()) {
                throw new IOException(
                        BINARY + " ended with " + status + " after " + bytes.length + " bytes");
            }
            return new GuestProgram.Results(ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN));
        } finally {
            Files.delete(image);
            Files.delete(output);
        }
    }

    /** A static executable of one segment over all areas of the program. */
    private static byte[] elf(GuestProgram program) {
        byte[] data = program.data();
        int headers = 0x1000;
        int fileLength = headers + GuestProgram.DATA - GuestProgram.BASE + data.length;
        ByteBuffer file = ByteBuffer.allocate(fileLength).order(ByteOrder.LITTLE_ENDIAN);
        file.put(new byte[] {0x7f, 'E', 'L', 'F', 2, 1, 1, 0}).putLong(0);
        file.putShort((short) 2).putShort((short) EM_RISCV).putInt(1);
        file.putLong(GuestProgram.ENTRY).putLong(ELF_HEADER).putLong(0);
        file.putInt(EF_RISCV_RVC_FLOAT_ABI_DOUBLE);
        file.putShort((short) ELF_HEADER).putShort((short) PROGRAM_HEADER).putShort((short) 1);
        file.position(ELF_HEADER);
        file.putInt(1).putInt(7); // PT_LOAD, readable, writable, executable
        file.putLong(headers).putLong(GuestProgram.BASE).putLong(GuestProgram.BASE);
        file.putLong(fileLength - headers);
        file.putLong(GuestProgram.END - GuestProgram.BASE);
        file.putLong(0x1000);
        file.position(headers);
        file.put(entry(program));
        file.position(headers + SIGNAL_HANDLER - GuestProgram.BASE);
        file.put(signalHandler(program.afterIllegal()));
        file.position(headers + SIGNAL_ACTION - GuestProgram.BASE);
        file.putLong(SIGNAL_HANDLER).putLong(SA_SIGINFO).putLong(0);
        file.position(headers + GuestProgram.FINISH - GuestProgram.BASE);
        file.put(finish(program.outputLength()));
        file.position(headers + GuestProgram.CODE - GuestProgram.BASE);
        file.put(program.code());
        file.position(headers + GuestProgram.DATA - GuestProgram.BASE);
        file.put(data);
        return file.array();
    }

    private static byte[] entry(GuestProgram program) {
        GuestProgram stub = new GuestProgram();
        if (program.afterIllegal() != 0) {
            stub.emit(Rv64.addi(10, 0, SIGILL)).loadAddress(11, SIGNAL_ACTION);
            stub.emit(Rv64.addi(12, 0, 0)).emit(Rv64.addi(13, 0, Long.BYTES));
            stub.emit(Rv64.addi(17, 0, SYS_RT_SIGACTION)).emit(Rv64.ECALL);
        }
        stub.loadAddress(5, GuestProgram.CODE).emit(Rv64.i(Rv64.JALR, 0, 0, 5, 0));
        return stub.code();
    }

    /** Changes the interrupted context: the register to 1, the pc past the instruction. */
    private static byte[] signalHandler(int register) {
        GuestProgram stub = new GuestProgram();
        stub.emit(Rv64.ld(29, UCONTEXT_PC, 12));
        Rv64.skip(stub, 29, 30, 31);
        stub.emit(Rv64.sd(29, UCONTEXT_PC, 12)).emit(Rv64.addi(30, 0, 1));
        stub.emit(Rv64.sd(30, UCONTEXT_PC + register * Long.BYTES, 12));
        return stub.emit(Rv64.i(Rv64.JALR, 0, 0, 1, 0)).code();
    }

    /** Writes the output area to standard output and exits. */
    private static byte[] finish(int length) {
        GuestProgram stub = new GuestProgram();
        stub.loadAddress(8, GuestProgram.OUTPUT).loadAddress(9, GuestProgram.OUTPUT + length);
        int again = stub.here();
        stub.emit(Rv64.addi(11, 8, 0)).emit(Rv64.r(Rv64.OP, 0, 0x20, 12, 9, 8));
        stub.emit(Rv64.addi(10, 0, 1)).emit(Rv64.addi(17, 0, SYS_WRITE)).emit(Rv64.ECALL);
        stub.emit(Rv64.b(4, 10, 0, 12)); // an error: exit with it
        stub.emit(Rv64.r(Rv64.OP, 0, 0, 8, 8, 10));
        stub.emit(Rv64.b(6, 8, 9, again - stub.here()));
        stub.emit(Rv64.i(Rv64.OP_IMM, 5, 10, 10, 63)); // 1 for an error, 0 else
        stub.emit(Rv64.addi(17, 0, SYS_EXIT)).emit(Rv64.ECALL);
        return stub.code();
    }
}
