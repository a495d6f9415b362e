package org.backplane.remote;

import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.util.Optional;
import org.backplane.machine.terminal.TerminalShell;
import org.osgi.annotation.bundle.Header;
import org.osgi.framework.BundleActivator;
import org.osgi.framework.BundleContext;
import org.osgi.framework.Constants;
import org.osgi.util.tracker.ServiceTracker;

/** Offers logins while the bundle runs; the shell may come late and go. */
@Header(name = Constants.BUNDLE_ACTIVATOR, value = "${@class}")
public final class Activator implements BundleActivator {
    private static final Logger LOG = System.getLogger(Activator.class.getName());

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
        } finally {
            if (server == null) {
                shells.close();
            }
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
