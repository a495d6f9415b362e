package org.backplane.kvm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFileAttributes;
import java.nio.file.attribute.PosixFilePermission;
import java.util.List;
import java.util.Set;
import org.backplane.hypervisor.Fitness;
import org.backplane.hypervisor.Fitness.Grade;
import org.backplane.hypervisor.HypervisorException;
import org.backplane.hypervisor.InterruptControllers;
import org.backplane.hypervisor.InterruptControllers.RiscvAia;
import org.backplane.hypervisor.InterruptControllers.X86;
import org.backplane.hypervisor.VmSpec;
import org.backplane.memory.GuestMemory;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What the engine says of hosts that have no KVM, or another than it needs. */
class KvmHypervisorTest {
    private static final Path KVM = Path.of("/dev/kvm");
    private static final X86 PC = new X86(0xfec0_0000L, 0xfee0_0000L, 0xfffb_c000L);

    @TempDir Path folder;

    private static void assumeKvm() {
        Fitness fitness = new KvmHypervisor(KVM, "").fitness();
        boolean there = fitness.grade() != Grade.NONE;
        if (!there) {
            System.out.println("KvmHypervisorTest: skipped, " + fitness.reason());
        }
        Assumptions.assumeTrue(there, fitness.reason());
    }

    private static String refusal(Path device) {
        Fitness fitness = new KvmHypervisor(device, null).fitness();
        assertEquals(Grade.NONE, fitness.grade());
        return fitness.reason();
    }

    private static void assertSays(String sentence, String... parts) {
        for (String part : parts) {
            assertTrue(sentence.contains(part), sentence);
        }
    }

    @Test
    void saysHowToGetAKvmWhereThereIsNone() {
        String said = refusal(folder.resolve("kvm"));
        assertSays(said, "There is no ", "modprobe kvm_intel");
        assertFalse(said.contains("hart"), "which runs no kernel for x86-64: " + said);
    }

    @Test
    void saysThatADeviceIsNoKvm() {
        assertSays(refusal(Path.of("/dev/null")), "/dev/null", "KVM_GET_API_VERSION");
    }

    @Test
    void saysWhoMayOpenIt() throws Exception {
        Path locked = Files.createFile(folder.resolve("kvm"));
        Files.setPosixFilePermissions(locked, Set.of());
        boolean root = Files.isReadable(locked);
        if (root) {
            System.out.println("KvmHypervisorTest: skipped, root may open everything");
        }
        Assumptions.assumeTrue(!root, "root may open everything");
        assertSays(refusal(locked), "chgrp kvm " + locked);
        // The owner is judged by the owner's bits, whatever the group's are.
        Files.setPosixFilePermissions(
                locked, Set.of(PosixFilePermission.GROUP_READ, PosixFilePermission.GROUP_WRITE));
        String group = Files.readAttributes(locked, PosixFileAttributes.class).group().getName();
        assertSays(refusal(locked), "usermod -aG " + group);
    }

    @Test
    void tellsTheKindsApartByTheirModules() throws Exception {
        Path none = folder.resolve("none");
        Path shows = Files.writeString(folder.resolve("cpuinfo"), "flags\t: fpu vmx de\n");
        Path hides = Files.writeString(folder.resolve("hidden"), "flags\t: fpu vmxx de\n");
        assertEquals(Kind.HARDWARE, Kind.of(none, shows));
        assertEquals(Kind.PVM, Kind.of(none, hides));
        assertEquals(Kind.HARDWARE, Kind.of(none, none));
        Path modules = Files.createDirectories(folder.resolve("module"));
        Files.createDirectories(modules.resolve("kvm_pvm"));
        assertEquals(Kind.PVM, Kind.of(modules, shows));
        Files.createDirectories(modules.resolve("kvm_amd"));
        assertEquals(Kind.HARDWARE, Kind.of(modules, hides));
    }

    @Test
    void takesTheUsersWordForTheKind() {
        assertThrows(IllegalArgumentException.class, () -> new KvmHypervisor(KVM, "soft"));
        assumeKvm();
        assertEquals(Grade.FULL, new KvmHypervisor(KVM, "hardware").fitness().grade());
        Fitness pvm = new KvmHypervisor(KVM, "pvm").fitness();
        assertEquals(Grade.LIMITED, pvm.grade());
        assertSays(pvm.reason(), "page-table VM", "--kvm-kind hardware");
    }

    private static String refusal(int processors, InterruptControllers controllers)
            throws Exception {
        try (GuestMemory memory =
                new GuestMemory("test", List.of(new GuestMemory.RamBank(0, 4096)))) {
            VmSpec spec = new VmSpec("test", processors, controllers);
            return assertThrows(
                            HypervisorException.class,
                            () -> new KvmHypervisor(KVM, null).create(spec, memory, null))
                    .getMessage();
        }
    }

    @Test
    void refusesAnotherArchitecturesBoard() throws Exception {
        assertSays(
                refusal(1, new RiscvAia(0x2800_0000L, 255, 0xd00_0000L, 0x5000, 31, 1)),
                "x86-64 board");
    }

    @Test
    void refusesWhatKvmHasElsewhere() throws Exception {
        assumeKvm();
        assertSays(
                refusal(1, new X86(0xfed0_0000L, 0xfee0_0000L, 0xfffb_c000L)),
                "0xfed00000",
                "0xfec00000");
        assertSays(refusal(300, PC), "at most", "not 300", "--cpus");
    }

    @Test
    void tellsHowWideAddressesAre() throws Exception {
        assumeKvm();
        int bits = new KvmHypervisor(KVM, "").physicalAddressBits();
        assertTrue(bits >= 36 && bits <= 57, "bits " + bits);
        Path none = folder.resolve("kvm");
        assertSays(
                assertThrows(
                                HypervisorException.class,
                                () -> new KvmHypervisor(none, "").physicalAddressBits())
                        .getMessage(),
                "There is no ");
    }
}
