package org.backplane.launcher.command;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.backplane.launcher.option.WindowOptions;
import picocli.CommandLine.Option;

/** The options that every command has that runs a machine. */
final class MachineOptions {
    @Option(names = "--memory", paramLabel = "SIZE", description = "Memory (default: 512M).")
    Optional<String> memory = Optional.empty();

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
            names = "--name",
            paramLabel = "NAME",
            description = "Name of the machine (default: vm, vm2, ..).")
    Optional<String> name = Optional.empty();

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

    @Option(
            names = "--bundles",
            paramLabel = "DIR",
            description =
                    "Watched folder: a bundle put there is installed, and the slots of its kinds are"
                            + " swapped to it, whatever its version.")
    Optional<String> bundles = Optional.empty();

    @Option(
            names = "--trust",
            paramLabel = "DIR",
            description =
                    "Only bundles run that a certificate in DIR (PEM or DER) signed, or that DIR/digests"
                            + " lists as sha256sum does; of the distribution, those that were built.")
    Optional<String> trust = Optional.empty();

    @Option(
            names = "--web",
            paramLabel = "[ADDRESS:]PORT",
            description =
                    "Serves a page of the machine and metrics for Prometheus there, for who has the"
                            + " token that is printed (default: not at all; address: 127.0.0.1;"
                            + " port 0: any).")
    Optional<String> web = Optional.empty();

    @Option(
            names = "--ssh",
            paramLabel = "[ADDRESS:]PORT[,keys=FILE]",
            description =
                    "Lets the owners of the public keys in FILE log in to the machine's shell by SSH"
                            + " (default: nobody; address: 127.0.0.1; port 0: any; keys:"
                            + " ~/.config/backplane/authorized_keys).")
    Optional<String> ssh = Optional.empty();

    WindowOptions windows() {
        return new WindowOptions(mmio32, mmio64);
    }
}
