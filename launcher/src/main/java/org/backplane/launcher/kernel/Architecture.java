package org.backplane.launcher.kernel;

import java.util.Arrays;
import java.util.stream.Collectors;

/** What a kernel's instructions are for, and what the board for it can bear. */
public enum Architecture {
    RISCV64("riscv64", "hart", 32, Long.MAX_VALUE),
    /** Processors: local APICs have identities of 8 bits, one of which is the broadcast. */
    X86_64("x86_64", "kvm", 255, 64L << 30);

    private final String word;
    private final String engine;
    private final int mostProcessors;
    private final long mostMemory;

    Architecture(String word, String engine, int mostProcessors, long mostMemory) {
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

    /** Whether there is an engine of that name. */
    public static boolean hasEngine(String name) {
        return Arrays.stream(values()).anyMatch(each -> each.engine.equals(name));
    }

    /** The engines' names, for a sentence. */
    public static String engines() {
        return Arrays.stream(values()).map(Architecture::engine).collect(Collectors.joining(", "));
    }
}
