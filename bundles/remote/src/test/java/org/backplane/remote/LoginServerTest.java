package org.backplane.remote;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.KeyPair;
import java.util.EnumSet;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.apache.sshd.client.channel.ChannelExec;
import org.apache.sshd.client.channel.ChannelShell;
import org.apache.sshd.client.channel.ChannelSubsystem;
import org.apache.sshd.client.channel.ClientChannelEvent;
import org.apache.sshd.client.session.ClientSession;
import org.apache.sshd.common.SshException;
import org.apache.sshd.common.config.keys.KeyUtils;
import org.apache.sshd.common.config.keys.PublicKeyEntry;
import org.apache.sshd.common.keyprovider.KeyPairProvider;
import org.apache.sshd.common.util.net.SshdSocketAddress;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(180)
class LoginServerTest {
    @TempDir Path folder;
    private Door door;

    @BeforeEach
    void open() throws Exception {
        door = new Door(folder);
    }

    @AfterEach
    void close() {
        door.close();
    }

    private record Answer(int status, String out) {}

    private Answer exec(ClientSession session, String command, String in) throws IOException {
        var out = new ByteArrayOutputStream();
        try (ChannelExec channel = session.createExecChannel(command)) {
            channel.setIn(new ByteArrayInputStream(in.getBytes(StandardCharsets.UTF_8)));
            channel.setOut(out);
            channel.setErr(out);
            channel.open().verify(Door.PATIENCE);
            channel.waitFor(EnumSet.of(ClientChannelEvent.CLOSED), Door.PATIENCE);
            return new Answer(channel.getExitStatus(), out.toString(StandardCharsets.UTF_8));
        }
    }

    private void awaitEvent(String event) throws InterruptedException {
        String found = door.shell.events.poll(60, TimeUnit.SECONDS);
        while (found != null && !found.equals(event)) {
            found = door.shell.events.poll(60, TimeUnit.SECONDS);
        }
        assertEquals(event, found);
    }

    private static void awaitText(InputStream in, String text) throws IOException {
        var found = new StringBuilder();
        while (!found.toString().endsWith(text)) {
            int next = in.read();
            assertTrue(next >= 0, () -> "ended after " + found);
            found.append((char) next);
        }
    }

    private ChannelShell shell(ClientSession session) throws IOException {
        ChannelShell channel = session.createShellChannel();
        channel.setPtyType("xterm-256color");
        channel.setPtyColumns(99);
        channel.setPtyLines(33);
        channel.setUsePty(true);
        channel.setRedirectErrorStream(true);
        channel.open().verify(Door.PATIENCE);
        return channel;
    }

    @Test
    void runsOneCommandAndTellsItsStatus() throws Exception {
        try (ClientSession session = door.login(door.friend)) {
            assertEquals(new Answer(0, "uart0\nrng0\n"), exec(session, "vm:slots", ""));
            assertEquals(new Answer(1, "There is no command 'jump'.\n"), exec(session, "jump", ""));
            assertEquals(new Answer(0, "typed"), exec(session, "copy", "typed"));
        }
    }

    @Test
    void letsRsaAndEcKeysInToo() throws Exception {
        KeyPair rsa = KeyUtils.generateKeyPair(KeyPairProvider.SSH_RSA, 2048);
        KeyPair ec = KeyUtils.generateKeyPair(KeyPairProvider.ECDSA_SHA2_NISTP256, 256);
        door.letIn(
                "# two more\n\n"
                        + PublicKeyEntry.toString(rsa.getPublic())
                        + "\nthis is no key\n"
                        + PublicKeyEntry.toString(ec.getPublic())
                        + " of a friend\n");
        for (KeyPair key : new KeyPair[] {rsa, ec}) {
            try (ClientSession session = door.login(key)) {
                assertEquals(0, exec(session, "vm:slots", "").status());
            }
        }
    }

    @Test
    void refusesAKeyThatIsNotListed() throws Exception {
        KeyPair stranger = Door.key();
        assertThrows(SshException.class, () -> door.login(stranger));
    }

    @Test
    void refusesAPassword() throws Exception {
        try (ClientSession session = door.connect()) {
            session.addPasswordIdentity("password");
            assertThrows(SshException.class, () -> session.auth().verify(Door.PATIENCE));
        }
    }

    @Test
    void aKeyThatIsTakenOutIsOut() throws Exception {
        door.login(door.friend).close();
        door.letIn("# nobody\n");
        assertThrows(SshException.class, () -> door.login(door.friend));
        Files.delete(door.settings.keys());
        assertThrows(SshException.class, () -> door.login(door.friend));
    }

    /** They say what a key may not do, and here nobody would keep it from that. */
    @Test
    void refusesAKeyWithOptions() throws Exception {
        String key = PublicKeyEntry.toString(door.friend.getPublic());
        for (String options :
                new String[] {"command=\"vm:slots\"", "from=\"10.0.0.1\",no-pty", "restrict"}) {
            door.letIn(options + " " + key + " friend\n");
            assertThrows(SshException.class, () -> door.login(door.friend), options);
        }
    }

    @Test
    void refusesEverybodyWhileOthersCanWriteTheKeys() throws Exception {
        Files.setPosixFilePermissions(
                door.settings.keys(), PosixFilePermissions.fromString("rw-rw-r--"));
        assertThrows(SshException.class, () -> door.login(door.friend));
    }

    @Test
    void refusesEverybodyWhoseKeysBelongToAnotherUser() throws Exception {
        assumeTrue(
                Files.getAttribute(Path.of("/proc/self"), "unix:uid").equals(0),
                "only root gives files away");
        Files.setAttribute(door.settings.keys(), "unix:uid", 65_534);
        assertThrows(SshException.class, () -> door.login(door.friend));
        Files.setAttribute(door.settings.keys(), "unix:uid", 0);
        door.login(door.friend).close();
    }

    @Test
    void aSessionHasTypeAndSizeOfTheTerminalAndFollowsIt() throws Exception {
        try (ClientSession session = door.login(door.friend);
                ChannelShell channel = shell(session)) {
            awaitEvent("open xterm-256color 99x33");
            InputStream out = channel.getInvertedOut();
            awaitText(out, "played> ");
            channel.getInvertedIn().write(new byte[] {'a', 3});
            channel.getInvertedIn().flush();
            awaitText(out, "<a><\3>");
            channel.sendWindowChange(132, 50);
            awaitEvent("resize 132x50");
            channel.getInvertedIn().write('q');
            channel.getInvertedIn().flush();
            awaitText(out, "bye\r\n");
            channel.waitFor(EnumSet.of(ClientChannelEvent.CLOSED), Door.PATIENCE);
            assertEquals(0, channel.getExitStatus());
        }
    }

    @Test
    void severalSessionsRunAtOnce() throws Exception {
        try (ClientSession one = door.login(door.friend);
                ClientSession two = door.login(door.friend);
                ChannelShell first = shell(one);
                ChannelShell second = shell(one);
                ChannelShell third = shell(two)) {
            for (ChannelShell channel : new ChannelShell[] {third, first, second}) {
                awaitText(channel.getInvertedOut(), "played> ");
                channel.getInvertedIn().write('x');
                channel.getInvertedIn().flush();
                awaitText(channel.getInvertedOut(), "<x>");
            }
            assertEquals(0, exec(two, "vm:slots", "").status());
        }
    }

    @Test
    void aClientThatGoesInterruptsWhatItRan() throws Exception {
        ClientSession session = door.login(door.friend);
        ChannelExec channel = session.createExecChannel("wait");
        channel.open().verify(Door.PATIENCE);
        awaitText(channel.getInvertedOut(), "waiting\n");
        // As if its process was killed: no word of the protocol is said.
        session.getIoSession().close(true);
        awaitEvent("interrupted");
    }

    @Test
    void aClientThatGoesClosesItsSession() throws Exception {
        ClientSession session = door.login(door.friend);
        ChannelShell channel = shell(session);
        awaitText(channel.getInvertedOut(), "played> ");
        session.getIoSession().close(true);
        awaitEvent("close");
    }

    @Test
    void refusesForwardingInBothDirections() throws Exception {
        try (ClientSession session = door.login(door.friend);
                ServerSocket target = new ServerSocket(0)) {
            assertThrows(
                    IOException.class,
                    () ->
                            session.createDirectTcpipChannel(
                                            new SshdSocketAddress("127.0.0.1", 1),
                                            new SshdSocketAddress(
                                                    "127.0.0.1", target.getLocalPort()))
                                    .open()
                                    .verify(Door.PATIENCE));
            assertThrows(
                    IOException.class,
                    () ->
                            session.startRemotePortForwarding(
                                    new SshdSocketAddress("127.0.0.1", 0),
                                    new SshdSocketAddress("127.0.0.1", target.getLocalPort())));
        }
    }

    @Test
    void refusesFileTransfer() throws Exception {
        try (ClientSession session = door.login(door.friend)) {
            try (ChannelSubsystem sftp = session.createSubsystemChannel("sftp")) {
                sftp.open();
                var events = sftp.waitFor(EnumSet.of(ClientChannelEvent.CLOSED), Door.PATIENCE);
                assertTrue(events.contains(ClientChannelEvent.CLOSED), events::toString);
            }
            Answer scp = exec(session, "scp -t /tmp/x", "");
            assertEquals(1, scp.status());
        }
    }

    @Test
    void saysSoWhileTheShellIsNotThere() throws Exception {
        door.server.close();
        try (LoginServer early = LoginServer.open(door.settings, Optional::empty)) {
            int port = Integer.parseInt(early.address().replaceAll(".*:", ""));
            try (ClientSession session =
                    door.client
                            .connect("me", "127.0.0.1", port)
                            .verify(Door.PATIENCE)
                            .getSession()) {
                session.addPublicKeyIdentity(door.friend);
                session.auth().verify(Door.PATIENCE);
                Answer answer = exec(session, "vm:slots", "");
                assertEquals(1, answer.status());
                assertTrue(answer.out().contains("shell is not there"), answer::out);
            }
        }
    }

    @Test
    void tellsWhereItListensWhileItDoes() throws Exception {
        assertEquals(door.server.address() + "\n", Files.readString(door.settings.told()));
        assertTrue(door.server.address().startsWith("127.0.0.1:"));
        door.server.close();
        assertFalse(Files.exists(door.settings.told()));
    }

    @Test
    void theHostKeyIsKeptAndNobodyElseCanReadIt() throws Exception {
        Path file = door.settings.hostKey();
        assertEquals(
                "rw-------", PosixFilePermissions.toString(Files.getPosixFilePermissions(file)));
        KeyPair first = HostKey.in(file);
        assertEquals(KeyPairProvider.SSH_ED25519, KeyUtils.getKeyType(first));
        assertTrue(KeyUtils.compareKeyPairs(first, HostKey.in(file)));
        assertNotEquals(
                KeyUtils.getFingerPrint(first.getPublic()),
                KeyUtils.getFingerPrint(HostKey.in(folder.resolve("other")).getPublic()));
    }

    @Test
    void refusesAHostKeyThatIsBrokenOrOpen() throws Exception {
        Path file = door.settings.hostKey();
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-r-----"));
        RemoteException open = assertThrows(RemoteException.class, () -> HostKey.in(file));
        assertTrue(open.getMessage().contains("its mode lets others at it"), open::getMessage);
        Files.writeString(file, "no key");
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-------"));
        RemoteException broken = assertThrows(RemoteException.class, () -> HostKey.in(file));
        assertTrue(broken.getMessage().contains(file.toString()), broken::getMessage);
    }

    @Test
    void refusesAPortThatIsTaken() throws Exception {
        var taken =
                new RemoteSettings(
                        "127.0.0.1",
                        door.port(),
                        door.settings.keys(),
                        door.settings.hostKey(),
                        door.settings.told());
        RemoteException refusal =
                assertThrows(RemoteException.class, () -> LoginServer.open(taken, Optional::empty));
        assertTrue(refusal.getMessage().contains("127.0.0.1:" + door.port()), refusal::getMessage);
    }
}
