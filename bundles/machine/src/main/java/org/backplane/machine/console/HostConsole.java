package org.backplane.machine.console;

import java.io.IOException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.util.ArrayDeque;
import org.backplane.machine.processor.MachineThread;

/**
 * The host's end of a serial line: a buffer each way and one thread that writes out. Neither side
 * ever waits for the other. Thread-safe.
 */
public final class HostConsole implements AutoCloseable {
    private static final Logger LOG = System.getLogger(HostConsole.class.getName());
    private static final int OUTPUT_LIMIT = 1 << 20;
    private static final int INPUT_LIMIT = 1 << 16;
    private static final int CHUNK = 4096;

    /** Where output goes; may wait, and blocks nobody but the console's own thread. */
    @FunctionalInterface
    interface Sink {
        void write(byte[] bytes, int length) throws IOException;
    }

    private final String name;
    private final Sink sink;
    private final AutoCloseable end;
    // All guarded by this.
    private final byte[] output = new byte[OUTPUT_LIMIT];
    private int outputStart;
    private int outputCount;
    private final ArrayDeque<Byte> input = new ArrayDeque<>();
    private Runnable listener;
    private boolean writing;
    private boolean closed;
    private long lost;

    /**
     * @param end closed with the console
     */
    HostConsole(String name, Sink sink, AutoCloseable end) {
        this.name = name;
        this.sink = sink;
        this.end = end;
        new MachineThread("console/" + name, this::drain).start();
    }

    /** Sends a byte to the host; lost if the host's end does not keep up. */
    public synchronized void write(int octet) {
        if (outputCount == OUTPUT_LIMIT || closed) {
            lost++;
            return;
        }
        output[(outputStart + outputCount) % OUTPUT_LIMIT] = (byte) octet;
        outputCount++;
        if (outputCount == 1) {
            notifyAll();
        }
    }

    /** The next byte from the host, or -1. */
    public synchronized int read() {
        Byte next = input.poll();
        return next == null ? -1 : next & 0xff;
    }

    /** A byte came from the host. */
    void arrived(int octet) {
        Runnable told;
        synchronized (this) {
            if (input.size() == INPUT_LIMIT) {
                lost++;
                return;
            }
            input.add((byte) octet);
            told = listener;
        }
        if (told != null) {
            told.run();
        }
    }

    /** Runs the listener whenever bytes have come; at once if some are there. */
    public void listen(Runnable arrived) {
        boolean waiting;
        synchronized (this) {
            listener = arrived;
            waiting = !input.isEmpty();
        }
        if (waiting) {
            arrived.run();
        }
    }

    public synchronized void unlisten(Runnable arrived) {
        if (listener == arrived) {
            listener = null;
        }
    }

    private void drain() {
        var chunk = new byte[CHUNK];
        try {
            for (; ; ) {
                int count;
                synchronized (this) {
                    writing = false;
                    notifyAll();
                    while (outputCount == 0) {
                        if (closed) {
                            return;
                        }
                        wait();
                    }
                    writing = true;
                    count = Math.min(CHUNK, outputCount);
                    for (int i = 0; i < count; i++) {
                        chunk[i] = output[(outputStart + i) % OUTPUT_LIMIT];
                    }
                    outputStart = (outputStart + count) % OUTPUT_LIMIT;
                    outputCount -= count;
                }
                sink.write(chunk, count);
            }
        } catch (IOException e) {
            LOG.log(
                    Level.WARNING,
                    () -> "Console '%s' lost its end: %s".formatted(name, e.getMessage()));
            synchronized (this) {
                writing = false;
                closed = true;
                outputCount = 0;
                notifyAll();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** Writes out what is buffered, as far as the host takes it within a second, and ends. */
    @Override
    public void close() throws Exception {
        synchronized (this) {
            closed = true;
            notifyAll();
            long deadline = System.nanoTime() + 1_000_000_000L;
            while ((outputCount > 0 || writing) && System.nanoTime() < deadline) {
                wait(100);
            }
            if (lost > 0) {
                LOG.log(Level.INFO, "Console ''{0}'' lost {1} bytes.", name, lost);
            }
        }
        end.close();
    }
}
