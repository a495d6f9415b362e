package org.backplane.itests.hotswap;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.function.BooleanSupplier;
import org.apache.felix.fileinstall.internal.FileInstall;
import org.backplane.bus.Space;
import org.backplane.hypervisor.Hypervisor;
import org.backplane.itests.CardJar;
import org.backplane.itests.CardMachine;
import org.backplane.itests.Framework;
import org.backplane.itests.card.Behaviour;
import org.backplane.machine.HistoryEntry;
import org.backplane.machine.Machine;
import org.backplane.machine.MachineException;
import org.backplane.machine.SlotReport;
import org.backplane.machine.SlotState;
import org.backplane.machine.SwapReport;
import org.ops4j.pax.exam.CoreOptions;
import org.ops4j.pax.exam.Option;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleContext;
import org.osgi.framework.BundleException;
import org.osgi.framework.FrameworkUtil;
import org.osgi.framework.ServiceReference;
import org.osgi.framework.ServiceRegistration;

/**
 * A machine with a driven guest, made anew for each test in the framework of the test's class, and
 * what tests of hot swap do with it.
 */
final class HotSwapRig implements AutoCloseable {
    static final String CARD = CardMachine.SLOT;
    static final String VIRTIO = "virtio0";
    static final long ALL_ONES = 0xffff_ffffL;

    /** Where the chipset's UART answers: its scratch register, which keeps what is stored. */
    private static final long SCRATCH = 0x1000_0007L;

    private final BundleContext context;
    private final DrivenGuest guest;
    private final CardMachine rig;
    private final Path folder;
    private final Path runFolder;
    private final CountDownLatch hold = new CountDownLatch(1);
    private final ServiceRegistration<CountDownLatch> held;

    /** The bounds that a test is about are short, the others never pass. */
    private static Map<String, Object> plan(Map<String, Long> bounds) {
        Map<String, Object> plan = new HashMap<>();
        plan.put("bound.call", 500L);
        plan.put("bound.handler", 500L);
        plan.put("bound.probation", 3_600_000L);
        plan.put("bound.vacancy", 3_600_000L);
        plan.putAll(bounds);
        return plan;
    }

    HotSwapRig(BundleContext context, Map<String, Long> bounds)
            throws BundleException, IOException {
        this.context = context;
        folder = Path.of(context.getProperty("felix.fileinstall.dir"));
        ServiceReference<Hypervisor> hart = context.getServiceReference(Hypervisor.class);
        guest = new DrivenGuest(context.getService(hart));
        held =
                context.registerService(
                        CountDownLatch.class,
                        hold,
                        FrameworkUtil.asDictionary(Map.of(Behaviour.HOLD, "true")));
        Map<String, Object> plan = plan(bounds);
        plan.put("kernel", DrivenGuest.image(folder.getParent()).toString());
        runFolder = Files.createTempDirectory(folder.getParent(), "run");
        plan.put("runFolder", runFolder.toString());
        plan.put("memory", 32L << 20);
        plan.put("bundles", folder.toString());
        rig = new CardMachine(context, guest, plan);
        waitUntil(() -> machine().report().state().equals("running"));
    }

    /** The framework of a class of such tests. */
    static Option[] framework() throws IOException {
        Path jars = Files.createDirectory(Files.createTempDirectory("hotswap").resolve("bundles"));
        return CoreOptions.options(
                CoreOptions.composite(CardMachine.framework()),
                Framework.project(List.of("hart", "testkit")),
                CoreOptions.frameworkProperty("felix.fileinstall.dir").value(jars.toString()),
                CoreOptions.frameworkProperty("felix.fileinstall.poll").value("50"),
                CoreOptions.frameworkProperty("felix.fileinstall.noInitialDelay").value("true"),
                CoreOptions.frameworkProperty("felix.fileinstall.enableConfigSave").value("false"),
                CoreOptions.frameworkProperty("felix.fileinstall.tmpdir")
                        .value(jars.getParent().toString()),
                Framework.onClassPath(FileInstall.class));
    }

    Machine machine() {
        return rig.machine();
    }

    DrivenGuest guest() {
        return guest;
    }

    /** Installs, starts and plugs the first version of a card. */
    Bundle plugCard(Behaviour behaviour) throws Exception {
        Bundle bundle = rig.install(behaviour);
        rig.plug();
        return bundle;
    }

    /** Installs, starts and plugs the first version of a virtio card, and brings its driver up. */
    VirtioCardDriver plugVirtio(Behaviour behaviour) throws Exception {
        rig.install(behaviour);
        SlotReport report = machine().plug(VIRTIO, "virtio-card", Map.of(), "the test");
        return new VirtioCardDriver(this, report.address());
    }

    Bundle install(Behaviour behaviour) throws BundleException {
        return rig.install(behaviour);
    }

    SwapReport swap(String slot, Behaviour behaviour, boolean force) throws MachineException {
        return machine().swap(slot, CardJar.path(behaviour, 2).toString(), force);
    }

    /** Puts a jar of the second version into the watched folder, in one step. */
    void drop(Behaviour behaviour) throws IOException {
        Path incoming = folder.resolveSibling("incoming.jar");
        Files.copy(CardJar.path(behaviour, 2), incoming, StandardCopyOption.REPLACE_EXISTING);
        Files.move(incoming, folder.resolve("card.jar"), StandardCopyOption.REPLACE_EXISTING);
    }

    /** As {@code felix:update} does: the framework's refusal to start it is no news to the slot. */
    static void update(Bundle bundle, Path jar) throws IOException {
        try (InputStream content = Files.newInputStream(jar)) {
            bundle.update(content);
        } catch (BundleException refused) {
            if (refused.getType() == BundleException.READ_ERROR) {
                throw new IOException(refused);
            }
        }
    }

    long register(int offset) {
        return rig.base(Space.MMIO) + offset;
    }

    /** A load that the guest makes, and that comes back. */
    long load(int register) throws Exception {
        return guest.loadByGuest(register(register)).get();
    }

    void store(int register, long value) throws Exception {
        guest.storeByGuest(register(register), value).get();
    }

    SlotReport slot(String name) {
        return machine().slots().stream()
                .filter(slot -> slot.name().equals(name))
                .findFirst()
                .orElseThrow(() -> new AssertionError("there is no slot " + name));
    }

    List<HistoryEntry> history(String slot) {
        try {
            return machine().history(slot);
        } catch (MachineException gone) {
            throw new AssertionError(gone);
        }
    }

    boolean told(String slot, String step) {
        return history(slot).stream().anyMatch(entry -> entry.step().equals(step));
    }

    /** Whether every slot but one runs, and a device of the chipset answers. */
    boolean othersGoOn(String slot) {
        guest.store(SCRATCH, 1, 0x5a);
        return (guest.load(SCRATCH, 1) & 0xff) == 0x5a
                && machine().slots().stream()
                        .filter(other -> !other.name().equals(slot))
                        .allMatch(other -> other.state() == SlotState.RUNNING);
    }

    List<Bundle> cards() {
        return rig.cards();
    }

    /** Where the machine keeps jars. */
    Path store() {
        return runFolder.resolve("jars");
    }

    BundleContext context() {
        return context;
    }

    /** For what hangs: it returns. */
    void release() {
        hold.countDown();
    }

    void waitUntil(BooleanSupplier reached) {
        rig.waitUntil(reached);
    }

    String describe(String slot) {
        return "%s\n%s\n%s"
                .formatted(slot(slot), history(slot), Arrays.toString(context.getBundles()));
    }

    @Override
    public void close() throws BundleException, IOException {
        release();
        Files.deleteIfExists(folder.resolve("card.jar"));
        // Before its memory goes with the machine.
        guest.close();
        rig.close();
        held.unregister();
    }
}
