package org.backplane.contract;

/**
 * What came of a clause.
 *
 * @param clause its name
 * @param outcome whether it was kept
 * @param sentence what was not kept, or why it was not judged; empty if it was kept
 */
public record Verdict(String clause, Outcome outcome, String sentence) {
    /** How a clause ends. */
    public enum Outcome {
        KEPT,
        BROKEN,
        /** A clause that this one builds on is broken. */
        NOT_JUDGED
    }
}
