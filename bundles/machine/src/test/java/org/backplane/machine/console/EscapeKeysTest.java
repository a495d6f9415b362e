package org.backplane.machine.console;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;

class EscapeKeysTest {
    private final StringBuilder seen = new StringBuilder();
    private final EscapeKeys keys =
            new EscapeKeys(
                    octet -> seen.append((char) octet),
                    new EscapeKeys.Actions() {
                        @Override
                        public void end() {
                            seen.append("<end>");
                        }

                        @Override
                        public void help() {
                            seen.append("<help>");
                        }

                        @Override
                        public void toggle() {
                            seen.append("<shell>");
                        }
                    });

    private String type(String text) {
        text.chars().forEach(keys::typed);
        return seen.toString();
    }

    @Test
    void passesOrdinaryKeysOn() {
        assertEquals("ls\r", type("ls\r"));
    }

    @Test
    void controlAAndXEnds() {
        assertEquals("<end>", type("\u0001x"));
    }

    @Test
    void controlAAndHHelps() {
        assertEquals("a<help>b", type("a\u0001hb"));
    }

    @Test
    void controlAAndSIsTheShellAgainAndAgain() {
        assertEquals("<shell>ls<shell><shell>", type("\u0001sls\u0001S\u0001s"));
    }

    @Test
    void doubledControlAReachesTheGuestOnce() {
        assertEquals("\u0001x", type("\u0001\u0001x"));
    }
}
