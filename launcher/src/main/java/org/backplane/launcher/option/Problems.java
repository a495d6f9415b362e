package org.backplane.launcher.option;

import java.util.ArrayList;
import java.util.List;

/**
 * What is wrong with a command line: one sentence each, in the order found. Options are checked one
 * by one and never stop at the first mistake, so that a user mends a command line once.
 */
public final class Problems {
    private final List<String> sentences = new ArrayList<>();

    /**
     * Adds a sentence.
     *
     * @param option as written, {@code --memory}
     * @param value as written
     * @param remedy what is wrong and what would be right
     */
    public void add(String option, String value, String remedy) {
        add(option + " " + (value.isEmpty() ? "''" : value) + ": " + remedy);
    }

    public void add(String sentence) {
        if (!sentences.contains(sentence)) {
            sentences.add(sentence);
        }
    }

    public boolean isEmpty() {
        return sentences.isEmpty();
    }

    /** Whether there is a sentence about an option already. */
    public boolean concern(String option) {
        return sentences.stream().anyMatch(sentence -> sentence.startsWith(option + " "));
    }

    /** How many there are now; compare to know whether a check added one. */
    public int count() {
        return sentences.size();
    }

    public List<String> sentences() {
        return List.copyOf(sentences);
    }
}
