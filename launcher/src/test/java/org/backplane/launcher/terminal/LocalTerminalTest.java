package org.backplane.launcher.terminal;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.backplane.launcher.terminal.LocalTerminal.Size;
import org.junit.jupiter.api.Test;

class LocalTerminalTest {
    @Test
    void readsRowsBeforeColumns() {
        assertEquals(new Size(132, 43), LocalTerminal.parse("43 132\n"));
    }

    @Test
    void aSizeThatIsNoneIsUnknown() {
        assertEquals(new Size(0, 0), LocalTerminal.parse(""));
        assertEquals(new Size(0, 0), LocalTerminal.parse("stty: standard input"));
        assertEquals(new Size(0, 0), LocalTerminal.parse("99999999999 99999999999\n"));
    }

    @Test
    void aTypeThatIsNoNameIsDumb() {
        assertEquals("xterm-256color", LocalTerminal.typeOf(Map.of("TERM", "xterm-256color")));
        assertEquals("dumb", LocalTerminal.typeOf(Map.of("TERM", "x term")));
        assertEquals("dumb", LocalTerminal.typeOf(Map.of()));
    }

    @Test
    void tellsTheSizeAtOnce() {
        List<Size> told = new ArrayList<>();
        new LocalTerminal("xterm", new Size(80, 24)).watchSize(told::add);
        assertEquals(List.of(new Size(80, 24)), told);
    }
}
