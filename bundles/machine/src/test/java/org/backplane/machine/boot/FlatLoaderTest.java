package org.backplane.machine.boot;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.Optional;
import org.backplane.hypervisor.X86Entry;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FlatLoaderTest {
    @TempDir private Path folder;
    private LoadingRig rig;

    @BeforeEach
    void open() throws Exception {
        rig = new LoadingRig(folder, 2 * LoadingRig.MEGABYTE);
    }

    @AfterEach
    void close() {
        rig.close();
    }

    private X86Entry load(byte[] image) throws Exception {
        return rig.load(rig.file(image), Optional.empty(), "", X86Kernel.FLAT);
    }

    private String refusal(byte[] image, Optional<byte[]> initrd) throws Exception {
        return rig.refusal(image, initrd, "", X86Kernel.FLAT);
    }

    @Test
    void imageLiesAt64KiBAndBeginsThere() throws Exception {
        byte[] image = MadeUp.content(70_000, 8);
        assertEquals(new X86Entry.RealMode(0x1000, 0, 0x8000), load(image));
        assertArrayEquals(image, rig.array(0x1_0000, image.length));
    }

    @Test
    void everyVectorReturns() throws Exception {
        load(new byte[] {1});
        for (int vector = 0; vector < 256; vector++) {
            long place = rig.u32(4 * vector);
            long handler = (place >>> 16) * 16 + (place & 0xffff);
            assertEquals((byte) 0xcf, rig.bytes(handler, 1).get(), "vector " + vector);
        }
    }

    @Test
    void isNeverGuessed() throws Exception {
        assertTrue(rig.refusal(MadeUp.content(512, 1)).contains("--format flat"));
    }

    @Test
    void refusesWhatIsEmptyOrTooLargeOrHasAnInitrd() throws Exception {
        assertTrue(refusal(new byte[0], Optional.empty()).contains("empty"));
        assertTrue(refusal(new byte[0x8_fc01], Optional.empty()).contains("firmware"));
        load(new byte[0x8_fc00]);
        assertTrue(refusal(new byte[1], Optional.of(new byte[1])).contains("initrd"));
    }
}
