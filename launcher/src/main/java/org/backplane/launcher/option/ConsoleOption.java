package org.backplane.launcher.option;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.Optional;
import java.util.function.Consumer;

/** Reads where a console is: {@code stdio|none|file=PATH|unix=PATH}. */
final class ConsoleOption {
    private final Consumer<String> wrong;

    /**
     * @param wrong is given a clause for everything that is wrong, which says what would be right
     */
    ConsoleOption(Consumer<String> wrong) {
        this.wrong = wrong;
    }

    /** The value with its path absolute; as it is if something is wrong. */
    String read(String text) {
        if (text.equals("stdio") || text.equals("none")) {
            return text;
        }
        int equals = text.indexOf('=');
        String kind = equals < 0 ? text : text.substring(0, equals);
        if (equals < 0 || !(kind.equals("file") || kind.equals("unix"))) {
            wrong.accept("give stdio, none, file=PATH or unix=PATH");
            return text;
        }
        Optional<Path> path = PlanReader.path(text.substring(equals + 1), wrong);
        if (path.isEmpty()) {
            return text;
        }
        checkFolder(path.get());
        if (kind.equals("file")) {
            checkFile(path.get());
        } else {
            checkSocket(path.get());
        }
        return kind + "=" + path.get();
    }

    private void checkFolder(Path path) {
        Path folder = path.getParent();
        if (folder == null || !Files.isDirectory(folder)) {
            wrong.accept("there is no folder " + folder + "; make it first");
        } else if (!Files.exists(path) && !Files.isWritable(folder)) {
            wrong.accept("nothing can be made in " + folder + " by this user");
        }
    }

    private void checkFile(Path path) {
        if (Files.isDirectory(path)) {
            wrong.accept("this is a folder; give the path of a file");
        } else if (Files.exists(path) && !Files.isWritable(path)) {
            wrong.accept("it cannot be written by this user");
        }
    }

    private void checkSocket(Path path) {
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
