package org.backplane.virtio;

import org.osgi.annotation.versioning.ProviderType;

/**
 * What a virtio device can pull on besides its queues. Thread-safe; nothing here waits. A device
 * that is not behind its function yet is heard once it is; one that has left is not.
 */
@ProviderType
public interface VirtioWires {
    /**
     * The device-specific configuration reads differently from now on: counts config_generation on
     * and interrupts the driver, if it is ready (virtio 1.2, section 2.5).
     */
    void configurationChanged();

    /**
     * The driver made a mistake that broke nothing but its own request: counted with those that the
     * function finds itself. What it was is formatted only for a line that is written.
     */
    default void guestMistook(String format, Object... values) {}
}
