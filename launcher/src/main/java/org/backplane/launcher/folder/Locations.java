package org.backplane.launcher.folder;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;

/**
 * Where this user's files are, by the XDG base directory specification.
 *
 * @param runBase holds a run folder for each running machine
 * @param logs holds a log file for each machine
 * @param cache holds what can be made again: guests, archives
 */
public record Locations(Path runBase, Path logs, Path cache) {
    /** The locations of the user who runs this process. */
    public static Locations ofThisUser() throws IOException {
        String home = System.getenv().getOrDefault("HOME", System.getProperty("user.home"));
        return of(System.getenv(), Path.of(home), uid());
    }

    static Locations of(Map<String, String> environment, Path home, int uid) {
        Path temporary = Path.of("/tmp/backplane-" + uid);
        return new Locations(
                folder(environment, "XDG_RUNTIME_DIR", temporary),
                folder(environment, "XDG_STATE_HOME", home.resolve(".local/state"))
                        .resolve("backplane"),
                folder(environment, "XDG_CACHE_HOME", home.resolve(".cache")).resolve("backplane"));
    }

    /** The specification: relative paths are invalid and to be ignored. */
    private static Path folder(Map<String, String> environment, String variable, Path otherwise) {
        String value = environment.getOrDefault(variable, "");
        return value.startsWith("/") ? Path.of(value).normalize() : otherwise;
    }

    /** Who may log in by SSH, unless something else is said. */
    public static Path authorizedKeys() {
        String home = System.getenv().getOrDefault("HOME", System.getProperty("user.home"));
        return folder(System.getenv(), "XDG_CONFIG_HOME", Path.of(home, ".config"))
                .resolve("backplane")
                .resolve("authorized_keys");
    }

    /** The number of the user who runs this process. */
    public static int uid() throws IOException {
        return (Integer) Files.getAttribute(Path.of("/proc/self"), "unix:uid");
    }
}
