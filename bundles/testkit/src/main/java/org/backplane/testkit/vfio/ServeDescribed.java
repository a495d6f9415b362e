package org.backplane.testkit.vfio;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CountDownLatch;
import org.backplane.vfio.user.VfioUserServer;

/**
 * Serves a described device until it is ended by a signal: {@code java -cp ...
 * org.backplane.testkit.vfio.ServeDescribed NAME SOCKET}.
 */
public final class ServeDescribed {
    private ServeDescribed() {}

    public static void main(String[] arguments) throws InterruptedException {
        Map<String, DeviceDescription> devices = new TreeMap<>(DescribedDevices.byName());
        if (arguments.length != 2 || !devices.containsKey(arguments[0])) {
            System.err.println("usage: NAME SOCKET, where NAME is one of " + devices.keySet());
            System.exit(2);
        }
        try (DescribedDevice device = DescribedDevice.open(devices.get(arguments[0]));
                VfioUserServer server = VfioUserServer.open(Path.of(arguments[1]), device)) {
            // The socket's file goes with the server.
            Runtime.getRuntime().addShutdownHook(new Thread(server::close));
            System.out.println("serves " + arguments[0] + " at " + server.path());
            new CountDownLatch(1).await();
        } catch (IOException e) {
            System.err.println(e.getMessage());
            System.exit(1);
        }
    }
}
