package org.backplane.hart;

/**
 * A synchronous exception on its way to the guest's handler; each hart has one, thrown again and
 * again. Causes are those of {@code scause} (privileged architecture 1.12, table 4.2).
 */
final class Trap extends RuntimeException {
    private static final long serialVersionUID = 1L;

    static final int FETCH_ACCESS_FAULT = 1;
    static final int ILLEGAL_INSTRUCTION = 2;
    static final int BREAKPOINT = 3;
    static final int LOAD_ACCESS_FAULT = 5;
    static final int STORE_MISALIGNED = 6;
    static final int LOAD_MISALIGNED = 4;
    static final int STORE_ACCESS_FAULT = 7;
    static final int ECALL_FROM_U = 8;
    static final int FETCH_PAGE_FAULT = 12;
    static final int LOAD_PAGE_FAULT = 13;
    static final int STORE_PAGE_FAULT = 15;

    private int cause;
    private long value;

    Trap() {
        super(null, null, false, false);
    }

    int cause() {
        return cause;
    }

    /** For {@code stval}. */
    long value() {
        return value;
    }

    Trap of(int newCause, long newValue) {
        cause = newCause;
        value = newValue;
        return this;
    }
}
