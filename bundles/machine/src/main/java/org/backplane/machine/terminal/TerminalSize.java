package org.backplane.machine.terminal;

/**
 * The size of a terminal in characters; what no terminal can be, and zero for unknown, becomes 80
 * by 24.
 */
public record TerminalSize(int columns, int rows) {
    private static final int MOST = 1000;

    /** Of a terminal that does not tell. */
    public static final TerminalSize UNKNOWN = new TerminalSize(80, 24);

    public TerminalSize {
        columns = columns < 1 ? 80 : Math.min(columns, MOST);
        rows = rows < 1 ? 24 : Math.min(rows, MOST);
    }
}
