package org.backplane.launcher.framework;

import java.io.InputStream;
import java.util.Map;
import org.apache.felix.framework.Felix;
import org.osgi.framework.BundleException;

/**
 * Felix for one machine: it starts once. An update of the system bundle would start it again, with
 * the bundles it had, and without what was given to it before them: the plan, and who guards what
 * may run.
 */
final class MachineFelix extends Felix {
    MachineFelix(Map<String, Object> configuration) {
        super(configuration);
    }

    @Override
    public void update() throws BundleException {
        update(null);
    }

    @Override
    public void update(InputStream content) throws BundleException {
        throw new BundleException(
                "The framework of a machine does not start again; end the machine with vm:stop and"
                        + " run it anew.",
                BundleException.UNSUPPORTED_OPERATION);
    }
}
