package org.backplane.itests;

import static org.backplane.itests.NetworkedGuest.PORT;
import static org.backplane.itests.NetworkedGuest.answers;
import static org.backplane.itests.NetworkedGuest.awaitPeer;
import static org.backplane.itests.NetworkedGuest.listen;
import static org.backplane.itests.NetworkedGuest.pingAll;
import static org.backplane.itests.NetworkedGuest.plug;
import static org.backplane.itests.NetworkedGuest.received;
import static org.backplane.itests.NetworkedGuest.until;
import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertNotEquals;
import static org.junit.Assert.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.After;
import org.junit.Before;
import org.junit.BeforeClass;
import org.junit.Test;

/** A real guest on a tap in a network namespace of the test's own, with all offloads. */
public final class TapGuestIT {
    private static final String HOST = "10.9.1.1";
    private static final String GUEST = "10.9.1.2";
    private static final String MODULE = "device-virtio-net";

    /** Bits of virtio-net's features that the guest is to have taken: VIRTIO 1.2, 5.1.3. */
    private static final List<Integer> OFFLOADS =
            List.of(
                    /* CSUM */ 0, /* GUEST_CSUM */
                    1, /* GUEST_TSO4 */
                    7, /* HOST_TSO4 */
                    11,
                    /* MRG_RXBUF */ 15, /* STATUS */
                    16, /* CTRL_VQ */
                    17);

    private NetworkNamespace namespace;
    private GuestProcess guest;
    private Path work;

    @BeforeClass
    public static void builds() throws Exception {
        NetworkedGuest.assumeGuest();
        NewBuild.make(MODULE, "1.0.1");
        NewBuild.makeWithout(MODULE, "1.0.2", "NetState");
    }

    @Before
    public void aGuestOnATap() throws Exception {
        work = Files.createTempDirectory("taps");
        namespace = new NetworkNamespace(HOST + "/24");
        guest = NetworkedGuest.start(work, "vm", namespace.entering());
        plug(
                guest,
                GUEST + "/24",
                "backend=tap",
                "if=" + NetworkNamespace.TAP,
                "mac=52:54:00:09:01:02");
        awaitPeer(guest, HOST);
    }

    @After
    public void remove() throws Exception {
        if (guest != null) {
            guest.close();
        }
        if (namespace != null) {
            namespace.close();
        }
    }

    @Test
    public void transfersOfEveryPacketSizeArriveWhole() throws Exception {
        String features = guest.run("cat /sys/class/net/eth0/device/features");
        for (int bit : OFFLOADS) {
            assertEquals("feature " + bit + " of " + features, '1', features.charAt(bit));
        }
        // Frames of 60 bytes, of a whole MTU, of one more, and the largest datagram there is.
        for (int payload : new int[] {18, 1472, 1473, 9000, 65_507}) {
            pingAll(guest, HOST, "-c 3 -i 0.05 -s " + payload);
        }
        for (int mtu : new int[] {100, 576, 9000, 65_521}) {
            mtu(mtu);
            int bytes = Math.min(mtu * 200, 1 << 20);
            toHost(bytes);
            toGuest(bytes);
        }
        mtu(1500);
        // The guest's nc writes a kilobyte at a time: how large its segments get depends on how
        // soon
        // they are acknowledged. The host writes long pieces.
        toHost(2 << 20);
        long packets = namespace.counter("tx_packets");
        long bytes = namespace.counter("tx_bytes");
        toGuest(2 << 20);
        assertLarge("to the guest", "tx", packets, bytes);
    }

    /** Segmentation was left to the other side: what went over the tap is larger than an MTU. */
    private void assertLarge(String way, String direction, long packets, long bytes)
            throws Exception {
        long mean =
                (namespace.counter(direction + "_bytes") - bytes)
                        / (namespace.counter(direction + "_packets") - packets);
        assertTrue(way + ": packets of " + mean + " bytes on average", mean > 2000);
    }

    private void mtu(int mtu) throws Exception {
        namespace.host("ip link set " + NetworkNamespace.TAP + " mtu " + mtu);
        guest.run("ip link set eth0 mtu " + mtu);
    }

    private void toHost(int bytes) throws Exception {
        guest.run(
                "head -c "
                        + bytes
                        + " /dev/urandom > /tmp/sent; nc -l -p "
                        + PORT
                        + " < /tmp/sent > /dev/null 2>&1 &");
        guest.run(until("netstat -ltn | grep -q :" + PORT));
        String found = namespace.host("sha256sum < /dev/tcp/" + GUEST + "/" + PORT);
        assertEquals(guest.run("sha256sum < /tmp/sent"), found);
    }

    private void toGuest(int bytes) throws Exception {
        Path file = work.resolve("sent");
        namespace.host("head -c " + bytes + " /dev/urandom > " + file);
        listen(guest);
        namespace.host("cat " + file + " > /dev/tcp/" + GUEST + "/" + PORT);
        assertEquals(namespace.host("sha256sum < " + file), received(guest));
    }

    @Test
    public void noPingIsLostWhileTheCodeIsReplacedAndRolledBack() throws Exception {
        guest.run("ping -i 0.01 " + HOST + " > /tmp/pings 2>&1 < /dev/null &");
        awaitPings(50);
        guest.shell("vm:swap " + NetworkedGuest.SLOT + " " + NewBuild.path(MODULE, "1.0.1"));
        awaitPings(50);
        assertTrue(guest.shell("vm:slots").contains("1.0.1"));
        GuestProcess.Reply refused =
                guest.ask("vm:swap " + NetworkedGuest.SLOT + " " + NewBuild.path(MODULE, "1.0.2"));
        assertNotEquals(refused.text(), 0, refused.status());
        assertTrue(refused.text(), refused.text().contains("rolled back"));
        awaitPings(50);
        assertTrue(guest.shell("vm:slots").contains("1.0.1"));
        guest.run("killall -INT ping; " + until("! pidof ping > /dev/null"));
        String last = guest.run("sed -n 's/.*seq=\\([0-9]*\\) .*/\\1/p' /tmp/pings | tail -n 1");
        assertEquals(
                "answers to the pings up to the last that has one",
                Integer.parseInt(last) + 1,
                pings());
    }

    private int pings() throws Exception {
        return Integer.parseInt(guest.run("grep -c seq= /tmp/pings || true"));
    }

    private void awaitPings(int more) throws Exception {
        guest.run(until("[ $(grep -c seq= /tmp/pings) -ge " + (pings() + more) + " ]"));
    }

    @Test
    public void theTapGoesAndComesBackWithoutTheGuestLosingItsCard() throws Exception {
        namespace.removeTap();
        assertEquals(
                "0", answers(guest.run("ping -q -c 3 -i 0.05 -W 1 " + HOST + " || true")).group(2));
        namespace.addTap();
        awaitPeer(guest, HOST);
        toHost(100_000);
        toGuest(100_000);
        assertEquals("0", guest.run("dmesg | grep -ci 'virtio.*\\(reset\\|broken\\)' || true"));
    }
}
