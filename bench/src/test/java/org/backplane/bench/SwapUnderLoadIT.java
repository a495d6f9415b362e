package org.backplane.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.ByteArrayOutputStream;
import java.io.File;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.regex.Pattern;
import org.backplane.launcher.folder.Locations;
import org.backplane.launcher.guest.GuestCache;
import org.backplane.launcher.guest.GuestKind;
import org.backplane.launcher.guest.Progress;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

/**
 * The measurement itself, in its shortest form. How long anything took is not judged here: the
 * machine may be busy.
 */
@Timeout(300)
class SwapUnderLoadIT {
    private static final String COMPILER = "riscv64-linux-gnu-gcc";
    private static final Path ROOT = Path.of(System.getProperty("backplane.root")).normalize();

    @TempDir Path folder;

    private static void assume(boolean there, String otherwise) {
        if (!there) {
            System.out.println("SwapUnderLoadIT skipped: " + otherwise);
        }
        assumeTrue(there, otherwise);
    }

    private static boolean isInstalled(String program) {
        return Arrays.stream(System.getenv("PATH").split(File.pathSeparator))
                .anyMatch(path -> Files.isExecutable(Path.of(path, program)));
    }

    @Test
    void nothingIsLostBySwapsUnderRandomWrites() throws Exception {
        assume(isInstalled(COMPILER), "there is no " + COMPILER);
        Path cache = Locations.ofThisUser().cache().resolve(GuestKind.RISCV64.folder());
        assume(
                new GuestCache(GuestKind.RISCV64, cache, new Progress(System.err, false))
                        .isFilled(),
                "there is no guest at " + cache + "; './backplane demo --fetch' fetches one");
        Path load = folder.resolve("load");
        Process compiler =
                new ProcessBuilder(ROOT.resolve("bench/compile-load").toString(), load.toString())
                        .inheritIO()
                        .start();
        assertEquals(0, compiler.waitFor());

        ByteArrayOutputStream output = new ByteArrayOutputStream();
        new CommandLine(new Figures(new PrintStream(output, true)))
                .execute(
                        "--distribution=" + ROOT.resolve("launcher/target/distribution"),
                        "--load=" + load,
                        "--records=" + ROOT.resolve("bench/target/records"),
                        "--beside=3",
                        "--in-place=2",
                        "--folder=1",
                        "--dev=1",
                        "--restore=0",
                        "--window=300",
                        "--disk=2");
        System.out.print(output);
        String text = output.toString();
        assertTrue(text.contains("beside (vm:swap): pause"), text);
        assertTrue(text.contains(Figures.NOTHING_LOST), text);
        assertTrue(
                Pattern.compile("\\d writes: 0 errors, 0 duplicate completions, 0 lost, 0 of ")
                        .matcher(text)
                        .find(),
                text);
    }
}
