package org.backplane.device.vfio;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.ArrayList;
import java.util.List;
import org.backplane.pci.PciShape;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Configuration space as a guest sees it: which registers are the device's. */
class PassedConfigurationTest {
    private final PlayedDevice host = PlayedDevice.nvme();
    private Plugged plugged;

    private Plugged plug() throws Exception {
        plugged = new Plugged(host);
        plugged.host.calls();
        return plugged;
    }

    @AfterEach
    void unplug() {
        plugged.close();
    }

    private List<Integer> ids() {
        List<Integer> ids = new ArrayList<>();
        for (int at = (int) plugged.config(0x34, 1); at != 0; ) {
            ids.add((int) plugged.config(at, 1));
            at = (int) plugged.config(at + 1, 1);
        }
        return ids;
    }

    @Test
    void registersThatBelongToNoCapabilityAreTheDevices() throws Exception {
        host.set(0xe0, 4, 0xcafe);
        plug();
        assertEquals(0xcafe, plugged.config(0xe0, 4));
        assertEquals(0xca, plugged.config(0xe1, 1));
        plugged.config(0xe2, 2, 0xbeef);
        assertEquals(List.of("write 7+e2 beef"), host.calls());
        assertEquals(0xbeef_cafeL, plugged.config(0xe0, 4));
    }

    @Test
    void vitalProductDataAndVendorSpecificAreTheDevices() throws Exception {
        host.set(0x81, 1, 0xc0)
                .set(0xc0, 2, 0xd003)
                .set(0xd0, 2, 0x6009)
                .set(0xd2, 1, 0x10)
                .set(0xd4, 4, 0x1234);
        plug();
        assertEquals(List.of(0x11, 0x01, 0x10, 0x03, 0x09), ids());
        plugged.config(0xc2, 2, 0x8004);
        assertEquals(List.of("write 7+c2 8004"), host.calls());
        assertEquals(0x8004, plugged.config(0xc2, 2));
        assertEquals(0x1234, plugged.config(0xd4, 4));
        assertEquals(0x10, plugged.config(0xd2, 1));
    }

    @Test
    void whatIsHiddenIsNeitherListedNorReached() throws Exception {
        // AF, and one of no known kind that the table gives no length.
        host.set(0x61, 1, 0xc0)
                .set(0xc0, 2, 0xd013)
                .set(0xc2, 2, 0x0306)
                .set(0xd0, 2, 0x0077)
                .set(0xf0, 4, 0xffff_ffffL);
        plug();
        assertEquals(List.of(0x11, 0x01, 0x10), ids());
        assertEquals(0, plugged.config(0xc0, 4));
        assertEquals(0, plugged.config(0xf0, 4));
        plugged.config(0xc4, 4, 1);
        assertEquals(List.of(), host.calls());
    }

    @Test
    void powerStatesAreANumberThatTheDeviceNeverSees() throws Exception {
        plug();
        assertEquals(0x0003, plugged.config(0x62, 2));
        assertEquals(8, plugged.config(0x64, 2));
        plugged.config(0x64, 2, 3);
        assertEquals(0xb, plugged.config(0x64, 2));
        plugged.on();
        plugged.write(0, 0x14, 4, 1);
        assertEquals(1, plugged.read(0, 0x14, 4));
        assertEquals(List.of("write 7+4 7", "write 0+14 1"), host.calls());
    }

    @Test
    void isAnEndpointWhoseLinkAndResetAreTheHosts() throws Exception {
        plug();
        // On bus 0, which is no link, one that is integrated.
        assertEquals(0x0092, plugged.config(0x82, 2));
        // No function-level reset.
        assertEquals(0x8001, plugged.config(0x84, 4));
        assertEquals(0x2810, plugged.config(0x88, 2));
        plugged.config(0x88, 2, 0xffff);
        assertEquals(0x7fff, plugged.config(0x88, 2));
        assertEquals(0, plugged.config(0x8c, 4));
        assertEquals(0, plugged.config(0x92, 2));
        // Slot and root registers.
        assertEquals(0, plugged.config(0x94, 4));
        assertEquals(0, plugged.config(0x9c, 4));
        assertEquals(List.of(), host.calls());
    }

    @Test
    void extendedSpaceShowsSerialNumberAndHidesErrorsAndVirtualFunctions() throws Exception {
        host.set(0x100, 4, 0x1501_0001)
                .set(0x104, 4, -1)
                .set(0x150, 4, 0x2001_0003)
                .set(0x154, 4, 0x1122_3344)
                .set(0x200, 4, 0x0001_0010)
                .set(0x204, 4, -1)
                .set(0x800, 4, 0xabcd);
        plug();
        assertEquals(0x1500_0000L, plugged.config(0x100, 4));
        assertEquals(0, plugged.config(0x104, 4));
        assertEquals(0x0001_0003, plugged.config(0x150, 4));
        assertEquals(0x1122_3344, plugged.config(0x154, 4));
        assertEquals(0, plugged.config(0x200, 4));
        assertEquals(0, plugged.config(0x204, 4));
        assertEquals(0xabcd, plugged.config(0x800, 4));
    }

    @Test
    void extendedSpaceOfHiddenCapabilitiesBeginsWithZeros() throws Exception {
        host.set(0x100, 4, 0x0001_0001);
        plug();
        assertEquals(0, plugged.config(0x100, 4));
    }

    @Test
    void extendedSpaceWithoutCapabilitiesBeginsWithZerosWhateverTheDeviceSays() throws Exception {
        host.set(0x104, 4, 0x1234);
        plug();
        host.set(0x100, 4, 0x0001_0003);
        assertEquals(0, plugged.config(0x100, 4));
        assertEquals(0x1234, plugged.config(0x104, 4));
    }

    @Test
    void hasNoRomNoSelfTestAndNoWritableStatus() throws Exception {
        host.set(0x30, 4, 0xfff0_0001L).set(0x0f, 1, 0xc0);
        plug();
        assertEquals(0, plugged.config(0x30, 4));
        plugged.config(0x30, 4, 0xffff_ffffL);
        assertEquals(0, plugged.config(0x30, 4));
        assertEquals(0, plugged.config(0x0f, 1));
        plugged.config(0x0f, 1, 0x40);
        assertEquals(0, plugged.config(0x0f, 1));
        long status = plugged.config(0x06, 2);
        plugged.config(0x06, 2, 0xffff);
        assertEquals(status, plugged.config(0x06, 2));
        assertEquals(List.of(), host.calls());
    }

    @Test
    void aConventionalDeviceHasNoExtendedSpace() throws Exception {
        PlayedDevice conventional =
                new PlayedDevice(256)
                        .set(0x00, 4, 0x8139_10ecL)
                        .set(0x3d, 1, 1)
                        .bar(0, 1, 256)
                        .bar(1, 0, 256);
        assertEquals(
                List.of(new PciShape.ConfigRange(0x40, 0xc0)),
                HostFunction.shape("nic1", conventional).answered());
        plugged = new Plugged(conventional);
        assertEquals(0x8139_10ecL, plugged.config(0, 4));
        assertEquals(0, plugged.config(0x100, 4));
        assertEquals(0, plugged.config(0x34, 1));
    }
}
