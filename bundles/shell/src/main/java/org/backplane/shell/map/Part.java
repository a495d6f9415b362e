package org.backplane.shell.map;

import org.backplane.bus.AddressRange;

/**
 * A piece of a strip of addresses.
 *
 * @param owner what lies there, or empty for a hole
 * @param on whether accesses reach it now
 */
record Part(AddressRange range, String owner, boolean on) {
    static Part hole(AddressRange range) {
        return new Part(range, "", false);
    }

    boolean isHole() {
        return owner.isEmpty();
    }

    /** Slot of the owner: {@code disk0} of {@code disk0 bar2}. */
    String slot() {
        int space = owner.indexOf(' ');
        return space < 0 ? owner : owner.substring(0, space);
    }
}
