package org.backplane.contract;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.backplane.bus.RegionLease;
import org.backplane.bus.Space;
import org.backplane.pci.PciDevice;
import org.backplane.pci.PciShape;
import org.backplane.pci.PciShape.BarKind;
import org.backplane.virtio.VirtioDevice;

/**
 * Everything that a guest can read and write of a device: its BARs, its device-specific
 * configuration, or its regions.
 */
final class Registers {
    /** Bytes of a space that are looked at from its start; large ones are memory or empty. */
    private static final long FIRST = 1024;

    /** Bytes that are looked at before the end of a space that is larger. */
    private static final long LAST = 64;

    /** Bytes at the start, where most registers are: three writes of four go there. */
    private static final int HEADER = 64;

    private static final int WRITES = 400;
    private static final int[] WIDTHS = {1, 2, 4};
    private static final int[] MEMORY_WIDTHS = {1, 2, 4, 8};

    /** One run of registers. */
    private interface File {
        String name();

        long size();

        int[] widths();

        long read(long offset, int width) throws Exception;

        void write(long offset, int width, long value) throws Exception;
    }

    private final List<File> files = new ArrayList<>();

    private Registers() {}

    static Registers of(Bench bench) {
        Registers registers = new Registers();
        if (bench.device() instanceof PciDevice pci) {
            pci.shape().bars().forEach(bar -> registers.files.add(new BarFile(pci, bar)));
        } else if (bench.device() instanceof VirtioDevice virtio) {
            registers.files.add(new Configuration(virtio, virtio.shape().configLength()));
        } else {
            bench.slot()
                    .regions()
                    .forEach(region -> registers.files.add(new Region(bench, region)));
        }
        return registers;
    }

    /** Writes random values at random places. */
    void scramble(Random random) throws Exception {
        for (File file : files) {
            List<Long> offsets = offsets(file);
            for (int i = 0; i < WRITES && !offsets.isEmpty(); i++) {
                int width = file.widths()[random.nextInt(file.widths().length)];
                int among = random.nextInt(4) == 0 ? offsets.size() : HEADER;
                long offset = offsets.get(random.nextInt(Math.min(among, offsets.size()))) & -width;
                if (offset + width <= file.size()) {
                    file.write(offset, width, value(random, width));
                }
            }
        }
    }

    private static long value(Random random, int width) {
        long value = random.nextBoolean() ? random.nextLong() : random.nextInt(16);
        return width == Long.BYTES ? value : value & (1L << Byte.SIZE * width) - 1;
    }

    /**
     * What a guest read.
     *
     * @param value the low bytes, as many as the width
     */
    record Reading(String file, long offset, int width, long value) {}

    /** Reads every place with every width that is aligned there. */
    List<Reading> readings() throws Exception {
        List<Reading> readings = new ArrayList<>();
        for (File file : files) {
            String name = file.name();
            List<Long> offsets = offsets(file);
            for (int width : file.widths()) {
                for (long offset : offsets) {
                    if (offset % width == 0 && offset + width <= file.size()) {
                        long value = masked(file.read(offset, width), width);
                        readings.add(new Reading(name, offset, width, value));
                    }
                }
            }
        }
        return readings;
    }

    /** The first reading that is another now, for a message; empty if all are the same. */
    static String difference(List<Reading> expected, List<Reading> actual) {
        for (int i = 0; i < Math.min(expected.size(), actual.size()); i++) {
            Reading then = expected.get(i);
            Reading now = actual.get(i);
            if (!then.equals(now)) {
                return "0x%x, and not 0x%x, in %d bytes of %s at 0x%x"
                        .formatted(now.value, then.value, now.width, now.file, now.offset);
            }
        }
        return expected.size() == actual.size() ? "" : "more or fewer registers";
    }

    private static long masked(long value, int width) {
        return width == Long.BYTES ? value : value & (1L << Byte.SIZE * width) - 1;
    }

    private static List<Long> offsets(File file) {
        List<Long> offsets = new ArrayList<>();
        for (long offset = 0; offset < Math.min(FIRST, file.size()); offset++) {
            offsets.add(offset);
        }
        for (long offset = Math.max(FIRST, file.size() - LAST); offset < file.size(); offset++) {
            offsets.add(offset);
        }
        return offsets;
    }

    private record BarFile(PciDevice device, PciShape.Bar bar) implements File {
        @Override
        public String name() {
            return "BAR " + bar.index();
        }

        /** Up to an MSI-X structure, which the slot answers. */
        @Override
        public long size() {
            long size = bar.size();
            if (device.shape().msix().isPresent()) {
                PciShape.Msix msix = device.shape().msix().get();
                size = msix.tableBar() == bar.index() ? Math.min(size, msix.tableOffset()) : size;
                size = msix.pbaBar() == bar.index() ? Math.min(size, msix.pbaOffset()) : size;
            }
            return size;
        }

        @Override
        public int[] widths() {
            return bar.kind() == BarKind.IO ? WIDTHS : MEMORY_WIDTHS;
        }

        @Override
        public long read(long offset, int width) {
            return device.readBar(bar.index(), offset, width);
        }

        @Override
        public void write(long offset, int width, long value) {
            device.writeBar(bar.index(), offset, width, value);
        }
    }

    private record Configuration(VirtioDevice device, long size) implements File {
        @Override
        public String name() {
            return "configuration";
        }

        @Override
        public int[] widths() {
            return WIDTHS;
        }

        @Override
        public long read(long offset, int width) {
            return device.readConfig((int) offset, width);
        }

        @Override
        public void write(long offset, int width, long value) {
            device.writeConfig((int) offset, width, value);
        }
    }

    private record Region(Bench bench, RegionLease lease) implements File {
        @Override
        public String name() {
            return "region of %d bytes".formatted(lease.range().size());
        }

        @Override
        public long size() {
            return lease.range().size();
        }

        @Override
        public int[] widths() {
            return space() == Space.IO ? WIDTHS : MEMORY_WIDTHS;
        }

        @Override
        public long read(long offset, int width) throws Exception {
            return bench.calls()
                    .during(
                            "a read of a register",
                            () ->
                                    bench.slot()
                                            .bus()
                                            .read(space(), lease.range().base() + offset, width));
        }

        @Override
        public void write(long offset, int width, long value) throws Exception {
            bench.calls()
                    .during(
                            "a write of a register",
                            () -> {
                                bench.slot()
                                        .bus()
                                        .write(
                                                space(),
                                                lease.range().base() + offset,
                                                width,
                                                value);
                                return null;
                            });
        }

        private Space space() {
            return lease.window().space();
        }
    }
}
