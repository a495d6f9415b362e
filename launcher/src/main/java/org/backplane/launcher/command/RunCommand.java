package org.backplane.launcher.command;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.backplane.launcher.ForegroundMachine;
import org.backplane.launcher.option.EngineOptions;
import org.backplane.launcher.option.Plan;
import org.backplane.launcher.option.Problems;
import org.backplane.launcher.option.RunOptions;
import picocli.CommandLine.Mixin;
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
            "Exit status: 0 the guest powered off, 1 failure, 2 bad input; a guest that writes to the",
            "debug exit port chooses its own.",
            "",
            "Example:",
            "  backplane run --kernel vmlinux --initrd initrd.cpio --memory 512M \\",
            "      --disk disk.img,name=root --net user,hostfwd=tcp:8022-22 \\",
            "      --append 'console=ttyS0 quiet'"
        })
public final class RunCommand implements Command {
    @Option(
            names = "--kernel",
            paramLabel = "IMAGE",
            description =
                    "Linux for riscv64 (Image, uncompressed) or for x86-64 (bzImage, or ELF with a PVH"
                            + " note), or a multiboot-1 file. Required without --restore.")
    private Optional<String> kernel = Optional.empty();

    @Option(names = "--initrd", paramLabel = "FILE", description = "initramfs.")
    private Optional<String> initrd = Optional.empty();

    @Option(
            names = "--append",
            paramLabel = "TEXT",
            description =
                    "Kernel command line (default: console=ttyS0, and nothing for multiboot).")
    private Optional<String> append = Optional.empty();

    @Option(
            names = "--format",
            completionCandidates = OptionWords.Formats.class,
            paramLabel = "FORMAT",
            description =
                    "What the kernel is: riscv, linux, pvh, multiboot, or flat for code in real mode,"
                            + " which is never found out (default: auto).")
    private Optional<String> format = Optional.empty();

    @Option(
            names = "--engine",
            completionCandidates = OptionWords.Engines.class,
            paramLabel = "auto|kvm|hart",
            description =
                    "What runs the guest: KVM, or the embedded RISC-V processor (default: auto, the one"
                            + " that can run the kernel here).")
    private Optional<String> engine = Optional.empty();

    @Option(
            names = "--kvm-kind",
            completionCandidates = OptionWords.KvmKinds.class,
            paramLabel = "hardware|pvm",
            description =
                    "What /dev/kvm is, where it is taken for the wrong kind: backplane check tells.")
    private Optional<String> kvmKind = Optional.empty();

    @Mixin private MachineOptions common;

    @Option(
            names = "--disk",
            paramLabel = "PATH[,ro][,name=N][,serial=S][,pin=P][,port=N]",
            description = "A virtio disk: an image file or a block device. Repeatable.")
    private List<String> disks = new ArrayList<>();

    @Option(
            names = "--vfio",
            paramLabel = "ADDRESS|user:PATH[,iommu=I][,name=N][,pin=P][,port=N]",
            description =
                    "A PCI device of this host (0000:01:00.0, bound to vfio-pci: backplane vfio bind),"
                            + " or one that a vfio-user server has behind the socket PATH. I is auto,"
                            + " group or iommufd. Repeatable.")
    private List<String> vfios = new ArrayList<>();

    @Option(
            names = "--console",
            paramLabel = "WHERE",
            description = "stdio (default), none, file=PATH or unix=PATH (a socket).")
    private Optional<String> console = Optional.empty();

    @Option(
            names = "--config",
            paramLabel = "DIR",
            description =
                    "Watched folder of files ANYNAME.cfg, one slot each: lines name=, kind= and the"
                            + " settings of the kind.")
    private Optional<String> config = Optional.empty();

    @Option(
            names = "--restore",
            paramLabel = "DIR",
            description =
                    "Goes on where vm:snapshot DIR was made. Memory, processors, kernel and devices"
                            + " come from there; disk images must be as they were.")
    private Optional<String> restore = Optional.empty();

    @Mixin private BoundOptions bounds;

    @Override
    public int run(Problems problems) throws IOException, InterruptedException {
        ForegroundMachine machine = ForegroundMachine.ofThisProcess();
        Optional<Plan> plan =
                machine.reader()
                        .read(
                                new RunOptions(
                                        kernel,
                                        initrd,
                                        append,
                                        common.memory,
                                        common.cpus,
                                        disks,
                                        common.nets,
                                        common.devices,
                                        vfios,
                                        console,
                                        common.name,
                                        common.bundles,
                                        config,
                                        restore,
                                        common.trust,
                                        common.web,
                                        common.ssh,
                                        bounds.vacancy,
                                        bounds.probation,
                                        new EngineOptions(engine, format, kvmKind),
                                        common.windows()),
                                problems);
        return plan.isPresent() && problems.isEmpty() ? machine.run(plan.get()) : 0;
    }
}
