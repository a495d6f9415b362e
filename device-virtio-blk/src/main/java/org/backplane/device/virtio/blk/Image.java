package org.backplane.device.virtio.blk;

import java.io.IOException;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.List;
import org.backplane.device.DeviceException;
import org.backplane.device.context.DeviceContext;
import org.backplane.linux.Fd;
import org.backplane.linux.FileStatus;
import org.backplane.linux.IoVec;
import org.backplane.linux.LinuxException;
import org.backplane.linux.Mapping;
import org.backplane.linux.OpenFlag;

/**
 * The disk's content: an image file or a block device, through the host's page cache. Offsets and
 * lengths are in bytes and were checked against {@link #size}. Thread-safe.
 *
 * <p>The descriptor belongs to the slot, which keeps it open, and locked, over a swap.
 */
final class Image implements AutoCloseable {
    /** How much of a run is zeroed by one call where the host cannot zero without writing. */
    private static final int ZEROES = 1 << 16;

    private final Fd file;
    private final long size;
    private final int blockSize;

    /** Cleared when the host says that it cannot: it will not learn. */
    private volatile boolean punches = true;

    private volatile boolean zeroes = true;

    /** Made at the first use; under this object's lock. */
    private Mapping zeroPages;

    private Image(Fd file, FileStatus status) {
        this.file = file;
        size = status.size();
        blockSize = status.blockSize();
    }

    /** The slot's image, opened and locked if it is not yet. */
    static Image kept(DeviceContext context, BlkSettings settings) throws DeviceException {
        String where = "Slot '%s': path=%s".formatted(context.slot(), settings.path());
        Fd file = context.kept("image", Fd.class, () -> open(where, settings));
        return new Image(file, status(where, file));
    }

    private static Fd open(String where, BlkSettings settings) throws DeviceException {
        List<OpenFlag> flags = new ArrayList<>(List.of(OpenFlag.READ));
        if (!settings.readOnly()) {
            flags.add(OpenFlag.WRITE);
            if (!Files.isRegularFile(settings.path())) {
                // Of a block device: refused while it is mounted, open(2).
                flags.add(OpenFlag.EXCLUSIVE);
            }
        }
        Fd file;
        try {
            file = Fd.open(settings.path(), flags.toArray(OpenFlag[]::new));
        } catch (LinuxException e) {
            throw unusable(where, e);
        }
        try {
            // Before the slot keeps it: what is no disk now is looked at anew the next time.
            status(where, file);
            if (file.lock(!settings.readOnly())) {
                return file;
            }
            throw new DeviceException(
                    where
                            + " is in use by another virtual machine; stop that one"
                            + (settings.readOnly() ? "." : ", or give both of them ,ro."));
        } catch (LinuxException e) {
            file.close();
            throw unusable(where, e);
        } catch (DeviceException e) {
            file.close();
            throw e;
        }
    }

    private static FileStatus status(String where, Fd file) throws DeviceException {
        FileStatus status;
        try {
            status = file.status();
        } catch (LinuxException e) {
            throw unusable(where, e);
        }
        if (status.kind() == FileStatus.Kind.OTHER) {
            throw new DeviceException(
                    where + " is neither a file nor a block device; give one of these.");
        }
        if (status.size() == 0 || status.size() % BlkWire.SECTOR != 0) {
            throw new DeviceException(
                    "%s has %d bytes; a disk is a positive multiple of %d."
                            .formatted(where, status.size(), BlkWire.SECTOR));
        }
        return status;
    }

    private static DeviceException unusable(String where, LinuxException cause) {
        return new DeviceException(where + " cannot be used: " + cause.getMessage() + ".", cause);
    }

    /** In bytes. */
    long size() {
        return size;
    }

    /** What the host reads and writes best, in bytes. */
    int blockSize() {
        return blockSize;
    }

    /** Fills all of the vector's runs. */
    void read(IoVec into, long offset) throws IOException {
        long at = offset;
        while (into.bytes() > 0) {
            long count = file.preadv(into, at);
            if (count == 0) {
                throw new IOException(
                        "%s ends before %d: it was cut while in use".formatted(file.name(), at));
            }
            into.advance(count);
            at += count;
        }
    }

    /** Writes all of the vector's runs. */
    void write(IoVec from, long offset) throws IOException {
        long at = offset;
        while (from.bytes() > 0) {
            long count = file.pwritev(from, at);
            if (count == 0) {
                throw new IOException("%s takes no byte at %d".formatted(file.name(), at));
            }
            from.advance(count);
            at += count;
        }
    }

    /** Returns once everything written is on the device. */
    void flush() throws IOException {
        file.fdatasync();
    }

    /** Gives blocks back where the host can; what the run reads as afterwards is not said. */
    void discard(long offset, long length) throws IOException {
        tryPunch(offset, length);
    }

    /**
     * Makes a run read as zeroes.
     *
     * @param giveBack whether its blocks may go back to the host
     */
    void zero(long offset, long length, boolean giveBack) throws IOException {
        if (giveBack && tryPunch(offset, length)) {
            return;
        }
        if (zeroes) {
            try {
                file.zeroRange(offset, length);
                return;
            } catch (LinuxException e) {
                if (!e.isUnsupported()) {
                    throw e;
                }
                zeroes = false;
            }
        }
        writeZeroes(offset, length);
    }

    private boolean tryPunch(long offset, long length) throws LinuxException {
        if (!punches) {
            return false;
        }
        try {
            file.punchHole(offset, length);
            return true;
        } catch (LinuxException e) {
            if (!e.isUnsupported()) {
                throw e;
            }
            punches = false;
            return false;
        }
    }

    private synchronized void writeZeroes(long offset, long length) throws IOException {
        if (zeroPages == null) {
            zeroPages = Mapping.anonymous(ZEROES, Mapping.Protection.READ);
        }
        IoVec vector = new IoVec(16);
        long done = 0;
        while (done < length) {
            vector.clear();
            long piece = 0;
            while (done + piece < length && !vector.isFull()) {
                long run = Math.min(ZEROES, length - done - piece);
                vector.add(zeroPages.address(), run);
                piece += run;
            }
            write(vector, offset + done);
            done += piece;
        }
    }

    /** Lets go of what is not the slot's. */
    @Override
    public synchronized void close() {
        if (zeroPages != null) {
            zeroPages.close();
            zeroPages = null;
        }
    }
}
