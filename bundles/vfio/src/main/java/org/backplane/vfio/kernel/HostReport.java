package org.backplane.vfio.kernel;

import java.nio.file.Files;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.backplane.vfio.VfioException;

/** What a host has for VFIO, by groups, as {@code backplane check} prints it. */
record HostReport(HostPci host) {
    /**
     * @param usable by a machine as it is
     */
    record Line(boolean usable, String text) {}

    List<Line> lines() throws VfioException {
        List<Line> lines = new ArrayList<>();
        List<HostFunction> functions = host.list();
        if (functions.isEmpty()) {
            return List.of(
                    new Line(false, "the host has no PCI devices; needed by: --vfio ADDRESS"));
        }
        if (!host.hasIommu()) {
            lines.add(
                    new Line(
                            false,
                            "the host runs without an IOMMU: switch VT-d, AMD-Vi or the SMMU on in the firmware, and boot with intel_iommu=on where it is Intel's; needed by: --vfio ADDRESS"));
            lines.addAll(ungrouped(functions));
            return lines;
        }
        lines.add(interfaces());
        Map<Integer, List<HostFunction>> groups = new TreeMap<>();
        functions.stream()
                .filter(function -> function.group().isPresent() && !function.bridge())
                .forEach(
                        function ->
                                groups.computeIfAbsent(
                                                function.group().getAsInt(),
                                                any -> new ArrayList<>())
                                        .add(function));
        for (Map.Entry<Integer, List<HostFunction>> group : groups.entrySet()) {
            lines.add(group(group.getKey(), group.getValue()));
        }
        lines.addAll(ungrouped(functions));
        return lines;
    }

    /** What is there, and behind no IOMMU. */
    private static List<Line> ungrouped(List<HostFunction> functions) {
        List<String> names =
                functions.stream()
                        .filter(function -> function.group().isEmpty() && !function.bridge())
                        .map(HostFunction::toString)
                        .toList();
        return names.isEmpty()
                ? List.of()
                : List.of(new Line(false, "no group: " + String.join(", ", names)));
    }

    private Line interfaces() {
        boolean driver = Files.isDirectory(host.driverFolder(DriverBinding.VFIO));
        List<String> ways = new ArrayList<>();
        if (Files.exists(host.files().resolve("vfio"))) {
            ways.add("groups");
        }
        if (Files.exists(host.iommuFile()) && Files.isDirectory(host.files().resolve("devices"))) {
            ways.add("iommufd");
        }
        return driver && !ways.isEmpty()
                ? new Line(true, "vfio-pci is loaded, by " + String.join(" and ", ways))
                : new Line(false, "vfio-pci is not loaded; load it with: modprobe vfio-pci");
    }

    private Line group(int number, List<HostFunction> members) throws VfioException {
        List<String> names = members.stream().map(HostFunction::toString).toList();
        boolean all = members.stream().allMatch(HostFunction::withVfio);
        boolean some = members.stream().anyMatch(HostFunction::withVfio);
        Optional<HostFunction> first = members.stream().filter(HostFunction::withVfio).findFirst();
        Optional<String> reason =
                first.isPresent() ? host.whyNotViable(first.get()) : Optional.empty();
        String state;
        if (reason.isPresent()) {
            state = "not viable";
        } else if (some) {
            state = all ? "viable" : "viable, but for those without VFIO";
        } else {
            state = "with the host";
        }
        return new Line(
                some && reason.isEmpty(),
                "group %d: %s: %s".formatted(number, String.join(", ", names), state));
    }
}
