package org.backplane.itests;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.HexFormat;
import java.util.NoSuchElementException;

/**
 * A PCI function as root in the guest sees it without a driver, by sysfs and /dev/mem.
 *
 * @param address as sysfs writes it: {@code 0000:00:04.0}
 */
record GuestFunction(GuestConsole guest, String address) {
    private static final int MSIX = 0x11;

    /** The function that was found last with an id, after the guest has looked for new ones. */
    static GuestFunction find(GuestConsole guest, int vendor, int device) throws IOException {
        guest.run("echo 1 > /sys/bus/pci/rescan");
        String path =
                guest.run(
                        ("for each in /sys/bus/pci/devices/*; do [ $(cat $each/vendor) = 0x%04x ]"
                                        + " && [ $(cat $each/device) = 0x%04x ]"
                                        + " && echo ${each##*/}; done; true")
                                .formatted(vendor, device));
        if (path.isEmpty()) {
            throw new NoSuchElementException("no %04x:%04x".formatted(vendor, device));
        }
        return new GuestFunction(guest, path.lines().reduce((first, last) -> last).orElseThrow());
    }

    private String file(String name) {
        return "/sys/bus/pci/devices/%s/%s".formatted(address, name);
    }

    /** Memory decoding and bus mastering on. */
    void on() throws IOException {
        config(4, 2, 6);
    }

    ByteBuffer config() throws IOException {
        String bytes = guest.run("hexdump -v -e '1/1 \"%02x\"' " + file("config"));
        return ByteBuffer.wrap(HexFormat.of().parseHex(bytes)).order(ByteOrder.LITTLE_ENDIAN);
    }

    void config(int offset, int width, long value) throws IOException {
        StringBuilder octal = new StringBuilder();
        for (int i = 0; i < width; i++) {
            octal.append("\\%03o".formatted(value >>> 8 * i & 0xff));
        }
        guest.run(
                "printf '%s' | dd of=%s bs=1 seek=%d conv=notrunc 2> /dev/null"
                        .formatted(octal, file("config"), offset));
    }

    /** Where a BAR is. */
    long base(int bar) throws IOException {
        return number(bar, 1);
    }

    long size(int bar) throws IOException {
        return number(bar, 2) - number(bar, 1) + 1;
    }

    private long number(int bar, int field) throws IOException {
        String line =
                guest.run(
                        "sed -n %dp %s | cut -d ' ' -f %d"
                                .formatted(bar + 1, file("resource"), field));
        return Long.decode(line);
    }

    long read(int bar, long offset, int width) throws IOException {
        return Long.decode(
                guest.run("busybox devmem 0x%x %d".formatted(base(bar) + offset, width * 8)));
    }

    void write(int bar, long offset, int width, long value) throws IOException {
        guest.run("busybox devmem 0x%x %d 0x%x".formatted(base(bar) + offset, width * 8, value));
    }

    /** Offset of the MSI-X capability. */
    int msix() throws IOException {
        ByteBuffer config = config();
        for (int at = config.get(0x34) & 0xff; at != 0; at = config.get(at + 1) & 0xff) {
            if (config.get(at) == MSIX) {
                return at;
            }
        }
        throw new NoSuchElementException(address + " has no MSI-X");
    }

    /** One register of a vector: 0 address, 4 upper address, 8 data, 12 control. */
    long vector(int vector, int register) throws IOException {
        int table = config().getInt(msix() + 4);
        return read(table & 7, (table & ~7) + 16L * vector + register, 4);
    }

    void vector(int vector, int register, long value) throws IOException {
        int table = config().getInt(msix() + 4);
        write(table & 7, (table & ~7) + 16L * vector + register, 4, value);
    }
}
