package org.backplane.shell;

import java.lang.System.Logger.Level;
import java.nio.file.Path;
import java.util.Map;
import org.apache.felix.service.command.CommandProcessor;
import org.apache.felix.service.command.Converter;
import org.backplane.machine.Machine;
import org.osgi.annotation.bundle.Header;
import org.osgi.framework.BundleActivator;
import org.osgi.framework.BundleContext;
import org.osgi.framework.Constants;
import org.osgi.framework.FrameworkUtil;
import org.osgi.framework.ServiceReference;
import org.osgi.util.tracker.ServiceTracker;

/** Registers the commands and serves the socket while there is a command processor. */
@Header(name = Constants.BUNDLE_ACTIVATOR, value = "${@class}")
public final class Activator implements BundleActivator {
    /** Framework property: where the socket is made. */
    static final String SOCKET = "org.backplane.shell.socket";

    /** Framework property: the run folder, in which the socket is unless the other says. */
    static final String RUN_FOLDER = "org.backplane.run.folder";

    private final System.Logger log = System.getLogger(Activator.class.getName());
    private ServiceTracker<Machine, Machine> machine;
    private ServiceTracker<CommandProcessor, ShellServer> processors;

    @Override
    public void start(BundleContext context) {
        machine = new ServiceTracker<>(context, Machine.class, null);
        machine.open();
        context.registerService(
                VmCommands.class,
                new VmCommands(machine::getService),
                FrameworkUtil.asDictionary(
                        Map.of(
                                CommandProcessor.COMMAND_SCOPE,
                                VmCommands.SCOPE,
                                CommandProcessor.COMMAND_FUNCTION,
                                VmCommands.names())));
        context.registerService(Converter.class, new VmFormat(), null);
        context.registerService(Converter.class, new BundleById(context), null);
        Path socket = socket(context);
        if (socket == null) {
            log.log(Level.INFO, "no {0} and no {1}: no socket", SOCKET, RUN_FOLDER);
            return;
        }
        processors = new ProcessorTracker(context, socket);
        processors.open();
    }

    private static Path socket(BundleContext context) {
        String socket = context.getProperty(SOCKET);
        if (socket != null) {
            return Path.of(socket);
        }
        String folder = context.getProperty(RUN_FOLDER);
        return folder == null ? null : Path.of(folder, "shell.sock");
    }

    @Override
    public void stop(BundleContext context) {
        if (processors != null) {
            processors.close();
        }
        machine.close();
    }

    /** Serves with the first processor that comes, until it goes. */
    private final class ProcessorTracker extends ServiceTracker<CommandProcessor, ShellServer> {
        private final Path socket;

        ProcessorTracker(BundleContext context, Path socket) {
            super(context, CommandProcessor.class, null);
            this.socket = socket;
        }

        @Override
        public ShellServer addingService(ServiceReference<CommandProcessor> reference) {
            if (size() > 0) {
                return null;
            }
            CommandProcessor processor = context.getService(reference);
            try {
                return ShellServer.open(socket, processor);
            } catch (ShellException refused) {
                log.log(Level.ERROR, refused.getMessage(), refused);
                context.ungetService(reference);
                return null;
            }
        }

        @Override
        public void removedService(
                ServiceReference<CommandProcessor> reference, ShellServer server) {
            server.close();
            context.ungetService(reference);
        }
    }
}
