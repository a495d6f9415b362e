package org.backplane.machine;

import java.io.IOException;
import java.io.Writer;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Collections;
import java.util.Dictionary;
import java.util.HashMap;
import java.util.Hashtable;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Properties;
import org.backplane.machine.slot.SlotSpec;
import org.backplane.machine.slot.Slots;
import org.osgi.framework.BundleContext;
import org.osgi.framework.Constants;
import org.osgi.framework.InvalidSyntaxException;
import org.osgi.framework.ServiceReference;
import org.osgi.framework.ServiceRegistration;
import org.osgi.service.cm.Configuration;
import org.osgi.service.cm.ConfigurationAdmin;
import org.osgi.service.cm.ManagedServiceFactory;

/**
 * Slots that Configuration Admin wants: factory configurations of {@code org.backplane.slot}, in
 * practice one for each {@code .cfg} file of {@code --config}. What is there when the machine is
 * built is plugged cold; a kind that no bundle offers waits for one.
 */
final class ConfiguredSlots implements ManagedServiceFactory, AutoCloseable {
    private static final Logger LOG = System.getLogger(ConfiguredSlots.class.getName());
    static final String FACTORY_PID = "org.backplane.slot";

    /** Property that names the file a configuration came from. */
    static final String FILE = "felix.fileinstall.filename";

    private final Slots slots;
    private final SlotOperations operations;
    private final Map<String, SlotSpec> specs = new HashMap<>();

    /** Slots that were there before their file: it is theirs when it is read. */
    private final Map<String, SlotSpec> saved = new HashMap<>();

    private final ServiceRegistration<ManagedServiceFactory> registration;

    /**
     * @param restored slots that are there from a snapshot: a file that wants the same is theirs
     */
    ConfiguredSlots(
            Slots slots, SlotOperations operations, List<SlotSpec> restored, BundleContext context)
            throws MachineException {
        this.slots = slots;
        this.operations = operations;
        restored.forEach(spec -> saved.put(spec.name(), spec));
        ServiceReference<ConfigurationAdmin> admin =
                context.getServiceReference(ConfigurationAdmin.class);
        if (admin != null) {
            adopt(context.getService(admin));
            context.ungetService(admin);
        }
        registration =
                context.registerService(
                        ManagedServiceFactory.class,
                        this,
                        new Hashtable<>(Map.of(Constants.SERVICE_PID, FACTORY_PID)));
    }

    private void adopt(ConfigurationAdmin admin) throws MachineException {
        try {
            Configuration[] there =
                    admin.listConfigurations("(service.factoryPid=" + FACTORY_PID + ")");
            for (Configuration configuration :
                    Optional.ofNullable(there).orElse(new Configuration[0])) {
                add(configuration.getPid(), spec(configuration.getProperties()));
            }
        } catch (IOException | InvalidSyntaxException e) {
            throw new MachineException(
                    "The configurations of slots cannot be read: %s.".formatted(e.getMessage()), e);
        }
    }

    private static SlotSpec spec(Dictionary<String, ?> properties) throws MachineException {
        var settings = new HashMap<String, String>();
        for (String key : Collections.list(properties.keys())) {
            if (!key.startsWith("service.") && !key.startsWith("felix.")) {
                settings.put(key, String.valueOf(properties.get(key)));
            }
        }
        String source =
                String.valueOf(
                        Optional.ofNullable((Object) properties.get(FILE))
                                .orElse("a configuration"));
        String name = settings.remove("name");
        String kind = settings.remove("kind");
        if (name == null || kind == null) {
            throw new MachineException(
                    "%s: a slot needs a line 'name=..' and a line 'kind=..'.".formatted(source));
        }
        return new SlotSpec(name, kind, settings, source);
    }

    private synchronized void add(String pid, SlotSpec spec) throws MachineException {
        SlotSpec there = specs.get(pid);
        if (spec.equals(there)) {
            return;
        }
        if (there != null) {
            throw new MachineException(
                    "%s: the slot '%s' runs with the settings it was plugged with; take the file away and back to change them."
                            .formatted(spec.source(), there.name()));
        }
        SlotSpec running = saved.remove(spec.name());
        if (running == null
                || !running.kind().equals(spec.kind())
                || !running.settings().equals(spec.settings())) {
            slots.add(spec);
        }
        specs.put(pid, spec);
    }

    /**
     * Writes the file of a slot, so that the slot lives as long as that.
     *
     * @param folder of {@code --config}
     */
    synchronized void save(SlotSpec spec, Path folder) throws MachineException {
        Path file = folder.resolve(spec.name() + SlotFiles.ENDING);
        var lines = new Properties();
        lines.putAll(spec.settings());
        lines.put("name", spec.name());
        lines.put("kind", spec.kind());
        saved.put(spec.name(), spec);
        try (Writer writer =
                Files.newBufferedWriter(
                        file, StandardCharsets.UTF_8, StandardOpenOption.CREATE_NEW)) {
            lines.store(writer, null);
        } catch (IOException e) {
            saved.remove(spec.name());
            throw new MachineException(
                    "The slot '%s' runs, but its file '%s' cannot be written: %s."
                            .formatted(spec.name(), file, e),
                    e);
        }
    }

    @Override
    public String getName() {
        return "Backplane slots";
    }

    @Override
    public void updated(String pid, Dictionary<String, ?> properties) {
        try {
            add(pid, spec(properties));
        } catch (MachineException e) {
            // A ConfigurationException would come out as a stack trace on the guest's terminal.
            LOG.log(Level.WARNING, e.getMessage());
        }
    }

    @Override
    public void deleted(String pid) {
        SlotSpec gone;
        synchronized (this) {
            gone = specs.remove(pid);
        }
        if (gone == null) {
            return;
        }
        try {
            // The file was the slot's life; taking it away is the operator's word.
            operations.removeUnwanted(gone.name(), refusal -> stays(gone, refusal));
        } catch (MachineException e) {
            LOG.log(Level.WARNING, e.getMessage());
        }
    }

    /** The guest keeps it: should the file come back, the slot is its again. */
    private synchronized void stays(SlotSpec spec, MachineException refusal) {
        saved.put(spec.name(), spec);
        LOG.log(Level.WARNING, "{0} is gone, but: {1}", spec.source(), refusal.getMessage());
    }

    @Override
    public void close() {
        registration.unregister();
    }
}
