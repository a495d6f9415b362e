package org.backplane.device.context;

import org.osgi.annotation.versioning.ProviderType;

/** Something held until closed, by the device or by its slot; closing twice is closing once. */
@ProviderType
public interface Lease extends AutoCloseable {
    @Override
    void close();
}
