package org.backplane.launcher.option;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.Optional;

/** Reads {@code --console stdio|none|file=PATH|unix=PATH}. */
final class ConsoleOption {
    /** Longest path of a Unix socket: {@code sun_path} with its final 0 (unix(7)). */
    private static final int MAX_SOCKET_PATH = 107;

    private final Problems problems;

    ConsoleOption(Problems problems) {
        this.problems = problems;
    }

    /** The value with its path absolute; as it is if something is wrong. */
    String read(String text) {
        if (text.equals("stdio") || text.equals("none")) {
            return text;
        }
        int equals = text.indexOf('=');
        String kind = equals < 0 ? text : text.substring(0, equals);
        if (equals < 0 || !(kind.equals("file") || kind.equals("unix"))) {
            problems.add("--console", text, "give stdio, none, file=PATH or unix=PATH");
            return text;
        }
        Optional<Path> path =
                PlanReader.path("--console", text, text.substring(equals + 1), problems);
        if (path.isEmpty()) {
            return text;
        }
        checkFolder(text, path.get());
        if (kind.equals("file")) {
            checkFile(text, path.get());
        } else {
            checkSocket(text, path.get());
        }
        return kind + "=" + path.get();
    }

    private void checkFolder(String text, Path path) {
        Path folder = path.getParent();
        if (folder == null || !Files.isDirectory(folder)) {
            problems.add("--console", text, "there is no folder " + folder + "; make it first");
        } else if (!Files.exists(path) && !Files.isWritable(folder)) {
            problems.add("--console", text, "nothing can be made in " + folder + " by this user");
        }
    }

    private void checkFile(String text, Path path) {
        if (Files.isDirectory(path)) {
            problems.add("--console", text, "this is a folder; give the path of a file");
        } else if (Files.exists(path) && !Files.isWritable(path)) {
            problems.add("--console", text, "it cannot be written by this user");
        }
    }

    private void checkSocket(String text, Path path) {
        int length = path.toString().getBytes(StandardCharsets.UTF_8).length;
        if (length > MAX_SOCKET_PATH) {
            problems.add(
                    "--console",
                    text,
                    "the path of a socket has at most "
                            + MAX_SOCKET_PATH
                            + " bytes, this one has "
                            + length);
        }
        if (!Files.exists(path, LinkOption.NOFOLLOW_LINKS)) {
            return;
        }
        try {
            switch (SocketFile.look(path)) {
                case LISTENING ->
                        problems.add(
                                "--console", text, "a process listens there; give another path");
                case OTHER ->
                        problems.add(
                                "--console",
                                text,
                                "it exists already and is no socket; remove it or give another"
                                        + " path");
                case STALE -> {
                    // Left behind by a process that was killed: the machine puts its own there.
                }
            }
        } catch (IOException e) {
            problems.add(
                    "--console",
                    text,
                    "it exists already and does not say whose it is ("
                            + e.getMessage()
                            + "); remove it or give another path");
        }
    }
}
