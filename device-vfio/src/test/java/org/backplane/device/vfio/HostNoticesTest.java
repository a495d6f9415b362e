package org.backplane.device.vfio;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import org.backplane.linux.Fd;
import org.backplane.vfio.IrqInfo;
import org.backplane.vfio.VfioDevice;
import org.junit.jupiter.api.Test;

class HostNoticesTest {
    private static PlayedDevice host() {
        return PlayedDevice.nvme()
                .irq(VfioDevice.ERROR, new IrqInfo(VfioDevice.ERROR, 1, true, false, false, false))
                .irq(
                        VfioDevice.REQUEST,
                        new IrqInfo(VfioDevice.REQUEST, 1, true, false, false, false));
    }

    private static void look(Plugged plugged) {
        for (Fd each : plugged.slot.watched()) {
            plugged.slot.readable(each);
        }
    }

    @Test
    void aHostThatWantsTheDeviceBackIsHeardOnceWithTheRemedy() throws Exception {
        try (var plugged = new Plugged(host())) {
            for (int time = 0; time < 3; time++) {
                plugged.host.interrupt(VfioDevice.REQUEST, 0);
                look(plugged);
            }
            assertEquals(
                    List.of(
                            "host: 0000:01:00.0 is wanted back by the host, which waits for it: give it back with 'vm:unplug nic1'"),
                    plugged.slot.told());
        }
    }

    @Test
    void anErrorIsToldOfTheDeviceAfterASwapToo() throws Exception {
        try (var plugged = new Plugged(host())) {
            plugged.host.calls();
            plugged.swap();
            plugged.host.interrupt(VfioDevice.ERROR, 0);
            look(plugged);
            assertEquals(1, plugged.slot.told().size());
            assertEquals(List.of(), plugged.host.calls());
        }
    }
}
