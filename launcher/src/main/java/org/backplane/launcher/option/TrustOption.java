package org.backplane.launcher.option;

import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.backplane.launcher.trust.TrustFolder;

/** Reads {@code --trust DIR}. */
final class TrustOption {
    private TrustOption() {}

    /** The folder, if what is in it can be used. */
    static Optional<Path> read(String text, Problems problems) {
        Optional<Path> path =
                PlanReader.path(
                        text, wrong -> problems.add("--trust", text.replace('\0', '?'), wrong));
        if (path.isEmpty()) {
            return path;
        }
        List<String> mistakes = new TrustFolder(path.get()).mistakes();
        mistakes.forEach(mistake -> problems.add("--trust", text, mistake));
        return mistakes.isEmpty() ? path : Optional.empty();
    }
}
