package org.backplane.itests;

import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.backplane.machine.Machine;
import org.backplane.machine.MachineCounters;
import org.backplane.machine.MachineReport;
import org.backplane.machine.SlotCounters;
import org.osgi.framework.BundleContext;
import org.osgi.framework.BundleException;

/** A machine on KVM with a payload as its guest, and the host's end of the guest's console. */
final class PayloadMachine implements AutoCloseable {
    /** The module that a payload gets. */
    static final String ENVIRONMENT = "NR_CPUS=1\nMEMSIZE=128\n";

    /** Status of a payload whose checks all held: 0 through the debug exit. */
    static final int PASSED = 1;

    /** Sectors of its disk. */
    static final int SECTORS = 2048;

    static final int SECTOR = 512;
    static final String DISK = "disk0";

    /** Only so that a hanging payload ends. */
    private static final long PATIENCE_MILLIS = 100_000;

    private final MachineFixture fixture;
    private final SocketChannel console;
    private final Selector output;
    private final CompletableFuture<MachineReport> last;
    private final StringBuilder heard = new StringBuilder();
    private int read;

    private PayloadMachine(MachineFixture fixture, Path console) throws IOException {
        this.fixture = fixture;
        this.console = SocketChannel.open(StandardProtocolFamily.UNIX);
        this.console.connect(UnixDomainSocketAddress.of(console));
        this.console.configureBlocking(false);
        output = Selector.open();
        this.console.register(output, SelectionKey.OP_READ);
        // As the launcher does; whoever reads the console learns of the end by it.
        last = fixture.end().thenApplyAsync(status -> stopped());
    }

    private MachineReport stopped() {
        try {
            MachineReport report = fixture.machine().report();
            fixture.stop();
            return report;
        } catch (BundleException failed) {
            throw new AssertionError(failed);
        }
    }

    /** What a machine is made from; changed by those that want another. */
    static final class Setup {
        private final Path folder;
        private final Map<String, Object> plan = new HashMap<>();
        private final List<Map<String, String>> slots = new ArrayList<>();

        /**
         * 128 MiB, one processor, nothing on PCI.
         *
         * @param payload its file as built
         * @param words its command line
         */
        Setup(String payload, String words) throws IOException {
            this(Payloads.built(payload), words);
        }

        Setup(Path payload, String words) throws IOException {
            folder = Files.createTempDirectory("payload");
            plan.put("engine", "kvm");
            plan.put("architecture", "x86_64");
            plan.put("format", payload.toString().endsWith("-pvh.elf") ? "pvh" : "multiboot");
            plan.put("kernel", payload.toString());
            plan.put("append", words);
            plan.put("memory", 128L << 20);
            plan.put("cpus", 1);
            plan.put("console", "unix=" + folder.resolve("console"));
            plan.put("slots", slots);
        }

        Setup with(String key, Object value) {
            plan.put(key, value);
            return this;
        }

        Setup withModule(String content) throws IOException {
            return with("initrd", Files.writeString(folder.resolve("module"), content).toString());
        }

        Setup withSlot(Map<String, String> slot) {
            slots.add(slot);
            return this;
        }

        /** A disk of zeroes, unless the image is there already. */
        Setup withDisk() throws IOException {
            return withDisk(Map.of());
        }

        /** As {@link #withDisk()}, with more settings. */
        Setup withDisk(Map<String, String> settings) throws IOException {
            if (!Files.exists(image())) {
                Files.write(image(), new byte[SECTORS * SECTOR]);
            }
            Map<String, String> slot = new HashMap<>(settings);
            slot.putAll(Map.of("name", DISK, "kind", "virtio-blk", "path", image().toString()));
            return withSlot(slot);
        }

        Path image() {
            return folder.resolve("disk.img");
        }

        Path folder() {
            return folder;
        }

        PayloadMachine start(BundleContext context) throws Exception {
            return new PayloadMachine(MachineFixture.of(context, plan), folder.resolve("console"));
        }

        /** The same machine, but from a snapshot. */
        PayloadMachine restore(BundleContext context, Path snapshot) throws Exception {
            Map<String, Object> restoring = new HashMap<>();
            for (String key : List.of("engine", "architecture", "format", "console")) {
                restoring.put(key, plan.get(key));
            }
            restoring.put("restore", snapshot.toString());
            return new PayloadMachine(
                    MachineFixture.of(context, restoring), folder.resolve("console"));
        }
    }

    Machine machine() {
        return fixture.machine();
    }

    MachineFixture fixture() {
        return fixture;
    }

    /** Waits for the next line that begins so; the rest of it is returned. */
    String line(String beginning) throws IOException {
        Pattern line =
                Pattern.compile("^" + Pattern.quote(beginning) + "(.*)\n", Pattern.MULTILINE);
        while (true) {
            Matcher matcher = line.matcher(heard);
            if (matcher.find(read)) {
                read = matcher.end();
                return matcher.group(1);
            }
            if (!hear()) {
                throw new AssertionError("no line '%s..': %s".formatted(beginning, heard));
            }
        }
    }

    /** Reads what comes; false at the end. */
    private boolean hear() throws IOException {
        ByteBuffer bytes = ByteBuffer.allocate(4096);
        if (output.select(PATIENCE_MILLIS) == 0) {
            throw new AssertionError("silent after: " + heard);
        }
        output.selectedKeys().clear();
        if (console.read(bytes) < 0) {
            return false;
        }
        heard.append(StandardCharsets.US_ASCII.decode(bytes.flip()));
        return true;
    }

    /** Types to the payload; waits while it is behind. */
    void type(byte[] bytes) throws IOException {
        for (ByteBuffer left = ByteBuffer.wrap(bytes); left.hasRemaining(); ) {
            console.write(left);
        }
    }

    /** Has a payload that waits for a byte go on. */
    void go() throws IOException {
        console.write(ByteBuffer.wrap(new byte[] {'\n'}));
    }

    /** What the payload has printed so far, as far as it was read. */
    String heard() {
        return heard.toString();
    }

    /** Waits for the machine's end; what the payload printed is whole then. */
    int end() throws Exception {
        try {
            int status = MachineFixture.await(fixture.end());
            hearAll();
            return status;
        } catch (AssertionError never) {
            fixture.stop();
            hearAll();
            // Pax Exam shows causes in place of what they caused.
            throw new AssertionError("never ended: " + heard);
        }
    }

    private void hearAll() throws IOException {
        while (hear()) {
            // Up to the end.
        }
    }

    /** What the machine was like when it ended. */
    MachineReport last() {
        return MachineFixture.await(last);
    }

    /** Waits for the end of a payload that must pass; gives all that it printed. */
    String passed() throws Exception {
        int status = end();
        if (status != PASSED || !heard.toString().endsWith("passed\n")) {
            throw new AssertionError("status %d: %s".formatted(status, heard));
        }
        return heard.toString();
    }

    SlotCounters counters(String slot) {
        MachineCounters counters = machine().counters();
        return counters.slots().stream()
                .filter(counted -> counted.slot().equals(slot))
                .findFirst()
                .orElseThrow(() -> new AssertionError("no slot " + slot));
    }

    @Override
    public void close() throws Exception {
        output.close();
        console.close();
        if (fixture.end().isDone()) {
            last();
        } else {
            fixture.stop();
        }
    }
}
