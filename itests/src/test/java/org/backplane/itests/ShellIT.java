package org.backplane.itests;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertFalse;
import static org.junit.Assert.assertTrue;
import static org.ops4j.pax.exam.CoreOptions.composite;
import static org.ops4j.pax.exam.CoreOptions.frameworkProperty;
import static org.ops4j.pax.exam.CoreOptions.options;

import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import javax.inject.Inject;
import org.apache.felix.gogo.command.Basic;
import org.apache.felix.gogo.runtime.CommandProcessorImpl;
import org.backplane.itests.card.Behaviour;
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
        try (SocketChannel channel = SocketChannel.open(StandardProtocolFamily.UNIX)) {
            channel.connect(UnixDomainSocketAddress.of(socket));
            channel.write(StandardCharsets.UTF_8.encode("exec " + command + "\n"));
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
    public void socketGoesWithTheBundleAndComesBack() throws Exception {
        Bundle shell = rig.bundle("org.backplane.shell");
        shell.stop();
        assertFalse(Files.exists(socket));
        shell.start();
        assertAnswers("vm:slots", GOOD, "uart0");
    }
}
