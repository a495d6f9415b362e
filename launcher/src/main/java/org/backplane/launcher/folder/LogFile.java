package org.backplane.launcher.folder;

import java.io.IOException;
import java.nio.file.Path;
import java.util.logging.Handler;
import java.util.logging.Level;
import java.util.logging.LogManager;
import java.util.logging.Logger;
import java.util.logging.SimpleFormatter;

/**
 * The log of a machine. {@link System.Logger} writes to java.util.logging, whose root logger gets
 * this file as its only handler: the terminal belongs to the guest.
 */
public final class LogFile implements AutoCloseable {
    private static final String FORMAT = "%1$tFT%1$tT.%1$tL %4$-7s %3$s: %5$s%6$s%n";
    private static final long ROTATE = 4L << 20;

    private final Path path;
    private final Handler handler;

    private LogFile(Path path, Handler handler) {
        this.path = path;
        this.handler = handler;
    }

    /**
     * Opens the log of a machine for appending; when it is long, also while the machine runs, it is
     * put aside as {@code NAME.log.1}: a guest that makes messages fills no disk.
     */
    public static LogFile open(Path folder, String machine) throws IOException {
        UserFolder.make(folder, "XDG_STATE_HOME");
        Path path = folder.resolve(machine + ".log");
        System.setProperty("java.util.logging.SimpleFormatter.format", FORMAT);
        LogManager.getLogManager().reset();
        Handler handler = new BoundedFile(path, folder.resolve(machine + ".log.1"), ROTATE);
        handler.setFormatter(new SimpleFormatter());
        handler.setLevel(Level.ALL);
        Logger.getLogger("").addHandler(handler);
        return new LogFile(path, handler);
    }

    /** Drops what is logged, for commands without a machine. */
    public static void none() {
        LogManager.getLogManager().reset();
    }

    public Path path() {
        return path;
    }

    @Override
    public void close() {
        Logger.getLogger("").removeHandler(handler);
        handler.close();
    }
}
