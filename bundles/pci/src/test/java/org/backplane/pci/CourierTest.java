package org.backplane.pci;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class CourierTest {
    @Test
    void tellsTheLatestStateLastOnOneThreadAtATime() throws Exception {
        AtomicInteger state = new AtomicInteger();
        AtomicInteger told = new AtomicInteger();
        AtomicBoolean inside = new AtomicBoolean();
        AtomicBoolean twice = new AtomicBoolean();
        Courier courier =
                new Courier(
                        () -> {
                            twice.compareAndSet(false, !inside.compareAndSet(false, true));
                            told.set(state.get());
                            inside.set(false);
                        });
        List<Thread> threads = new ArrayList<>();
        for (int i = 0; i < 4; i++) {
            Thread thread =
                    new Thread(
                            () -> {
                                for (int k = 0; k < 20_000; k++) {
                                    state.incrementAndGet();
                                    courier.send();
                                }
                            });
            threads.add(thread);
            thread.start();
        }
        for (Thread thread : threads) {
            thread.join();
        }
        assertEquals(80_000, told.get());
        assertFalse(twice.get());
    }

    @Test
    void anErrandMayAskForAnother() {
        List<String> runs = new ArrayList<>();
        Courier[] courier = new Courier[1];
        courier[0] =
                new Courier(
                        () -> {
                            runs.add("run");
                            if (runs.size() < 3) {
                                courier[0].send();
                            }
                        });
        courier[0].send();
        assertEquals(3, runs.size());
    }

    @Test
    void goesOnAfterAnErrandThatFailed() {
        AtomicInteger runs = new AtomicInteger();
        Courier courier =
                new Courier(
                        () -> {
                            if (runs.incrementAndGet() == 1) {
                                throw new IllegalStateException("expected in this test");
                            }
                        });
        assertThrows(IllegalStateException.class, courier::send);
        courier.send();
        assertEquals(2, runs.get());
    }
}
