package org.backplane.device.vfio;

import java.nio.file.Path;
import org.backplane.device.DeviceException;
import org.backplane.device.context.DeviceContext;
import org.backplane.vfio.PciHostAddress;
import org.backplane.vfio.VfioDevice;
import org.backplane.vfio.VfioException;
import org.backplane.vfio.kernel.IommuChoice;
import org.backplane.vfio.kernel.KernelDevice;
import org.backplane.vfio.kernel.VfioContainer;
import org.backplane.vfio.user.VfioUserDevice;
import org.backplane.vfio.user.VfioUserDevices;

/**
 * The transports there are. A device that is opened is the slot's, and what the devices of one
 * machine share is the machine's: a swap finds both.
 */
final class HostTransports implements Transport {
    private static final String DEVICE = "device";

    @Override
    public VfioDevice open(DeviceContext context, VfioSettings settings) throws DeviceException {
        return settings.socket().isPresent()
                ? ofServer(context, settings.socket().get())
                : ofHost(context, settings.host().orElseThrow(), settings.iommu());
    }

    private static VfioDevice ofServer(DeviceContext context, Path socket) throws DeviceException {
        VfioUserDevices devices =
                context.shared(
                        "vfio-user",
                        VfioUserDevices.class,
                        () -> VfioUserDevices.open(context.memoryChanges()));
        return context.kept(
                DEVICE,
                VfioUserDevice.class,
                () -> {
                    try {
                        return reset(devices.connect(socket));
                    } catch (VfioException e) {
                        throw refused(context, e);
                    }
                });
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
                                // The kernel resets a function when it is opened.
                                return container.open(address, iommu);
                            } catch (VfioException e) {
                                throw refused(context, e);
                            }
                        });
        context.assignHostDevice(device.assignable());
        return device;
    }

    /** What a machine before left in it is no guest's business; the server keeps it. */
    private static VfioUserDevice reset(VfioUserDevice device) throws VfioException {
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
