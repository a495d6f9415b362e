package org.backplane.device.virtio.net;

import java.io.IOException;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.Map;
import org.backplane.device.DeviceException;
import org.backplane.device.context.DeviceContext;
import org.backplane.linux.FrameSocket;
import org.backplane.linux.LinuxException;

/**
 * Opens the end of {@code backend=socket}: a Unix stream socket to another virtual machine, QEMU
 * ({@code -netdev stream}) or passt. It connects; where nobody listens, it listens itself, unless
 * {@code listen=off}.
 */
final class SocketNetwork {
    private SocketNetwork() {}

    static Backend of(DeviceContext context, NetSettings settings) throws DeviceException {
        String slot = context.slot();
        Map<String, String> own = settings.own();
        Path path = path(slot, own.getOrDefault(NetSettings.PATH, ""));
        boolean listens = listens(slot, own.getOrDefault(NetSettings.LISTEN, "on"));
        boolean[] fresh = {false};
        FrameSocket socket =
                context.kept(
                        "socket",
                        FrameSocket.class,
                        () -> {
                            fresh[0] = true;
                            return open(slot, path, listens);
                        });
        return new PortBackend(context, socket, fresh[0]);
    }

    private static Path path(String slot, String text) throws DeviceException {
        if (text.isEmpty()) {
            throw NetSettings.refused(slot, "backend=socket needs path=FILE, a Unix socket's");
        }
        try {
            return Path.of(text);
        } catch (InvalidPathException e) {
            throw NetSettings.refused(slot, "path=%s is no path: %s", text, e.getReason());
        }
    }

    private static boolean listens(String slot, String word) throws DeviceException {
        switch (word) {
            case "on":
            case "true":
                return true;
            case "off":
            case "false":
                return false;
            default:
                throw NetSettings.refused(slot, "listen=%s is neither on nor off", word);
        }
    }

    private static FrameSocket open(String slot, Path path, boolean listens)
            throws DeviceException {
        try {
            return FrameSocket.open(slot, path, listens);
        } catch (IOException e) {
            throw new DeviceException(
                    "Slot '%s': path=%s cannot be used: %s.".formatted(slot, path, remedy(path, e)),
                    e);
        }
    }

    private static String remedy(Path path, IOException cause) {
        if (cause instanceof LinuxException failed) {
            if (failed.isAbsent()) {
                return "its folder is missing; make it with: mkdir -p " + path.getParent();
            }
            if (failed.isPermission()) {
                return "you may not use it; give one in a folder of yours, or have its owner share it ("
                        + failed.getMessage()
                        + ")";
            }
            return failed.getMessage();
        }
        return cause.getMessage() + "; remove it, or give another path";
    }
}
