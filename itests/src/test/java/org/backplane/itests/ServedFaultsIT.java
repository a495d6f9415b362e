package org.backplane.itests;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertThrows;
import static org.junit.Assert.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import javax.inject.Inject;
import org.backplane.itests.card.Behaviour;
import org.backplane.machine.MachineException;
import org.backplane.machine.SlotReport;
import org.backplane.machine.SlotState;
import org.backplane.testkit.VirtioDriver;
import org.junit.After;
import org.junit.Before;
import org.junit.Test;
import org.junit.runner.RunWith;
import org.ops4j.pax.exam.Configuration;
import org.ops4j.pax.exam.CoreOptions;
import org.ops4j.pax.exam.Option;
import org.ops4j.pax.exam.junit.PaxExam;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleContext;
import org.osgi.framework.BundleException;
import org.osgi.framework.FrameworkUtil;
import org.osgi.framework.ServiceRegistration;

/** A served device that breaks, or whose client breaks it: nobody else notices. */
@RunWith(PaxExam.class)
public final class ServedFaultsIT {
    private static final String SLOT = "card0";
    private static final long ALL_ONES = 0xffff_ffffL;

    /** Requests after which the machine's code has been compiled. */
    private static final int COMPILED = 6000;

    @Inject private BundleContext context;
    private final CountDownLatch hold = new CountDownLatch(1);
    private final CountDownLatch running = new CountDownLatch(1);
    private final List<ServiceRegistration<?>> services = new ArrayList<>();
    private MachineFixture machine;
    private Path folder;
    private Path socket;

    @Configuration
    public Option[] framework() {
        return CoreOptions.options(
                CoreOptions.composite(CardMachine.framework()), Framework.project("testkit"));
    }

    @Before
    public void aFolder() throws Exception {
        // The path of a socket must be short.
        folder = Files.createTempDirectory("serve");
        socket = folder.resolve("card.sock");
        services.add(
                context.registerService(
                        CountDownLatch.class,
                        hold,
                        FrameworkUtil.asDictionary(Map.of(Behaviour.HOLD, "true"))));
        services.add(
                context.registerService(
                        Runnable.class,
                        running::countDown,
                        FrameworkUtil.asDictionary(Map.of("org.backplane.running", true))));
    }

    @After
    public void end() throws Exception {
        hold.countDown();
        services.forEach(ServiceRegistration::unregister);
        if (machine != null) {
            machine.stop();
        }
        for (Bundle bundle : context.getBundles()) {
            if (CardJar.SYMBOLIC_NAME.equals(bundle.getSymbolicName())) {
                uninstall(bundle);
            }
        }
    }

    private static void uninstall(Bundle bundle) throws BundleException {
        try {
            bundle.uninstall();
        } catch (IllegalStateException gone) {
            // The machine was about to, and came first.
            assertEquals(Bundle.UNINSTALLED, bundle.getState());
        }
    }

    private void serve(Behaviour behaviour) throws Exception {
        context.installBundle(CardJar.path(behaviour, 1).toUri().toString()).start();
        machine = MachineFixture.of(context, plan("virtio-card"));
        assertTrue("never served", running.await(60, TimeUnit.SECONDS));
    }

    private Map<String, Object> plan(String kind) {
        return Map.of(
                "serve",
                socket.toString(),
                "memory",
                0L,
                "bound.call",
                500L,
                "bound.handler",
                500L,
                "slots",
                List.of(Map.of("name", SLOT, "kind", kind, "source", "the test")));
    }

    private ServedClient client() throws Exception {
        return new ServedClient(socket, Files.createTempFile(folder, "memory", ""));
    }

    private Map<String, String> facts() {
        try {
            return machine.machine().inspect(SLOT).facts();
        } catch (MachineException e) {
            throw new AssertionError(e);
        }
    }

    private SlotReport slot() {
        return machine.machine().slots().get(0);
    }

    /** The bound only ends a test that hangs. */
    private void waitUntil(BooleanSupplier reached) throws MachineException {
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(60);
        while (!reached.getAsBoolean()) {
            if (System.nanoTime() > end) {
                throw new AssertionError(
                        "never came: " + slot() + " " + machine.machine().history(SLOT));
            }
            Thread.onSpinWait();
        }
    }

    private void assertServes(int version) throws Exception {
        try (ServedClient client = client()) {
            client.bringUp();
            client.request();
            waitUntil(client::interrupted);
            assertEquals(version, client.answered());
            assertEquals(version, client.register());
        }
    }

    @Test
    public void memoryThatTheClientCutsOffFailsTheDeviceUntilTheNextClient() throws Exception {
        serve(Behaviour.GOOD);
        try (ServedClient client = client()) {
            client.bringUp();
            // Code that is compiled is told of such a fault some instructions late.
            for (int request = 0; request < COMPILED; request++) {
                client.request();
                waitUntil(() -> client.answered() == 1);
            }
            client.cutMemoryOff();
            client.ring();
            waitUntil(() -> slot().state() == SlotState.FAILED);
            assertTrue((client.status() & VirtioDriver.NEEDS_RESET) != 0);
            assertEquals(ALL_ONES, client.register());
        }
        waitUntil(() -> slot().state() == SlotState.RUNNING);
        assertServes(1);
    }

    @Test
    public void aRegisterThatDoesNotReturnIsAnsweredAllTheSame() throws Exception {
        serve(Behaviour.HANGS_IN_READ);
        try (ServedClient client = client()) {
            client.bringUp();
            assertEquals(ALL_ONES, client.register());
            waitUntil(() -> slot().state() == SlotState.FAILED);
            machine.machine().swap(SLOT, CardJar.path(Behaviour.GOOD, 2).toString(), false);
            assertEquals(2, client.register());
        }
    }

    @Test
    public void aClientThatLeavesRequestsBehindMakesRoomForTheNext() throws Exception {
        serve(Behaviour.KEEPS_REQUESTS);
        try (ServedClient client = client()) {
            client.bringUp();
            client.request();
            waitUntil(() -> "1".equals(facts().get("outstanding requests")));
        }
        machine.machine().swap(SLOT, CardJar.path(Behaviour.GOOD, 2).toString(), true);
        assertServes(2);
    }

    @Test
    public void whatWouldChangeWhatClientsSeeIsRefused() throws Exception {
        serve(Behaviour.GOOD);
        String plug =
                assertThrows(
                                MachineException.class,
                                () -> machine.machine().plug("other", "card", Map.of(), "the test"))
                        .getMessage();
        assertTrue(plug, plug.contains("it has that one slot for its life"));
        String snapshot =
                assertThrows(
                                MachineException.class,
                                () -> machine.machine().snapshot(folder.resolve("kept")))
                        .getMessage();
        assertTrue(snapshot, snapshot.contains("its guest is another process's"));
        assertServes(1);
    }

    @Test
    public void aDeviceThatIsNotOnPciIsBadInput() throws Exception {
        context.installBundle(CardJar.path(Behaviour.GOOD, 1).toUri().toString()).start();
        String refusal = MachineFixture.refusal(context, plan("card"));
        assertTrue(refusal, refusal.contains("'card' is no PCI device"));
        assertTrue("the socket was made", Files.notExists(socket));
    }
}
