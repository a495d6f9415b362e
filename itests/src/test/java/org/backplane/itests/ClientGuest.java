package org.backplane.itests;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.AssumptionViolatedException;

/**
 * The demo's x86-64 guest under Debian sid's QEMU, which emulates its processor and uses devices
 * that are served at sockets. {@code itests/qemu/qemu} has fetched QEMU, {@code ./backplane demo
 * --engine kvm --fetch} the guest.
 */
final class ClientGuest {
    private static final String MEMORY = "384M";

    private static final String DEVICE =
            "{\"driver\":\"vfio-user-pci\",\"socket\":{\"type\":\"unix\",\"path\":\"%s\"}}";

    private ClientGuest() {}

    /** Skips the test, with the reason, where one of both is missing. */
    static void assumeQemu() throws Exception {
        Path guest = guest();
        if (!Files.exists(guest.resolve("initrd.cpio"))) {
            skip(
                    "there is no guest at %s; './backplane demo --engine kvm --fetch' fetches one"
                            .formatted(guest));
        }
        if (!Files.exists(cache().resolve("qemu/digests"))) {
            skip("there is no QEMU 10.1 or later; 'itests/qemu/qemu fetch' fetches one");
        }
        String version = version();
        String[] numbers = version.split("\\.");
        if (numbers.length < 2
                || Integer.parseInt(numbers[0]) * 100 + Integer.parseInt(numbers[1]) < 1001) {
            skip("QEMU is '%s', and vfio-user-pci came with 10.1".formatted(version));
        }
    }

    private static void skip(String reason) {
        System.out.println("skipped: " + reason);
        throw new AssumptionViolatedException("skipped: " + reason);
    }

    private static String version() throws IOException, InterruptedException {
        Process process =
                new ProcessBuilder(qemu(), "version")
                        .redirectError(ProcessBuilder.Redirect.INHERIT)
                        .start();
        String version =
                new String(process.getInputStream().readAllBytes(), StandardCharsets.US_ASCII);
        process.waitFor();
        return version.strip();
    }

    private static String qemu() {
        return ProjectBundle.root().resolve("itests/qemu/qemu").toString();
    }

    private static Path cache() {
        return WithGuest.initrd().getParent().resolveSibling("");
    }

    private static Path guest() {
        return cache().resolve("guest-amd64");
    }

    /**
     * Boots the guest and waits until it takes commands.
     *
     * @param folder with a short path: its console's socket is made there
     * @param append more of the kernel's command line
     * @param served sockets at which the devices are that it is to have
     */
    static GuestProcess boot(Path folder, String name, String append, Path... served)
            throws Exception {
        List<String> command = new ArrayList<>(List.of(qemu(), "run"));
        command.addAll(List.of("-nodefaults", "-no-user-config", "-display", "none"));
        command.addAll(List.of("-no-reboot", "-monitor", "none", "-accel", "tcg", "-cpu", "max"));
        command.addAll(List.of("-m", MEMORY, "-machine", "q35,memory-backend=mem"));
        command.addAll(
                List.of(
                        "-object",
                        "memory-backend-memfd,id=mem,size=%s,share=on".formatted(MEMORY)));
        command.addAll(List.of("-kernel", guest().resolve("vmlinuz").toString()));
        command.addAll(List.of("-initrd", guest().resolve("initrd.cpio").toString()));
        command.addAll(
                List.of(
                        "-append",
                        "console=ttyS0 backplane.agent panic=-1 quiet mitigations=off tsc=reliable "
                                + append));
        for (Path socket : served) {
            command.addAll(List.of("-device", DEVICE.formatted(socket)));
        }
        command.addAll(
                List.of(
                        "-serial",
                        "unix:" + GuestProcess.console(folder, name) + ",server=on,wait=off"));
        GuestProcess guest = GuestProcess.start(new ProcessBuilder(command), folder, name);
        guest.awaitReady();
        return guest;
    }
}
