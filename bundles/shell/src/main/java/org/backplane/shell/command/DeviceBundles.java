package org.backplane.shell.command;

import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.backplane.shell.command.Choices.Choice;
import org.osgi.framework.Bundle;
import org.osgi.framework.wiring.BundleCapability;
import org.osgi.framework.wiring.BundleRevision;

/** What the installed bundles say of the devices in them, for completion. */
public final class DeviceBundles {
    private static final String NAMESPACE = "org.backplane.device";

    private final Supplier<Bundle[]> installed;

    public DeviceBundles(Supplier<Bundle[]> installed) {
        this.installed = installed;
    }

    private record Offer(Bundle bundle, BundleCapability capability) {}

    private Stream<Offer> offers(String kind) {
        return Arrays.stream(installed.get())
                .filter(bundle -> bundle.adapt(BundleRevision.class) != null)
                .flatMap(
                        bundle ->
                                bundle
                                        .adapt(BundleRevision.class)
                                        .getDeclaredCapabilities(NAMESPACE)
                                        .stream()
                                        .map(capability -> new Offer(bundle, capability)))
                .filter(offer -> kind.equals(offer.capability().getAttributes().get("kind")));
    }

    /** The versions of the bundles that offer a kind. */
    List<Choice> versions(String kind) {
        return offers(kind)
                .map(Offer::bundle)
                .map(b -> Choice.of(b.getVersion().toString(), b.getSymbolicName()))
                .distinct()
                .toList();
    }

    /** The bundles that offer a kind, by symbolic name. */
    List<Choice> names(String kind) {
        return offers(kind)
                .map(offer -> Choice.of(offer.bundle().getSymbolicName(), ""))
                .distinct()
                .toList();
    }

    /** The settings of a kind, {@code path=}: the grammar is docs/devices.md's. */
    List<Choice> settings(String kind) {
        return offers(kind)
                .map(offer -> offer.capability().getAttributes().get("settings"))
                .filter(Collection.class::isInstance)
                .flatMap(settings -> ((Collection<?>) settings).stream())
                .map(setting -> setting(String.valueOf(setting)))
                .distinct()
                .toList();
    }

    private static Choice setting(String declared) {
        int equals = declared.indexOf('=');
        String name = equals < 0 ? declared : declared.substring(0, equals);
        String type = equals < 0 ? "" : declared.substring(equals + 1);
        return new Choice(name.replaceFirst("!$", "") + "=", type, false);
    }
}
