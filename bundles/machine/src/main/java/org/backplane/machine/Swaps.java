package org.backplane.machine;

import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import org.backplane.machine.deploy.Arrival;
import org.backplane.machine.deploy.Deployer;
import org.backplane.machine.slot.Factories.Offer;
import org.backplane.machine.slot.Slot;
import org.backplane.machine.slot.Slots;
import org.osgi.framework.Bundle;
import org.osgi.framework.Version;

/**
 * Swaps on the beside road: finds or installs the new code, and removes the old when it has gone.
 */
final class Swaps implements Arrival {
    private static final String LATEST = "latest";

    private final Slots slots;
    private final Deployer deployer;

    Swaps(Slots slots, Deployer deployer) {
        this.slots = slots;
        this.deployer = deployer;
    }

    /**
     * @param version a bundle version, {@code latest}, or the path of a jar, with a slash
     */
    SwapReport swap(Slot slot, String version, boolean force) throws MachineException {
        try (Claim next = choose(slot, version)) {
            if (slot.offer().filter(next.offer::equals).isPresent()) {
                throw new MachineException(
                        "The slot '%s' runs %s already.".formatted(slot.spec().name(), next.offer));
            }
            return slot.swap(next.offer, force);
        }
    }

    SlotReport replug(Slot slot, String version) throws MachineException {
        try (Claim next = choose(slot, version)) {
            return slot.replug(next.offer);
        }
    }

    /**
     * Code that a slot is about to run: kept installed meanwhile, and removed after if it came to
     * nothing.
     */
    private final class Claim implements AutoCloseable {
        private final Offer offer;
        private final boolean deployed;

        Claim(Offer offer, boolean deployed) {
            this.offer = offer;
            this.deployed = deployed;
        }

        @Override
        public void close() {
            if (deployed) {
                deployer.release(offer.bundle());
            }
        }
    }

    @Override
    public boolean uses(Bundle bundle) {
        return slots.uses(bundle);
    }

    /**
     * Swaps every slot that runs another version of what a bundle offers.
     *
     * @throws MachineException the first refusal; the other slots were tried all the same
     */
    @Override
    public void arrived(Bundle bundle) throws MachineException {
        MachineException refusal = null;
        for (Offer offer : slots.factories().offers()) {
            if (!offer.bundle().equals(bundle)) {
                continue;
            }
            for (Slot slot : slots.all()) {
                Optional<Offer> old = slot.offer();
                if (slot.spec().kind().equals(offer.kind())
                        && old.isPresent()
                        && !old.get().equals(offer)) {
                    try {
                        slot.swap(offer, false);
                    } catch (MachineException e) {
                        refusal = refusal == null ? e : refusal;
                    }
                }
            }
        }
        if (refusal != null) {
            throw refusal;
        }
    }

    private Claim choose(Slot slot, String version) throws MachineException {
        String kind = slot.spec().kind();
        if (version.contains("/")) {
            Bundle bundle = deployer.deploy(Path.of(version));
            Optional<Offer> offer =
                    offers(kind).stream()
                            .filter(candidate -> candidate.bundle().equals(bundle))
                            .findFirst();
            if (offer.isEmpty()) {
                deployer.release(bundle);
                throw new MachineException("The jar '%s' offers no '%s'.".formatted(version, kind));
            }
            return new Claim(offer.get(), true);
        }
        return new Claim(installed(kind, version), false);
    }

    private Offer installed(String kind, String version) throws MachineException {
        if (version.equals(LATEST)) {
            return slots.factories()
                    .best(kind)
                    .orElseThrow(
                            () -> new MachineException("No bundle offers '%s'.".formatted(kind)));
        }
        Version wanted;
        try {
            wanted = Version.parseVersion(version);
        } catch (IllegalArgumentException e) {
            throw new MachineException(
                    "'%s' is no version: give one like 1.0.1, 'latest', or the path of a jar with a slash."
                            .formatted(version),
                    e);
        }
        return offers(kind).stream()
                .filter(offer -> offer.bundle().getVersion().equals(wanted))
                .findFirst()
                .orElseThrow(
                        () ->
                                new MachineException(
                                        "No bundle offers '%s' in version %s: there are %s."
                                                .formatted(
                                                        kind,
                                                        wanted,
                                                        offers(kind).stream()
                                                                .map(Offer::toString)
                                                                .collect(
                                                                        Collectors.joining(
                                                                                ", ")))));
    }

    private List<Offer> offers(String kind) {
        return slots.factories().offers().stream()
                .filter(offer -> offer.kind().equals(kind))
                .toList();
    }
}
