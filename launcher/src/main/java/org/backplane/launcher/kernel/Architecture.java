package org.backplane.launcher.kernel;

import java.util.Arrays;
import java.util.stream.Collectors;

/** What a kernel's instructions are for, and what the board for it can bear. */
public enum Architecture {
    RISCV64(
            "riscv64",
            "hart",
            32,
            Long.MAX_VALUE,
            new Window(1L << 20, 3L << 30),
            new Window(1L << 20, 1L << 54)),
    /** Processors: local APICs have identities of 8 bits, one of which is the broadcast. */
    X86_64(
            "x86_64",
            "kvm",
            255,
            64L << 30,
            new Window(64L << 20, 3008L << 20),
            new Window(1L << 30, (1L << 46) - (4L << 30)));

    /**
     * The sizes that a window of PCI can have, in bytes. What the host's processors address, and
     * memory, may leave less.
     */
    public record Window(long least, long most) {}

    private final String word;
    private final String engine;
    private final int mostProcessors;
    private final long mostMemory;
    private final Window mmio32;
    private final Window mmio64;

    Architecture(
            String word,
            String engine,
            int mostProcessors,
            long mostMemory,
            Window mmio32,
            Window mmio64) {
        this.mmio32 = mmio32;
        this.mmio64 = mmio64;
        this.word = word;
        this.engine = engine;
        this.mostProcessors = mostProcessors;
        this.mostMemory = mostMemory;
    }

    /** As the plan has it. */
    public String word() {
        return word;
    }

    /** Name of the engine that runs it. */
    public String engine() {
        return engine;
    }

    public int mostProcessors() {
        return mostProcessors;
    }

    /** In bytes. */
    public long mostMemory() {
        return mostMemory;
    }

    /** For BARs of 32 bits. */
    public Window mmio32() {
        return mmio32;
    }

    /** For BARs of 64 bits. */
    public Window mmio64() {
        return mmio64;
    }

    /** Whether there is an engine of that name. */
    public static boolean hasEngine(String name) {
        return Arrays.stream(values()).anyMatch(each -> each.engine.equals(name));
    }

    /** The engines' names, for a sentence. */
    public static String engines() {
        return Arrays.stream(values()).map(Architecture::engine).collect(Collectors.joining(", "));
    }
}
