package org.backplane.launcher.trust;

import org.osgi.framework.BundleActivator;
import org.osgi.framework.BundleContext;

/** Classes for bundles: whichever is initialised leaves a trace that the test sees. */
final class Traces {
    static final String TRACE = "org.backplane.launcher.trust.trace";

    private Traces() {}

    static String found() {
        return System.getProperty(TRACE, "none");
    }

    static void clear() {
        System.clearProperty(TRACE);
    }

    /** An activator. */
    public static final class Started implements BundleActivator {
        static {
            System.setProperty(TRACE, "Started");
        }

        @Override
        public void start(BundleContext context) {
            System.setProperty(TRACE, "Started by " + context.getBundle().getVersion());
        }

        @Override
        public void stop(BundleContext context) {
            System.setProperty(TRACE, "stopped");
        }
    }

    /** For fragments and nested jars. */
    public static final class Attached {
        static {
            System.setProperty(TRACE, "Attached");
        }
    }
}
