package org.backplane.machine;

import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.backplane.bus.Bus;
import org.backplane.hypervisor.ExitHandler.SystemEvent;
import org.backplane.hypervisor.Hypervisor;
import org.backplane.hypervisor.Vcpu;
import org.backplane.machine.board.Board;
import org.backplane.machine.board.Boards;
import org.backplane.machine.board.BusExits;
import org.backplane.machine.board.KernelFormat;
import org.backplane.machine.board.LeaseStack;
import org.backplane.machine.console.Consoles;
import org.backplane.machine.deploy.Deployer;
import org.backplane.machine.processor.Processors;
import org.backplane.machine.serve.ClientEngine;
import org.backplane.machine.serve.ServedSlot;
import org.backplane.machine.serve.ServedSocket;
import org.backplane.machine.slot.ControlThread;
import org.backplane.machine.slot.Slot;
import org.backplane.machine.slot.SlotSpec;
import org.backplane.machine.slot.Slots;
import org.backplane.memory.MemoryRange;
import org.osgi.framework.BundleContext;

/**
 * The machine: a board, slots in it, processors, and the control thread that moves them together.
 */
final class VirtualMachine implements Machine, AutoCloseable {
    private static final Logger LOG = System.getLogger(VirtualMachine.class.getName());

    /** Memory goes to a disk, which may be slow. */
    private static final Duration SNAPSHOT_BOUND = Duration.ofMinutes(10);

    private static final String ONE_SLOT =
            "it has that one slot for its life, and what clients see of it; swap it, or serve another";

    private final Plan plan;
    private final Hypervisor engine;
    private final CompletableFuture<Integer> end;
    private final LeaseStack leases = new LeaseStack("machine");
    private final ControlThread control;
    private final Consoles consoles;
    private final Board board;
    private final BusExits exits;
    private final Slots slots;
    private final Processors processors;
    private final Deployer deployer;
    private final ConfiguredSlots configured;
    private final Swaps swaps;
    private final SlotOperations operations;
    private final Snapshots snapshots;
    private final Views views;
    private volatile String state = "created";
    private volatile int boots;

    /**
     * Builds the machine: cold, with board, consoles, chipset and the plan's slots, or from the
     * snapshot that the plan names.
     *
     * @param end completed with the process's exit status when the machine has ended
     */
    static VirtualMachine of(
            Plan plan,
            Engines engines,
            Deployer deployer,
            BundleContext context,
            CompletableFuture<Integer> end)
            throws MachineException {
        if (plan.serve().isPresent()) {
            return new VirtualMachine(
                    plan, Optional.empty(), new ClientEngine(), deployer, context, end);
        }
        if (plan.restore().isEmpty()) {
            Hypervisor engine = engines.choose(KernelFormat.named(plan.format()), plan.engine());
            return new VirtualMachine(plan, Optional.empty(), engine, deployer, context, end);
        }
        Restoration restoration = Restoration.of(plan.restore().get());
        return new VirtualMachine(
                restoration.complete(plan),
                Optional.of(restoration),
                restoration.engine(engines, plan.engine()),
                deployer,
                context,
                end);
    }

    private VirtualMachine(
            Plan plan,
            Optional<Restoration> restoration,
            Hypervisor engine,
            Deployer deployer,
            BundleContext context,
            CompletableFuture<Integer> end)
            throws MachineException {
        this.plan = plan;
        this.engine = engine;
        this.deployer = deployer;
        this.end = end;
        try {
            control = leases.push("control", new ControlThread("machine"));
            FrameworkShell shells = leases.push("shells", new FrameworkShell(context));
            consoles = leases.push("consoles", new Consoles(this::stop, shells));
            consoles.open(plan.console());
            var bus = new Bus();
            exits =
                    new BusExits(
                            bus,
                            plan.cpus(),
                            this::onSystemEvent,
                            octet -> consoles.get(plan.console()).write(octet));
            board =
                    leases.push(
                            "board",
                            Boards.of(
                                    plan.board(),
                                    plan.name(),
                                    plan.memory(),
                                    plan.windows(),
                                    plan.cpus(),
                                    bus,
                                    engine,
                                    exits));
            if (restoration.isPresent()) {
                restoration.get().into(board);
                boots = restoration.get().state().boots();
            }
            views = new Views(board);
            processors = new Processors(plan.name(), board.vm(), this::onEngineFailure);
            slots =
                    leases.push(
                            "slots",
                            new Slots(
                                    plan.name(),
                                    board,
                                    consoles,
                                    this::onPowerRequest,
                                    this::exit,
                                    plan.bounds(),
                                    new DeviceCode(deployer),
                                    deployer::copy,
                                    context));
            swaps = new Swaps(slots, deployer);
            operations = new SlotOperations(slots, swaps, () -> state.equals("running"));
            snapshots = new Snapshots(plan, engine.name(), board, processors, slots);
            List<SlotSpec> restored = List.of();
            if (restoration.isPresent()) {
                slots.guestStarts();
                restored = restoration.get().into(slots, plan.console());
                board.bridge().resume();
                board.lines().assertAll();
            } else {
                for (SlotSpec spec : Chipset.slots(board, plan.console())) {
                    operations.addAtStart(spec);
                }
                for (SlotSpec spec : plan.slots()) {
                    operations.addAtStart(spec);
                }
            }
            configured =
                    leases.push(
                            "configured slots",
                            new ConfiguredSlots(slots, operations, restored, context));
        } catch (MachineException | RuntimeException e) {
            leases.close();
            throw e;
        }
    }

    /** Loads the guest and lets the processors go; without a kernel the machine stays as it is. */
    void start() throws MachineException {
        processors.start();
        state = "paused";
        if (plan.serve().isPresent()) {
            resume();
            serve(plan.serve().get());
            return;
        }
        if (plan.kernel().isEmpty()) {
            return;
        }
        slots.guestStarts();
        if (plan.restore().isPresent()) {
            slots.letIn();
        } else {
            load();
        }
        if (!plan.paused()) {
            resume();
        }
    }

    /** Has clients use the device of the one slot, whose place never changes. */
    private void serve(Path socket) throws MachineException {
        SlotSpec spec = plan.slots().get(0);
        leases.push("server", ServedSocket.open(socket, spec, board, new SlotOfClient()));
    }

    /**
     * The slot as its client's doings need it: on the control thread, so that an end comes between.
     */
    private final class SlotOfClient implements ServedSlot {
        @Override
        public void reset() throws MachineException {
            control.callAction(
                    "reset of the device",
                    () -> {
                        if (!state.equals("stopped") && resetBoard()) {
                            goOn();
                        }
                    });
        }

        @Override
        public void renew() throws MachineException {
            control.callAction(
                    "renewal of the device",
                    () -> {
                        if (!state.equals("stopped")) {
                            slots.renewFailed();
                        }
                    });
        }
    }

    private void load() throws MachineException {
        board.load(plan.images(), slots.platformDevices());
        boots++;
        operations.guestBegins();
    }

    private void onSystemEvent(SystemEvent event) {
        processors.brake();
        switch (event) {
            case POWER_OFF -> stop();
            case REBOOT -> reboot();
            case FAILED -> {
                LOG.log(Level.WARNING, "The guest's processor has shut down; it boots again.");
                reboot();
            }
            default -> throw new IllegalArgumentException(event.name());
        }
    }

    private void onPowerRequest(org.backplane.device.context.DeviceContext.PowerRequest request) {
        processors.brake();
        switch (request) {
            case POWER_OFF -> stop();
            case REBOOT -> reboot();
            default -> throw new IllegalArgumentException(request.name());
        }
    }

    /** What the guest asked for; one that cannot boot again has ended. */
    private void reboot() {
        control.post(
                "reboot",
                () -> {
                    try {
                        doReset();
                    } catch (MachineException e) {
                        end(0, e);
                    }
                });
    }

    private void onEngineFailure(Exception failure) {
        LOG.log(Level.ERROR, "A processor failed.", failure);
        end(0, new MachineException(failure.getMessage(), failure));
    }

    @Override
    public void pause() throws MachineException {
        control.callAction(
                "pause",
                () -> {
                    requireAccesses();
                    if (state.equals("running")) {
                        processors.pause();
                        enter("paused");
                    }
                });
    }

    @Override
    public void resume() throws MachineException {
        control.callAction(
                "resume",
                () -> {
                    requireAccesses();
                    if (state.equals("paused")) {
                        goOn();
                    }
                });
    }

    /**
     * A client's accesses can be held back as a guest of the machine's own can; no more than that.
     */
    private void requireAccesses() throws MachineException {
        if (plan.serve().isEmpty()) {
            requireGuest();
        }
    }

    private void requireGuest() throws MachineException {
        requireNotServing("its guest is another process's, and is reset and kept there");
        if (plan.kernel().isEmpty()) {
            throw new MachineException("The machine has no guest: it was made without a kernel.");
        }
    }

    private void requireNotServing(String reason) throws MachineException {
        if (plan.serve().isPresent()) {
            throw new MachineException(
                    "The machine serves a device at '%s': %s."
                            .formatted(plan.serve().get(), reason));
        }
    }

    @Override
    public void snapshot(Path folder) throws MachineException {
        control.call(
                "snapshot",
                SNAPSHOT_BOUND,
                () -> {
                    requireGuest();
                    if (!state.equals("running") && !state.equals("paused")) {
                        throw new MachineException(
                                "The machine is %s: there is nothing to keep.".formatted(state));
                    }
                    snapshots.take(folder, state.equals("running"), boots);
                    return null;
                });
    }

    @Override
    public void reset() throws MachineException {
        control.callAction(
                "reset",
                () -> {
                    requireGuest();
                    doReset();
                });
    }

    private void doReset() throws MachineException {
        plan.images().requireReadable();
        boolean running = resetBoard();
        load();
        if (running) {
            goOn();
        }
    }

    /**
     * Puts everything but RAM's contents into its initial state, with the processors halted.
     *
     * @return whether they ran
     */
    private boolean resetBoard() throws MachineException {
        boolean running = state.equals("running");
        processors.halt();
        state = "paused";
        // Where bridges forward to is settled before functions behind them are placed again.
        board.bridge().reset();
        board.bridge().preset();
        slots.reset();
        board.reset();
        return running;
    }

    private void goOn() {
        processors.resume();
        slots.timeStarted();
        enter("running");
    }

    private void enter(String next) {
        state = next;
        LOG.log(Level.INFO, () -> "%s: %s, boot %d".formatted(plan.name(), next, boots));
    }

    @Override
    public void stop() {
        end(0, null);
    }

    @Override
    public boolean powerButton() throws MachineException {
        return state.equals("running") && slots.pressPowerButton();
    }

    @Override
    public boolean awaitEnd(Duration bound) throws InterruptedException {
        try {
            end.get(bound.toMillis(), TimeUnit.MILLISECONDS);
            return true;
        } catch (ExecutionException failed) {
            // Whoever waits for the process's status is told why; here it has ended.
            return true;
        } catch (TimeoutException runs) {
            return false;
        }
    }

    /** What a device asked for on the guest's behalf. */
    private void exit(int status) {
        processors.brake();
        end(status, null);
    }

    /** Posts the end; whoever comes first decides how. */
    private void end(int status, MachineException failure) {
        control.post(
                "stop",
                () -> {
                    if (state.equals("stopped")) {
                        return;
                    }
                    enter("stopped");
                    MachineException reason = failure;
                    try {
                        processors.halt();
                        processors.end();
                        slots.close();
                    } catch (MachineException e) {
                        reason = e;
                    }
                    if (reason == null) {
                        end.complete(status);
                    } else {
                        end.completeExceptionally(reason);
                    }
                });
    }

    /** Ends at once what {@link #stop} has not ended yet. */
    @Override
    public void close() {
        try {
            if (!state.equals("stopped")) {
                state = "stopped";
                processors.halt();
                processors.end();
            }
        } catch (MachineException e) {
            LOG.log(Level.WARNING, e.getMessage(), e);
        }
        leases.close();
    }

    @Override
    public MachineReport report() {
        return new MachineReport(
                plan.name(),
                state,
                engine.name(),
                engine.architecture(),
                plan.cpus(),
                plan.serve().isPresent() ? mapped() : plan.memory(),
                Duration.ofNanos(board.vm().guestTime()),
                board.vm().vcpus().stream().mapToLong(Vcpu::instructions).sum(),
                boots);
    }

    /** Of the client's memory. */
    private long mapped() {
        return board.memory().layout().ranges().stream().mapToLong(MemoryRange::length).sum();
    }

    @Override
    public List<SlotReport> slots() {
        return slots.reports();
    }

    @Override
    public SlotInspection inspect(String slot) throws MachineException {
        return slots.inspect(slot);
    }

    @Override
    public List<HistoryEntry> history(String slot) throws MachineException {
        return slots.history(slot);
    }

    @Override
    public MachineCounters counters() {
        return new MachineCounters(
                System.nanoTime(),
                slots.all().stream().map(Slot::counters).toList(),
                board.vm().vcpus().stream()
                        .map(
                                vcpu ->
                                        new VcpuCounters(
                                                vcpu.index(),
                                                vcpu.instructions(),
                                                exits.count(vcpu.index())))
                        .toList());
    }

    @Override
    public AddressMap map() {
        return views.map();
    }

    @Override
    public List<FunctionReport> functions() {
        return views.functions();
    }

    @Override
    public List<String> kinds() {
        return operations.kinds();
    }

    @Override
    public List<String> stillLoaded() {
        return deployer.stillLoaded();
    }

    @Override
    public SlotReport plug(String name, String kind, Map<String, String> settings, String source)
            throws MachineException {
        requireNotServing(ONE_SLOT);
        return operations.plug(new SlotSpec(name, kind, settings, source), boots > 0);
    }

    @Override
    public void save(String slot) throws MachineException {
        Path folder =
                plan.config()
                        .orElseThrow(
                                () ->
                                        new MachineException(
                                                "The slot '%s' cannot be saved: the machine was started without --config DIR."
                                                        .formatted(slot)));
        configured.save(slots.get(slot).wanted(), folder);
    }

    @Override
    public SlotReport pin(String slot, String pin) throws MachineException {
        return operations.pin(slot, pin);
    }

    @Override
    public UnplugReport unplug(String slot, Duration bound, boolean force) throws MachineException {
        requireNotServing(ONE_SLOT);
        return operations.unplug(slot, bound, force, boots > 0);
    }

    @Override
    public SwapReport swap(String slot, String version, boolean force) throws MachineException {
        return swaps.swap(slots.get(slot), version, force);
    }

    @Override
    public SlotReport replug(String slot, String version, boolean force) throws MachineException {
        requireNotServing(ONE_SLOT);
        return operations.replug(slot, version, force, boots > 0);
    }

    @Override
    public void link(String slot, boolean up) throws MachineException {
        slots.get(slot).link(up);
    }

    @Override
    public void accept(String slot) throws MachineException {
        slots.get(slot).accept();
    }

    /** The swaps of this machine, for the watched folder. */
    Swaps swaps() {
        return swaps;
    }
}
