package org.backplane.hart;

/**
 * The control and status registers of a hart without a machine mode (privileged architecture 1.12,
 * chapter 4; AIA 1.0, chapter 5; Sstc). Belongs to the hart's thread.
 */
final class Csrs {
    static final int FFLAGS = 0x001;
    static final int FRM = 0x002;
    static final int FCSR = 0x003;
    static final int SSTATUS = 0x100;
    static final int SIE = 0x104;
    static final int STVEC = 0x105;
    static final int SCOUNTEREN = 0x106;
    static final int SENVCFG = 0x10a;
    static final int SSCRATCH = 0x140;
    static final int SEPC = 0x141;
    static final int SCAUSE = 0x142;
    static final int STVAL = 0x143;
    static final int SIP = 0x144;
    static final int STIMECMP = 0x14d;
    static final int SISELECT = 0x150;
    static final int SIREG = 0x151;
    static final int STOPEI = 0x15c;
    static final int SATP = 0x180;
    static final int CYCLE = 0xc00;
    static final int TIME = 0xc01;
    static final int INSTRET = 0xc02;
    static final int STOPI = 0xdb0;

    static final long STATUS_SIE = 1L << 1;
    static final long STATUS_SPIE = 1L << 5;
    static final long STATUS_SPP = 1L << 8;
    static final long STATUS_FS = 3L << 13;
    static final long STATUS_SUM = 1L << 18;
    static final long STATUS_MXR = 1L << 19;
    private static final long STATUS_UXL_64 = 2L << 32;
    private static final long STATUS_SD = 1L << 63;
    static final long STATUS_WRITABLE =
            STATUS_SIE | STATUS_SPIE | STATUS_SPP | STATUS_FS | STATUS_SUM | STATUS_MXR;
    private static final long STATUS_CONTEXT = STATUS_FS | STATUS_SUM | STATUS_MXR;

    private static final long CAUSE_INTERRUPT = 1L << 63;
    static final long COUNTERS = 7;
    static final long ENVIRONMENT_FIOM = 1;
    static final long SELECT_MASK = 0xfff;
    static final long FCSR_MASK = 0xff;

    /** Of stvec.MODE, which is 0 or 1. */
    static final long VECTOR_RESERVED = 2;

    private static final int FLAGS_MASK = 0x1f;
    private static final int MODE_SHIFT = 5;
    private static final int MODE_MASK = 7;

    /** The major interrupts' priorities, which cannot be set (AIA section 5.2.2). */
    private static final int IPRIO_FIRST = 0x30;

    private static final int IPRIO_LAST = 0x3f;

    private final Trap trap;
    private final Mmu mmu;
    private final Interrupts interrupts;
    private final FloatingPoint floatingPoint;
    private final GuestClock clock;
    private final Registers registers;

    private boolean user;
    private long status;
    private long vector;
    private long counterEnable;
    private long environment;
    private long scratch;
    private long exceptionPc;
    private long cause;
    private long trapValue;
    private long select;
    private int roundingMode;

    Csrs(
            Trap trap,
            Mmu mmu,
            Interrupts interrupts,
            FloatingPoint floatingPoint,
            GuestClock clock,
            Registers registers) {
        this.trap = trap;
        this.mmu = mmu;
        this.interrupts = interrupts;
        this.floatingPoint = floatingPoint;
        this.clock = clock;
        this.registers = registers;
    }

    /**
     * As SBI HSM starts a hart: S-mode, no translation, interrupts off. The counters are open to
     * U-mode as firmware leaves them: Linux without the PMU extension never sets scounteren, and
     * the vDSO's clock reads {@code time}.
     */
    void reset() {
        user = false;
        status = 0;
        vector = 0;
        counterEnable = COUNTERS;
        environment = 0;
        scratch = 0;
        exceptionPc = 0;
        cause = 0;
        trapValue = 0;
        select = 0;
        roundingMode = 0;
        floatingPoint.flags(0);
        mmu.satp(0);
        mmu.clear();
        context();
    }

    CsrRecord save() {
        return new CsrRecord(
                user,
                status,
                vector,
                counterEnable,
                environment,
                scratch,
                exceptionPc,
                cause,
                trapValue,
                select,
                mmu.satp(),
                fcsr());
    }

    /** Also forgets every translation. */
    void restore(CsrRecord saved) {
        user = saved.user();
        status = saved.sstatus();
        vector = saved.stvec();
        counterEnable = saved.scounteren();
        environment = saved.senvcfg();
        scratch = saved.sscratch();
        exceptionPc = saved.sepc();
        cause = saved.scause();
        trapValue = saved.stval();
        select = saved.siselect();
        fcsr(saved.fcsr());
        mmu.satp(saved.satp());
        mmu.clear();
        context();
    }

    boolean user() {
        return user;
    }

    /** Whether an interrupt would be taken now, if one were pending and enabled. */
    boolean interruptible() {
        return user || (status & STATUS_SIE) != 0;
    }

    boolean floatingPointOn() {
        return (status & STATUS_FS) != 0;
    }

    boolean floatingPointDirty() {
        return (status & STATUS_FS) == STATUS_FS;
    }

    void dirtyFloatingPoint() {
        status |= STATUS_FS;
    }

    /** frm, 0 to 7: not every value is a mode. */
    int roundingMode() {
        return roundingMode;
    }

    private void context() {
        mmu.context(user, (status & STATUS_SUM) != 0, (status & STATUS_MXR) != 0);
    }

    /**
     * Enters the guest's handler (section 4.1.1 and following).
     *
     * @param newCause as in scause
     */
    void enterHandler(long newCause, long value) {
        cause = newCause;
        trapValue = value;
        exceptionPc = registers.pc;
        status =
                status & ~(STATUS_SPP | STATUS_SPIE | STATUS_SIE)
                        | (user ? 0 : STATUS_SPP)
                        | ((status & STATUS_SIE) != 0 ? STATUS_SPIE : 0);
        user = false;
        context();
        long base = vector & ~3L;
        boolean vectored = (vector & 3) == 1 && newCause < 0;
        registers.pc = vectored ? base + 4 * (newCause & ~CAUSE_INTERRUPT) : base;
    }

    void enterInterrupt(int interrupt) {
        enterHandler(CAUSE_INTERRUPT | interrupt, 0);
    }

    /** SRET. */
    void leaveHandler() {
        user = (status & STATUS_SPP) == 0;
        status =
                status & ~(STATUS_SPP | STATUS_SIE)
                        | STATUS_SPIE
                        | ((status & STATUS_SPIE) != 0 ? STATUS_SIE : 0);
        registers.pc = exceptionPc;
        context();
    }

    /**
     * Reads a register and, if asked to, changes it, as one step.
     *
     * @param clear bits to clear
     * @param set bits to set after
     * @return the value before
     * @throws Trap there is no such register in this mode
     */
    long exchange(int csr, boolean write, long clear, long set) {
        check(csr, write);
        switch (csr) {
            case SIREG:
                return indirect(write, clear, set);
            case STOPEI:
                int top = write ? interrupts.file().claim() : interrupts.file().top();
                return top;
            case SIP:
                return pending(write, clear, set);
            default:
                break;
        }
        long old = read(csr);
        if (write) {
            write(csr, old & ~clear | set);
        }
        return old;
    }

    private void check(int csr, boolean write) {
        boolean readOnly = csr >>> 10 == 3;
        boolean machine = (csr >>> 8 & 2) != 0;
        boolean supervisor = (csr >>> 8 & 1) != 0;
        if (machine || supervisor && user || readOnly && write) {
            throw trap.of(Trap.ILLEGAL_INSTRUCTION, 0);
        }
    }

    /**
     * Whether a write of a register calls for the end of a run of instructions: the context or what
     * interrupts may do changed.
     */
    boolean decisive(int csr, long before) {
        switch (csr) {
            case SSTATUS:
                return ((before ^ status) & STATUS_CONTEXT) != 0
                        || (status & ~before & STATUS_SIE) != 0 && interrupts.any();
            case SATP:
                return true;
            case SIE:
            case SIP:
            case STIMECMP:
            case SIREG:
                return interruptible() && interrupts.any();
            default:
                return false;
        }
    }

    private long pending(boolean write, long clear, long set) {
        interrupts.look();
        long old = interrupts.pending();
        if (write && ((clear | set) & Interrupts.SOFTWARE_BIT) != 0) {
            interrupts.software((set & Interrupts.SOFTWARE_BIT) != 0);
        }
        return old;
    }

    private long indirect(boolean write, long clear, long set) {
        if (select >= IPRIO_FIRST && select <= IPRIO_LAST && (select & 1) == 0) {
            return 0;
        }
        InterruptFile file = interrupts.file();
        if (!file.exists(select)) {
            throw trap.of(Trap.ILLEGAL_INSTRUCTION, 0);
        }
        return write ? file.exchange(select, clear, set) : file.read(select);
    }

    private long read(int csr) {
        switch (csr) {
            case FFLAGS:
                requireFloatingPoint();
                return floatingPoint.flags();
            case FRM:
                requireFloatingPoint();
                return roundingMode;
            case FCSR:
                requireFloatingPoint();
                return fcsr();
            case SSTATUS:
                return status | STATUS_UXL_64 | (floatingPointDirty() ? STATUS_SD : 0);
            case SIE:
                return interrupts.enabled();
            case STVEC:
                return vector;
            case SCOUNTEREN:
                return counterEnable;
            case SENVCFG:
                return environment;
            case SSCRATCH:
                return scratch;
            case SEPC:
                return exceptionPc;
            case SCAUSE:
                return cause;
            case STVAL:
                return trapValue;
            case STIMECMP:
                return interrupts.timerCompare();
            case SISELECT:
                return select;
            case SATP:
                return mmu.satp();
            case STOPI:
                return interrupts.top();
            case CYCLE:
            case INSTRET:
            case TIME:
                return counter(csr);
            default:
                throw trap.of(Trap.ILLEGAL_INSTRUCTION, 0);
        }
    }

    private long counter(int csr) {
        if (user && (counterEnable >>> (csr - CYCLE) & 1) == 0) {
            throw trap.of(Trap.ILLEGAL_INSTRUCTION, 0);
        }
        return csr == TIME ? clock.ticks() : registers.retired();
    }

    private void write(int csr, long value) {
        switch (csr) {
            case FFLAGS:
                dirtyFloatingPoint();
                floatingPoint.flags((int) value & FLAGS_MASK);
                break;
            case FRM:
                dirtyFloatingPoint();
                roundingMode = (int) value & MODE_MASK;
                break;
            case FCSR:
                dirtyFloatingPoint();
                fcsr(value);
                break;
            case SSTATUS:
                status = value & STATUS_WRITABLE;
                context();
                break;
            case SIE:
                interrupts.enabled(value);
                break;
            case STVEC:
                // Mode 0 or 1; another keeps what was.
                vector = (value & VECTOR_RESERVED) == 0 ? value : value & ~3L | vector & 3;
                break;
            case SCOUNTEREN:
                counterEnable = value & COUNTERS;
                break;
            case SENVCFG:
                environment = value & ENVIRONMENT_FIOM;
                break;
            case SSCRATCH:
                scratch = value;
                break;
            case SEPC:
                exceptionPc = value & ~1L;
                break;
            case SCAUSE:
                cause = value;
                break;
            case STVAL:
                trapValue = value;
                break;
            case STIMECMP:
                interrupts.timerCompare(value);
                break;
            case SISELECT:
                select = value & SELECT_MASK;
                break;
            case SATP:
                mmu.satp(value);
                break;
            default:
                throw trap.of(Trap.ILLEGAL_INSTRUCTION, 0);
        }
    }

    private long fcsr() {
        return roundingMode << MODE_SHIFT | floatingPoint.flags();
    }

    private void fcsr(long value) {
        floatingPoint.flags((int) value & FLAGS_MASK);
        roundingMode = (int) value >>> MODE_SHIFT & MODE_MASK;
    }

    private void requireFloatingPoint() {
        if (!floatingPointOn()) {
            throw trap.of(Trap.ILLEGAL_INSTRUCTION, 0);
        }
    }
}
