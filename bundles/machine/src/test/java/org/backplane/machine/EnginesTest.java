package org.backplane.machine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import org.backplane.hypervisor.ExitHandler;
import org.backplane.hypervisor.Fitness;
import org.backplane.hypervisor.Fitness.Grade;
import org.backplane.hypervisor.Hypervisor;
import org.backplane.hypervisor.HypervisorException;
import org.backplane.hypervisor.Vm;
import org.backplane.hypervisor.VmSpec;
import org.backplane.machine.board.KernelFormat;
import org.backplane.memory.GuestMemory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class EnginesTest {
    private final List<String> told = new ArrayList<>();

    /** An engine that runs nothing, and counts how often it is asked. */
    private static final class Played implements Hypervisor {
        private final String name;
        private final String architecture;
        private final Grade grade;
        private int asked;

        Played(String name, String architecture, Grade grade) {
            this.name = name;
            this.architecture = architecture;
            this.grade = grade;
        }

        @Override
        public String name() {
            return name;
        }

        @Override
        public String architecture() {
            return architecture;
        }

        @Override
        public Fitness fitness() {
            asked++;
            return new Fitness(grade, name + " is " + grade + " here.");
        }

        @Override
        public Vm create(VmSpec spec, GuestMemory memory, ExitHandler exits)
                throws HypervisorException {
            throw new HypervisorException("a played engine makes no VM");
        }
    }

    private final Played hart = new Played("hart", "riscv64", Grade.FULL);

    private static Played kvm(Grade grade) {
        return new Played("kvm", "x86_64", grade);
    }

    private Engines engines(Hypervisor... installed) {
        return new Engines(List.of(installed), told::add);
    }

    private String refusal(Engines engines, KernelFormat kernel, String wanted) {
        return assertThrows(
                        MachineException.class, () -> engines.choose(Optional.of(kernel), wanted))
                .getMessage();
    }

    @Test
    void takesTheEngineOfTheKernelsArchitectureAndSaysSo() throws MachineException {
        Played kvm = kvm(Grade.FULL);
        assertSame(hart, engines(hart, kvm).choose(Optional.of(KernelFormat.RISCV), "auto"));
        assertSame(kvm, engines(hart, kvm).choose(Optional.of(KernelFormat.LINUX), "auto"));
        assertEquals(
                List.of(
                        "engine hart: the kernel is for riscv64, and hart is FULL here",
                        "engine kvm: the kernel is for x86_64, and kvm is FULL here"),
                told);
    }

    @Test
    void asksNoEngineThatDoesNotMatter() throws MachineException {
        Played kvm = kvm(Grade.FULL);
        engines(kvm, hart).choose(Optional.of(KernelFormat.RISCV), "auto");
        assertEquals(0, kvm.asked, "asking KVM loads native code");
    }

    @ParameterizedTest
    @EnumSource(names = {"LINUX", "PVH"})
    void refusesASystemWhereTheEngineIsLimitedAndSaysHowToTry(KernelFormat kernel) {
        assertEquals(
                "No engine runs this kernel for x86_64 on this host: kvm is LIMITED here; --engine kvm tries all the same.",
                refusal(engines(hart, kvm(Grade.LIMITED)), kernel, "auto"));
        assertEquals(List.of(), told);
    }

    @ParameterizedTest
    @EnumSource(names = {"MULTIBOOT", "FLAT"})
    void startsSmallProgramsWhereTheEngineIsLimited(KernelFormat kernel) throws MachineException {
        Played kvm = kvm(Grade.LIMITED);
        assertSame(kvm, engines(hart, kvm).choose(Optional.of(kernel), "auto"));
    }

    @ParameterizedTest
    @EnumSource(names = {"LINUX", "FLAT"})
    void refusesWhereTheEngineMakesNoVm(KernelFormat kernel) {
        assertEquals(
                "No engine runs this kernel for x86_64 on this host: kvm is NONE here.",
                refusal(engines(hart, kvm(Grade.NONE)), kernel, "auto"));
        assertEquals("kvm is NONE here.", refusal(engines(kvm(Grade.NONE)), kernel, "kvm"));
    }

    @Test
    void takesWhatAnyHostRunsWithoutAKernelUnlessAskedOtherwise() throws MachineException {
        Played kvm = kvm(Grade.LIMITED);
        assertSame(hart, engines(kvm, hart).choose(Optional.empty(), "auto"));
        assertSame(kvm, engines(kvm, hart).choose(Optional.empty(), "kvm"));
    }

    @Test
    void takesTheFittestOfTwo() throws MachineException {
        Played other = new Played("other", "x86_64", Grade.LIMITED);
        Played kvm = kvm(Grade.FULL);
        assertSame(kvm, engines(other, kvm).choose(Optional.of(KernelFormat.FLAT), "auto"));
        assertSame(kvm, engines(kvm, other).choose(Optional.of(KernelFormat.FLAT), "auto"));
    }

    @Test
    void triesTheEngineThatIsAskedForAndSaysWhatSpeaksAgainstIt() throws MachineException {
        Played kvm = kvm(Grade.LIMITED);
        assertSame(kvm, engines(hart, kvm).choose(Optional.of(KernelFormat.LINUX), "kvm"));
        assertEquals(List.of("engine kvm: --engine asks for it, but kvm is LIMITED here"), told);
    }

    @Test
    void refusesAnEngineOfAnotherArchitecture() {
        String sentence = refusal(engines(hart, kvm(Grade.FULL)), KernelFormat.RISCV, "kvm");
        assertTrue(
                sentence.contains("'kvm' runs kernels for x86_64, and this one is for riscv64"),
                sentence);
    }

    @Test
    void namesTheEnginesWhereOneIsNotThere() {
        String sentence = refusal(engines(kvm(Grade.FULL), hart), KernelFormat.RISCV, "qemu");
        assertEquals("There is no engine 'qemu': the engines are hart, kvm.", sentence);
        assertTrue(refusal(engines(), KernelFormat.LINUX, "auto").contains("No engine for x86_64"));
        assertTrue(
                refusal(engines(), KernelFormat.LINUX, "kvm").contains("No engine is installed"));
    }

    @Test
    void tellsOfEveryEngineAndWhatItWouldBeChosenFor() {
        Played spare = new Played("spare", "x86_64", Grade.LIMITED);
        List<Map<String, String>> report =
                engines(hart, spare, kvm(Grade.LIMITED), new Played("odd", "s390x", Grade.NONE))
                        .report();
        assertEquals(
                Map.of("hart", "riscv", "spare", "multiboot flat", "kvm", "", "odd", ""),
                report.stream()
                        .collect(
                                Collectors.toMap(
                                        each -> each.get("name"), each -> each.get("kernels"))));
        assertEquals(
                Map.of(
                        "name", "hart",
                        "architecture", "riscv64",
                        "grade", "FULL",
                        "reason", "hart is FULL here.",
                        "kernels", "riscv"),
                report.get(0));
        assertEquals(List.of(), told, "nothing was decided");
        assertEquals(
                "linux pvh multiboot flat",
                engines(kvm(Grade.FULL)).report().get(0).get("kernels"));
    }

    @Test
    void restoresOnlyOnTheEngineOfTheSnapshot() throws MachineException {
        Played kvm = kvm(Grade.LIMITED);
        Engines both = engines(hart, kvm);
        assertSame(kvm, both.ofSnapshot("kvm", "auto"));
        assertSame(hart, both.ofSnapshot("hart", "hart"));
        String sentence =
                assertThrows(MachineException.class, () -> both.ofSnapshot("hart", "kvm"))
                        .getMessage();
        assertEquals(
                "It is of the engine 'hart', and --engine asks for 'kvm': leave --engine out.",
                sentence);
        assertThrows(MachineException.class, () -> engines(hart).ofSnapshot("kvm", "auto"));
    }
}
