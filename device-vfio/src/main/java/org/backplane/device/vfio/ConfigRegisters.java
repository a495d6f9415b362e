package org.backplane.device.vfio;

import org.backplane.vfio.VfioDevice;
import org.backplane.vfio.VfioException;

/** The device's configuration space, read as it is needed. */
record ConfigRegisters(VfioDevice device) {
    int u8(int offset) throws VfioException {
        return (int) device.read(VfioDevice.CONFIG, offset, 1) & 0xff;
    }

    int u16(int offset) throws VfioException {
        return (int) device.read(VfioDevice.CONFIG, offset, 2) & 0xffff;
    }

    int u32(int offset) throws VfioException {
        return (int) device.read(VfioDevice.CONFIG, offset, 4);
    }

    /** In bytes. */
    long size() {
        return device.region(VfioDevice.CONFIG).size();
    }
}
