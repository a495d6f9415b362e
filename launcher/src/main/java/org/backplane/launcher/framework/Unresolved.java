package org.backplane.launcher.framework;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.osgi.framework.Bundle;
import org.osgi.framework.Constants;
import org.osgi.framework.wiring.BundleCapability;
import org.osgi.framework.wiring.BundleRequirement;
import org.osgi.framework.wiring.BundleRevision;

/** Says why bundles do not resolve: which requirement nobody there meets. */
final class Unresolved {
    private final List<BundleRevision> all;

    Unresolved(List<Bundle> bundles) {
        this.all = bundles.stream().map(bundle -> bundle.adapt(BundleRevision.class)).toList();
    }

    /** One sentence for each unmet requirement of a bundle that is not resolved. */
    List<String> sentences() {
        List<String> sentences = new ArrayList<>();
        List<String> pulledDown = new ArrayList<>();
        for (BundleRevision revision : all) {
            if (revision.getBundle().getState() != Bundle.INSTALLED) {
                continue;
            }
            List<String> unmet = unmet(revision);
            sentences.addAll(unmet);
            if (unmet.isEmpty()) {
                pulledDown.add(revision.getSymbolicName());
            }
        }
        if (!pulledDown.isEmpty()) {
            sentences.add(
                    "because of that, or of packages that two bundles offer, these do not resolve"
                            + " either: "
                            + String.join(", ", pulledDown));
        }
        return sentences;
    }

    private List<String> unmet(BundleRevision revision) {
        List<String> sentences = new ArrayList<>();
        for (BundleRequirement requirement : revision.getDeclaredRequirements(null)) {
            Map<String, String> directives = requirement.getDirectives();
            boolean matters =
                    !Constants.RESOLUTION_OPTIONAL.equals(
                                    directives.get(Constants.RESOLUTION_DIRECTIVE))
                            && !"dynamic".equals(directives.get(Constants.RESOLUTION_DIRECTIVE))
                            && !Constants.EFFECTIVE_ACTIVE.equals(
                                    directives.get(Constants.EFFECTIVE_DIRECTIVE));
            if (matters && !isMet(requirement)) {
                sentences.add(
                        "bundle "
                                + revision.getSymbolicName()
                                + " "
                                + revision.getVersion()
                                + " needs "
                                + what(requirement)
                                + ", which "
                                + offers(requirement));
            }
        }
        return sentences;
    }

    private boolean isMet(BundleRequirement requirement) {
        for (BundleRevision provider : all) {
            for (BundleCapability capability :
                    provider.getDeclaredCapabilities(requirement.getNamespace())) {
                if (requirement.matches(capability)) {
                    return true;
                }
            }
        }
        return false;
    }

    private static String what(BundleRequirement requirement) {
        String filter = requirement.getDirectives().get(Constants.FILTER_DIRECTIVE);
        return requirement.getNamespace() + (filter == null ? "" : " " + filter);
    }

    /** What is offered under the same package name, to show a mismatch of versions. */
    private String offers(BundleRequirement requirement) {
        String filter = requirement.getDirectives().getOrDefault(Constants.FILTER_DIRECTIVE, "");
        List<String> near = new ArrayList<>();
        for (BundleRevision provider : all) {
            for (BundleCapability capability :
                    provider.getDeclaredCapabilities(requirement.getNamespace())) {
                Object name = capability.getAttributes().get(requirement.getNamespace());
                if (name != null && filter.contains("=" + name + ")")) {
                    near.add(
                            provider.getSymbolicName()
                                    + " offers as "
                                    + capability.getAttributes().get("version"));
                }
            }
        }
        return near.isEmpty() ? "no bundle here offers" : String.join(" and ", near);
    }
}
