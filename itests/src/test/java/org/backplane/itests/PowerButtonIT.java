package org.backplane.itests;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertFalse;
import static org.junit.Assert.assertTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import javax.inject.Inject;
import org.backplane.machine.Machine;
import org.backplane.machine.SlotState;
import org.junit.After;
import org.junit.Before;
import org.junit.Test;
import org.junit.runner.RunWith;
import org.ops4j.pax.exam.Configuration;
import org.ops4j.pax.exam.Option;
import org.ops4j.pax.exam.junit.PaxExam;
import org.osgi.framework.BundleContext;

/** A machine with the fixed hardware of ACPI, whose guest listens to its button or does not. */
@RunWith(PaxExam.class)
public final class PowerButtonIT {
    private static final Duration NO_TIME = Duration.ZERO;

    /** Only so that a hanging test ends. */
    private static final Duration PATIENCE = Duration.ofSeconds(90);

    /** Where the RISC-V board shows I/O ports to its processors. */
    private static final long PORTS = 0x0300_0000L;

    private static final int EVENTS = 0x600;
    private static final int CONTROL = 0x604;
    private static final int POWER_BUTTON = 0x100;
    private static final int SLEEP_S5 = 0x3400;
    private static final int SCI = 40;

    @Inject private BundleContext context;
    private final DrivenEngine engine = new PlayedEngine();
    private Path kernel;
    private CardMachine rig;

    @Configuration
    public Option[] framework() {
        return CardMachine.framework();
    }

    @Before
    public void build() throws Exception {
        kernel = Files.write(Files.createTempFile("kernel", ".img"), header());
        rig = new CardMachine(context, engine, Map.of("kernel", kernel.toString()));
        rig.waitUntil(() -> machine().report().state().equals("running"));
    }

    @After
    public void end() throws Exception {
        rig.close();
        Files.delete(kernel);
    }

    /** Of an image that only has to be loaded: the test is the guest. */
    private static byte[] header() throws IOException {
        return ByteBuffer.allocate(4096)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putLong(0x08, 0x20_0000)
                .putLong(0x10, 4096)
                .putInt(0x38, 0x0543_5352)
                .array();
    }

    private Machine machine() {
        return rig.machine();
    }

    private void plug() throws Exception {
        machine().plug("button0", "acpi-pm", Map.of("irq", Integer.toString(SCI)), "the test");
    }

    private void out(int port, int value) {
        engine.store(PORTS + port, 2, value);
    }

    private Map<String, SlotState> states() {
        return machine().slots().stream()
                .collect(Collectors.toMap(slot -> slot.name(), slot -> slot.state()));
    }

    @Test
    public void machineWithoutAButtonSaysSo() throws Exception {
        assertEquals("running", machine().report().state());
        assertFalse(machine().powerButton());
        assertEquals("running", machine().report().state());
    }

    @Test
    public void guestThatDoesNotRunIsNotAsked() throws Exception {
        plug();
        machine().pause();
        assertFalse(machine().powerButton());
        machine().resume();
        assertTrue(machine().powerButton());
    }

    @Test
    public void guestThatIgnoresItsButtonGoesOn() throws Exception {
        plug();
        assertTrue(machine().powerButton());
        assertFalse(machine().awaitEnd(NO_TIME));
        assertEquals(Set.of(), engine.high());
        assertEquals("running", machine().report().state());
        assertEquals(SlotState.RUNNING, states().get("button0"));
    }

    @Test
    public void guestThatListensPowersOff() throws Exception {
        plug();
        out(EVENTS + 2, POWER_BUTTON);
        assertEquals(Set.of(), engine.high());
        assertTrue(machine().powerButton());
        assertEquals(Set.of(SCI), engine.high());
        out(EVENTS, POWER_BUTTON);
        assertEquals(Set.of(), engine.high());
        assertFalse(machine().awaitEnd(NO_TIME));
        out(CONTROL, SLEEP_S5);
        assertTrue(machine().awaitEnd(PATIENCE));
    }
}
