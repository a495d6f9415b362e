package org.backplane.shell.terminal;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import java.util.List;
import org.jline.utils.InfoCmp;
import org.junit.jupiter.api.Test;

class TerminalTypeTest {
    @Test
    void terminalsHaveTheirFamiliesDescription() {
        assertEquals("xterm", TerminalType.family("xterm"));
        assertEquals("xterm-256color", TerminalType.family("xterm-256color"));
        assertEquals("xterm-256color", TerminalType.family("xterm-direct"));
        assertEquals("screen-256color", TerminalType.family("tmux-256color"));
        assertEquals("screen", TerminalType.family("screen.linux"));
        assertEquals("ansi", TerminalType.family("vt100"));
    }

    @Test
    void whatIsNotKnownIsDumb() {
        for (String type : List.of("", "dumb", "toaster", "--help", "../../etc/passwd", "x term")) {
            assertEquals("dumb", TerminalType.family(type));
        }
    }

    /** Otherwise JLine would start infocmp. */
    @Test
    void everyFamilyIsDescribedByJLineItself() {
        for (String type :
                List.of("xterm", "xterm-256color", "tmux", "tmux-256color", "rxvt", "vt220", "?")) {
            String family = TerminalType.loaded(type);
            assertFalse(InfoCmp.getLoadedInfoCmp(family).isEmpty(), family);
        }
    }
}
