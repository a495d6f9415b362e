package org.backplane.vfio.kernel;

import java.util.Optional;
import java.util.OptionalInt;
import org.backplane.vfio.PciHostAddress;

/**
 * A PCI function of this host, as sysfs has it.
 *
 * @param classCode base class, subclass and programming interface, 24 bits
 * @param driver the name of the one it is bound to
 * @param group its IOMMU group
 */
public record HostFunction(
        PciHostAddress address,
        int vendor,
        int device,
        int classCode,
        Optional<String> driver,
        OptionalInt group) {
    /** Bridges stay with the host: the kernel lets them be in a group that is used (PCI 3.0, D). */
    public boolean bridge() {
        return classCode >>> 16 == 0x06;
    }

    /** Whether the driver is one that gives the device to VFIO. */
    public boolean withVfio() {
        return driver.filter(HostFunction::isVfio).isPresent();
    }

    static boolean isVfio(String driver) {
        return driver.contains("vfio");
    }

    /** Whether its driver keeps others of the group from being used. */
    boolean inTheWay() {
        return !bridge()
                && driver.filter(name -> !isVfio(name) && !name.equals("pci-stub")).isPresent();
    }

    @Override
    public String toString() {
        return "%s (%04x:%04x, %s)"
                .formatted(
                        address,
                        vendor,
                        device,
                        driver.map(name -> "driver " + name).orElse("no driver"));
    }
}
