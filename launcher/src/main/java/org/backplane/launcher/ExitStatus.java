package org.backplane.launcher;

/** Exit statuses of the launcher; a machine may end with others. */
public final class ExitStatus {
    public static final int OK = 0;
    public static final int FAILED = 1;

    /** The options or the files they name are wrong. */
    public static final int BAD_INPUT = 2;

    private ExitStatus() {}
}
