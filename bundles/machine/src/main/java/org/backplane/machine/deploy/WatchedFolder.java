package org.backplane.machine.deploy;

import java.io.File;
import java.io.IOException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.util.HashMap;
import java.util.Map;
import java.util.jar.JarFile;
import java.util.jar.Manifest;
import org.apache.felix.fileinstall.ArtifactInstaller;
import org.backplane.machine.MachineException;
import org.osgi.framework.Bundle;
import org.osgi.framework.Constants;

/**
 * Takes the jars of the watched folder from File Install, which would update bundles in place: each
 * build is installed beside the others, and the slots of its kinds are swapped to it. Called on
 * File Install's thread.
 */
public final class WatchedFolder implements ArtifactInstaller {
    private static final Logger LOG = System.getLogger(WatchedFolder.class.getName());

    private final Deployer deployer;
    private final Arrival arrival;
    private final Map<File, Bundle> bundles = new HashMap<>();

    public WatchedFolder(Deployer deployer, Arrival arrival) {
        this.deployer = deployer;
        this.arrival = arrival;
    }

    @Override
    public boolean canHandle(File artifact) {
        if (!artifact.getName().endsWith(".jar")) {
            return false;
        }
        try (var jar = new JarFile(artifact)) {
            Manifest manifest = jar.getManifest();
            return manifest != null
                    && manifest.getMainAttributes().getValue(Constants.BUNDLE_SYMBOLICNAME) != null;
        } catch (IOException e) {
            // Half copied, or no jar: File Install asks again at every poll.
            LOG.log(Level.DEBUG, () -> "%s: %s".formatted(artifact, e.getMessage()));
            return false;
        }
    }

    @Override
    public void install(File artifact) throws MachineException {
        Bundle bundle = deployer.deploy(artifact.toPath());
        Bundle before = bundles.put(artifact, bundle);
        try {
            arrival.arrived(bundle);
        } finally {
            if (before != null) {
                deployer.release(before);
            }
        }
    }

    @Override
    public void update(File artifact) throws MachineException {
        install(artifact);
    }

    @Override
    public void uninstall(File artifact) {
        Bundle bundle = bundles.remove(artifact);
        if (bundle == null) {
            return;
        }
        if (arrival.uses(bundle)) {
            LOG.log(
                    Level.INFO,
                    () -> "%s left the folder, but slots run it; it stays.".formatted(bundle));
        }
        deployer.release(bundle);
    }
}
