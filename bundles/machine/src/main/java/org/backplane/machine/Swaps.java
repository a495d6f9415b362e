package org.backplane.machine;

import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import org.backplane.machine.deploy.Arrival;
import org.backplane.machine.deploy.Deployer;
import org.backplane.machine.slot.Factories.Offer;
import org.backplane.machine.slot.Pin;
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

    @Override
    public void refused(String symbolicName, String reason) {
        for (Slot slot : slots.all()) {
            if (slot.offer()
                    .filter(offer -> offer.code().name().equals(symbolicName))
                    .isPresent()) {
                slot.refused(reason);
            }
        }
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
                if (!slot.spec().kind().equals(offer.kind())
                        || old.isEmpty()
                        || old.get().equals(offer)) {
                    continue;
                }
                if (!slot.takes(offer)) {
                    slot.passedOver(offer);
                } else {
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
        if (version.contains("/")) {
            return ofJar(slot, version);
        }
        return new Claim(installed(slot, version), false);
    }

    private Bundle deploy(Slot slot, Path jar) throws MachineException {
        try {
            return deployer.deploy(jar);
        } catch (MachineException e) {
            slot.refused(e.getMessage());
            throw e;
        }
    }

    private Offer installed(Slot slot, String version) throws MachineException {
        if (version.equals(LATEST)) {
            return slots.factories().best(slot::takes).orElseThrow(() -> nothing(slot, ""));
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
        List<Offer> there =
                offers(slot).stream()
                        .filter(offer -> offer.bundle().getVersion().equals(wanted))
                        .toList();
        if (there.isEmpty()) {
            throw nothing(slot, " in version " + wanted);
        }
        return there.stream()
                .filter(slot::takes)
                .findFirst()
                .orElseThrow(() -> outside(slot, there.get(0)));
    }

    private Claim ofJar(Slot slot, String jar) throws MachineException {
        Bundle bundle = deploy(slot, Path.of(jar));
        Optional<Offer> offer =
                offers(slot).stream()
                        .filter(candidate -> candidate.bundle().equals(bundle))
                        .findFirst();
        if (offer.filter(slot::takes).isPresent()) {
            return new Claim(offer.get(), true);
        }
        deployer.release(bundle);
        throw offer.isPresent()
                ? outside(slot, offer.get())
                : new MachineException(
                        "The jar '%s' offers no '%s'.".formatted(jar, slot.spec().kind()));
    }

    private static MachineException outside(Slot slot, Offer offer) {
        return new MachineException(
                "%s is outside of the pin %s of '%s': change that first with vm:pin %s PIN, or none."
                        .formatted(
                                offer,
                                slot.pin().map(Pin::toString).orElse(Pin.NONE),
                                slot.spec().name(),
                                slot.spec().name()));
    }

    private MachineException nothing(Slot slot, String version) {
        String there = offers(slot).stream().map(Offer::toString).collect(Collectors.joining(", "));
        return new MachineException(
                "No bundle offers '%s'%s%s: there %s."
                        .formatted(
                                slot.spec().kind(),
                                version,
                                slot.within(),
                                there.isEmpty() ? "is none" : "are " + there));
    }

    private List<Offer> offers(Slot slot) {
        return slots.factories().offers().stream()
                .filter(offer -> offer.kind().equals(slot.spec().kind()))
                .toList();
    }
}
