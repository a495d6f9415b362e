package org.backplane.testkit;

import java.util.ArrayList;
import java.util.List;
import org.backplane.pci.MsiSink;

/** Keeps the message-signalled interrupts it gets. Thread-safe. */
public final class RecordingMsi implements MsiSink {
    /** One memory write of 32 bits. */
    public record Message(long address, int data) {}

    private final List<Message> messages = new ArrayList<>();

    @Override
    public synchronized void signal(long address, int data) {
        messages.add(new Message(address, data));
    }

    /** All so far, in the order of their arrival. */
    public synchronized List<Message> messages() {
        return List.copyOf(messages);
    }

    /** How many carried that data. */
    public synchronized long count(int data) {
        return messages.stream().filter(message -> message.data() == data).count();
    }

    public synchronized void clear() {
        messages.clear();
    }
}
