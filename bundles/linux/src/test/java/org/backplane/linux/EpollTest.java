package org.backplane.linux;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.util.HashSet;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(120)
class EpollTest {
    @Test
    void eventsCountUntilDrained() throws IOException {
        EventFd event = EventFd.open();
        assertEquals(0, event.drain());
        event.signal();
        event.signal();
        assertEquals(2, event.drain());
        assertEquals(0, event.drain());
        event.close();
        event.signal();
        assertEquals(0, event.drain());
    }

    @Test
    void tellsWhichDescriptorsAreReady() throws IOException {
        try (Epoll epoll = Epoll.open();
                EventFd one = EventFd.open();
                EventFd two = EventFd.open();
                EventFd three = EventFd.open()) {
            epoll.add(one, Epoll.READABLE, 1);
            epoll.add(two, Epoll.READABLE, Long.MAX_VALUE);
            epoll.add(three, Epoll.READABLE, 3);
            assertEquals(0, epoll.await(0));
            two.signal();
            three.signal();
            assertEquals(2, epoll.await(-1));
            assertEquals(Set.of(Long.MAX_VALUE, 3L), Set.of(epoll.token(0), epoll.token(1)));
            assertEquals(Epoll.READABLE, epoll.ready(0));
            epoll.remove(three);
            assertEquals(1, epoll.await(-1));
            two.close();
            assertEquals(0, epoll.await(0));
        }
    }

    @Test
    void oneShotIsSilentUntilModified() throws IOException {
        try (Epoll epoll = Epoll.open();
                EventFd event = EventFd.open()) {
            epoll.add(event, Epoll.READABLE | Epoll.ONE_SHOT, 1);
            event.signal();
            assertEquals(1, epoll.await(-1));
            assertEquals(0, epoll.await(0));
            epoll.modify(event, Epoll.READABLE | Epoll.ONE_SHOT, 2);
            assertEquals(1, epoll.await(-1));
            assertEquals(2, epoll.token(0));
        }
    }

    @Test
    void takesMoreReadyDescriptorsThanOneCallReturns() throws IOException {
        EventFd[] events = new EventFd[100];
        try (Epoll epoll = Epoll.open()) {
            for (int i = 0; i < events.length; i++) {
                events[i] = EventFd.open();
                epoll.add(events[i], Epoll.READABLE, i);
                events[i].signal();
            }
            Set<Long> seen = new HashSet<>();
            while (seen.size() < events.length) {
                int count = epoll.await(-1);
                for (int i = 0; i < count; i++) {
                    seen.add(epoll.token(i));
                    events[(int) epoll.token(i)].drain();
                }
            }
            assertEquals(0, epoll.await(0));
        } finally {
            for (EventFd event : events) {
                event.close();
            }
        }
    }

    @Test
    void wakeEndsAWaitUnderWayAndTheNextOne() throws Exception {
        try (Epoll epoll = Epoll.open()) {
            CompletableFuture<Integer> waiting = CompletableFuture.supplyAsync(() -> await(epoll));
            epoll.wake();
            assertEquals(0, waiting.get());
            epoll.wake();
            assertEquals(0, epoll.await(-1));
        }
    }

    @Test
    void closingEndsAWaitUnderWayAndRefusesTheNext() throws Exception {
        for (int round = 0; round < 100; round++) {
            Epoll epoll = Epoll.open();
            CompletableFuture<Boolean> closed =
                    CompletableFuture.supplyAsync(
                            () -> {
                                int ready;
                                do {
                                    ready = await(epoll);
                                } while (ready >= 0);
                                return true;
                            });
            epoll.close();
            assertTrue(closed.get());
            epoll.wake();
        }
    }

    @Test
    void refusesNegativeTokensAndClosedDescriptors() throws IOException {
        try (Epoll epoll = Epoll.open()) {
            EventFd event = EventFd.open();
            assertThrows(
                    IllegalArgumentException.class, () -> epoll.add(event, Epoll.READABLE, -1));
            event.close();
            assertFalse(event.isOpen());
            assertThrows(LinuxException.class, () -> epoll.add(event, Epoll.READABLE, 1));
        }
    }

    private static int await(Epoll epoll) {
        try {
            return epoll.await(-1);
        } catch (LinuxException closed) {
            return -1;
        }
    }
}
