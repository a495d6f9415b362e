package org.backplane.kvm;

import org.backplane.hypervisor.ExitHandler;

/**
 * A store of the guest's to a device.
 *
 * @param port whether to an I/O port, else to memory space
 * @param width in bytes: 1, 2, 4 or 8
 */
record Access(boolean port, long address, int width, long value) {
    /** Three 64-bit numbers: kind and width, address, value. */
    static final int SAVED_LONGS = 3;

    void make(int vcpu, ExitHandler exits) {
        if (port) {
            exits.ioWrite(vcpu, (int) address, width, value);
        } else {
            exits.mmioWrite(vcpu, address, width, value);
        }
    }
}
