package org.backplane.machine.deploy;

import java.io.File;
import java.io.IOException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
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
        return artifact.getName().endsWith(".jar") && symbolicName(artifact).isPresent();
    }

    @Override
    public void install(File artifact) throws MachineException {
        Bundle before = bundles.remove(artifact);
        try {
            Bundle bundle = deploy(artifact);
            try {
                arrival.arrived(bundle);
                bundles.put(artifact, bundle);
            } catch (MachineException e) {
                // What came to nothing goes again, though its jar lies in the folder.
                deployer.release(bundle);
                throw e;
            }
        } finally {
            if (before != null) {
                deployer.release(before);
            }
        }
    }

    private Bundle deploy(File artifact) throws MachineException {
        try {
            return deployer.deploy(artifact.toPath());
        } catch (MachineException e) {
            arrival.refused(symbolicName(artifact).orElse(""), e.getMessage());
            throw e;
        }
    }

    /** Empty for what is no bundle, or no jar yet. */
    private static Optional<String> symbolicName(File artifact) {
        try (var jar = new JarFile(artifact)) {
            return Optional.ofNullable(jar.getManifest())
                    .map(Manifest::getMainAttributes)
                    .map(headers -> headers.getValue(Constants.BUNDLE_SYMBOLICNAME))
                    .map(header -> header.split(";")[0].strip());
        } catch (IOException e) {
            // Half copied, or no jar: File Install asks again at every poll.
            LOG.log(Level.DEBUG, () -> "%s: %s".formatted(artifact, e.getMessage()));
            return Optional.empty();
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
