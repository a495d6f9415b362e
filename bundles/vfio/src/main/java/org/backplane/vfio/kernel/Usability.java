package org.backplane.vfio.kernel;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.backplane.vfio.VfioException;

/** Whether a function of the host can be used by VFIO, and if not, why and what to do. */
record Usability(HostPci host) {
    /** Sentences, the one to begin with first; none if nothing is in the way that can be seen. */
    List<String> reasons(HostFunction function) throws VfioException {
        List<String> reasons = new ArrayList<>();
        if (function.group().isEmpty()) {
            reasons.add(
                    host.hasIommu()
                            ? "%s cannot be used: no IOMMU of the host translates for it, so it is in no group; put the card into another slot, or give another device."
                                    .formatted(function.address())
                            : "%s cannot be used: the host runs without an IOMMU; switch VT-d, AMD-Vi or the SMMU on in the firmware, and boot with intel_iommu=on where it is Intel's."
                                    .formatted(function.address()));
        }
        if (!function.withVfio()) {
            reasons.add(
                    "%s cannot be used: %s; hand it over with: backplane vfio bind %s"
                            .formatted(
                                    function.address(),
                                    function.driver()
                                            .map(name -> "the host uses it by its driver " + name)
                                            .orElse("it is not bound to vfio-pci"),
                                    function.address()));
        }
        Optional<String> group = host.whyNotViable(function);
        group.ifPresent(reasons::add);
        return reasons;
    }
}
