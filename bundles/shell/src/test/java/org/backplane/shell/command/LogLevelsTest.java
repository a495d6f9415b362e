package org.backplane.shell.command;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.System.Logger.Level;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class LogLevelsTest {
    private static final String PACKAGE = "org.backplane.levels";

    private final System.Logger log = System.getLogger(PACKAGE + ".Card");
    private final LogLevels levels = new LogLevels();

    @AfterEach
    void inheritAgain() throws ShellException {
        levels.set("inherit", PACKAGE);
        levels.set("inherit", PACKAGE + ".Card");
    }

    @Test
    void aLoggerBelowTakesTheLevelOver() throws ShellException {
        assertFalse(log.isLoggable(Level.DEBUG));
        levels.set("DEBUG", PACKAGE);
        assertTrue(log.isLoggable(Level.DEBUG));
        assertFalse(log.isLoggable(Level.TRACE));
        levels.set("error", PACKAGE + ".Card");
        assertFalse(log.isLoggable(Level.WARNING));
        levels.set("inherit", PACKAGE + ".Card");
        assertTrue(log.isLoggable(Level.DEBUG));
    }

    @Test
    void eachLevelOfTheJdksIsTheOneThatIsNamed() throws ShellException {
        for (Level level : Level.values()) {
            levels.set(level.name(), PACKAGE);
            for (Level logged : Level.values()) {
                if (logged != Level.OFF && logged != Level.ALL) {
                    assertEquals(
                            logged.getSeverity() >= level.getSeverity(),
                            log.isLoggable(logged),
                            level + " " + logged);
                }
            }
        }
    }

    @Test
    void listsLevelsByPrefixAndThoseOfTheirOwn() throws ShellException {
        levels.set("trace", PACKAGE);
        assertEquals(
                List.of(
                        new LogLevels.Setting(PACKAGE, "trace", true),
                        new LogLevels.Setting(PACKAGE + ".Card", "trace", false)),
                levels.of(PACKAGE));
        List<LogLevels.Setting> own = levels.of("");
        assertTrue(own.stream().anyMatch(setting -> setting.logger().equals("root")));
        assertTrue(own.stream().allMatch(LogLevels.Setting::own));
    }

    @Test
    void refusesWhatIsNoLevel() {
        assertEquals(
                "'loud' is no level; there are all, debug, error, info, off, trace, warning and"
                        + " inherit.",
                assertThrows(ShellException.class, () -> levels.set("loud", PACKAGE)).getMessage());
        assertThrows(ShellException.class, () -> levels.set("inherit", "root"));
    }
}
