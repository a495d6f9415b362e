package org.backplane.testkit;

import java.util.ArrayList;
import java.util.List;

/**
 * Keeps the message-signalled interrupts it gets. Thread-safe. It is no class of {@code
 * org.backplane.pci}, so that pci's own tests can use this bundle.
 */
public final class RecordingMsi {
    /** One memory write of 32 bits. */
    public record Message(long address, int data) {}

    private final List<Message> messages = new ArrayList<>();

    /** To be given to a host bridge as {@code msi::signal}. */
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
