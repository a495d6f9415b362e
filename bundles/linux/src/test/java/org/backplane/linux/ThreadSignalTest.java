package org.backplane.linux;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.FutureTask;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** A signal that is neither blocked nor consumed ends the process of these tests. */
@Timeout(60)
class ThreadSignalTest {
    /** The calling thread's sets of signals, proc(5). */
    private static long set(String name) throws IOException {
        return Files.readString(Path.of("/proc/thread-self/status"))
                .lines()
                .filter(line -> line.startsWith(name))
                .mapToLong(line -> Long.parseUnsignedLong(line.split("\\s+")[1], 16))
                .findFirst()
                .orElseThrow();
    }

    private static final long WAKE = 1L << 39;

    private interface Steps {
        void run() throws Exception;
    }

    private static void onThreadOfItsOwn(Steps test) throws Exception {
        FutureTask<Void> task =
                new FutureTask<>(
                        () -> {
                            test.run();
                            return null;
                        });
        new Thread(task, "signalled").start();
        task.get();
    }

    private static void join(Thread thread) throws InterruptedException {
        thread.start();
        thread.join();
    }

    @Test
    void waitsToBeConsumed() throws Exception {
        onThreadOfItsOwn(
                () -> {
                    try (ThreadSignal signal = ThreadSignal.ofCurrentThread()) {
                        assertEquals(0, signal.maskWithout() & WAKE);
                        assertEquals(set("SigBlk") & ~WAKE, signal.maskWithout());
                        join(new Thread(signal::send));
                        signal.send();
                        assertEquals(WAKE, set("SigPnd"));
                        signal.consume();
                        assertEquals(0, set("SigPnd"));
                    }
                });
    }

    @Test
    void reachesOnlyItsThread() throws Exception {
        onThreadOfItsOwn(
                () -> {
                    try (ThreadSignal mine = ThreadSignal.ofCurrentThread()) {
                        onThreadOfItsOwn(
                                () -> {
                                    try (ThreadSignal other = ThreadSignal.ofCurrentThread()) {
                                        mine.send();
                                        assertEquals(0, set("SigPnd"), other::toString);
                                    }
                                });
                        assertEquals(WAKE, set("SigPnd"));
                    }
                });
    }

    @Test
    void isTakenAndSentNoMoreOnceClosed() throws Exception {
        onThreadOfItsOwn(
                () -> {
                    ThreadSignal signal = ThreadSignal.ofCurrentThread();
                    signal.send();
                    signal.close();
                    assertEquals(0, set("SigPnd"));
                    signal.send();
                    assertEquals(0, set("SigPnd"));
                });
    }
}
