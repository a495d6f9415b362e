package org.backplane.itests;

import static org.backplane.itests.NetworkedGuest.awaitPeer;
import static org.backplane.itests.NetworkedGuest.pingAll;
import static org.backplane.itests.NetworkedGuest.plug;
import static org.backplane.itests.NetworkedGuest.send;
import static org.backplane.itests.NetworkedGuest.until;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.Before;
import org.junit.Test;

/** Real guests joined by a socket, whoever is at its other end. */
public final class JoinedGuestsIT {
    private static final String ONE = "10.9.0.1";
    private static final String OTHER = "10.9.0.2";
    private static final String[] MACS = {"mac=52:54:00:09:00:01", "mac=52:54:00:09:00:02"};
    private static final String QEMU = "qemu-system-riscv64";

    private Path work;
    private String socket;

    @Before
    public void aFolder() throws Exception {
        NetworkedGuest.assumeGuest();
        // The path of a socket must be short.
        work = Files.createTempDirectory("nets");
        socket = "path=" + work.resolve("wire");
    }

    private GuestProcess joined(int which) throws Exception {
        GuestProcess guest = NetworkedGuest.start(work, "vm" + which);
        plug(guest, (which == 0 ? ONE : OTHER) + "/24", "backend=socket", socket, MACS[which]);
        return guest;
    }

    @Test
    public void twoGuestsTalkAndFindEachOtherAgain() throws Exception {
        GuestProcess one = joined(0);
        GuestProcess other = joined(1);
        try {
            awaitPeer(one, OTHER);
            pingAll(one, OTHER, "-c 50 -i 0.02");
            pingAll(other, ONE, "-c 50 -i 0.02");
            pingAll(one, OTHER, "-c 5 -i 0.1 -s 20000");
            send(one, other, OTHER, 300_000);
            send(other, one, ONE, 300_000);

            other.close();
            one.run(until("! ping -q -c 1 -W 1 " + OTHER + " > /dev/null"));
            other = joined(1);
            awaitPeer(one, OTHER);

            // The one that listened goes: the one that connected has to find another way.
            one.close();
            one = joined(0);
            awaitPeer(one, OTHER);
            pingAll(other, ONE, "-c 10 -i 0.02");
        } finally {
            one.close();
            other.close();
        }
    }

    @Test
    public void theGuestSeesItsLinkGoAndComeBack() throws Exception {
        try (GuestProcess guest = NetworkedGuest.start(work, "vm")) {
            plug(guest, ONE + "/24", "backend=none");
            // The driver reads the link in work of its own, after the interface is there.
            guest.run(until("grep -q 1 /sys/class/net/eth0/carrier"));
            guest.shell("vm:link " + NetworkedGuest.SLOT + " down");
            guest.run(until("grep -q 0 /sys/class/net/eth0/carrier"));
            guest.shell("vm:link " + NetworkedGuest.SLOT + " up");
            guest.run(until("grep -q 1 /sys/class/net/eth0/carrier"));
        }
    }

    @Test
    public void aGuestTalksToOneOfQemu() throws Exception {
        if (!isOnPath(QEMU)) {
            NetworkedGuest.skip(QEMU + " is missing; install it: apt-get install qemu-system-misc");
        }
        try (GuestProcess one = joined(0);
                GuestProcess other = qemu()) {
            other.awaitReady();
            awaitPeer(one, OTHER);
            pingAll(one, OTHER, "-c 50 -i 0.02");
            pingAll(other, ONE, "-c 50 -i 0.02");
            send(one, other, OTHER, 200_000);
            send(other, one, ONE, 200_000);
        }
    }

    /** Connects to the socket on which the first guest's network listens. */
    private GuestProcess qemu() throws Exception {
        List<String> command =
                NetworkedGuest.words(
                        QEMU,
                        "-M",
                        "virt",
                        "-m",
                        "192",
                        "-display",
                        "none",
                        "-monitor",
                        "none",
                        "-kernel",
                        WithGuest.kernel(),
                        "-initrd",
                        WithGuest.initrd(),
                        "-append",
                        NetworkedGuest.APPEND + OTHER + "/24",
                        "-serial",
                        "unix:" + GuestProcess.console(work, "qemu") + ",server=on,wait=off",
                        "-netdev",
                        "stream,id=n0,server=off,addr.type=unix,addr.path=" + work.resolve("wire"),
                        "-device",
                        "virtio-net-pci,netdev=n0,romfile=," + MACS[1]);
        return GuestProcess.start(new ProcessBuilder(command), work, "qemu");
    }

    static boolean isOnPath(String program) {
        for (String folder : System.getenv().getOrDefault("PATH", "").split(":")) {
            if (Files.isExecutable(Path.of(folder, program))) {
                return true;
            }
        }
        return false;
    }
}
