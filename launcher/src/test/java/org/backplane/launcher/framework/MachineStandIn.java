package org.backplane.launcher.framework;

import java.io.IOException;
import java.nio.file.FileSystemException;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.osgi.framework.BundleActivator;
import org.osgi.framework.BundleContext;
import org.osgi.framework.FrameworkEvent;
import org.osgi.framework.FrameworkListener;
import org.osgi.framework.InvalidSyntaxException;

/**
 * The activator of a bundle that stands in for the machine: once the first list has started it does
 * what the plan's name says.
 */
public final class MachineStandIn implements BundleActivator, FrameworkListener {
    private BundleContext context;

    @Override
    public void start(BundleContext bundleContext) {
        context = bundleContext;
        context.addFrameworkListener(this);
    }

    @Override
    public void stop(BundleContext bundleContext) {
        bundleContext.removeFrameworkListener(this);
    }

    @Override
    public void frameworkEvent(FrameworkEvent event) {
        if (event.getType() != FrameworkEvent.STARTED) {
            return;
        }
        try {
            Map<?, ?> plan = (Map<?, ?>) service(Map.class, "(org.backplane.plan=true)");
            if (plan == null) {
                return;
            }
            @SuppressWarnings("unchecked")
            CompletableFuture<Object> end =
                    (CompletableFuture<Object>)
                            service(CompletableFuture.class, "(org.backplane.end=true)");
            switch ((String) plan.get("name")) {
                case "ends" -> end.complete(42);
                case "refuses" ->
                        end.completeExceptionally(new IllegalArgumentException("bad input"));
                case "runs" -> {
                    Runnable running =
                            (Runnable) service(Runnable.class, "(org.backplane.running=true)");
                    running.run();
                    running.run();
                }
                default -> throw new IllegalStateException("unknown plan " + plan);
            }
        } catch (InvalidSyntaxException e) {
            throw new IllegalStateException(e);
        }
    }

    private Object service(Class<?> type, String filter) throws InvalidSyntaxException {
        return context.getServiceReferences(type, filter).stream()
                .findFirst()
                .map(context::getService)
                .orElse(null);
    }

    /** The activator of a bundle that finds the process out of descriptors, as the JDK tells it. */
    public static final class Starved implements BundleActivator {
        @Override
        public void start(BundleContext bundleContext) throws Exception {
            throw new FileSystemException("/second", null, "Too many open files");
        }

        @Override
        public void stop(BundleContext bundleContext) {}
    }

    /** The activator of a bundle that does not start. */
    public static final class Broken implements BundleActivator {
        @Override
        public void start(BundleContext bundleContext) throws Exception {
            throw new IOException("the card is upside down");
        }

        @Override
        public void stop(BundleContext bundleContext) {}
    }
}
