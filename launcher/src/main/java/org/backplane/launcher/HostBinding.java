package org.backplane.launcher;

import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.backplane.launcher.folder.Locations;
import org.backplane.launcher.framework.Distribution;

/** Hands PCI devices of this host over to VFIO and back, by the bundle that knows how. */
public record HostBinding(Distribution distribution, Locations locations) {
    public static HostBinding ofThisProcess() throws IOException {
        return new HostBinding(Distribution.ofThisProcess(), Locations.ofThisUser());
    }

    /**
     * @param action {@code bind} or {@code release}
     * @param address of the device
     * @return what has become of it, a sentence
     * @throws IOException with a sentence if it stays as it was
     */
    public String change(String action, String address) throws IOException, InterruptedException {
        List<Map<String, String>> lines =
                new BriefFramework(distribution, locations)
                        .ask(
                                "vfio",
                                Optional.empty(),
                                framework -> framework.vfio(List.of(action, address)));
        if (lines.isEmpty()) {
            throw new IOException("the distribution has no bundle vfio; build or install it whole");
        }
        return lines.get(0).get("text");
    }
}
