package org.backplane.device.vfio;

import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeSet;
import org.backplane.device.DeviceException;
import org.backplane.device.context.DeviceContext;
import org.backplane.vfio.PciHostAddress;
import org.backplane.vfio.kernel.IommuChoice;

/**
 * Which device is passed through: exactly one of the first two.
 *
 * @param host a function of this host
 * @param socket of a vfio-user server
 * @param iommu which of the kernel's two interfaces; for a function of this host
 */
record VfioSettings(Optional<PciHostAddress> host, Optional<Path> socket, IommuChoice iommu) {
    static final String HOST = "host";
    static final String SOCKET = "socket";
    static final String IOMMU = "iommu";
    private static final List<String> ALL = List.of(HOST, IOMMU, SOCKET);

    /** Reads and checks a slot's settings. */
    static VfioSettings of(DeviceContext context) throws DeviceException {
        Map<String, String> given = context.settings();
        for (String name : new TreeSet<>(given.keySet())) {
            if (!ALL.contains(name)) {
                throw refused(
                        context,
                        "%s has no setting '%s' (value '%s'); there are: %s",
                        VfioFactory.KIND,
                        name,
                        given.get(name),
                        String.join(", ", ALL));
            }
        }
        String host = given.get(HOST);
        String socket = given.get(SOCKET);
        if ((host == null) == (socket == null)) {
            throw refused(
                    context,
                    host == null
                            ? "no device is named; give host=0000:01:00.0 or socket=PATH"
                            : "host=%s and socket=%s name two devices; leave one out",
                    host,
                    socket);
        }
        if (socket != null && given.containsKey(IOMMU)) {
            throw refused(
                    context,
                    "iommu=%s is for a device of this host, not for socket=%s; leave it out",
                    given.get(IOMMU),
                    socket);
        }
        return new VfioSettings(
                host == null ? Optional.empty() : Optional.of(address(context, host)),
                socket == null ? Optional.empty() : Optional.of(path(context, socket)),
                iommu(context, given.getOrDefault(IOMMU, IommuChoice.AUTO.word())));
    }

    private static PciHostAddress address(DeviceContext context, String text)
            throws DeviceException {
        Optional<PciHostAddress> address = PciHostAddress.parse(text);
        if (address.isEmpty()) {
            throw refused(
                    context,
                    "host=%s is no address of a PCI function such as 0000:01:00.0; 'lspci -D' lists them",
                    text);
        }
        return address.get();
    }

    private static Path path(DeviceContext context, String text) throws DeviceException {
        try {
            if (!text.isEmpty()) {
                return Path.of(text);
            }
        } catch (InvalidPathException e) {
            throw refused(context, "socket=%s is no path: %s", text, e.getReason());
        }
        throw refused(context, "socket= is empty; give the path of a vfio-user server's socket");
    }

    private static IommuChoice iommu(DeviceContext context, String text) throws DeviceException {
        Optional<IommuChoice> choice = IommuChoice.parse(text);
        if (choice.isEmpty()) {
            throw refused(context, "iommu=%s is none of auto, group and iommufd; give one", text);
        }
        return choice.get();
    }

    private static DeviceException refused(DeviceContext context, String format, Object... values) {
        return new DeviceException(
                "Slot '%s': %s.".formatted(context.slot(), format.formatted(values)));
    }
}
