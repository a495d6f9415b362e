package org.backplane.launcher.command;

import java.io.IOException;
import java.util.Optional;
import org.backplane.launcher.ForegroundMachine;
import org.backplane.launcher.option.Plan;
import org.backplane.launcher.option.Problems;
import org.backplane.launcher.option.ServeOptions;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code backplane serve}. */
@picocli.CommandLine.Command(
        name = "serve",
        sortOptions = false,
        description = "Serves a PCI device to another machine monitor, by vfio-user.",
        footer = {
            "",
            "One client at a time, QEMU 10.1 or later for one; docs/vfio-serve.md. The device can be",
            "looked at and swapped as in any machine: backplane shell --name NAME vm:slots.",
            "Exit status: 0 after vm:stop, 1 failure, 2 bad input.",
            "",
            "Example:",
            "  backplane serve virtio-blk,path=disk.img --socket /tmp/disk.sock",
            "  qemu-system-x86_64 -machine q35,memory-backend=mem -m 1G \\",
            "      -object memory-backend-memfd,id=mem,size=1G,share=on \\",
            "      -device '{\"driver\":\"vfio-user-pci\",\"socket\":{\"type\":\"unix\",\"path\":\"/tmp/disk.sock\"}}'"
        })
public final class ServeCommand implements Command {
    @Parameters(
            paramLabel = "KIND[,key=value..]",
            description = "The device, with name=N, pin=BUNDLE[@VERSIONS] and its settings.")
    private String device;

    @Option(
            names = "--socket",
            paramLabel = "PATH",
            description = "Where a client connects. Required.")
    private Optional<String> socket = Optional.empty();

    @Mixin private ProcessOptions common;

    @Mixin private BoundOptions bounds;

    @Override
    public int run(Problems problems) throws IOException, InterruptedException {
        ForegroundMachine machine = ForegroundMachine.ofThisProcess();
        Optional<Plan> plan =
                machine.reader()
                        .serve(
                                new ServeOptions(
                                        Optional.ofNullable(device),
                                        socket,
                                        common.name,
                                        common.bundles,
                                        common.trust,
                                        common.web,
                                        common.ssh,
                                        bounds.vacancy,
                                        bounds.probation),
                                problems);
        return plan.isPresent() && problems.isEmpty() ? machine.run(plan.get()) : 0;
    }
}
