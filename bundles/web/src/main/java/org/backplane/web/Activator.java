package org.backplane.web;

import jakarta.servlet.Servlet;
import java.io.IOException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Deque;
import java.util.Dictionary;
import java.util.Hashtable;
import java.util.Optional;
import org.apache.felix.webconsole.servlet.ServletConstants;
import org.apache.felix.webconsole.spi.SecurityProvider;
import org.backplane.machine.Machine;
import org.backplane.web.access.ConsoleSecurity;
import org.backplane.web.access.Door;
import org.backplane.web.access.LoginServlet;
import org.backplane.web.access.RequestRules;
import org.backplane.web.access.Token;
import org.backplane.web.metrics.MetricsServlet;
import org.backplane.web.page.BackplanePage;
import org.osgi.annotation.bundle.Header;
import org.osgi.framework.BundleActivator;
import org.osgi.framework.BundleContext;
import org.osgi.framework.Constants;
import org.osgi.framework.ServiceReference;
import org.osgi.framework.ServiceRegistration;
import org.osgi.service.servlet.runtime.HttpServiceRuntime;
import org.osgi.service.servlet.whiteboard.HttpWhiteboardConstants;
import org.osgi.service.servlet.whiteboard.Preprocessor;
import org.osgi.util.tracker.ServiceTracker;

/**
 * Registers, in this order, the rules for every request, who guards the Web Console, and what is
 * served; the server itself is started after this bundle. When it listens, its address with the
 * token is written to {@code web.url} in the run folder and told to the launcher.
 */
@Header(name = Constants.BUNDLE_ACTIVATOR, value = "${@class}")
public final class Activator implements BundleActivator {
    private static final Logger LOG = System.getLogger(Activator.class.getName());
    private static final String RUN_FOLDER = "org.backplane.run.folder";
    private static final String HOST = "org.apache.felix.http.host";
    private static final String CONSOLE = "/system/console/";
    private static final String ENDPOINT = "osgi.http.endpoint";
    private static final String TOLD = "(org.backplane.web.address=true)";

    /** In the order of their registration. */
    private final Deque<ServiceRegistration<?>> registrations = new ArrayDeque<>();

    private RequestRules rules;
    private ServiceTracker<Machine, Machine> machines;
    private ServiceTracker<HttpServiceRuntime, Object> servers;

    @Override
    public void start(BundleContext context) throws IOException {
        Path folder = Path.of(context.getProperty(RUN_FOLDER));
        Token token = Token.of(folder.resolve("web.token"));
        Door door = new Door(token);
        machines = new ServiceTracker<>(context, Machine.class, null);
        machines.open();
        rules = new RequestRules(context.getProperty(HOST));
        register(
                context,
                Preprocessor.class,
                rules,
                HttpWhiteboardConstants.HTTP_WHITEBOARD_FILTER_PATTERN,
                "/");
        register(
                context,
                SecurityProvider.class,
                new ConsoleSecurity(door),
                SecurityProvider.PROPERTY_ID,
                ConsoleSecurity.ID);
        register(
                context,
                Servlet.class,
                new LoginServlet(door, CONSOLE + BackplanePage.LABEL),
                HttpWhiteboardConstants.HTTP_WHITEBOARD_SERVLET_PATTERN,
                new String[] {"", LoginServlet.PATH});
        register(
                context,
                Servlet.class,
                new MetricsServlet(door, this::machine),
                HttpWhiteboardConstants.HTTP_WHITEBOARD_SERVLET_PATTERN,
                MetricsServlet.PATH);
        Path uploads = Files.createDirectories(folder.resolve("uploads"));
        Dictionary<String, Object> page = new Hashtable<>();
        page.put(ServletConstants.PLUGIN_LABEL, BackplanePage.LABEL);
        page.put(ServletConstants.PLUGIN_TITLE, BackplanePage.TITLE);
        page.put(ServletConstants.PLUGIN_CATEGORY, BackplanePage.TITLE);
        registrations.add(
                context.registerService(
                        Servlet.class, new BackplanePage(this::machine, context, uploads), page));
        servers = new Servers(context, token, folder.resolve("web.url"));
        servers.open();
    }

    private Optional<Machine> machine() {
        return Optional.ofNullable(machines.getService());
    }

    private <T> void register(
            BundleContext context, Class<T> type, T service, String property, Object value) {
        Dictionary<String, Object> properties = new Hashtable<>();
        properties.put(property, value);
        registrations.add(context.registerService(type, service, properties));
    }

    /**
     * From its first step on every request is refused, the rules go last: nobody is let in by
     * whatever the console does while its guard goes.
     */
    @Override
    public void stop(BundleContext context) {
        rules.close();
        servers.close();
        while (!registrations.isEmpty()) {
            registrations.removeLast().unregister();
        }
        machines.close();
    }

    /** Tells where the server listens, once it does. */
    private static final class Servers extends ServiceTracker<HttpServiceRuntime, Object> {
        private final Token token;
        private final Path file;
        private boolean told;

        Servers(BundleContext context, Token token, Path file) {
            super(context, HttpServiceRuntime.class, null);
            this.token = token;
            this.file = file;
        }

        @Override
        public Object addingService(ServiceReference<HttpServiceRuntime> server) {
            look(server);
            return server;
        }

        @Override
        public void modifiedService(ServiceReference<HttpServiceRuntime> server, Object same) {
            look(server);
        }

        private synchronized void look(ServiceReference<HttpServiceRuntime> server) {
            Optional<URI> address = endpoint(server.getProperty(ENDPOINT));
            if (told || address.isEmpty()) {
                return;
            }
            told = true;
            String url = "%s/?token=%s".formatted(base(address.get()), token.text());
            try {
                Token.writeForOwner(file, url);
            } catch (IOException e) {
                LOG.log(Level.WARNING, "'%s' cannot be written".formatted(file), e);
            }
            LOG.log(
                    Level.INFO,
                    () ->
                            "The web page is at %s; its address with the token is in %s."
                                    .formatted(base(address.get()), file));
            tell(url);
        }

        private static String base(URI endpoint) {
            String text = endpoint.toString();
            return text.endsWith("/") ? text.substring(0, text.length() - 1) : text;
        }

        /** The launcher prints it. */
        @SuppressWarnings("unchecked")
        private void tell(String url) {
            try {
                for (var reference :
                        context.getServiceReferences(java.util.function.Consumer.class, TOLD)) {
                    java.util.function.Consumer<String> launcher = context.getService(reference);
                    if (launcher != null) {
                        launcher.accept(url);
                        context.ungetService(reference);
                    }
                }
            } catch (org.osgi.framework.InvalidSyntaxException e) {
                throw new IllegalArgumentException(TOLD, e);
            }
        }

        private static Optional<URI> endpoint(Object property) {
            String[] all =
                    property instanceof String[] several
                            ? several
                            : property instanceof String one ? new String[] {one} : new String[0];
            return Arrays.stream(all)
                    .filter(each -> each.startsWith("http:"))
                    .map(URI::create)
                    .filter(uri -> uri.getPort() > 0)
                    .findFirst();
        }
    }
}
