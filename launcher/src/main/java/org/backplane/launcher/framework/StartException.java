package org.backplane.launcher.framework;

import java.util.List;

/** The bundles of the distribution do not start; one sentence for each reason. */
public final class StartException extends Exception {
    private static final long serialVersionUID = 1L;

    private final transient List<String> sentences;

    StartException(List<String> sentences, Throwable cause) {
        super(String.join("; ", sentences), cause);
        this.sentences = List.copyOf(sentences);
    }

    public List<String> sentences() {
        return sentences;
    }
}
