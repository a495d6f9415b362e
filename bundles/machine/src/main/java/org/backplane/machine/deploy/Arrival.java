package org.backplane.machine.deploy;

import org.backplane.machine.MachineException;
import org.osgi.framework.Bundle;

/** What happens to slots when bundles come and go in a folder. */
public interface Arrival {
    /** Swaps the slots of the bundle's kinds to it. */
    void arrived(Bundle bundle) throws MachineException;

    /**
     * Another version of what slots run did not get as far as to be a bundle that offers something.
     *
     * @param symbolicName the bundle's
     */
    void refused(String symbolicName, String reason);

    boolean uses(Bundle bundle);
}
