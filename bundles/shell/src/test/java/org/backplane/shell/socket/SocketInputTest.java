package org.backplane.shell.socket;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class SocketInputTest {
    private final SocketInput input = new SocketInput();

    private void offer(String text) {
        input.offer(ByteBuffer.wrap(text.getBytes(StandardCharsets.UTF_8)));
    }

    /** A pipe's client says it when its pipe has ended, behind a line that may have no end. */
    @ParameterizedTest
    @ValueSource(strings = {"vm:slots\nexit\n", "vm:slots\n\nexit\n", "vm:slots\nexit"})
    void goodbyeIsHeardThoughTheLineBeforeItRunsAlready(String text) throws Exception {
        offer(text);
        assertEquals("vm:slots", input.line());
        assertTrue(input.end("exit"));
    }

    @Test
    void wordThatEndsAsTheGoodbyeIsNone() throws Exception {
        offer("vm:slots\nnoexit\n");
        assertEquals("vm:slots", input.line());
        assertFalse(input.end("exit"));
    }
}
