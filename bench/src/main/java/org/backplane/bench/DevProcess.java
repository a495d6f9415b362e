package org.backplane.bench;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.backplane.bench.BenchMachine.Places;

/** {@code backplane dev} at work on the machine; what it says is kept. */
final class DevProcess implements AutoCloseable {
    private final Process process;

    private DevProcess(Process process) {
        this.process = process;
    }

    /** Starts it and waits until it watches. */
    static DevProcess start(Places places, Path project) throws BenchException, IOException {
        Process process =
                places.command(
                                List.of(
                                        "dev",
                                        project.toString(),
                                        "--name",
                                        BenchMachine.NAME,
                                        "--slot",
                                        DiskSlot.NAME))
                        .redirectErrorStream(true)
                        .start();
        BufferedReader said = process.inputReader(StandardCharsets.UTF_8);
        StringBuilder before = new StringBuilder();
        String first = said.readLine();
        while (first != null && !first.startsWith("watching")) {
            before.append(first).append('\n');
            first = said.readLine();
        }
        if (first == null) {
            throw new BenchException("backplane dev does not watch: " + before.toString().strip());
        }
        Path kept = places.records().resolve("dev.out");
        Thread reader =
                new Thread(
                        () -> {
                            try (said;
                                    OutputStream file = Files.newOutputStream(kept)) {
                                for (String line = said.readLine();
                                        line != null;
                                        line = said.readLine()) {
                                    file.write((line + "\n").getBytes(StandardCharsets.UTF_8));
                                }
                            } catch (IOException e) {
                                throw new UncheckedIOException("what dev said is not kept", e);
                            }
                        },
                        "dev's output");
        reader.setDaemon(true);
        reader.start();
        return new DevProcess(process);
    }

    @Override
    public void close() {
        process.destroy();
    }
}
