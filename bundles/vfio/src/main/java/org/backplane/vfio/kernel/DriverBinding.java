package org.backplane.vfio.kernel;

import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Optional;
import org.backplane.vfio.PciHostAddress;
import org.backplane.vfio.VfioException;

/**
 * Hands functions of the host over to vfio-pci and back, by {@code driver_override}
 * (Documentation/ABI/testing/sysfs-bus-pci). The driver before is remembered in a folder until the
 * function is given back. A step that fails undoes those before it.
 */
final class DriverBinding {
    static final String VFIO = "vfio-pci";

    private final HostPci host;
    private final Path remembered;
    private final Sysfs sysfs;

    /** Writes an attribute; the kernel does what is asked before this returns. */
    interface Sysfs {
        void write(Path attribute, String value) throws IOException;
    }

    /**
     * @param remembered folder; made where it is needed
     */
    DriverBinding(HostPci host, Path remembered, Sysfs sysfs) {
        this.host = host;
        this.remembered = remembered;
        this.sysfs = sysfs;
    }

    static DriverBinding ofThisHost() {
        return new DriverBinding(
                HostPci.ofThisHost(),
                Path.of("/run/backplane/vfio"),
                (attribute, value) ->
                        Files.writeString(attribute, value, StandardOpenOption.WRITE));
    }

    /**
     * Hands a function over.
     *
     * @return what has become of it
     * @throws VfioException it cannot be handed over, or the host needs it; nothing has changed
     */
    String bind(PciHostAddress address) throws VfioException {
        HostFunction function = host.function(address);
        if (function.withVfio()) {
            return "%s is bound to %s already.%s"
                    .formatted(address, function.driver().get(), groupNote(function));
        }
        refuse(function);
        Optional<String> before = function.driver();
        try {
            remember(address, before.orElse(""));
            override(address, VFIO);
            if (before.isPresent()) {
                sysfs.write(host.driverFolder(before.get()).resolve("unbind"), address.toString());
            }
            probe(address);
            requireDriver(address, VFIO);
        } catch (IOException e) {
            throw new VfioException(
                    "%s cannot be bound to %s: %s; %s."
                            .formatted(address, VFIO, reason(e), putBack(address, before)),
                    e);
        }
        return "%s is bound to %s, before it %s.%s"
                .formatted(
                        address,
                        VFIO,
                        before.map(name -> "had the driver " + name).orElse("had no driver"),
                        groupNote(host.function(address)));
    }

    private String groupNote(HostFunction function) throws VfioException {
        return host.whyNotViable(function).map(sentence -> " " + sentence).orElse("");
    }

    private void refuse(HostFunction function) throws VfioException {
        if (function.bridge()) {
            throw new VfioException(
                    "%s stays with the host: it is a bridge (class 0x%06x), which others are behind; bind those."
                            .formatted(function.address(), function.classCode()));
        }
        Optional<String> use = new HostUse(host).of(function);
        if (use.isPresent()) {
            throw new VfioException(
                    "%s stays with the host: %s; end that first."
                            .formatted(function.address(), use.get()));
        }
        if (function.group().isEmpty()) {
            throw new VfioException(new Usability(host).reasons(function).get(0));
        }
        if (!Files.isDirectory(host.driverFolder(VFIO))) {
            throw new VfioException(
                    "%s cannot be bound to %s: the driver is not loaded; load it with: modprobe %s"
                            .formatted(function.address(), VFIO, VFIO));
        }
    }

    /**
     * Gives a function back to the driver that it had.
     *
     * @return what has become of it
     * @throws VfioException it is in use, or cannot be given back; nothing has changed
     */
    String release(PciHostAddress address) throws VfioException {
        HostFunction function = host.function(address);
        if (!function.withVfio()) {
            return "%s is not with VFIO: it has %s."
                    .formatted(
                            address,
                            function.driver().map(d -> "the driver " + d).orElse("no driver"));
        }
        refuseBusy(function);
        String vfio = function.driver().get();
        Optional<String> before = Optional.empty();
        try {
            before = recall(address);
            override(address, "\n");
            sysfs.write(host.driverFolder(vfio).resolve("unbind"), address.toString());
            if (before.isEmpty()) {
                probe(address);
            } else if (!before.get().isEmpty()) {
                sysfs.write(host.driverFolder(before.get()).resolve("bind"), address.toString());
                requireDriver(address, before.get());
            }
            Files.deleteIfExists(memory(address));
        } catch (IOException e) {
            throw new VfioException(
                    "%s cannot be given back to %s: %s; %s."
                            .formatted(
                                    address,
                                    before.filter(name -> !name.isEmpty())
                                            .map(name -> "the driver " + name)
                                            .orElse("the host"),
                                    reason(e),
                                    takeAgain(address, vfio)),
                    e);
        }
        return "%s is with the host again, %s."
                .formatted(
                        address,
                        host.function(address)
                                .driver()
                                .map(name -> "with the driver " + name)
                                .orElse("without a driver"));
    }

    /** The kernel would wait for whoever has it, for as long as that takes. */
    private void refuseBusy(HostFunction function) throws VfioException {
        Optional<String> holder = Optional.empty();
        if (function.group().isPresent()) {
            holder = host.holder(host.groupFile(function.group().getAsInt()));
        }
        if (holder.isEmpty()) {
            Optional<Path> own = host.ownFile(function.address());
            holder = own.flatMap(host::holder);
        }
        if (holder.isPresent()) {
            throw new VfioException(
                    "%s is in use by %s; end that, or unplug the device there, first."
                            .formatted(function.address(), holder.get()));
        }
    }

    private void override(PciHostAddress address, String driver) throws IOException {
        sysfs.write(host.folder(address).resolve("driver_override"), driver);
    }

    private void probe(PciHostAddress address) throws IOException {
        sysfs.write(host.root().resolve("sys/bus/pci/drivers_probe"), address.toString());
    }

    private void requireDriver(PciHostAddress address, String wanted) throws IOException {
        Optional<String> now = host.function(address).driver();
        if (!now.equals(Optional.of(wanted))) {
            throw new IOException("the driver %s did not take it, see 'dmesg'".formatted(wanted));
        }
    }

    /** Everything as it was; tells what could not be. */
    private String putBack(PciHostAddress address, Optional<String> before) {
        try {
            override(address, "\n");
            Optional<String> now = host.function(address).driver();
            if (!now.equals(before)) {
                if (now.isPresent()) {
                    sysfs.write(host.driverFolder(now.get()).resolve("unbind"), address.toString());
                }
                if (before.isPresent()) {
                    sysfs.write(
                            host.driverFolder(before.get()).resolve("bind"), address.toString());
                }
            }
            Files.deleteIfExists(memory(address));
            return "it is as it was";
        } catch (IOException e) {
            return "what was done could not be undone: " + reason(e);
        }
    }

    private String takeAgain(PciHostAddress address, String vfio) {
        try {
            if (!host.function(address).driver().equals(Optional.of(vfio))) {
                override(address, vfio);
                probe(address);
            }
            return "it is as it was";
        } catch (IOException e) {
            return "what was done could not be undone: " + reason(e);
        }
    }

    private static String reason(IOException e) {
        return e instanceof AccessDeniedException denied
                ? "this user may not write " + denied.getFile() + ", root may"
                : e.getMessage();
    }

    private Path memory(PciHostAddress address) {
        return remembered.resolve(address.toString());
    }

    private void remember(PciHostAddress address, String driver) throws IOException {
        Files.createDirectories(remembered);
        Files.writeString(memory(address), driver);
    }

    /** The driver before; an empty name if there was none, and empty if nothing is known. */
    private Optional<String> recall(PciHostAddress address) throws IOException {
        try {
            return Optional.of(Files.readString(memory(address)));
        } catch (NoSuchFileException e) {
            return Optional.empty();
        }
    }
}
