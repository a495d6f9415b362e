package org.backplane.itests.trust;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.osgi.framework.BundleActivator;
import org.osgi.framework.BundleContext;

/** An activator that leaves a file as soon as anything initialises it, in whatever process. */
public final class Trace implements BundleActivator {
    static final String VARIABLE = "BACKPLANE_ITESTS_TRACE";

    static {
        try {
            Files.writeString(Path.of(System.getenv(VARIABLE)), "loaded");
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public void start(BundleContext context) {
        // Being there is enough.
    }

    @Override
    public void stop(BundleContext context) {
        // It has nothing.
    }
}
