package org.backplane.launcher.framework;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** The folder that holds the launcher and the bundles, {@code lib/} and {@code bundles/}. */
public record Distribution(Path home) {
    /** A folder of bundles that are started together. */
    public enum Group {
        CONFIG(2),
        BOARD(3),
        ENGINE(4),
        DEVICE(5),
        WATCH(6),
        SECOND(7),
        /** The web page and all that it stands on but the server. */
        WEB(7),
        /** Started after the page, whose guard has to be there before. */
        WEB_SERVER(7),
        /** Logins by SSH. */
        REMOTE(7),
        /** What judges device bundles; in no machine. */
        TESTKIT(8);

        private final int startLevel;

        Group(int startLevel) {
            this.startLevel = startLevel;
        }

        private String folder() {
            return name().toLowerCase(Locale.ROOT).replace('_', '-');
        }

        int startLevel() {
            return startLevel;
        }
    }

    /** The distribution that this process was started from: system property backplane.home. */
    public static Distribution ofThisProcess() throws IOException {
        String home = System.getProperty("backplane.home");
        if (home == null || !Files.isDirectory(Path.of(home, "bundles"))) {
            throw new IOException(
                    "the system property backplane.home does not name a distribution; start with"
                            + " the backplane script");
        }
        return new Distribution(Path.of(home).toAbsolutePath());
    }

    public Path folder(Group group) {
        return home.resolve("bundles").resolve(group.folder());
    }

    /** The list of the bundles' digests, made with them. */
    public Path digests() {
        return home.resolve("lib").resolve("bundles.sha256");
    }

    /**
     * The jar of a bundle.
     *
     * @param name of its module
     */
    public Path bundle(Group group, String name) throws IOException {
        for (Path jar : bundles(group)) {
            if (jar.getFileName().toString().startsWith(name + "-")) {
                return jar;
            }
        }
        throw new IOException("the distribution " + home + " lacks the bundle " + name);
    }

    /** The Maven repository with what device bundles are built with. */
    public Path repository() {
        return home.resolve("maven");
    }

    /** The version of what is in {@link #repository}: that of the board's bundles. */
    public String version() throws IOException {
        String jar = bundle(Group.BOARD, "device").getFileName().toString();
        return jar.substring("device-".length(), jar.length() - ".jar".length());
    }

    /** The jars of a group, by name. */
    public List<Path> bundles(Group group) throws IOException {
        List<Path> jars = new ArrayList<>();
        if (Files.isDirectory(folder(group))) {
            try (DirectoryStream<Path> found = Files.newDirectoryStream(folder(group), "*.jar")) {
                found.forEach(jars::add);
            }
        }
        jars.sort(null);
        return jars;
    }
}
