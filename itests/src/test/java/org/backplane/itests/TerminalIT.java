package org.backplane.itests;

import static org.junit.Assert.assertEquals;
import static org.junit.Assume.assumeTrue;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Comparator;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.After;
import org.junit.Before;
import org.junit.Rule;
import org.junit.Test;
import org.junit.rules.TemporaryFolder;
import org.junit.rules.Timeout;

/** The distribution on terminals that script(1) makes: the guest's console and the shell. */
public final class TerminalIT {
    private static final String CTRL_A = "\001";
    private static final String CTRL_D = "\004";

    /** A safety net. */
    @Rule public final Timeout net = Timeout.seconds(300);

    @Rule public final TemporaryFolder temporary = new TemporaryFolder();

    private Path script;
    private Path folder;

    @Before
    public void distribution() throws IOException {
        script = ProjectBundle.root().resolve("launcher/target/distribution/backplane");
        assumeTrue(
                "skipped: there is no script(1)", Files.isExecutable(Path.of("/usr/bin/script")));
        // The path of a socket must be short; a folder of the build may be too deep.
        folder =
                Files.createTempDirectory(
                        "terminal",
                        PosixFilePermissions.asFileAttribute(
                                PosixFilePermissions.fromString("rwx------")));
    }

    @After
    public void remove() throws IOException {
        try (Stream<Path> left = Files.walk(folder)) {
            for (Path path : left.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(path);
            }
        }
    }

    /** A program on a terminal, and what is typed and shown there. */
    private final class OnTerminal implements AutoCloseable {
        private final Process process;
        private final OutputStream keys;
        private final InputStream shown;
        private final StringBuilder seen = new StringBuilder();

        OnTerminal(String arguments) throws IOException {
            ProcessBuilder builder =
                    new ProcessBuilder(
                            "script",
                            "-qec",
                            "before=$(stty -g); '%s' %s; echo status $?; [ \"$before\" = \"$(stty -g)\" ] && echo same"
                                    .formatted(script, arguments),
                            "/dev/null");
            builder.environment()
                    .putAll(
                            Map.of(
                                    "XDG_RUNTIME_DIR",
                                    folder.toString(),
                                    "XDG_STATE_HOME",
                                    folder.resolve("state").toString(),
                                    "BACKPLANE_CLASS_ARCHIVE",
                                    "off",
                                    "TERM",
                                    "xterm"));
            builder.redirectErrorStream(true);
            process = builder.start();
            keys = process.getOutputStream();
            shown = process.getInputStream();
        }

        void type(String text) throws IOException {
            keys.write(text.getBytes(StandardCharsets.US_ASCII));
            keys.flush();
        }

        /** Reads up to and with that text; returns what came before it. */
        String await(String text) throws IOException {
            while (seen.indexOf(text) < 0) {
                int octet = shown.read();
                if (octet < 0) {
                    throw new AssertionError("no '%s' in: %s".formatted(text, seen));
                }
                seen.append((char) octet);
            }
            int end = seen.indexOf(text) + text.length();
            String before = seen.substring(0, end);
            seen.delete(0, end);
            return before;
        }

        @Override
        public void close() throws IOException {
            keys.close();
            process.destroy();
        }
    }

    /** A kernel that waits for interrupts and for nothing else. */
    private Path kernel() throws IOException {
        ByteBuffer image = ByteBuffer.allocate(4096).order(ByteOrder.LITTLE_ENDIAN);
        image.putInt(0x00, 0x10500073);
        image.putInt(0x04, 0xffdff06f);
        image.putLong(0x08, 0x200000);
        image.putLong(0x10, 4096);
        image.put(0x30, "RISCV\0\0\0RSC\5".getBytes(StandardCharsets.US_ASCII));
        return Files.write(temporary.getRoot().toPath().resolve("kernel"), image.array());
    }

    /** The shell's bundle starts after the first processor: asked before, a sentence says so. */
    private static void awaitShell(OnTerminal console) throws IOException {
        do {
            console.type(CTRL_A + "s");
            console.await("[the shell");
        } while (!console.await("]").startsWith(";"));
        console.await("backplane> ");
    }

    @Test
    public void consoleAndShellTakeTurnsAndBothLeaveTheirTerminalsAsTheyWere() throws Exception {
        try (OnTerminal console = new OnTerminal("run --memory 64M --kernel " + kernel())) {
            awaitShell(console);
            console.type("vm:slo\t\r");
            console.await("\r\nuart0 ");
            console.type(CTRL_A + "s");
            console.await("[the guest's console]");
            console.type(CTRL_A + "h");
            console.await("Ctrl-A s  the shell");
            try (OnTerminal session = new OnTerminal("shell")) {
                session.await("backplane> ");
                session.type("vm:in\tuart\t\r");
                session.await("setting base");
                session.await("backplane> ");
                session.type(CTRL_D);
                session.await("status 0\r\nsame\r\n");
            }
            awaitShell(console);
            console.type("exit\r");
            console.await("[the guest's console]");
            console.type(CTRL_A + "x");
            console.await("status 0\r\nsame\r\n");
            assertEquals(0, console.process.waitFor());
        }
    }
}
