package org.backplane.machine.slot;

import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.backplane.machine.AddressMap;
import org.backplane.machine.HistoryEntry;
import org.backplane.machine.MachineException;
import org.backplane.machine.SlotCounters;
import org.backplane.machine.SlotInspection;
import org.backplane.machine.SlotReport;
import org.backplane.machine.SlotState;
import org.backplane.machine.SwapReport;
import org.backplane.machine.board.Board;
import org.backplane.machine.board.LeaseStack;
import org.backplane.machine.board.PlatformDevice;
import org.backplane.machine.processor.MachineThread;
import org.backplane.machine.slot.Factories.Code;
import org.backplane.machine.slot.Factories.Offer;
import org.backplane.machine.slot.Succession.Passage;
import org.backplane.machine.slot.Tenancy.Probation;
import org.osgi.framework.Bundle;

/**
 * A place in the machine that devices fill one after the other. What the guest sees belongs to the
 * slot and stays; what answers belongs to a bundle. Everything that changes a slot is a message to
 * its control thread: {@link Succession} does what was asked for, {@link Failures} what a broken
 * device makes necessary, {@link Preservation} what snapshots need, all with the steps and the
 * state of {@link Tenancy}. Thread-safe.
 */
public final class Slot {
    private static final Logger LOG = System.getLogger(Slot.class.getName());

    private static final Duration PROBATION_LOOK = Duration.ofMillis(500);

    private final SlotGear gear;
    private final SlotEnvironment environment;
    private final MachineServices services;
    private final ControlThread control;
    private final Gate gate;
    private final History history;
    private final LeaseStack leases;
    private final Tenancy tenancy;
    private final Failures failures;
    private final Succession succession;
    private final Preservation preservation;
    private volatile Optional<Pin> pin = Optional.empty();

    Slot(SlotSpec spec, Board board, MachineServices services) {
        this.services = services;
        leases = new LeaseStack(spec.name());
        history = new History(spec.name());
        control = new ControlThread(spec.name());
        gate = new Gate(this::overstayed);
        // Regions are the guest's to touch as soon as a device has claimed them.
        gate.refuse();
        gear =
                new SlotGear(
                        spec,
                        board,
                        services.bounds(),
                        gate,
                        control,
                        new DeviceCalls(
                                spec.name(), services.deviceThreads(), services.bounds().call()),
                        leases,
                        history,
                        services.guestStarted(),
                        this::failed);
        var events = leases.push("event loop", new EventLoop(spec.name(), board.vm()::guestTime));
        environment =
                new SlotEnvironment(
                        services.machine(),
                        new SlotRegions(gear),
                        new SlotLines(gear),
                        new KeptResources(leases, services.shared()),
                        events,
                        services.consoles(),
                        services.power(),
                        services.exit());
        tenancy = new Tenancy(gear, environment, new Around());
        failures = new Failures(gear, tenancy);
        succession = new Succession(gear, tenancy, failures);
        preservation = new Preservation(gear, environment, tenancy, failures);
    }

    public SlotSpec spec() {
        return gear.spec();
    }

    public SlotState state() {
        return tenancy.state();
    }

    /** Which code may fill the slot; any that offers its kind, if empty. */
    public Optional<Pin> pin() {
        return pin;
    }

    void pin(Optional<Pin> given) {
        pin = given;
    }

    /** Whether the slot may be filled with what a bundle offers. */
    public boolean takes(Offer offer) {
        return spec().kind().equals(offer.kind()) && pin.map(p -> p.fits(offer)).orElse(true);
    }

    /** The end of a clause on what the slot takes: its pin, if it has one. */
    public String within() {
        return pin.map(" within the pin %s"::formatted).orElse("");
    }

    /** The slot as it would be asked for now, its pin included. */
    public SlotSpec wanted() {
        return new SlotSpec(
                spec().name(), spec().kind(), Pin.with(pin, spec().settings()), spec().source());
    }

    /** What fills the slot now. */
    public Optional<Offer> offer() {
        return Optional.ofNullable(tenancy.occupant()).map(Occupant::offer);
    }

    /** Whether a device of the bundle fills the slot, or could come back to it. */
    public boolean uses(Bundle bundle) {
        // Twice: a bundle goes from one to the other, and back, without being in neither.
        return awaits(bundle)
                || offer().filter(offer -> offer.bundle().equals(bundle)).isPresent()
                || awaits(bundle)
                || Optional.ofNullable(tenancy.probation())
                        .flatMap(Probation::standby)
                        .filter(offer -> offer.bundle().equals(bundle))
                        .isPresent();
    }

    private boolean awaits(Bundle bundle) {
        return tenancy.left().filter(code -> code.bundle().equals(bundle)).isPresent();
    }

    /** Whether the next bundle that offers what the slot takes fills it. */
    boolean isEmpty() {
        SlotState now = state();
        return now == SlotState.WAITING || now == SlotState.VACANT;
    }

    /** An offer of the slot's kind came that is outside of its pin. */
    public void passedOver(Offer offer) {
        LOG.log(
                Level.INFO,
                () ->
                        "%s passes over %s, which is outside of its pin %s; vm:pin changes that."
                                .formatted(
                                        spec().name(),
                                        offer,
                                        pin.map(Pin::toString).orElse(Pin.NONE)));
    }

    /** Puts the first device in, or one after a vacancy or a failure. */
    void fill(Offer offer) throws MachineException {
        control.callAction("fill", () -> succession.fill(offer, false));
    }

    /** As {@link #fill}, later and only if nobody fills the slot until then. */
    void fillIfEmpty(Offer offer) {
        control.post(
                "fill",
                () -> {
                    if (isEmpty() && takes(offer)) {
                        succession.fill(offer, false);
                    }
                });
    }

    /**
     * Replaces the device's code, beside road; the guest loses nothing, whatever happens.
     *
     * @param force cuts a device off that does not come to rest, or cannot tell its state; and lets
     *     code that refuses the state begin without one
     */
    public SwapReport swap(Offer next, boolean force) throws MachineException {
        Passage passage = control.call("swap", () -> succession.swap(next, force));
        return new SwapReport(report(), passage.pause(), passage.drained(), passage.stateSize());
    }

    /** Takes the device out as surprise removal does, and plugs one of other code. */
    public SlotReport replug(Offer next) throws MachineException {
        control.callAction("replug", () -> succession.replug(next));
        return report();
    }

    /** Another version of its code did not get as far as to be offered. */
    public void refused(String reason) {
        history.add("refused", reason);
    }

    /** Takes the link of the slot's device down or up; it stays so over swaps and snapshots. */
    public void link(boolean up) throws MachineException {
        control.callAction("link", () -> succession.link(up));
    }

    /**
     * Presses the power button of the slot's device.
     *
     * @return whether it has one
     */
    boolean press() throws MachineException {
        // Looked at first from here: slots without a button may be busy with something else.
        Occupant now = tenancy.occupant();
        return now != null
                && now.hasPowerButton()
                && control.call("press", () -> succession.press());
    }

    /** Ends the probation of the latest swap: the code before is not kept any longer. */
    public void accept() throws MachineException {
        control.callAction(
                "accept",
                () -> {
                    Probation probation = tenancy.probation();
                    if (probation == null) {
                        throw new MachineException(
                                "The slot '%s' has no code on probation.".formatted(spec().name()));
                    }
                    tenancy.endProbation(probation.number());
                });
    }

    /** In-place road: the offer is about to go; returns when nothing of it is in use. */
    void vacate(Offer leaving) throws MachineException {
        int vacancy = control.call("vacate", () -> succession.vacate(leaving));
        later(services.bounds().vacancy(), () -> expireVacancy(vacancy));
    }

    /** What a swap could have been undone with goes. */
    void forget(Offer gone) {
        control.post("forget", () -> tenancy.forget(gone));
    }

    /**
     * If the slot awaits code of the bundle, it will get none: the code before is to come back.
     *
     * @param updated when it was last, on {@link System#nanoTime}
     */
    void bundleDidNotReturn(Bundle bundle, long updated) {
        control.post("come back", () -> failures.comeBack(bundle, updated));
    }

    void expireVacancy(int vacancy) {
        control.post("end of vacancy", () -> succession.expireVacancy(vacancy));
    }

    /**
     * Brings the slot to rest, saves it, and stays so until the end; the processors are paused. The
     * control thread waits for the end, bounded by whoever asks.
     *
     * @param rest completed with the state, with null if the slot is gone, or with why it cannot be
     *     saved
     * @return completed when the slot goes on
     */
    CompletableFuture<Void> standStill(CompletableFuture<SavedSlot> rest, CountDownLatch end) {
        return control.start(
                        "standstill",
                        () -> {
                            if (state() == SlotState.CLOSED) {
                                rest.complete(null);
                                return;
                            }
                            preservation.refuseUnsavable();
                            try {
                                rest.complete(preservation.standStill(wanted()));
                                end.await();
                            } finally {
                                preservation.goOn();
                            }
                        })
                .exceptionally(
                        failure -> {
                            // Whoever waits for the state gets it, or why there is none.
                            rest.completeExceptionally(failure);
                            return null;
                        });
    }

    /**
     * Makes a slot that was just made what it was, with the gate closed until {@link #letIn}. Guest
     * memory and the engine are restored, the processors do not run.
     */
    void restore(Offer offer, SavedSlot saved) throws MachineException {
        control.callAction("restore", () -> preservation.restore(offer, saved));
    }

    /** Lets the guest, and what waits in its queues, into a restored device. */
    void letIn() throws MachineException {
        control.callAction("let in", preservation::letIn);
    }

    /** Whether it was closed, or is about to be: it takes no more operations. */
    boolean gone() {
        return control.closed();
    }

    /** The machine's reset, with every processor halted. */
    void reset() throws MachineException {
        control.callAction("reset", succession::reset);
    }

    /** Unplugs: everything the slot and its device hold is given back. */
    void close() throws MachineException {
        try {
            control.callAction(
                    "unplug",
                    () -> {
                        succession.close();
                        leases.close();
                        history.add("unplugged", "");
                    });
        } finally {
            control.close();
        }
    }

    /** A device threw, on any thread: the slot fails, everything else goes on. */
    private void failed(Throwable cause, long ticket) {
        control.post("fail", () -> failures.fail(cause, ticket));
    }

    /** The watchdog found a thread that does not come out. */
    private void overstayed(MachineThread thread) {
        long entries = thread.entries();
        control.post("fail", () -> failures.stuck(thread, entries));
    }

    private void later(Duration delay, Runnable work) {
        services.later().schedule(work, delay.toMillis(), TimeUnit.MILLISECONDS);
    }

    /** What the succession asks for. */
    private final class Around implements Tenancy.Heirs {
        @Override
        public void probationBegan(int begun) {
            // The number and no more: what waits here must not keep code that went earlier.
            later(services.bounds().probation(), () -> endProbation(begun, 0));
        }

        /** Not while somebody is inside who may never come out: the watchdog decides first. */
        private void endProbation(int begun, int looks) {
            if (!gate.isEmpty() && looks * PROBATION_LOOK.toMillis() <= patience()) {
                later(PROBATION_LOOK, () -> endProbation(begun, looks + 1));
            } else {
                control.post("end of probation", () -> tenancy.endProbation(begun));
            }
        }

        private long patience() {
            return services.bounds().handler().plus(PROBATION_LOOK.multipliedBy(4)).toMillis();
        }

        @Override
        public void vacancyBegan(int begun) {
            later(services.bounds().vacancy(), () -> expireVacancy(begun));
        }

        @Override
        public void linkLost() {
            control.post("link lost", succession::linkLost);
        }

        @Override
        public void unused(Code code) {
            services.code().unused(code);
        }

        @Override
        public void failed(Code code) {
            services.code().failed(code);
        }

        @Override
        public void comeBack(Code gone) {
            services.code().comeBack(gone);
        }
    }

    /** What firmware has to say of it, if it is a platform device. */
    Optional<PlatformDevice> platformDevice() {
        return tenancy.node()
                .map(
                        node ->
                                new PlatformDevice(
                                        spec().name(),
                                        node,
                                        environment.regions().places().stream()
                                                .map(
                                                        place ->
                                                                new PlatformDevice.Region(
                                                                        place.space(),
                                                                        place.range()))
                                                .toList(),
                                        environment.lines().sources()));
    }

    void timeStarted() {
        environment.events().timeStarted();
    }

    List<HistoryEntry> history() {
        return history.entries();
    }

    /** What was counted of the slot since it was made. */
    public SlotCounters counters() {
        return tenancy.counters();
    }

    public SlotReport report() {
        Optional<Bundle> bundle = offer().map(Offer::bundle);
        return new SlotReport(
                spec().name(),
                spec().kind(),
                state(),
                spec().source(),
                wanted().settings(),
                bundle.map(Bundle::getSymbolicName).orElse(""),
                bundle.map(now -> now.getVersion().toString()).orElse(""),
                bundle.map(Bundle::getBundleId).orElse(-1L),
                Optional.ofNullable(tenancy.face())
                        .flatMap(Face::function)
                        .map(function -> function.address().toString())
                        .orElse(""),
                remark());
    }

    /** What is to be said of the slot; an empty one awaits what its pin allows. */
    private String remark() {
        String said = tenancy.detail();
        Optional<Pin> wanted = pin;
        if (wanted.isPresent() && state() == SlotState.WAITING) {
            return said + within();
        }
        if (!said.isEmpty()) {
            return said;
        }
        if (wanted.isPresent() && offer().filter(offer -> !takes(offer)).isPresent()) {
            return "outside of its pin %s until vm:swap %s".formatted(wanted.get(), spec().name());
        }
        return state() == SlotState.RUNNING
                ? history.standing().map(told -> told.step() + ": " + told.detail()).orElse("")
                : "";
    }

    SlotInspection inspect() {
        Map<String, String> facts = new LinkedHashMap<>();
        facts.put("gate", gate.toString());
        if (!environment.lines().sources().isEmpty()) {
            facts.put("interrupt lines", environment.lines().sources().toString());
        }
        Optional.ofNullable(tenancy.face()).map(Face::facts).ifPresent(facts::putAll);
        Optional.ofNullable(tenancy.occupant())
                .filter(Occupant::hasLink)
                .ifPresent(now -> facts.put("link", tenancy.linkUp() ? "up" : "down"));
        List<String> held = new ArrayList<>(leases.names());
        held.addAll(tenancy.heldByDevice());
        List<AddressMap.Region> regions =
                gear.board().bus().regions().stream()
                        .filter(region -> owns(region.owner()))
                        .map(AddressMap.Region::of)
                        .toList();
        return new SlotInspection(report(), facts, regions, held);
    }

    private boolean owns(String owner) {
        return owner.equals(spec().name()) || owner.startsWith(spec().name() + " ");
    }

    /** What became of asking the guest to let a device go. */
    public enum Consent {
        /** The guest has switched the port of the function off. */
        GIVEN,
        /** It was asked, and did not answer in time. */
        NOT_GIVEN,
        /** It does not listen to the button of the port. */
        NOT_HEEDED,
        /** There is no button: the function is on bus 0, or the guest sees none. */
        NOT_ASKED
    }

    /**
     * Asks the guest to let the device go, and waits for that; not on the control thread. After
     * {@link Consent#GIVEN} the slot is to be closed, or its device replugged.
     *
     * @throws MachineException interrupted
     */
    public Consent ask(Duration bound) throws MachineException {
        Optional<PciPlace> place = place();
        return place.isPresent() ? place.get().ask(bound) : Consent.NOT_ASKED;
    }

    /** The slot number of the root port that the function is in, if it is in one. */
    public Optional<Integer> port() {
        return place().flatMap(PciPlace::port);
    }

    private Optional<PciPlace> place() {
        return Optional.ofNullable(tenancy.face()).flatMap(Face::place);
    }

    /** Whether the guest has let go of the device. */
    public boolean released() {
        Face seen = tenancy.face();
        return seen == null || seen.released();
    }
}
