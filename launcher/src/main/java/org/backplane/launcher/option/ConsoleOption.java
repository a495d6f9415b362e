package org.backplane.launcher.option;

import java.nio.file.Files;
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
        if (kind.equals("file")) {
            NewPath.checkFolder(path.get(), wrong);
            checkFile(path.get());
        } else {
            NewPath.checkSocket(path.get(), wrong);
        }
        return kind + "=" + path.get();
    }

    private void checkFile(Path path) {
        if (Files.isDirectory(path)) {
            wrong.accept("this is a folder; give the path of a file");
        } else if (Files.exists(path) && !Files.isWritable(path)) {
            wrong.accept("it cannot be written by this user");
        }
    }
}
