package org.backplane.vfio.kernel;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.backplane.vfio.VfioException;

/**
 * What the host itself would lose with a device: a mounted disk, swap space, the way to the
 * network. As sysfs and proc(5) tell it.
 */
record HostUse(HostPci host) {
    /** A clause that says what for the host uses the function; empty if that is not seen. */
    Optional<String> of(HostFunction function) throws VfioException {
        try {
            Path folder = host.folder(function.address()).toRealPath();
            for (String disk : disks(folder)) {
                Optional<String> use = diskUse(disk);
                if (use.isPresent()) {
                    return use;
                }
            }
            return networkUse(folder);
        } catch (IOException e) {
            throw new VfioException(
                    "Whether the host uses %s itself cannot be found out: %s; nothing was changed."
                            .formatted(function.address(), e.getMessage()),
                    e);
        }
    }

    private Path sys(String path) {
        return host.root().resolve("sys").resolve(path);
    }

    private static List<String> inside(Path all, Path folder) throws IOException {
        List<String> inside = new ArrayList<>();
        for (String name : HostPci.names(all)) {
            if (all.resolve(name).toRealPath().startsWith(folder)) {
                inside.add(name);
            }
        }
        return inside;
    }

    /** Disks and partitions behind the function; those of NVMe hang below a subsystem instead. */
    private Set<String> disks(Path folder) throws IOException {
        Path all = sys("class/block");
        Set<String> disks = new LinkedHashSet<>(inside(all, folder));
        List<String> controllers = HostPci.names(folder.resolve("nvme"));
        Path subsystems = sys("class/nvme-subsystem");
        for (String subsystem : HostPci.names(subsystems)) {
            Path members = subsystems.resolve(subsystem);
            for (String controller : controllers) {
                if (Files.exists(members.resolve(controller))) {
                    disks.addAll(inside(all, members.toRealPath()));
                }
            }
        }
        return disks;
    }

    private Optional<String> diskUse(String disk) throws IOException {
        Path folder = sys("class/block").resolve(disk);
        String file = "/dev/" + disk;
        String number = text(folder.resolve("dev")).strip();
        for (String line : lines("proc/self/mountinfo")) {
            // proc(5): .. major:minor root mount-point .. - type source options
            String[] words = line.split(" ");
            int dash = List.of(words).indexOf("-");
            if (words.length > 4
                    && (words[2].equals(number)
                            || dash > 0
                                    && dash + 2 < words.length
                                    && words[dash + 2].equals(file))) {
                return Optional.of("its disk %s is mounted at %s".formatted(disk, words[4]));
            }
        }
        for (String line : lines("proc/swaps")) {
            if (line.startsWith(file + " ") || line.startsWith(file + "\t")) {
                return Optional.of("its disk %s is swap space".formatted(disk));
            }
        }
        List<String> holders = HostPci.names(folder.resolve("holders"));
        return holders.isEmpty()
                ? Optional.empty()
                : Optional.of("its disk %s is part of %s".formatted(disk, holders.get(0)));
    }

    private Optional<String> networkUse(Path folder) throws IOException {
        Path all = sys("class/net");
        Set<String> routed = routed();
        for (String name : inside(all, folder)) {
            for (String stacked : withUppers(all, name)) {
                if (routed.contains(stacked)) {
                    return Optional.of(
                            "the host's default route goes through its interface " + name);
                }
            }
        }
        return Optional.empty();
    }

    /** The interface, and what is built on it: bridges, bonds and their like. */
    private static Set<String> withUppers(Path all, String name) throws IOException {
        Set<String> found = new LinkedHashSet<>(List.of(name));
        List<String> left = new ArrayList<>(found);
        while (!left.isEmpty()) {
            for (String entry : HostPci.names(all.resolve(left.remove(0)))) {
                String upper = entry.startsWith("upper_") ? entry.substring(6) : "";
                if (!upper.isEmpty() && found.add(upper)) {
                    left.add(upper);
                }
            }
        }
        return found;
    }

    /** Interfaces that default routes of IPv4 and IPv6 go through. */
    private Set<String> routed() throws IOException {
        Set<String> routed = new LinkedHashSet<>();
        for (String line : lines("proc/net/route")) {
            String[] words = line.strip().split("\\s+");
            if (words.length > 7 && words[1].equals("00000000") && words[7].equals("00000000")) {
                routed.add(words[0]);
            }
        }
        for (String line : lines("proc/net/ipv6_route")) {
            String[] words = line.strip().split("\\s+");
            if (words.length > 9 && words[0].matches("0{32}") && words[1].equals("00")) {
                routed.add(words[9]);
            }
        }
        routed.remove("lo");
        return routed;
    }

    private List<String> lines(String path) throws IOException {
        return text(host.root().resolve(path)).lines().toList();
    }

    /** Nothing where the kernel has no such file. */
    private static String text(Path file) throws IOException {
        try {
            return Files.readString(file);
        } catch (NoSuchFileException e) {
            return "";
        }
    }
}
