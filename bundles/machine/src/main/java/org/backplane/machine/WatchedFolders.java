package org.backplane.machine;

import java.util.Hashtable;
import java.util.Map;
import org.apache.felix.fileinstall.ArtifactInstaller;
import org.backplane.machine.deploy.Arrival;
import org.backplane.machine.deploy.Deployer;
import org.backplane.machine.deploy.WatchedFolder;
import org.osgi.framework.BundleContext;
import org.osgi.framework.Constants;

/**
 * What the machine makes of the folders that File Install watches. A class of its own, because File
 * Install is there only with such a folder and its types must not be met otherwise.
 */
final class WatchedFolders {
    /** Above File Install's own handlers, which rank 0. */
    private static final int RANKING = 100;

    private WatchedFolders() {}

    /** Before File Install starts, or its own handlers take the first files. */
    static void register(BundleContext context, Plan plan, Deployer deployer, Arrival arrival) {
        if (plan.bundles().isPresent()) {
            register(context, new WatchedFolder(deployer, arrival));
        }
        if (plan.config().isPresent()) {
            register(context, new SlotFiles(context));
        }
    }

    private static void register(BundleContext context, ArtifactInstaller installer) {
        context.registerService(
                ArtifactInstaller.class,
                installer,
                new Hashtable<>(Map.of(Constants.SERVICE_RANKING, RANKING)));
    }
}
