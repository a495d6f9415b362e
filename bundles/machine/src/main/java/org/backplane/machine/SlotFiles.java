package org.backplane.machine;

import java.io.File;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.Reader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.util.Hashtable;
import java.util.Properties;
import org.apache.felix.fileinstall.ArtifactInstaller;
import org.osgi.framework.BundleContext;
import org.osgi.framework.ServiceReference;
import org.osgi.service.cm.Configuration;
import org.osgi.service.cm.ConfigurationAdmin;

/**
 * Turns each {@code .cfg} file of the watched folder into a configuration of a slot, whatever the
 * file is called; File Install's own handler would take the configuration's PID from the name.
 * Called on File Install's thread.
 */
final class SlotFiles implements ArtifactInstaller {
    static final String ENDING = ".cfg";
    private static final String ANY_LOCATION = "?";

    private final BundleContext context;

    SlotFiles(BundleContext context) {
        this.context = context;
    }

    @Override
    public boolean canHandle(File artifact) {
        return artifact.getName().endsWith(ENDING);
    }

    @Override
    public void install(File artifact) throws IOException, MachineException {
        var lines = new Properties();
        try (Reader reader =
                new InputStreamReader(
                        Files.newInputStream(artifact.toPath()), StandardCharsets.UTF_8)) {
            lines.load(reader);
        } catch (IllegalArgumentException e) {
            throw new MachineException(
                    "%s holds no lines of 'name=value': %s.".formatted(artifact, e.getMessage()),
                    e);
        }
        var properties = new Hashtable<String, Object>();
        lines.forEach((name, value) -> properties.put(name.toString(), value.toString().strip()));
        properties.put(ConfiguredSlots.FILE, artifact.getPath());
        configuration(artifact).update(properties);
    }

    @Override
    public void update(File artifact) throws IOException, MachineException {
        install(artifact);
    }

    @Override
    public void uninstall(File artifact) throws IOException, MachineException {
        configuration(artifact).delete();
    }

    private Configuration configuration(File artifact) throws IOException, MachineException {
        ServiceReference<ConfigurationAdmin> admin =
                context.getServiceReference(ConfigurationAdmin.class);
        if (admin == null) {
            throw new MachineException(
                    "%s: Configuration Admin is not installed, which carries it."
                            .formatted(artifact));
        }
        try {
            String name = artifact.getName();
            return context.getService(admin)
                    .getFactoryConfiguration(
                            ConfiguredSlots.FACTORY_PID,
                            name.substring(0, name.length() - ENDING.length()),
                            ANY_LOCATION);
        } finally {
            context.ungetService(admin);
        }
    }
}
