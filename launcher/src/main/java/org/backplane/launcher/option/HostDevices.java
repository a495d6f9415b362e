package org.backplane.launcher.option;

import java.io.IOException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.stream.Stream;

/**
 * Judges which device a slot of kind {@code vfio} is given, whichever way it is spelled: as far as
 * can be seen before anything of it is opened. The machine finds out the rest when it opens it.
 */
final class HostDevices {
    private static final Logger LOG = System.getLogger(HostDevices.class.getName());

    private final Path root;
    private final Map<String, String> sources = new HashMap<>();

    /**
     * @param root of the host's file system
     */
    HostDevices(Path root) {
        this.root = root;
    }

    /**
     * @param settings whose own form is right
     * @param source where they are from, for messages about another slot
     * @param wrong is given a clause for everything that is wrong
     */
    void check(Map<String, String> settings, String source, Consumer<String> wrong) {
        Optional<String> host =
                Optional.ofNullable(settings.get(VfioOption.HOST))
                        .filter(SettingType.PciAddress::isOne)
                        .map(SettingType.PciAddress::whole);
        Optional<Path> socket =
                Optional.ofNullable(settings.get(VfioOption.SOCKET))
                        .flatMap(text -> PlanReader.path(text, ignored -> {}));
        if (settings.containsKey(VfioOption.HOST) == settings.containsKey(VfioOption.SOCKET)) {
            wrong.accept(
                    settings.containsKey(VfioOption.HOST)
                            ? "host= and socket= name two devices; leave one out"
                            : "no device is named; give host=0000:01:00.0 or socket=PATH");
            return;
        }
        if (socket.isPresent() && settings.containsKey("iommu")) {
            wrong.accept("iommu= is for a device of this host; leave it out");
        }
        host.ifPresent(address -> function(address, wrong));
        socket.ifPresent(path -> server(path, wrong));
        host.or(() -> socket.map(Path::toString))
                .map(device -> sources.putIfAbsent(device, source))
                .ifPresent(
                        other ->
                                wrong.accept(
                                        "this is the device of " + other + " too; give another"));
    }

    private void function(String address, Consumer<String> wrong) {
        Path folder = root.resolve("sys/bus/pci/devices").resolve(address);
        if (!Files.isDirectory(folder)) {
            wrong.accept(
                    "the host has no PCI function "
                            + address
                            + "; backplane check lists what it has");
            return;
        }
        if (!Files.exists(folder.resolve("iommu_group"), LinkOption.NOFOLLOW_LINKS)) {
            wrong.accept(
                    hasGroups()
                            ? "no IOMMU of the host translates for it; put the card into another slot, or give another device"
                            : "the host runs without an IOMMU; switch VT-d, AMD-Vi or the SMMU on in the firmware, and boot with intel_iommu=on where it is Intel's");
            return;
        }
        Optional<String> driver = driver(folder);
        if (driver.filter(name -> name.contains("vfio")).isEmpty()) {
            wrong.accept(
                    driver.map(name -> "the host uses it by its driver " + name)
                                    .orElse("it is not bound to vfio-pci")
                            + "; hand it over with: backplane vfio bind "
                            + address);
        }
    }

    private boolean hasGroups() {
        try (Stream<Path> groups = Files.list(root.resolve("sys/kernel/iommu_groups"))) {
            return groups.findAny().isPresent();
        } catch (IOException e) {
            LOG.log(Level.DEBUG, "groups are not seen", e);
            return false;
        }
    }

    private static Optional<String> driver(Path folder) {
        try {
            return Optional.of(
                    Files.readSymbolicLink(folder.resolve("driver")).getFileName().toString());
        } catch (NoSuchFileException e) {
            return Optional.empty();
        } catch (IOException e) {
            LOG.log(Level.DEBUG, "a driver is not seen", e);
            return Optional.empty();
        }
    }

    private static void server(Path socket, Consumer<String> wrong) {
        if (!Files.exists(socket)) {
            wrong.accept(
                    "there is no socket "
                            + socket
                            + "; start the device's server first, or mend the path");
            return;
        }
        try {
            if (!SocketFile.isOne(socket)) {
                wrong.accept(
                        socket + " is no socket; give the path at which the device's server is");
            }
        } catch (IOException e) {
            // Gone meanwhile, or not to be seen: to connect will tell.
            LOG.log(Level.DEBUG, "a socket is not seen", e);
        }
    }
}
