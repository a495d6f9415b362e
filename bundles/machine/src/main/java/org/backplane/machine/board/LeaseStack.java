package org.backplane.machine.board;

import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;

/**
 * Things held, closed backwards. Unplugging, failing to plug and ending are all the same: this
 * stack closed. Thread-safe; closing twice is closing once.
 */
public final class LeaseStack implements AutoCloseable {
    private static final Logger LOG = System.getLogger(LeaseStack.class.getName());

    private record Entry(String name, AutoCloseable lease) {}

    private final String owner;
    private final Deque<Entry> entries = new ArrayDeque<>();
    private boolean closed;

    public LeaseStack(String owner) {
        this.owner = owner;
    }

    /**
     * Takes over a lease. Should the stack be closed already, so is the lease.
     *
     * @return the lease
     */
    public <T extends AutoCloseable> T push(String name, T lease) {
        synchronized (entries) {
            if (!closed) {
                entries.push(new Entry(name, lease));
                return lease;
            }
        }
        close(new Entry(name, lease));
        throw new IllegalStateException("'%s' is gone and holds nothing".formatted(owner));
    }

    /** Closes one lease before its turn. */
    public void release(AutoCloseable lease) {
        Entry found = null;
        synchronized (entries) {
            for (Entry entry : entries) {
                if (entry.lease == lease) {
                    found = entry;
                    break;
                }
            }
            if (found != null) {
                entries.remove(found);
            }
        }
        if (found != null) {
            close(found);
        }
    }

    /** What is held, the latest last. */
    public List<String> names() {
        var names = new ArrayList<String>();
        synchronized (entries) {
            entries.descendingIterator().forEachRemaining(entry -> names.add(entry.name));
        }
        return names;
    }

    @Override
    public void close() {
        for (; ; ) {
            Entry entry;
            synchronized (entries) {
                closed = true;
                entry = entries.poll();
            }
            if (entry == null) {
                return;
            }
            close(entry);
        }
    }

    private void close(Entry entry) {
        try {
            entry.lease.close();
        } catch (Exception e) {
            LOG.log(Level.WARNING, () -> "%s: closing '%s'".formatted(owner, entry.name), e);
        }
    }
}
