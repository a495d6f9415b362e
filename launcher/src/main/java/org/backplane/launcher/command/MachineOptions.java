package org.backplane.launcher.command;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.backplane.launcher.option.WindowOptions;
import picocli.CommandLine.Option;

/** The options that every command has that runs a guest. */
final class MachineOptions extends ProcessOptions {
    @Option(names = "--memory", paramLabel = "SIZE", description = "Memory (default: 512M).")
    Optional<String> memory = Optional.empty();

    @Option(
            names = "--board",
            paramLabel = "riscv-cam",
            description =
                    "Another board than the architecture's own: riscv-cam has PCI without extended"
                            + " configuration space, and BARs that the kernel leaves in their place.")
    Optional<String> board = Optional.empty();

    @Option(
            names = "--mmio32",
            paramLabel = "SIZE",
            description =
                    "Room for PCI devices' memory below 4 GiB (default: 1G for riscv64, 704M for"
                            + " x86-64).")
    Optional<String> mmio32 = Optional.empty();

    @Option(
            names = "--mmio64",
            paramLabel = "SIZE",
            description =
                    "Room for PCI devices' memory above 4 GiB (default: 1T for riscv64, what the"
                            + " processors address for x86-64).")
    Optional<String> mmio64 = Optional.empty();

    @Option(names = "--cpus", paramLabel = "N", description = "Processors (default: 1).")
    Optional<String> cpus = Optional.empty();

    @Option(
            names = "--net",
            paramLabel = "user|tap=IF|socket=PATH|none[,key=value..]",
            description =
                    "A virtio network: through the host (libslirp), on a tap interface, on a socket to"
                            + " another machine, or on nothing. With mac=, queues=N, mtu=, name=N,"
                            + " pin=P, port=N; of user also hostfwd=tcp:8022-22, repeatable. Repeatable.")
    List<String> nets = new ArrayList<>();

    @Option(
            names = "--device",
            paramLabel = "KIND[,key=value..]",
            description =
                    "Another device, with name=N, pin=BUNDLE[@VERSIONS], port=N and the settings of its kind."
                            + " Repeatable.")
    List<String> devices = new ArrayList<>();

    WindowOptions windows() {
        return new WindowOptions(board, mmio32, mmio64);
    }
}
