package org.backplane.launcher.command;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.backplane.launcher.ShellClient;

/**
 * The jar that a swap is given. The machine runs in a folder of its own, so that what is relative
 * to the client's has to be told in full.
 */
final class SwapJar {
    private static final Pattern SWAP =
            Pattern.compile("(\\s*(?:vm:)?swap\\s+\\S+\\s+)([^/\\s'\"][^\\s'\"]*\\.jar)(\\s*)");

    private SwapJar() {}

    /**
     * The command with the path of its jar in full, if it is a swap to a jar that is there; any
     * other as it is.
     *
     * @param folder that the path is relative to
     */
    static String inFull(String command, Path folder) {
        Matcher swap = SWAP.matcher(command);
        if (!swap.matches()) {
            return command;
        }
        Path jar = folder.resolve(swap.group(2)).normalize();
        String path = jar.toString();
        if (!Files.isRegularFile(jar) || path.contains("'")) {
            return command;
        }
        return swap.group(1) + ShellClient.word(path) + swap.group(3);
    }
}
