package org.backplane.device.virtio.blk;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.backplane.contract.junit.DeviceContractTest;
import org.backplane.device.DeviceFactory;
import org.backplane.device.state.SavedState;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.io.TempDir;

class BlkContractTest extends DeviceContractTest {
    @TempDir Path folder;
    private Path image;

    @BeforeEach
    void makeImage() throws IOException {
        image = Disk.image(folder);
    }

    @Override
    protected String kind() {
        return VirtioBlkFactory.KIND;
    }

    @Override
    protected DeviceFactory factory() {
        return new VirtioBlkFactory();
    }

    @Override
    protected Map<String, String> settings() {
        return Map.of("path", image.toString());
    }

    @Override
    protected List<SavedState> released() {
        return List.of(BlkStateTest.GOLDEN);
    }
}
