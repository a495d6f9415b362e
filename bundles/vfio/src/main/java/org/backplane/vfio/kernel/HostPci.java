package org.backplane.vfio.kernel;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import org.backplane.vfio.PciHostAddress;
import org.backplane.vfio.VfioException;

/**
 * The PCI functions of a host with their drivers and IOMMU groups, read from sysfs
 * (Documentation/ABI/testing/sysfs-bus-pci, sysfs-kernel-iommu_groups) each time anew.
 *
 * @param root of the host's file system
 */
public record HostPci(Path root) {
    public static HostPci ofThisHost() {
        return new HostPci(Path.of("/"));
    }

    Path functions() {
        return root.resolve("sys/bus/pci/devices");
    }

    Path folder(PciHostAddress address) {
        return functions().resolve(address.toString());
    }

    Path driverFolder(String driver) {
        return root.resolve("sys/bus/pci/drivers").resolve(driver);
    }

    private Path groups() {
        return root.resolve("sys/kernel/iommu_groups");
    }

    /** The files of VFIO, {@code /dev/vfio}. */
    Path files() {
        return root.resolve("dev/vfio");
    }

    /** Whether there is a function at the address. */
    public boolean has(PciHostAddress address) {
        return Files.isDirectory(folder(address));
    }

    /**
     * The function at an address.
     *
     * @throws VfioException there is none
     */
    public HostFunction function(PciHostAddress address) throws VfioException {
        if (!has(address)) {
            throw new VfioException(
                    "The host has no PCI function %s, or has it no more; 'backplane check' lists what it has."
                            .formatted(address));
        }
        try {
            return new HostFunction(
                    address,
                    number(folder(address).resolve("vendor")),
                    number(folder(address).resolve("device")),
                    number(folder(address).resolve("class")),
                    linked(folder(address).resolve("driver")),
                    group(address));
        } catch (IOException e) {
            throw new VfioException(
                    "The host's description of %s cannot be read: %s; the device may just have gone, or sysfs is not mounted."
                            .formatted(address, e.getMessage()),
                    e);
        }
    }

    /** All functions, by address. */
    public List<HostFunction> list() throws VfioException {
        List<HostFunction> all = new ArrayList<>();
        for (String name : names(functions())) {
            Optional<PciHostAddress> address = PciHostAddress.parse(name);
            // What goes between the two is not there.
            if (address.isPresent() && has(address.get())) {
                all.add(function(address.get()));
            }
        }
        return all;
    }

    /** The functions of a group, by address. */
    public List<HostFunction> members(int group) throws VfioException {
        List<HostFunction> members = new ArrayList<>();
        for (String name : names(groups().resolve(group + "/devices"))) {
            Optional<PciHostAddress> address = PciHostAddress.parse(name);
            if (address.isPresent() && has(address.get())) {
                members.add(function(address.get()));
            }
        }
        return members;
    }

    /** Whether an IOMMU translates for any device. */
    public boolean hasIommu() throws VfioException {
        return !names(groups()).isEmpty();
    }

    private OptionalInt group(PciHostAddress address) throws IOException {
        Optional<String> name = linked(folder(address).resolve("iommu_group"));
        return name.isPresent()
                ? OptionalInt.of(Integer.parseInt(name.get()))
                : OptionalInt.empty();
    }

    /**
     * Why a function's group cannot be used, naming the sibling that keeps it from that; empty if
     * it can be.
     */
    public Optional<String> whyNotViable(HostFunction function) throws VfioException {
        if (function.group().isEmpty()) {
            return Optional.empty();
        }
        int group = function.group().getAsInt();
        List<HostFunction> others =
                members(group).stream()
                        .filter(member -> !member.address().equals(function.address()))
                        .filter(HostFunction::inTheWay)
                        .toList();
        if (others.isEmpty()) {
            return Optional.empty();
        }
        List<String> names = others.stream().map(HostFunction::toString).toList();
        List<String> commands =
                others.stream().map(other -> "backplane vfio bind " + other.address()).toList();
        return Optional.of(
                "%s cannot be used: its IOMMU group %d is not viable, because %s in it %s with the host; hand over all of the group with: %s."
                        .formatted(
                                function.address(),
                                group,
                                String.join(" and ", names),
                                others.size() == 1 ? "is" : "are",
                                String.join("; ", commands)));
    }

    /**
     * Addresses that devices of a group cannot use for DMA; none where the kernel does not tell.
     */
    public List<ReservedRegion> reserved(int group) throws VfioException {
        Path file = groups().resolve(group + "/reserved_regions");
        List<ReservedRegion> regions = new ArrayList<>();
        try {
            for (String line : Files.readAllLines(file)) {
                String[] words = line.strip().split("\\s+");
                if (words.length == 3) {
                    regions.add(
                            new ReservedRegion(
                                    Long.parseUnsignedLong(words[0].substring(2), 16),
                                    Long.parseUnsignedLong(words[1].substring(2), 16),
                                    words[2],
                                    group));
                }
            }
        } catch (NoSuchFileException e) {
            return List.of();
        } catch (IOException | RuntimeException e) {
            throw new VfioException(
                    "The reserved regions of IOMMU group %d cannot be read from %s: %s; report this with the host's kernel version."
                            .formatted(group, file, e.getMessage()),
                    e);
        }
        return regions;
    }

    /** The device's own file, where the kernel has such. */
    Optional<Path> ownFile(PciHostAddress address) throws VfioException {
        return names(folder(address).resolve("vfio-dev")).stream()
                .filter(name -> name.matches("vfio\\d+"))
                .map(name -> files().resolve("devices").resolve(name))
                .filter(Files::exists)
                .findFirst();
    }

    Path groupFile(int group) {
        return files().resolve(Integer.toString(group));
    }

    Path iommuFile() {
        return root.resolve("dev/iommu");
    }

    /** Who has a file open: its process, as far as this user may see; empty if nobody is seen. */
    Optional<String> holder(Path file) {
        Path processes = root.resolve("proc");
        Path meant = Path.of("/").resolve(root.relativize(file));
        try (DirectoryStream<Path> all = Files.newDirectoryStream(processes, "[0-9]*")) {
            for (Path process : all) {
                if (holds(process, meant)) {
                    return Optional.of(
                            "process %s (%s)".formatted(process.getFileName(), command(process)));
                }
            }
        } catch (IOException e) {
            return Optional.empty();
        }
        return Optional.empty();
    }

    private static boolean holds(Path process, Path file) {
        try (DirectoryStream<Path> open = Files.newDirectoryStream(process.resolve("fd"))) {
            for (Path descriptor : open) {
                if (Files.readSymbolicLink(descriptor).equals(file)) {
                    return true;
                }
            }
        } catch (IOException e) {
            // Another user's process, or one that has just ended.
            return false;
        }
        return false;
    }

    private static String command(Path process) {
        try {
            return Files.readString(process.resolve("comm")).strip();
        } catch (IOException e) {
            return "unknown";
        }
    }

    private static int number(Path file) throws IOException {
        return Integer.decode(Files.readString(file).strip());
    }

    /** The last name of what a link leads to; empty if there is no link. */
    static Optional<String> linked(Path link) throws IOException {
        try {
            return Optional.of(Files.readSymbolicLink(link).getFileName().toString());
        } catch (NoSuchFileException e) {
            return Optional.empty();
        }
    }

    /** Names in a folder, sorted; none if there is no folder. */
    static List<String> names(Path folder) throws VfioException {
        List<String> names = new ArrayList<>();
        try (DirectoryStream<Path> entries = Files.newDirectoryStream(folder)) {
            entries.forEach(entry -> names.add(entry.getFileName().toString()));
        } catch (NoSuchFileException | NotDirectoryException e) {
            return List.of();
        } catch (IOException e) {
            throw new VfioException(
                    "%s cannot be read: %s; see that sysfs is mounted and readable."
                            .formatted(folder, e.getMessage()),
                    e);
        }
        names.sort(Comparator.naturalOrder());
        return names;
    }
}
