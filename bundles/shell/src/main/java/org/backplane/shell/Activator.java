package org.backplane.shell;

import java.lang.System.Logger.Level;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import org.apache.felix.service.command.CommandProcessor;
import org.apache.felix.service.command.Converter;
import org.apache.felix.service.command.Function;
import org.backplane.machine.Machine;
import org.backplane.machine.terminal.TerminalShell;
import org.backplane.shell.command.BundleById;
import org.backplane.shell.command.BundleCommands;
import org.backplane.shell.command.Catalogue;
import org.backplane.shell.command.Command;
import org.backplane.shell.command.CurrentMachine;
import org.backplane.shell.command.DeviceBundles;
import org.backplane.shell.command.GogoCommand;
import org.backplane.shell.command.ShellException;
import org.backplane.shell.format.ReportFormat;
import org.backplane.shell.socket.ShellServer;
import org.backplane.shell.terminal.CommandHistory;
import org.backplane.shell.terminal.GogoShell;
import org.osgi.annotation.bundle.Header;
import org.osgi.framework.BundleActivator;
import org.osgi.framework.BundleContext;
import org.osgi.framework.Constants;
import org.osgi.framework.FrameworkUtil;
import org.osgi.framework.ServiceReference;
import org.osgi.framework.ServiceRegistration;
import org.osgi.util.tracker.ServiceTracker;

/** Registers the commands and serves the socket while there is a command processor. */
@Header(name = Constants.BUNDLE_ACTIVATOR, value = "${@class}")
public final class Activator implements BundleActivator {
    /** Framework property: where the socket is made. */
    static final String SOCKET = "org.backplane.shell.socket";

    /** Framework property: the run folder, in which the socket is unless the other says. */
    static final String RUN_FOLDER = "org.backplane.run.folder";

    /** Framework property: the file that sessions keep their lines in. */
    static final String HISTORY = "org.backplane.shell.history";

    private final System.Logger log = System.getLogger(Activator.class.getName());
    private ServiceTracker<Machine, Machine> machine;
    private ServiceTracker<CommandProcessor, Service> processors;

    @Override
    public void start(BundleContext context) {
        machine = new ServiceTracker<>(context, Machine.class, null);
        machine.open();
        Catalogue catalogue =
                Catalogue.of(
                        new CurrentMachine(machine::getService),
                        new DeviceBundles(context::getBundles),
                        new BundleCommands(context));
        catalogue.commands().forEach(command -> register(context, command));
        context.registerService(Converter.class, new ReportFormat(), null);
        context.registerService(Converter.class, new BundleById(context), null);
        Path socket = socket(context);
        if (socket == null) {
            log.log(Level.INFO, "no {0} and no {1}: no socket", SOCKET, RUN_FOLDER);
            return;
        }
        processors = new ProcessorTracker(context, socket, catalogue);
        processors.open();
    }

    private static void register(BundleContext context, Command command) {
        context.registerService(
                Function.class,
                new GogoCommand(command),
                FrameworkUtil.asDictionary(
                        Map.of(
                                CommandProcessor.COMMAND_SCOPE,
                                command.scope(),
                                CommandProcessor.COMMAND_FUNCTION,
                                command.name())));
    }

    private static CommandHistory history(BundleContext context) {
        return new CommandHistory(Optional.ofNullable(context.getProperty(HISTORY)).map(Path::of));
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

    /** What is there while there is a processor. */
    private record Service(
            GogoShell shell, ShellServer server, ServiceRegistration<TerminalShell> registration) {
        void end() {
            registration.unregister();
            server.close();
            shell.close();
        }
    }

    /** Serves with the first processor that comes, until it goes. */
    private final class ProcessorTracker extends ServiceTracker<CommandProcessor, Service> {
        private final Path socket;
        private final Catalogue catalogue;

        ProcessorTracker(BundleContext context, Path socket, Catalogue catalogue) {
            super(context, CommandProcessor.class, null);
            this.socket = socket;
            this.catalogue = catalogue;
        }

        @Override
        public Service addingService(ServiceReference<CommandProcessor> reference) {
            if (size() > 0) {
                return null;
            }
            CommandProcessor processor = context.getService(reference);
            GogoShell shell = new GogoShell(processor, catalogue, history(context));
            try {
                ShellServer server = ShellServer.open(socket, shell);
                return new Service(
                        shell, server, context.registerService(TerminalShell.class, shell, null));
            } catch (ShellException refused) {
                log.log(Level.ERROR, refused.getMessage(), refused);
                context.ungetService(reference);
                return null;
            }
        }

        @Override
        public void removedService(ServiceReference<CommandProcessor> reference, Service service) {
            service.end();
            context.ungetService(reference);
        }
    }
}
