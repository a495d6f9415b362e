package org.backplane.device.vfio;

import org.backplane.device.DeviceException;
import org.backplane.device.context.DeviceContext;
import org.backplane.vfio.PciHostAddress;
import org.backplane.vfio.VfioDevice;
import org.backplane.vfio.VfioException;
import org.backplane.vfio.kernel.IommuChoice;
import org.backplane.vfio.kernel.KernelDevice;
import org.backplane.vfio.kernel.VfioContainer;

/**
 * The transports there are. A device that is opened is the slot's, and what the devices of one
 * machine share is the machine's: a swap finds both.
 */
final class HostTransports implements Transport {
    private static final String DEVICE = "device";

    @Override
    public VfioDevice open(DeviceContext context, VfioSettings settings) throws DeviceException {
        if (settings.host().isEmpty()) {
            throw new DeviceException(
                    "Slot '%s': socket=%s is not supported by this build; give host=."
                            .formatted(context.slot(), settings.socket().orElseThrow()));
        }
        return ofHost(context, settings.host().get(), settings.iommu());
    }

    private static VfioDevice ofHost(
            DeviceContext context, PciHostAddress address, IommuChoice iommu)
            throws DeviceException {
        VfioContainer container =
                context.shared(
                        "vfio",
                        VfioContainer.class,
                        () -> VfioContainer.open(context.memoryChanges()));
        KernelDevice device =
                context.kept(
                        DEVICE,
                        KernelDevice.class,
                        () -> {
                            try {
                                return reset(container.open(address, iommu));
                            } catch (VfioException e) {
                                throw refused(context, e);
                            }
                        });
        context.assignHostDevice(device.assignable());
        return device;
    }

    /** What a driver of the host left in it is no guest's business. */
    private static KernelDevice reset(KernelDevice device) throws VfioException {
        boolean done = !device.resettable();
        try {
            if (!done) {
                device.reset();
                done = true;
            }
            return device;
        } finally {
            if (!done) {
                device.close();
            }
        }
    }

    private static DeviceException refused(DeviceContext context, VfioException e) {
        return new DeviceException("Slot '%s': %s".formatted(context.slot(), e.getMessage()), e);
    }
}
