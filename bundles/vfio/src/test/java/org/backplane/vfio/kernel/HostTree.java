package org.backplane.vfio.kernel;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** The files of a host that has VFIO, as far as they are looked at. */
final class HostTree {
    final Path root;

    HostTree(Path root) throws IOException {
        this.root = root;
        Files.createDirectories(root.resolve("sys/kernel/iommu_groups"));
        Files.createDirectories(root.resolve("sys/bus/pci/devices"));
        Files.createDirectories(root.resolve("proc/self"));
        Files.createDirectories(root.resolve("dev/vfio/devices"));
        file("dev/vfio/vfio", "");
        file("dev/iommu", "");
        file("sys/bus/pci/drivers_probe", "");
        driver("vfio-pci");
    }

    HostPci host() {
        return new HostPci(root);
    }

    Path file(String path, String content) throws IOException {
        Path file = root.resolve(path);
        Files.createDirectories(file.getParent());
        return Files.writeString(file, content);
    }

    void driver(String name) throws IOException {
        Files.createDirectories(root.resolve("sys/bus/pci/drivers/" + name));
    }

    Path function(String address) {
        return root.resolve("sys/bus/pci/devices/" + address);
    }

    /**
     * @param driver empty for none
     * @param group negative for none
     */
    void add(String address, String driver, int group, int classCode) throws IOException {
        Path folder = Files.createDirectories(function(address));
        Files.writeString(folder.resolve("vendor"), "0x8086\n");
        Files.writeString(folder.resolve("device"), "0x10d3\n");
        Files.writeString(folder.resolve("class"), "0x%06x\n".formatted(classCode));
        Files.writeString(folder.resolve("driver_override"), "(null)\n");
        if (!driver.isEmpty()) {
            driver(driver);
            Files.createSymbolicLink(folder.resolve("driver"), Path.of("../../drivers/" + driver));
        }
        if (group >= 0) {
            Path members =
                    Files.createDirectories(
                            root.resolve("sys/kernel/iommu_groups/" + group + "/devices"));
            Files.createFile(members.resolve(address));
            Files.createSymbolicLink(
                    folder.resolve("iommu_group"),
                    Path.of("../../../../kernel/iommu_groups/" + group));
        }
    }

    /** One with VFIO, by both interfaces. */
    void addReady(String address, int group) throws IOException {
        add(address, "vfio-pci", group, 0x020000);
        file("dev/vfio/" + group, "");
        String own = "vfio" + Integer.parseInt(address.substring(5, 7), 16);
        Files.createDirectories(function(address).resolve("vfio-dev/" + own));
        file("dev/vfio/devices/" + own, "");
    }

    void reserved(int group, String lines) throws IOException {
        file("sys/kernel/iommu_groups/" + group + "/reserved_regions", lines);
    }

    /** A process that has a file open. */
    void process(int number, String command, String file) throws IOException {
        file("proc/" + number + "/comm", command + "\n");
        Path open = Files.createDirectories(root.resolve("proc/" + number + "/fd"));
        Files.createSymbolicLink(open.resolve("7"), Path.of(file));
    }
}
