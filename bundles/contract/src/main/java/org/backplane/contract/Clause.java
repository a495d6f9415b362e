package org.backplane.contract;

/**
 * One rule for devices.
 *
 * @param name as a test is named: {@code comesToRest}
 * @param fundamental whether no other clause can be judged of a device that breaks this one
 * @param check throws an AssertionError that says what is not kept
 */
record Clause(String name, boolean fundamental, Check check) {
    /** Judges a rule; other exceptions than AssertionError are the device's too. */
    @FunctionalInterface
    interface Check {
        void run(Trial trial) throws Exception;
    }

    static Clause fundamental(String name, Check check) {
        return new Clause(name, true, check);
    }

    static Clause of(String name, Check check) {
        return new Clause(name, false, check);
    }

    static void require(boolean kept, String format, Object... values) {
        if (!kept) {
            throw new AssertionError(format.formatted(values));
        }
    }
}
