package org.backplane.hart;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.TreeSet;

/**
 * A program of single steps, each followed by a dump of all registers. A step is one instruction,
 * with what it needs before it (an address in a register) and after it (a load of what it stored).
 *
 * <p>x3 points to where the next dump goes and x4 links to the routines; no step may change them.
 * x2 points to the middle of the scratch memory before each step. Steps come in blocks, which begin
 * with fresh values in all other registers.
 */
final class StepProgram {
    static final int SP = 2;
    static final int DUMP = 3;
    static final int LINK = 4;
    static final int SCRATCH_BYTES = 2048;

    private static final int PAGE = 4096;
    private static final int LAST = 31;
    private static final int FLOATS = 32;
    private static final int FCSR_SLOT = 64;
    private static final int STATE_BYTES = 65 * Long.BYTES;
    private static final int STEPS_A_BLOCK = 8;

    /** A step as it is told about when it differs. */
    private record Step(String text, int address, int dump, int block) {}

    private final GuestProgram program = new GuestProgram();
    private final Random random;
    private final List<Step> steps = new ArrayList<>();
    private final int report;
    private final int scratch;
    private final int load;
    private final int dump;
    private int block = -1;
    private int inBlock = STEPS_A_BLOCK;

    StepProgram(long seed) {
        this(seed, 0);
    }

    /**
     * @param report where a store tells of each step, or 0 for nowhere
     */
    StepProgram(long seed, int report) {
        this.report = report;
        random = new Random(seed);
        long[] bytes = new long[SCRATCH_BYTES / Long.BYTES];
        for (int i = 0; i < bytes.length; i++) {
            bytes[i] = value();
        }
        // The middle of the scratch memory is where two pages meet.
        program.data(new long[(PAGE - SCRATCH_BYTES / 2) / Long.BYTES]);
        scratch = program.data(bytes);
        int over = program.here();
        program.emit(0);
        load = program.here();
        loadRoutine();
        dump = program.here();
        dumpRoutine();
        program.patch(over, Rv64.j(0, program.here() - over));
        program.loadAddress(DUMP, GuestProgram.OUTPUT);
    }

    Random random() {
        return random;
    }

    int scratch() {
        return scratch;
    }

    /** The middle of the scratch memory: what x2 holds before a step. */
    int middle() {
        return scratch + SCRATCH_BYTES / 2;
    }

    /** For what a step needs around its instruction. */
    GuestProgram program() {
        return program;
    }

    /** A register that a step may read: any but the dump's and the link. */
    int source() {
        int register = random.nextInt(30);
        return register > SP ? register + 2 : register;
    }

    /** A register that a step may write. */
    int destination() {
        return source();
    }

    /** Any register that a step may read and write, but x0 and those given. */
    int other(int... taken) {
        while (true) {
            int register = 5 + random.nextInt(27);
            boolean free = true;
            for (int each : taken) {
                free &= each != register;
            }
            if (free) {
                return register;
            }
        }
    }

    /** Begins a step: fresh registers from time to time. */
    void begin() {
        if (inBlock == STEPS_A_BLOCK) {
            inBlock = 0;
            block++;
            program.loadAddress(LAST, state());
            call(load);
            end("loading the registers", program.here());
        }
        inBlock++;
        program.loadAddress(SP, middle());
    }

    /** Ends a step whose instruction was emitted at an address. */
    void end(String text, int address) {
        int place = program.output(STATE_BYTES);
        call(dump);
        steps.add(new Step(text, address, place, block));
    }

    /** A step of one instruction. */
    void step(String text, int word) {
        begin();
        int address = program.here();
        program.emit(word);
        end(text, address);
    }

    GuestProgram finish() {
        return program.finish();
    }

    private void call(int routine) {
        program.emit(Rv64.j(LINK, routine - program.here()));
    }

    private int state() {
        long[] values = new long[FCSR_SLOT + 1];
        for (int i = 0; i < FCSR_SLOT; i++) {
            values[i] = i < FLOATS ? value() : floating();
        }
        values[FCSR_SLOT] = (long) random.nextInt(5) << 5 | random.nextInt(32);
        return program.data(values);
    }

    private long value() {
        long any = random.nextLong();
        switch (random.nextInt(6)) {
            case 0:
                return any >> random.nextInt(64);
            case 1:
                return any >>> random.nextInt(64);
            case 2:
                return (1L << random.nextInt(64)) + random.nextInt(3) - 1;
            case 3:
                return random.nextInt(5) - 2;
            case 4:
                return (int) any;
            default:
                return any;
        }
    }

    private long floating() {
        float value = (float) (random.nextGaussian() * Math.pow(2, random.nextInt(40) - 20));
        return random.nextBoolean()
                ? FloatingPoint.box(Float.floatToRawIntBits(value))
                : Double.doubleToRawLongBits(value);
    }

    /** Loads every register from where x31 points, x31 last. */
    private void loadRoutine() {
        program.emit(Rv64.ld(LINK + 1, FCSR_SLOT * Long.BYTES, LAST));
        program.emit(Rv64.csrrw(0, Rv64.CSR_FCSR, LINK + 1));
        for (int i = 0; i < FLOATS; i++) {
            program.emit(Rv64.fld(i, (FLOATS + i) * Long.BYTES, LAST));
        }
        for (int i = 1; i <= LAST; i++) {
            if (i != DUMP && i != LINK) {
                program.emit(Rv64.ld(i, i * Long.BYTES, LAST));
            }
        }
        program.emit(Rv64.i(Rv64.JALR, 0, 0, LINK, 0));
    }

    private void dumpRoutine() {
        for (int i = 1; i <= LAST; i++) {
            if (i != DUMP && i != LINK) {
                program.emit(Rv64.sd(i, i * Long.BYTES, DUMP));
            }
        }
        for (int i = 0; i < FLOATS; i++) {
            program.emit(Rv64.fsd(i, (FLOATS + i) * Long.BYTES, DUMP));
        }
        program.emit(Rv64.csrrs(LAST, Rv64.CSR_FCSR, 0));
        program.emit(Rv64.sd(LAST, FCSR_SLOT * Long.BYTES, DUMP));
        if (report != 0) {
            program.loadAddress(LAST, report);
            program.emit(Rv64.sd(0, 0, LAST));
        }
        program.emit(Rv64.ld(LAST, LAST * Long.BYTES, DUMP));
        program.emit(Rv64.addi(DUMP, DUMP, STATE_BYTES));
        program.emit(Rv64.i(Rv64.JALR, 0, 0, LINK, 0));
    }

    /**
     * What differs, in words: the first difference of each block, for those after may follow from
     * it.
     */
    List<String> differences(GuestProgram.Results ours, GuestProgram.Results theirs) {
        List<String> differences = new ArrayList<>();
        int failed = -1;
        for (int i = 0; i < steps.size(); i++) {
            Step step = steps.get(i);
            if (step.block == failed) {
                continue;
            }
            TreeSet<Integer> slots = new TreeSet<>();
            for (int slot = 0; slot <= FCSR_SLOT; slot++) {
                int at = step.dump + slot * Long.BYTES;
                if (ours.at(at) != theirs.at(at)) {
                    slots.add(slot);
                }
            }
            if (!slots.isEmpty()) {
                failed = step.block;
                differences.add(describe(step, steps.get(Math.max(0, i - 1)), slots, ours, theirs));
            }
        }
        return differences;
    }

    private static String describe(
            Step step,
            Step before,
            TreeSet<Integer> slots,
            GuestProgram.Results ours,
            GuestProgram.Results theirs) {
        StringBuilder text = new StringBuilder();
        text.append(String.format("%s at %x:", step.text, step.address));
        for (int slot : slots) {
            int at = step.dump + slot * Long.BYTES;
            text.append(
                    String.format(
                            " %s ours %016x, QEMU %016x;", name(slot), ours.at(at), theirs.at(at)));
        }
        text.append("\n    before:");
        for (int slot = 1; slot <= FCSR_SLOT; slot++) {
            long value = theirs.at(before.dump + slot * Long.BYTES);
            text.append(String.format(" %s=%x", name(slot), value));
        }
        return text.toString();
    }

    private static String name(int slot) {
        if (slot == FCSR_SLOT) {
            return "fcsr";
        }
        return slot < FLOATS ? "x" + slot : "f" + (slot - FLOATS);
    }
}
