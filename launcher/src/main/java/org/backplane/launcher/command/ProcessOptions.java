package org.backplane.launcher.command;

import java.util.Optional;
import picocli.CommandLine.Option;

/** The options that every command has that makes a machine, with a guest or without. */
class ProcessOptions {
    @Option(
            names = "--name",
            paramLabel = "NAME",
            description = "Name of the machine (default: vm, vm2, ..).")
    Optional<String> name = Optional.empty();

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
}
