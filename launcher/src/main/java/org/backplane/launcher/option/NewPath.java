package org.backplane.launcher.option;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.function.Consumer;

/** Judges paths at which a machine is to make something. */
final class NewPath {
    private NewPath() {}

    /**
     * Whether something can be made in the path's folder.
     *
     * @param wrong is given a clause for everything that is wrong, which says what would be right
     */
    static void checkFolder(Path path, Consumer<String> wrong) {
        Path folder = path.getParent();
        if (folder == null || !Files.isDirectory(folder)) {
            wrong.accept("there is no folder " + folder + "; make it first");
        } else if (!Files.exists(path) && !Files.isWritable(folder)) {
            wrong.accept("nothing can be made in " + folder + " by this user");
        }
    }

    /** Whether a machine can listen there; a socket that nobody listens to any more is replaced. */
    static void checkSocket(Path path, Consumer<String> wrong) {
        checkFolder(path, wrong);
        int length = path.toString().getBytes(StandardCharsets.UTF_8).length;
        if (length > SocketFile.MAX_PATH) {
            wrong.accept(
                    "the path of a socket has at most "
                            + SocketFile.MAX_PATH
                            + " bytes, this one has "
                            + length);
        }
        if (!Files.exists(path, LinkOption.NOFOLLOW_LINKS)) {
            return;
        }
        try {
            switch (SocketFile.look(path)) {
                case LISTENING -> wrong.accept("a process listens there; give another path");
                case OTHER ->
                        wrong.accept(
                                "it exists already and is no socket; remove it or give another"
                                        + " path");
                case STALE -> {
                    // Left behind by a process that was killed: the machine puts its own there.
                }
            }
        } catch (IOException e) {
            wrong.accept(
                    "it exists already and does not say whose it is ("
                            + e.getMessage()
                            + "); remove it or give another path");
        }
    }
}
