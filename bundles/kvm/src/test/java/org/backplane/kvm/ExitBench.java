package org.backplane.kvm;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;

/**
 * What an exit costs here and in a loop in C, on the same payload: pairs of runs one after the
 * other, and C against itself, which says what a difference is worth. A main, to be run on a quiet
 * machine; not a test.
 *
 * <p>Arguments: pairs, 15 if missing; exits a run, 100,000.
 */
public final class ExitBench {
    private static final int WARM = 20_000;

    private final int exits;
    private final Path folder;

    private ExitBench(int exits, Path folder) {
        this.exits = exits;
        this.folder = folder;
    }

    public static void main(String[] arguments) throws Exception {
        int pairs = arguments.length > 0 ? Integer.parseInt(arguments[0]) : 15;
        int exits = arguments.length > 1 ? Integer.parseInt(arguments[1]) : 100_000;
        Path folder = Files.createTempDirectory("exits");
        try {
            new ExitBench(exits, folder).run(pairs);
        } finally {
            try (var files = Files.list(folder)) {
                for (Path file : files.toList()) {
                    Files.delete(file);
                }
            }
            Files.delete(folder);
        }
    }

    private void run(int pairs) throws Exception {
        Files.write(folder.resolve("payload"), Payload.build("forever", KvmRig.CODE));
        try (var source = ExitBench.class.getResourceAsStream("exits.c")) {
            Files.copy(source, folder.resolve("exits.c"));
        }
        Compiler.run(folder, Compiler.require(), "-O2", "-w", "-o", "exits", "exits.c");
        // The handler and the loop are compiled before anything counts.
        java();
        List<Double> ratios = new ArrayList<>();
        List<Double> spread = new ArrayList<>();
        for (int i = 0; i < pairs; i++) {
            double c = c();
            double java = java();
            double again = c();
            ratios.add(java / c);
            spread.add(again / c);
            System.out.printf("C %.0f ns, Java %.0f ns, C again %.0f ns%n", c, java, again);
        }
        report("Java to C", ratios);
        report("C to C", spread);
    }

    private static void report(String name, List<Double> ratios) {
        Collections.sort(ratios);
        System.out.printf(
                "%s: median %.3f, from %.3f to %.3f, of %d pairs%n",
                name,
                ratios.get(ratios.size() / 2),
                ratios.get(0),
                ratios.get(ratios.size() - 1),
                ratios.size());
    }

    private double c() throws Exception {
        String printed =
                Compiler.run(
                        folder,
                        "./exits",
                        "payload",
                        Integer.toString(WARM),
                        Integer.toString(exits));
        return Double.parseDouble(printed.trim());
    }

    /** Nanoseconds an exit, as the handler counts them. */
    private double java() throws Exception {
        long[] times = new long[2];
        try (KvmRig rig = KvmRig.open()) {
            int[] made = new int[1];
            rig.device =
                    address -> {
                        if (++made[0] == WARM) {
                            times[0] = System.nanoTime();
                        } else if (made[0] == WARM + exits) {
                            times[1] = System.nanoTime();
                            rig.processor(0).kick();
                        }
                        return 0;
                    };
            rig.load("forever").run();
            if (times[1] == 0) {
                throw new IllegalStateException(
                        "%s exits were not made in time".formatted(Arrays.toString(made)));
            }
        }
        return (times[1] - times[0]) / (double) exits;
    }
}
