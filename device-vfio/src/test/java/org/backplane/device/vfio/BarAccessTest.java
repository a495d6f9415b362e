package org.backplane.device.vfio;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Map;
import org.backplane.linux.EventFd;
import org.backplane.vfio.RegionInfo;
import org.junit.jupiter.api.Test;

/** What of a region the guest reaches without an exit. */
class BarAccessTest {
    @Test
    void mapsWhatCanBeAndLeavesThePagesOfTableAndPendingBitsOut() throws Exception {
        try (EventFd file = EventFd.open();
                Plugged plugged = new Plugged(PlayedDevice.nvme().mapping(0, file))) {
            assertTrue(plugged.mapped.isEmpty());
            plugged.on();
            long base = plugged.base(0);
            assertEquals(Map.of(base, List.of(0L, 0x2000L)), plugged.mapped);
        }
    }

    @Test
    void mapsOnlyTheAreasOfASparseRegion() throws Exception {
        RegionInfo sparse =
                new RegionInfo(
                        2,
                        0x8000,
                        true,
                        true,
                        0x10_0000,
                        List.of(
                                new RegionInfo.Area(0x1000, 0x1000),
                                new RegionInfo.Area(0x4000, 0x2000)),
                        false);
        try (EventFd file = EventFd.open();
                Plugged plugged =
                        new Plugged(
                                PlayedDevice.nvme()
                                        .bar(2, 0b1100, 0x8000)
                                        .region(sparse)
                                        .mapping(0, file)
                                        .mapping(2, file))) {
            plugged.on();
            long base = plugged.base(2);
            assertEquals(List.of(0x10_1000L, 0x1000L), plugged.mapped.get(base + 0x1000));
            assertEquals(List.of(0x10_4000L, 0x2000L), plugged.mapped.get(base + 0x4000));
            plugged.write(2, 0x7ff8, 8, 0x0102_0304_0506_0708L);
            assertEquals(0x0102_0304L, plugged.read(2, 0x7ffc, 4));
        }
    }

    @Test
    void staysInPlaceInASwap() throws Exception {
        try (EventFd file = EventFd.open();
                Plugged plugged = new Plugged(PlayedDevice.nvme().mapping(0, file))) {
            plugged.on();
            int made = plugged.timesMapped;
            plugged.swap();
            assertEquals(made, plugged.timesMapped);
            assertEquals(1, plugged.mapped.size());
        }
    }

    @Test
    void whatIsOfferedAndNotMappedIsToldOnceAtThePlug() throws Exception {
        RegionInfo crooked =
                new RegionInfo(
                        2,
                        0x2000,
                        true,
                        true,
                        0,
                        List.of(
                                new RegionInfo.Area(0x800, 0x1000),
                                new RegionInfo.Area(0x1900, 0x1000)),
                        false);
        try (EventFd file = EventFd.open();
                Plugged plugged =
                        new Plugged(
                                PlayedDevice.nvme()
                                        .bar(2, 0b1100, 0x2000)
                                        .region(crooked)
                                        .bar(4, 0b1100, 0x2000)
                                        .region(
                                                new RegionInfo(
                                                        4, 0x2000, true, true, 0, List.of(), false))
                                        .unmapped(4, "it can shrink")
                                        .mapping(0, file)
                                        .mapping(2, file))) {
            List<String> told =
                    List.of(
                            "slower: 0000:01:00.0: 0x1000 bytes at 0x800 of BAR 2 are trapped access by access: no whole page of the host's is in it",
                            "slower: 0000:01:00.0: 0x1000 bytes at 0x1900 of BAR 2 are trapped access by access: the BAR ends at 0x2000",
                            "slower: 0000:01:00.0: 0x2000 bytes at 0x0 of BAR 4 are trapped access by access: it can shrink");
            assertEquals(told, plugged.slot.told());
            plugged.on();
            plugged.swap();
            assertEquals(told, plugged.slot.told());
        }
    }

    @Test
    void anAreaOutsideOfItsRegionIsTrapped() throws Exception {
        RegionInfo wrong =
                new RegionInfo(
                        2,
                        0x2000,
                        true,
                        true,
                        0,
                        List.of(new RegionInfo.Area(0x1000, 0x2000)),
                        false);
        try (EventFd file = EventFd.open();
                Plugged plugged =
                        new Plugged(
                                PlayedDevice.nvme()
                                        .bar(2, 0b1100, 0x2000)
                                        .region(wrong)
                                        .mapping(0, file)
                                        .mapping(2, file))) {
            plugged.on();
            assertEquals(1, plugged.mapped.size());
            plugged.write(2, 0x1000, 4, 9);
            assertEquals(9, plugged.read(2, 0x1000, 4));
        }
    }
}
