package org.backplane.machine.slot;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.ArrayList;
import java.util.List;
import org.backplane.device.DeviceException;
import org.junit.jupiter.api.Test;

final class SharedResourcesTest {
    private final List<AutoCloseable> closed = new ArrayList<>();
    private final SharedResources shared = new SharedResources();

    private AutoCloseable open() {
        return new AutoCloseable() {
            @Override
            public void close() {
                closed.add(this);
            }
        };
    }

    @Test
    void opensWithTheFirstSlotAndClosesWithTheLast() throws Exception {
        SharedResources.Hold first = shared.take("container", this::open);
        SharedResources.Hold second = shared.take("container", this::open);
        assertSame(first.resource(), second.resource());

        first.close();
        first.close();
        assertEquals(List.of(), closed);

        second.close();
        assertEquals(List.of(first.resource()), closed);
        assertNotSame(
                first.resource(), shared.take("container", this::open).resource(), "opened anew");
    }

    @Test
    void holdsNothingOfAnOpenerThatFailed() throws Exception {
        assertThrows(
                DeviceException.class,
                () ->
                        shared.take(
                                "container",
                                () -> {
                                    throw new DeviceException("no container");
                                }));

        SharedResources.Hold hold = shared.take("container", this::open);
        hold.close();
        assertEquals(List.of(hold.resource()), closed);
    }
}
