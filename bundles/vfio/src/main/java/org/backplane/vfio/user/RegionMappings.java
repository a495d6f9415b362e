package org.backplane.vfio.user;

import java.util.List;
import java.util.Objects;
import org.backplane.linux.Fd;

/**
 * What a server's regions are mapped from. The descriptors of the one before stay open beside:
 * mapped still, maybe, until the caller has learned of the new ones. Not thread-safe.
 */
final class RegionMappings implements AutoCloseable {
    private List<Fd> now = List.of();
    private List<Fd> former = List.of();

    /** Null where there is no such region, or nothing of it can be mapped. */
    Fd of(int region) {
        return region < 0 || region >= now.size() ? null : now.get(region);
    }

    /**
     * @param descriptors this object's from now on; null for a region without one
     */
    void replace(List<Fd> descriptors) {
        close(former);
        former = now;
        now = descriptors;
    }

    static void close(List<Fd> descriptors) {
        descriptors.stream().filter(Objects::nonNull).forEach(Fd::close);
    }

    @Override
    public void close() {
        replace(List.of());
        replace(List.of());
    }
}
