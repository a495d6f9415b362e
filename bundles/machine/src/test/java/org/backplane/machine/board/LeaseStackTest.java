package org.backplane.machine.board;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class LeaseStackTest {
    private final List<String> closed = new ArrayList<>();
    private final LeaseStack stack = new LeaseStack("disk0");

    private AutoCloseable lease(String name) {
        return stack.push(name, () -> closed.add(name));
    }

    @Test
    void closesBackwardsAndOnce() {
        lease("a");
        lease("b");
        lease("c");
        assertEquals(List.of("a", "b", "c"), stack.names());
        stack.close();
        stack.close();
        assertEquals(List.of("c", "b", "a"), closed);
    }

    @Test
    void releasedLeaseIsNotClosedAgain() {
        lease("a");
        AutoCloseable b = lease("b");
        stack.release(b);
        stack.release(b);
        stack.close();
        assertEquals(List.of("b", "a"), closed);
    }

    @Test
    void failingLeaseDoesNotKeepTheOthers() {
        lease("a");
        stack.push(
                "bad",
                () -> {
                    throw new java.io.IOException("no");
                });
        lease("c");
        stack.close();
        assertEquals(List.of("c", "a"), closed);
    }

    @Test
    void whatComesTooLateIsClosedAtOnce() {
        stack.close();
        assertThrows(IllegalStateException.class, () -> lease("late"));
        assertEquals(List.of("late"), closed);
    }
}
