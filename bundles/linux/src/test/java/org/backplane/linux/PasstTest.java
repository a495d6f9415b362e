package org.backplane.linux;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.File;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** passt as the peer of a frame socket. */
@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class PasstTest {
    @TempDir Path folder;

    private Process passt;

    @AfterEach
    void end() throws InterruptedException {
        if (passt != null) {
            passt.destroyForcibly().waitFor();
        }
    }

    @Test
    void offersAnAddressAndAnswersForItsGateway() throws Exception {
        Path path = folder.resolve("passt");
        start(path);
        try (FrameSocket socket = FrameSocket.open("net0", path, false);
                PortDriver guest = new PortDriver(socket)) {
            guest.send(discover());
            byte[] offer = guest.receive(frame -> Frames.isIpv4(frame, Frames.UDP));
            byte[] message = Frames.data(offer);
            assertEquals(68, Frames.port(offer, true));
            assertEquals(2, message[0], "a reply");
            assertEquals(0xcafe, ByteBuffer.wrap(message).getInt(4));
            byte[] gateway = Frames.from(offer);
            guest.send(Frames.arp(1, new byte[6], gateway));
            byte[] answer = guest.receive(frame -> Frames.type(frame) == Frames.ARP);
            assertArrayEquals(gateway, Arrays.copyOfRange(answer, 28, 32));
            assertArrayEquals(Frames.GUEST_MAC, Arrays.copyOf(answer, 6));
        }
    }

    private static byte[] discover() {
        ByteBuffer message = ByteBuffer.allocate(300);
        message.put((byte) 1).put((byte) 1).put((byte) 6).put((byte) 0).putInt(0xcafe);
        message.put(28, Frames.GUEST_MAC);
        message.putInt(236, 0x63825363);
        message.put(240, new byte[] {53, 1, 1, -1});
        return Frames.udp(new byte[4], new byte[] {-1, -1, -1, -1}, 68, 67, message.array());
    }

    /** Skips the test where passt is missing, or does not come to listen. */
    private void start(Path path) throws Exception {
        Optional<Path> program =
                Stream.of(System.getenv("PATH").split(File.pathSeparator))
                        .map(place -> Path.of(place, "passt"))
                        .filter(Files::isExecutable)
                        .findFirst();
        Optional<String> reason =
                program.isEmpty() ? Optional.of("passt is missing") : Optional.empty();
        if (reason.isEmpty()) {
            List<String> command =
                    new ArrayList<>(List.of(program.get().toString(), "-f", "-s", path.toString()));
            if ("root".equals(System.getProperty("user.name"))) {
                // Otherwise nobody's, who may not come into this folder.
                command.addAll(List.of("--runas", "0:0"));
            }
            Path output = folder.resolve("output");
            passt =
                    new ProcessBuilder(command)
                            .redirectErrorStream(true)
                            .redirectOutput(output.toFile())
                            .start();
            while (!Files.exists(path) && passt.isAlive()) {
                passt.waitFor(10, TimeUnit.MILLISECONDS);
            }
            if (!passt.isAlive()) {
                reason = Optional.of("passt ended: " + Files.readString(output).strip());
            }
        }
        reason.ifPresent(why -> System.out.println("PasstTest: skipped: " + why));
        Assumptions.assumeTrue(reason.isEmpty(), () -> "needs passt");
    }
}
