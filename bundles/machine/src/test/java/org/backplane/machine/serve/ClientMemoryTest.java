package org.backplane.machine.serve;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import org.backplane.linux.Mapping;
import org.backplane.linux.Memfd;
import org.backplane.memory.GuestMemory;
import org.backplane.memory.MemoryView;
import org.backplane.vfio.user.ServedMemory;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What a client takes back while a request is under way. */
@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class ClientMemoryTest {
    private static final long PAGE = Mapping.pageSize();

    private GuestMemory memory;
    private Memfd file;

    @BeforeEach
    void make() throws Exception {
        memory = GuestMemory.ofElsewhere();
        file = Memfd.create("given", 4 * PAGE);
    }

    @AfterEach
    void close() {
        memory.close();
        file.close();
    }

    private ServedMemory page(int number) {
        long at = number * PAGE;
        return new ServedMemory(at, PAGE, Optional.of(file), at, true, true, true);
    }

    private int ranges() {
        return memory.layout().ranges().size();
    }

    @Test
    void allOfItIsOutOfReachBeforeARequestIsWaitedFor() throws Exception {
        ClientMemory given = new ClientMemory(memory, Duration.ofDays(1));
        List<ServedMemory> pages = List.of(page(0), page(1), page(2));
        for (ServedMemory each : pages) {
            given.map(each);
        }
        MemoryView request = memory.view("a request");
        long pin = request.pin();
        CompletableFuture<Void> taken = CompletableFuture.runAsync(() -> given.unmap(pages));
        while (ranges() > 0) {
            Thread.onSpinWait();
        }
        request.unpin(pin);
        taken.get();
    }

    @Test
    void whatARequestHoldsForEverIsWaitedForWithinTheBound() throws Exception {
        ClientMemory given = new ClientMemory(memory, Duration.ofMillis(1));
        List<ServedMemory> pages = List.of(page(0), page(1));
        for (ServedMemory each : pages) {
            given.map(each);
        }
        MemoryView request = memory.view("a request");
        long pin = request.pin();
        given.unmap(pages);
        assertEquals(0, ranges());
        assertEquals(List.of("a request"), memory.pinned());
        request.unpin(pin);
        assertTrue(memory.pinned().isEmpty());
    }
}
