package org.backplane.launcher.command;

import java.io.IOException;
import java.util.Iterator;
import java.util.List;
import org.backplane.launcher.ExitStatus;
import org.backplane.launcher.HostBinding;
import org.backplane.launcher.option.Problems;
import org.backplane.launcher.option.VfioOption;
import picocli.CommandLine.Parameters;

/** {@code backplane vfio}. */
@picocli.CommandLine.Command(
        name = "vfio",
        sortOptions = false,
        description = "Hands a PCI device of this host over to guests, or takes it back.",
        footer = {
            "",
            "bind takes the device from its driver and gives it to vfio-pci; release gives",
            "it back to the driver that it had. Both need root, and change nothing if a step",
            "fails. Bridges stay, and so does what the host needs itself: mounted disks, swap",
            "space, the default route. backplane check lists the devices, their drivers and",
            "groups. docs/vfio.md goes on from there.",
            "",
            "Exit status: 0, 1 failure, 2 bad input.",
            "",
            "Example:",
            "  backplane vfio bind 0000:01:00.0",
            "  backplane run --kernel vmlinuz --vfio 0000:01:00.0"
        })
public final class VfioCommand implements Command {
    private static final List<String> ACTIONS = List.of("bind", "release");

    @Parameters(
            index = "0",
            paramLabel = "bind|release",
            completionCandidates = Actions.class,
            description = "What to do.")
    private String action;

    @Parameters(
            index = "1",
            paramLabel = "ADDRESS",
            description = "Of a PCI function of this host, such as 0000:01:00.0.")
    private String address;

    /** For completion. */
    static final class Actions implements Iterable<String> {
        @Override
        public Iterator<String> iterator() {
            return ACTIONS.iterator();
        }
    }

    @Override
    public int run(Problems problems) throws IOException, InterruptedException {
        if (action != null && !ACTIONS.contains(action)) {
            problems.add("vfio", action, "give bind or release");
        }
        if (address != null && !VfioOption.isAddress(address)) {
            problems.add("vfio", address, "give the address of a PCI function, as 0000:01:00.0");
        }
        if (!problems.isEmpty()) {
            return ExitStatus.BAD_INPUT;
        }
        System.out.println(HostBinding.ofThisProcess().change(action, address));
        return ExitStatus.OK;
    }
}
