package org.backplane.device.virtio.net;

import java.io.IOException;
import org.backplane.device.DeviceException;
import org.backplane.device.context.DeviceContext;
import org.backplane.linux.HostForward;
import org.backplane.linux.LibraryException;
import org.backplane.linux.LinuxException;
import org.backplane.linux.Slirp;

/** Opens the network behind {@code backend=user}: the host's own sockets, through libslirp. */
final class UserNetwork {
    private UserNetwork() {}

    static Backend of(DeviceContext context, NetSettings settings) throws DeviceException {
        Forwards forwards = Forwards.of(context.slot(), settings.own());
        int mtu = settings.mtu().orElse(NetSettings.USER_MTU);
        if (mtu > Slirp.GREATEST_MTU) {
            throw NetSettings.refused(
                    context.slot(),
                    "mtu=%d is more than backend=user can do; give %d or less",
                    mtu,
                    Slirp.GREATEST_MTU);
        }
        boolean[] fresh = {false};
        Slirp slirp =
                context.kept(
                        "network",
                        Slirp.class,
                        () -> {
                            fresh[0] = true;
                            return open(context.slot(), mtu, forwards);
                        });
        return new PortBackend(context, slirp, fresh[0]);
    }

    private static Slirp open(String slot, int mtu, Forwards forwards) throws DeviceException {
        Slirp slirp;
        try {
            slirp = Slirp.open(slot, mtu);
        } catch (LibraryException e) {
            throw failed(
                    slot,
                    "backend=user needs libslirp, but %s; install it with: apt install libslirp0"
                            .formatted(e.getMessage()),
                    e);
        } catch (IOException e) {
            throw failed(slot, "backend=user cannot be used: " + e.getMessage(), e);
        }
        for (Forwards.Forward forward : forwards.all()) {
            try {
                slirp.forward(forward.ports());
            } catch (LinuxException e) {
                slirp.close();
                throw failed(slot, forward.setting() + " cannot be used: " + remedy(forward, e), e);
            }
        }
        return slirp;
    }

    private static String remedy(Forwards.Forward forward, LinuxException cause) {
        HostForward ports = forward.ports();
        String where =
                "port %d of %s".formatted(ports.hostPort(), ports.hostAddress().getHostAddress());
        if (cause.isInUse()) {
            String option = ports.protocol() == HostForward.Protocol.TCP ? "-ltnp" : "-lunp";
            return "%s is taken; give another, or end who listens there (ss %s 'sport = :%d')"
                    .formatted(where, option, ports.hostPort());
        }
        if (cause.isPermission()) {
            return "%s is not permitted; give a port from 1024 on".formatted(where);
        }
        return cause.getMessage();
    }

    private static DeviceException failed(String slot, String sentence, IOException cause) {
        return new DeviceException("Slot '%s': %s.".formatted(slot, sentence), cause);
    }
}
