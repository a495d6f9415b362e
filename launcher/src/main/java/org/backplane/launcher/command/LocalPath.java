package org.backplane.launcher.command;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.backplane.launcher.ShellClient;

/**
 * A file or folder that a command of the shell is given: the jar of a swap, the folder of a
 * snapshot. The machine runs in a folder of its own, so that what is relative to the client's has
 * to be told in full.
 */
final class LocalPath {
    private static final String START = "(\\s*(?:vm:)?";
    private static final String RELATIVE = "([^/\\s'\"-][^\\s'\"]*";
    private static final String END = ")(\\s*)";
    private static final Pattern SWAP =
            Pattern.compile(START + "swap\\s+\\S+\\s+)" + RELATIVE + "\\.jar" + END);
    private static final Pattern SNAPSHOT =
            Pattern.compile(START + "snapshot\\s+)" + RELATIVE + END);

    private LocalPath() {}

    /**
     * The command with its path in full, if it is a swap to a jar that is there, or a snapshot; any
     * other as it is.
     *
     * @param folder that the path is relative to
     */
    static String inFull(String command, Path folder) {
        Matcher swap = SWAP.matcher(command);
        if (swap.matches()) {
            return Files.isRegularFile(folder.resolve(swap.group(2)))
                    ? inFull(command, swap, folder)
                    : command;
        }
        Matcher snapshot = SNAPSHOT.matcher(command);
        return snapshot.matches() ? inFull(command, snapshot, folder) : command;
    }

    private static String inFull(String command, Matcher parts, Path folder) {
        String path = folder.resolve(parts.group(2)).normalize().toString();
        if (path.contains("'")) {
            return command;
        }
        return parts.group(1) + ShellClient.word(path) + parts.group(3);
    }
}
