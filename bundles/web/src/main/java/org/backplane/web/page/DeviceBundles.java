package org.backplane.web.page;

import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleContext;
import org.osgi.framework.Version;
import org.osgi.framework.wiring.BundleRevision;

/** Which versions of which bundles are installed for each kind of device. */
record DeviceBundles(BundleContext context) {
    private static final String NAMESPACE = "org.backplane.device";
    private static final String KIND = "kind";

    /** Versions by kind, the newest first. */
    Map<String, List<String>> versions() {
        var found = new TreeMap<String, TreeSet<Version>>();
        for (Bundle bundle : context.getBundles()) {
            BundleRevision revision = bundle.adapt(BundleRevision.class);
            if (revision == null) {
                // Uninstalled meanwhile.
                continue;
            }
            revision.getDeclaredCapabilities(NAMESPACE).stream()
                    .map(capability -> capability.getAttributes().get(KIND))
                    .forEach(kind -> add(found, kind, bundle.getVersion()));
        }
        var versions = new TreeMap<String, List<String>>();
        found.forEach(
                (kind, all) ->
                        versions.put(
                                kind,
                                all.descendingSet().stream().map(Version::toString).toList()));
        return versions;
    }

    /** A capability names one kind, or a list of them. */
    private static void add(Map<String, TreeSet<Version>> found, Object kind, Version version) {
        List<?> kinds =
                kind instanceof List<?> list
                        ? list
                        : kind == null ? List.of() : Arrays.asList(kind);
        kinds.forEach(
                each -> found.computeIfAbsent(each.toString(), k -> new TreeSet<>()).add(version));
    }
}
