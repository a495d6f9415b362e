package org.backplane.launcher.option;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The plan's processor, kernel, board and windows. */
class BoardPlanTest extends PlanReading {
    @ParameterizedTest
    @ValueSource(strings = {"uart0", "rtc0", "power0", "keyboard0", "exit0"})
    void keepsTheNamesOfTheBoard(String name) throws IOException {
        disks.add(disk + ",name=" + name);
        refused("--disk " + disk + ",name=" + name, "taken by the board");
    }

    @Test
    void tellsTheMachineWhatTheKernelIs() throws IOException {
        Map<String, Object> map = plan().toMap(folder);
        assertEquals("riscv64", map.get("architecture"));
        assertEquals("riscv", map.get("format"));
        assertEquals("auto", map.get("engine"));
        x86();
        options.put("engine", "kvm");
        options.put("kvm-kind", "hardware");
        map = plan().toMap(folder);
        assertEquals("x86_64", map.get("architecture"));
        assertEquals("linux", map.get("format"));
        assertEquals("kvm", map.get("engine"));
        assertEquals("console=ttyS0", map.get("append"));
        assertEquals(Optional.of("hardware"), plan().engine().kvmKind());
    }

    @ParameterizedTest
    @CsvSource({"kvm, riscv64, hart", "hart, x86_64, kvm"})
    void refusesAnEngineThatRunsNoSuchKernel(String engine, String architecture, String other)
            throws IOException {
        if (architecture.equals("x86_64")) {
            x86();
        }
        options.put("engine", engine);
        refused("--engine " + engine, "is for " + architecture, "the engine " + other + " runs");
    }

    @Test
    void refusesWordsOfTheEngineThatItDoesNotKnow() throws IOException {
        options.put("engine", "KVM");
        refused("--engine KVM: give one of: auto, hart, kvm");
        options.put("engine", "hart");
        options.put("format", "elf");
        refused("--format elf: give one of: auto, riscv, linux, pvh, multiboot, flat");
        options.put("format", "auto");
        options.put("kvm-kind", "");
        refused("--kvm-kind '': give hardware or pvm");
    }

    @Test
    void tellsAllThatIsWrongWithAnX86Machine() throws IOException {
        x86();
        options.put("engine", "hart");
        options.put("memory", "65G");
        options.put("cpus", "256");
        options.put("append", "x".repeat(2048));
        options.put("initrd", "/no/initrd");
        devices.add("virtio-rng,name=keyboard0");
        Problems problems = new Problems();
        assertTrue(read(problems).isEmpty());
        List<String> words =
                List.of(
                        "--engine hart",
                        "--initrd /no/initrd",
                        "the kernel takes at most 2047",
                        "--memory 65G: a machine for x86_64 has at most 64G",
                        "--cpus 256: give a number of processors from 1 to 255",
                        "the name 'keyboard0' is taken by the board");
        assertEquals(words.size(), problems.count(), () -> "sentences: " + problems.sentences());
        for (String word : words) {
            assertTrue(
                    problems.sentences().stream().anyMatch(sentence -> sentence.contains(word)),
                    () -> "'" + word + "' is not in: " + problems.sentences());
        }
    }

    @Test
    void measuresTheMemoryAnX86KernelNeeds() throws IOException {
        x86();
        options.put("memory", "16M");
        refused("--memory 16M", "at least 64M");
    }

    @Test
    void startsFlatCodeOnlyIfToldTo() throws IOException {
        Path code = Files.write(folder.resolve("code.bin"), new byte[] {(byte) 0xf4});
        options.put("kernel", code.toString());
        refused("--kernel", "a file of 1 bytes");
        options.put("format", "flat");
        options.put("memory", "2M");
        assertEquals("flat", plan().toMap(folder).get("format"));
        assertEquals("", plan().append());
        options.put("initrd", disk.toString());
        options.put("append", "quiet");
        Problems problems = new Problems();
        assertTrue(read(problems).isEmpty());
        assertEquals(
                List.of(
                        "--initrd " + disk + ": a flat image is given none; leave it out",
                        "--append quiet: a flat image is given none; leave it out"),
                problems.sentences());
    }

    @Test
    void sizesOfPciWindowsAreThePlansWhereTheyAreGiven() throws IOException {
        assertFalse(plan().toMap(folder).containsKey("mmio32"));
        options.put("mmio32", "2G");
        options.put("mmio64", "4T");
        Map<String, Object> map = plan().toMap(folder);
        assertEquals(2L << 30, map.get("mmio32"));
        assertEquals(4L << 40, map.get("mmio64"));
    }

    @Test
    void boardIsThePlansWhereItIsGiven() throws IOException {
        assertFalse(plan().toMap(folder).containsKey("board"));
        options.put("board", "riscv-cam");
        assertEquals("riscv-cam", plan().toMap(folder).get("board"));
        options.put("mmio32", "1G");
        refused(
                "--board riscv-cam: its window of PCI has a fixed size; leave out --mmio32 and --mmio64");
        options.remove("mmio32");
        options.put("board", "pc");
        refused("--board pc: there is no such board but riscv-cam");
        options.put("board", "riscv-cam");
        x86();
        refused("--board riscv-cam: it is for riscv64, the kernel for x86_64");
    }

    @Test
    void refusesSizesThatNoWindowOfTheArchitectureHas() throws IOException {
        options.put("mmio32", "4G");
        refused(
                "--mmio32 4G: the window of a machine for riscv64 has from 1M to 3G; give a size between");
        options.put("mmio32", "much");
        refused("--mmio32 much: this is no size; give a number with M, G or T, as in 3G");
        options.put("mmio32", "1025K");
        refused("--mmio32 1025K: it is not a multiple of 1M");
        options.remove("mmio32");
        options.put("mmio64", "1K");
        refused("--mmio64 1K: the window of a machine for riscv64 has from 1M to 16384T");
        x86();
        options.put("mmio64", "1M");
        refused(
                "--mmio64 1M: the window of a machine for x86_64 has from 1G to 65532G; give a size between");
        options.put("mmio64", "1T");
        options.put("mmio32", "32M");
        refused("--mmio32 32M: the window of a machine for x86_64 has from 64M to 3008M");
        options.put("mmio32", "3008M");
        assertEquals(3008L << 20, plan().toMap(folder).get("mmio32"));
    }
}
