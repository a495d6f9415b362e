package org.backplane.device.virtio.net;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Real taps of the kernel, in network name spaces that the test makes: as root. */
@Timeout(value = 120, unit = TimeUnit.SECONDS)
class TapTest {
    /** Ends with the process that began it: nothing of it is left on the host. */
    private static final List<String> NAME_SPACE =
            List.of("unshare", "--net", "--kill-child", "--fork");

    @TempDir Path folder;

    @BeforeAll
    static void nameSpacesAndTapsCanBeMade() throws Exception {
        List<String> attempt = new ArrayList<>(NAME_SPACE);
        attempt.addAll(List.of("ip", "tuntap", "add", "dev", "tried", "mode", "tap"));
        boolean able;
        try {
            Process process =
                    new ProcessBuilder(attempt)
                            .redirectErrorStream(true)
                            .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                            .start();
            able = process.waitFor() == 0;
        } catch (IOException e) {
            able = false;
        }
        if (!able) {
            System.out.println(
                    "TapTest: skipped, "
                            + String.join(" ", attempt)
                            + " fails: it takes root, iproute2 and a kernel with taps");
        }
        Assumptions.assumeTrue(able, "needs root, iproute2 and a kernel with taps");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "wholeFrames",
                "segments",
                "pairs",
                "vanishes",
                "swap",
                "refusals",
                "created"
            })
    void holdsInANameSpaceOfItsOwn(String scenario) throws Exception {
        List<String> command = new ArrayList<>(NAME_SPACE);
        command.addAll(
                List.of(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-XX:+UseSerialGC",
                        "-XX:TieredStopAtLevel=1",
                        "-cp",
                        System.getProperty("java.class.path"),
                        TapScenarios.class.getName(),
                        scenario));
        Path output = folder.resolve("output.txt");
        Process process =
                new ProcessBuilder(command)
                        .redirectErrorStream(true)
                        .redirectOutput(output.toFile())
                        .start();
        try {
            assertEquals(0, process.waitFor(), () -> read(output));
        } finally {
            process.destroyForcibly();
        }
        assertTrue(read(output).contains("held: " + scenario), () -> read(output));
    }

    private static String read(Path file) {
        try {
            return Files.readString(file);
        } catch (IOException e) {
            return e.toString();
        }
    }
}
