package org.backplane.testkit.vfio;

import java.util.Comparator;
import java.util.List;

/** A described device's configuration space (PCI 3.0, 6.1 and 6.7). */
final class ConfigSpace {
    private static final int CONVENTIONAL = 256;
    private static final int EXTENDED = 4096;
    private static final int EXPRESS = 0x10;

    private ConfigSpace() {}

    /** In bytes: a function of PCI Express has the extended part. */
    static int size(DeviceDescription device) {
        boolean express =
                device.capabilities().stream()
                        .anyMatch(each -> each.isExtended() || each.id() == EXPRESS);
        return express ? EXTENDED : CONVENTIONAL;
    }

    /** As it is after power-on: BARs are zero but for their kind, nothing is switched on. */
    static RegisterFile of(DeviceDescription device) {
        RegisterFile config = RegisterFile.onHeap(size(device));
        describe(config, 0x00, 2, device.vendor());
        describe(config, 0x02, 2, device.device());
        // I/O, memory, master, parity, SERR, INTx disable.
        config.describe(0x04, 2, 0, 0x547, 0);
        describe(config, 0x06, 2, device.capabilities().isEmpty() ? 0 : 0x10);
        describe(config, 0x08, 1, device.revision());
        describe(config, 0x09, 2, device.classCode());
        describe(config, 0x0b, 1, device.classCode() >> 16);
        config.describe(0x0c, 1, 0, 0xff, 0);
        describe(config, 0x2c, 2, device.subsystemVendor());
        describe(config, 0x2e, 2, device.subsystem());
        config.describe(0x3c, 1, 0, 0xff, 0);
        describe(config, 0x3d, 1, device.pin());
        for (BarDescription bar : device.bars()) {
            int at = 0x10 + 4 * bar.index();
            long mask = -bar.size();
            int width = bar.kind().isWide() ? 8 : 4;
            config.describe(at, width, bar.kind().bits(), mask, 0);
        }
        chain(config, device.capabilities());
        return config;
    }

    private static void describe(RegisterFile config, int offset, int width, long value) {
        config.describe(offset, width, value, 0, 0);
    }

    private static void chain(RegisterFile config, List<CapabilityDescription> capabilities) {
        List<CapabilityDescription> ordered =
                capabilities.stream()
                        .sorted(Comparator.comparingInt(CapabilityDescription::offset))
                        .toList();
        int pointer = 0x34;
        int extended = 0;
        for (CapabilityDescription each : ordered) {
            int header = each.isExtended() ? 4 : 2;
            if (each.isExtended()) {
                if (extended != 0) {
                    long before = config.read(extended, 4);
                    describe(config, extended, 4, before | (long) each.offset() << 20);
                }
                describe(config, each.offset(), 4, each.id());
                extended = each.offset();
            } else {
                describe(config, pointer, 1, each.offset());
                describe(config, each.offset(), 1, each.id());
                describe(config, each.offset() + 1, 1, 0);
                pointer = each.offset() + 1;
            }
            for (int i = 0; i < each.body().length; i++) {
                int mask = i < each.writable().length ? each.writable()[i] : 0;
                config.describe(each.offset() + header + i, 1, each.body()[i], mask, 0);
            }
        }
    }
}
