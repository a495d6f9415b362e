package org.backplane.machine.boot;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.ForAll;
import net.jqwik.api.From;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.lifecycle.AfterTry;
import net.jqwik.api.lifecycle.BeforeTry;
import org.backplane.machine.MachineException;
import org.backplane.machine.boot.MadeUp.BzImage;
import org.backplane.machine.boot.MadeUp.Elf;

/** Kernels with anything in their headers are loaded, or refused in a sentence. */
class HostileKernelPropertyTest {
    private static final byte[] CONTENT = MadeUp.content(2000, 1);
    private static final List<byte[]> WHOLE =
            List.of(
                    bzImage(),
                    elf(true).pvhNote(8, 0x10_0000).build(),
                    elf(false).pvhNote(4, 0x10_0000).build(),
                    new Elf(false)
                            .load(
                                    0x10_0000,
                                    0x10_0000,
                                    MadeUp.joined(MadeUp.multiboot(3), CONTENT),
                                    0x4000)
                            .build(),
                    MadeUp.joined(
                            MadeUp.multiboot(
                                    1 << 16, 0x10_0000, 0x10_0000, 0x10_0400, 0x10_2000, 0x10_0000),
                            CONTENT));

    /** Four bytes of the file are others. */
    record Change(int at, int value) {}

    private Path folder;
    private LoadingRig rig;

    private static byte[] bzImage() {
        BzImage image = new BzImage();
        image.preferred = 0x10_0000;
        return image.build();
    }

    private static Elf elf(boolean wide) {
        return new Elf(wide)
                .load(0x4000_0000, 0x10_0000, CONTENT, 0x1000)
                .load(0x4000_2000, 0x10_2000, CONTENT, 0x2000);
    }

    @BeforeTry
    void open() throws IOException {
        folder = Files.createTempDirectory("kernels");
        rig = new LoadingRig(folder, 8 * LoadingRig.MEGABYTE);
    }

    @AfterTry
    void close() throws IOException {
        rig.close();
        try (var files = Files.list(folder)) {
            for (Path file : files.toList()) {
                Files.delete(file);
            }
        }
        Files.delete(folder);
    }

    @Provide
    Arbitrary<List<Change>> changes() {
        Arbitrary<Integer> values =
                Arbitraries.oneOf(
                        Arbitraries.integers(),
                        Arbitraries.of(
                                0, 1, -1, 0xffff, 0x7fff_ffff, 0x8000_0000, 0x10_0000, 0x9_fc00));
        return Combinators.combine(Arbitraries.integers().between(0, 0x26c), values)
                .as(Change::new)
                .list()
                .ofMinSize(1)
                .ofMaxSize(4);
    }

    @Property(tries = 300)
    void isLoadedOrRefusedInASentence(
            @ForAll @IntRange(max = 4) int which,
            @ForAll @From("changes") List<Change> changes,
            @ForAll @IntRange(max = 3000) int cut,
            @ForAll boolean module)
            throws IOException {
        byte[] whole = WHOLE.get(which);
        byte[] file = Arrays.copyOf(whole, Math.max(0, whole.length - (cut > 2500 ? cut : 0)));
        ByteBuffer bytes = ByteBuffer.wrap(file).order(ByteOrder.LITTLE_ENDIAN);
        for (Change change : changes) {
            if (change.at <= file.length - Integer.BYTES) {
                bytes.putInt(change.at, change.value);
            }
        }
        Optional<byte[]> initrd = module ? Optional.of(CONTENT) : Optional.empty();
        for (X86Kernel kind : X86Kernel.values()) {
            try {
                rig.load(rig.file(file), initrd, "one two", kind);
            } catch (MachineException e) {
                assertTrue(e.getMessage().endsWith("."), e.getMessage());
            }
        }
        try {
            rig.load(file, initrd, "one two");
        } catch (MachineException e) {
            assertTrue(e.getMessage().endsWith("."), e.getMessage());
        }
    }
}
