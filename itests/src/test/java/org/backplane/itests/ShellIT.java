package org.backplane.itests;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertFalse;
import static org.junit.Assert.assertNull;
import static org.junit.Assert.assertTrue;
import static org.ops4j.pax.exam.CoreOptions.composite;
import static org.ops4j.pax.exam.CoreOptions.frameworkProperty;
import static org.ops4j.pax.exam.CoreOptions.options;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PipedInputStream;
import java.io.PipedOutputStream;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import javax.inject.Inject;
import org.apache.felix.gogo.command.Basic;
import org.apache.felix.gogo.runtime.CommandProcessorImpl;
import org.backplane.itests.card.Behaviour;
import org.backplane.machine.terminal.TerminalLine;
import org.backplane.machine.terminal.TerminalShell;
import org.backplane.machine.terminal.TerminalSize;
import org.junit.Before;
import org.junit.Test;
import org.junit.runner.RunWith;
import org.ops4j.pax.exam.Configuration;
import org.ops4j.pax.exam.Option;
import org.ops4j.pax.exam.junit.PaxExam;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleContext;

/** The machine's commands and Felix's own, over the socket. */
@RunWith(PaxExam.class)
public final class ShellIT {
    private static final String GOOD = "\0status 0\n";
    private static final String BAD = "\0status 1\n";

    @Inject private BundleContext context;
    private CardMachine rig;
    private Path socket;

    @Configuration
    public Option[] framework() throws IOException {
        Path folder =
                Files.createTempDirectory(
                        "shell",
                        PosixFilePermissions.asFileAttribute(
                                PosixFilePermissions.fromString("rwx------")));
        return options(
                composite(CardMachine.framework()),
                Framework.onClassPath(CommandProcessorImpl.class),
                Framework.onClassPath(Basic.class),
                Framework.project("shell"),
                frameworkProperty("org.backplane.shell.socket")
                        .value(folder.resolve("shell.sock").toString()));
    }

    @Before
    public void build() throws Exception {
        rig = new CardMachine(context);
        socket = Path.of(context.getProperty("org.backplane.shell.socket"));
    }

    private String execute(String command) throws IOException {
        return answer("exec " + command);
    }

    private String answer(String line) throws IOException {
        try (SocketChannel channel = SocketChannel.open(StandardProtocolFamily.UNIX)) {
            channel.connect(UnixDomainSocketAddress.of(socket));
            channel.write(StandardCharsets.UTF_8.encode(line + "\n"));
            StringBuilder answer = new StringBuilder();
            ByteBuffer bytes = ByteBuffer.allocate(1 << 16);
            while (channel.read(bytes.clear()) >= 0) {
                answer.append(StandardCharsets.UTF_8.decode(bytes.flip()));
            }
            return answer.toString();
        }
    }

    private void assertAnswers(String command, String status, String... parts) throws IOException {
        String answer = execute(command);
        assertTrue(command + ": " + answer, answer.endsWith(status));
        for (String part : parts) {
            assertTrue(command + ": " + answer, answer.contains(part));
        }
    }

    @Test
    public void onlyTheOwnerMayConnect() throws IOException {
        assertEquals(
                "rw-------", PosixFilePermissions.toString(Files.getPosixFilePermissions(socket)));
    }

    @Test
    public void showsTheMachine() throws Exception {
        assertAnswers("vm:status", GOOD, "\nengine        played\n", "itests");
        assertAnswers("vm:slots", GOOD, "\nuart0 ", " ns16550a ", "org.backplane.chipset 1.0.0 [");
        assertAnswers(
                "vm:map",
                GOOD,
                "0x80000000-0x83ffffff  RAM",
                "0x10000000-0x10000007  uart0 ",
                "  free ");
        assertAnswers("vm:inspect uart0", GOOD, "setting base     0x10000000", "region 0");
        assertAnswers("vm:history uart0", GOOD, "  create  ", "  open  ");
        assertEquals(GOOD, execute("vm:pci"));
    }

    @Test
    public void plugsSwapsAndUnplugs() throws Exception {
        rig.install(Behaviour.GOOD);
        assertAnswers("vm:plug card0 card", GOOD, "card0  card  running");
        assertAnswers(
                "vm:swap card0 " + CardJar.path(Behaviour.GOOD, 2),
                GOOD,
                "org.backplane.itests.card 2.0.0 [");
        assertEquals(2, rig.load(CardMachine.VERSION));
        assertAnswers("vm:pin card0", GOOD, "card0: no pin\n");
        assertAnswers(
                "vm:pin card0 'org.backplane.itests.card@[1,2)'",
                GOOD,
                "card0: org.backplane.itests.card@[1,2); outside of its pin");
        assertAnswers("vm:pin card0 @1.2", BAD, "is no pin");
        assertAnswers("vm:unplug --force card0", GOOD, "card0: unplugged\n");
        assertFalse(rig.plugged());
    }

    @Test
    public void refusesWithASentence() throws Exception {
        assertAnswers("vm:inspect", BAD, "Something is missing: vm:inspect SLOT.\n");
        assertAnswers("vm:inspect card7", BAD, "There is no slot 'card7'");
        assertAnswers("vm:plug uart0 ns16550a", BAD, "'uart0'", "is taken by");
        assertAnswers("vm:plug x ns16550a base=here", BAD, "base=here is no hexadecimal address");
        assertAnswers("vm:swap uart0 1.2.3", BAD, "No bundle offers 'ns16550a' in version 1.2.3");
        assertAnswers("vm:pause", BAD, "without a kernel");
    }

    @Test
    public void felixesOwnCommandsWorkBeside() throws Exception {
        assertAnswers("lb", GOOD, "Backplane chipset");
        assertAnswers("install " + CardJar.path(Behaviour.GOOD, 1).toUri(), GOOD, "Bundle ID");
        Bundle card = rig.bundle("org.backplane.itests.card");
        assertAnswers("start " + card.getBundleId(), GOOD);
        assertEquals(Bundle.ACTIVE, card.getState());
        rig.plug();
        rig.store(CardMachine.MEMORY, 9);
        assertAnswers(
                "update " + card.getBundleId() + " " + CardJar.path(Behaviour.GOOD, 2).toUri(),
                GOOD);
        assertEquals(9, rig.load(CardMachine.MEMORY));
        assertEquals(2, rig.load(CardMachine.VERSION));
        // Without a scope it is Felix's command, not vm:stop.
        assertAnswers("stop " + card.getBundleId(), GOOD);
        assertEquals(Bundle.RESOLVED, card.getState());
    }

    @Test
    public void answersProgramsInJson() throws Exception {
        String slots = answer("json vm:slots");
        assertTrue(slots, slots.startsWith("[{\"name\":\"uart0\",\"kind\":\"ns16550a\""));
        assertTrue(slots, slots.endsWith("}]\n" + GOOD));
        assertEquals(slots, execute("vm:slots --json"));
        String counters = answer("json vm:stats --total");
        assertTrue(counters, counters.contains("\"slot\":\"uart0\",\"registerReads\":"));
        assertEquals(
                "{\"error\":\"Something is missing: vm:inspect SLOT.\",\"status\":1}\n" + BAD,
                answer("json vm:inspect"));
        assertEquals(
                "{\"error\":\"There is no bundle 9999; lb lists them.\",\"status\":1}\n" + BAD,
                answer("json update 9999"));
        String bundles = answer("json lb");
        assertTrue(bundles, bundles.startsWith("{\"output\":\"START LEVEL"));
    }

    @Test
    public void failuresOfBundleCommandsAreASentence() throws Exception {
        assertEquals("There is no bundle 9999; lb lists them.\n" + BAD, execute("update 9999"));
        assertEquals("There is no bundle 'foo'; lb lists them.\n" + BAD, execute("start foo"));
        assertEquals("There is no file '/no/such.jar'.\n" + BAD, execute("install /no/such.jar"));
        assertAnswers("install file:/no/such.jar", BAD, "'file:/no/such.jar' cannot be installed");
        assertEquals(
                "There is no command 'nonsense'; help lists them.\n" + BAD, execute("nonsense"));
        assertAnswers("headers x y", BAD, "'headers' does not take these words; see: help");
    }

    @Test
    public void everyCommandHasHelp() throws Exception {
        assertAnswers("help", GOOD, "\nvm:swap ", "\nstart ", "Felix's own: ", " lb,");
        assertAnswers("help vm:swap", GOOD, "vm:swap [--force]", "example: vm:swap ");
        assertAnswers("vm:swap --help", GOOD, "vm:swap [--force]", "example: vm:swap ");
        assertAnswers("help lb", GOOD, "scope: felix");
        assertAnswers("help nonsense", BAD, "There is no command 'nonsense'");
    }

    @Test
    public void setsTheLevelsOfLoggers() throws Exception {
        System.Logger log = System.getLogger("org.backplane.itests.levels.Some");
        assertFalse(log.isLoggable(System.Logger.Level.TRACE));
        assertEquals(
                "org.backplane.itests.levels: trace\n" + GOOD,
                execute("vm:log trace org.backplane.itests.levels"));
        assertTrue(log.isLoggable(System.Logger.Level.TRACE));
        execute("vm:log inherit org.backplane.itests.levels");
        assertFalse(log.isLoggable(System.Logger.Level.TRACE));
        assertAnswers("vm:log loud x", BAD, "'loud' is no level");
    }

    @Test
    public void offersSessionsToOtherBundles() throws Exception {
        TerminalShell shell = context.getService(context.getServiceReference(TerminalShell.class));
        CountDownLatch ended = new CountDownLatch(1);
        ByteArrayOutputStream shown = new ByteArrayOutputStream();
        PipedOutputStream keys = new PipedOutputStream();
        TerminalLine line =
                new TerminalLine(
                        new PipedInputStream(keys),
                        shown,
                        "xterm",
                        TerminalSize.UNKNOWN,
                        Optional.empty());
        shell.open(line, ended::countDown);
        String typed = "vm:sl\t\rvm:plug x ns16550a ba\there\rvm:swap uart0 1.\t\rexit\r";
        keys.write(typed.getBytes(StandardCharsets.US_ASCII));
        ended.await();
        String text = shown.toString(StandardCharsets.UTF_8);
        assertTrue(text, text.contains("\r\nuart0 "));
        assertTrue(text, text.contains("base=here is no hexadecimal address"));
        assertTrue(text, text.contains("uart0 1.0.0"));
        rig.bundle("org.backplane.shell").stop();
        assertNull(context.getServiceReference(TerminalShell.class));
        rig.bundle("org.backplane.shell").start();
    }

    @Test
    public void socketGoesWithTheBundleAndComesBack() throws Exception {
        Bundle shell = rig.bundle("org.backplane.shell");
        shell.stop();
        assertFalse(Files.exists(socket));
        shell.start();
        assertAnswers("vm:slots", GOOD, "uart0");
    }
}
