package org.backplane.vfio.kernel;

import java.util.Locale;
import java.util.Optional;

/** Which of the kernel's interfaces a device is opened by, as the setting {@code iommu} says it. */
public enum IommuChoice {
    /**
     * The group's file while the kernel has it, because devices then reach each other's BARs; the
     * device's own file otherwise.
     */
    AUTO,
    /** {@code /dev/vfio/N} and a container. */
    GROUP,
    /** {@code /dev/vfio/devices/vfioN} and {@code /dev/iommu}. */
    IOMMUFD;

    /** Reads {@code auto}, {@code group} or {@code iommufd}; empty if it is none of them. */
    public static Optional<IommuChoice> parse(String word) {
        for (IommuChoice choice : values()) {
            if (choice.word().equals(word)) {
                return Optional.of(choice);
            }
        }
        return Optional.empty();
    }

    public String word() {
        return name().toLowerCase(Locale.ROOT);
    }
}
