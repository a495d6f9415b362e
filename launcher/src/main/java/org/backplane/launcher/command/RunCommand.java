package org.backplane.launcher.command;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.backplane.launcher.ForegroundMachine;
import org.backplane.launcher.option.Plan;
import org.backplane.launcher.option.Problems;
import org.backplane.launcher.option.RunOptions;
import picocli.CommandLine.Option;

/** {@code backplane run}. */
@picocli.CommandLine.Command(
        name = "run",
        sortOptions = false,
        description = "Runs a machine until its guest powers off.",
        footer = {
            "",
            "Sizes: 512M, 2G. A comma inside a path is written twice.",
            "The settings of every kind of device are listed in docs/devices.md.",
            "On a terminal console Ctrl-A x ends the machine and Ctrl-A h helps.",
            "Exit status: 0 the guest powered off, 1 failure, 2 bad input.",
            "",
            "Example:",
            "  backplane run --kernel vmlinux --initrd initrd.cpio --memory 512M \\",
            "      --disk disk.img,name=root --append 'console=ttyS0 quiet'"
        })
public final class RunCommand implements Command {
    @Option(
            names = "--kernel",
            paramLabel = "IMAGE",
            description = "riscv64 Linux Image, uncompressed. Required.")
    private String kernel;

    @Option(names = "--initrd", paramLabel = "FILE", description = "initramfs.")
    private String initrd;

    @Option(
            names = "--append",
            paramLabel = "TEXT",
            description = "Kernel command line (default: console=ttyS0).")
    private String append;

    @Option(names = "--memory", paramLabel = "SIZE", description = "Memory (default: 512M).")
    private String memory;

    @Option(names = "--cpus", paramLabel = "N", description = "Processors (default: 1).")
    private String cpus;

    @Option(
            names = "--disk",
            paramLabel = "PATH[,ro][,name=N][,serial=S]",
            description = "A virtio disk: an image file or a block device. Repeatable.")
    private List<String> disks = new ArrayList<>();

    @Option(
            names = "--device",
            paramLabel = "KIND[,key=value..]",
            description = "Another device, with name=N and the settings of its kind. Repeatable.")
    private List<String> devices = new ArrayList<>();

    @Option(
            names = "--console",
            paramLabel = "WHERE",
            description = "stdio (default), none, file=PATH or unix=PATH (a socket).")
    private String console;

    @Option(
            names = "--name",
            paramLabel = "NAME",
            description = "Name of the machine (default: vm, vm2, ..).")
    private String name;

    @Option(
            names = "--bundles",
            paramLabel = "DIR",
            description =
                    "Watched folder: a bundle put there is installed, and the slots of its kinds are"
                            + " swapped to it, whatever its version.")
    private String bundles;

    @Option(
            names = "--config",
            paramLabel = "DIR",
            description =
                    "Watched folder of files ANYNAME.cfg, one slot each: lines name=, kind= and the"
                            + " settings of the kind.")
    private String config;

    @Override
    public int run(Problems problems) throws IOException, InterruptedException {
        ForegroundMachine machine = ForegroundMachine.ofThisProcess();
        Optional<Plan> plan =
                machine.reader()
                        .read(
                                new RunOptions(
                                        Optional.ofNullable(kernel),
                                        Optional.ofNullable(initrd),
                                        Optional.ofNullable(append),
                                        Optional.ofNullable(memory),
                                        Optional.ofNullable(cpus),
                                        disks,
                                        devices,
                                        Optional.ofNullable(console),
                                        Optional.ofNullable(name),
                                        Optional.ofNullable(bundles),
                                        Optional.ofNullable(config)),
                                problems);
        return plan.isPresent() && problems.isEmpty() ? machine.run(plan.get()) : 0;
    }
}
