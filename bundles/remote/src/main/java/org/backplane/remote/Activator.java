package org.backplane.remote;

import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.util.Optional;
import java.util.function.Consumer;
import org.backplane.machine.terminal.TerminalShell;
import org.osgi.annotation.bundle.Header;
import org.osgi.framework.BundleActivator;
import org.osgi.framework.BundleContext;
import org.osgi.framework.Constants;
import org.osgi.framework.InvalidSyntaxException;
import org.osgi.util.tracker.ServiceTracker;

/** Offers logins while the bundle runs; the shell may come late and go. */
@Header(name = Constants.BUNDLE_ACTIVATOR, value = "${@class}")
public final class Activator implements BundleActivator {
    private static final Logger LOG = System.getLogger(Activator.class.getName());

    private static final String OPENED = "(org.backplane.remote.opened=true)";

    private ServiceTracker<TerminalShell, TerminalShell> shells;
    private LoginServer server;

    @Override
    public void start(BundleContext context) throws RemoteException {
        Optional<RemoteSettings> settings = RemoteSettings.of(context);
        if (settings.isEmpty()) {
            LOG.log(Level.INFO, "no logins by SSH are asked for");
            return;
        }
        shells = new ServiceTracker<>(context, TerminalShell.class, null);
        shells.open();
        try {
            server =
                    LoginServer.open(
                            settings.get(), () -> Optional.ofNullable(shells.getService()));
            tell(context, server.address() + ", host key " + server.fingerprint());
        } finally {
            if (server == null) {
                shells.close();
            }
        }
    }

    /** Somebody outside may want to say where to log in; the service is the launcher's. */
    @SuppressWarnings("unchecked")
    private static void tell(BundleContext context, String where) {
        try {
            context.getServiceReferences(Consumer.class, OPENED).stream()
                    .map(context::getService)
                    .forEach(told -> ((Consumer<String>) told).accept(where));
        } catch (InvalidSyntaxException e) {
            throw new IllegalArgumentException(OPENED, e);
        }
    }

    @Override
    public void stop(BundleContext context) {
        if (server != null) {
            server.close();
            shells.close();
        }
    }
}
