package org.backplane.shell.command;

import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.logging.Level;
import java.util.logging.LogManager;
import java.util.logging.Logger;

/**
 * The levels of the process's loggers. Everybody logs through {@link System.Logger}, which the JDK
 * hands on to java.util.logging: its loggers have the same names and are the process's, so that
 * setting a level there needs no class of anybody's. Thread-safe.
 */
final class LogLevels {
    /** The level of the logger above it. */
    static final String INHERIT = "inherit";

    /** The name that the logger above all others is called by here; its own is empty. */
    static final String ROOT = "root";

    /** By the names of {@link System.Logger.Level}. */
    private static final Map<String, Level> LEVELS =
            new TreeMap<>(
                    Map.of(
                            "all", Level.ALL,
                            "trace", Level.FINER,
                            "debug", Level.FINE,
                            "info", Level.INFO,
                            "warning", Level.WARNING,
                            "error", Level.SEVERE,
                            "off", Level.OFF));

    /** Guarded by this. The JDK forgets a logger with its level when nobody holds it. */
    private final Map<String, Logger> held = new HashMap<>();

    /**
     * A logger.
     *
     * @param level that it has, its own or from above
     * @param own whether it is its own
     */
    record Setting(String logger, String level, boolean own) {}

    static List<String> names() {
        return List.copyOf(LEVELS.keySet());
    }

    /**
     * Sets a level.
     *
     * @param level a name of a level, or {@link #INHERIT}
     * @return the logger as it is then
     */
    synchronized Setting set(String level, String logger) throws ShellException {
        String wanted = level.toLowerCase(Locale.ROOT);
        if (!wanted.equals(INHERIT) && !LEVELS.containsKey(wanted)) {
            throw new ShellException(
                    "'%s' is no level; there are %s and %s."
                            .formatted(level, String.join(", ", names()), INHERIT));
        }
        if (wanted.equals(INHERIT) && logger.equals(ROOT)) {
            throw new ShellException("The root logger has nobody to inherit from.");
        }
        Logger found = Logger.getLogger(nameOf(logger));
        found.setLevel(LEVELS.get(wanted));
        if (wanted.equals(INHERIT)) {
            held.remove(logger);
        } else {
            held.put(logger, found);
        }
        return setting(found);
    }

    /**
     * The loggers there are whose names begin so, by name.
     *
     * @param prefix empty for those that have a level of their own
     */
    List<Setting> of(String prefix) {
        LogManager manager = LogManager.getLogManager();
        return Collections.list(manager.getLoggerNames()).stream()
                .sorted()
                .map(manager::getLogger)
                // One may have been collected since.
                .filter(logger -> logger != null)
                .map(LogLevels::setting)
                .filter(
                        setting ->
                                prefix.isEmpty()
                                        ? setting.own()
                                        : setting.logger().startsWith(prefix))
                .toList();
    }

    private static String nameOf(String logger) {
        return logger.equals(ROOT) ? "" : logger;
    }

    private static Setting setting(Logger logger) {
        Logger from = logger;
        while (from.getLevel() == null && from.getParent() != null) {
            from = from.getParent();
        }
        String name = logger.getName().isEmpty() ? ROOT : logger.getName();
        return new Setting(name, nameOf(from.getLevel()), logger.getLevel() != null);
    }

    private static String nameOf(Level level) {
        return LEVELS.entrySet().stream()
                .filter(entry -> entry.getValue().equals(level))
                .map(Map.Entry::getKey)
                .findFirst()
                .orElse(String.valueOf(level).toLowerCase(Locale.ROOT));
    }
}
