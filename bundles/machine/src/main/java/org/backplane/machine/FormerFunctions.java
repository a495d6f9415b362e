package org.backplane.machine;

import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Places on bus 0 that functions have left under a guest, which nothing tells of that: it lists
 * them until it is made to forget, and sees nothing new there before. Whether it has is not to be
 * seen from here, so the hints say both. Thread-safe.
 */
final class FormerFunctions {
    private static final String DEVICES = "/sys/bus/pci/devices/0000:";

    private final Set<String> addresses = ConcurrentHashMap.newKeySet();

    /**
     * A function is gone.
     *
     * @param address as {@code 00:01.0}
     * @return what to do in the guest, half a sentence
     */
    String left(String address) {
        addresses.add(address);
        return "if the guest still lists it, let it forget it: " + remove(address);
    }

    /** How the guest finds what was plugged there, half a sentence. */
    String toFind(String address) {
        return "the guest finds it by: "
                + (addresses.contains(address)
                        ? remove(address) + " (if it still lists the former device), then "
                        : "")
                + "echo 1 > /sys/bus/pci/rescan";
    }

    /** A guest begins, and looks at everything itself. */
    void forget() {
        addresses.clear();
    }

    private static String remove(String address) {
        return "echo 1 > " + DEVICES + address + "/remove";
    }
}
