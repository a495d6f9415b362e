package org.backplane.linux;

import java.util.concurrent.atomic.AtomicBoolean;
import org.backplane.linux.libc.Abi;
import org.backplane.linux.libc.Host;
import org.backplane.linux.libc.LibC;

/**
 * A run of this process's addresses, mmap(2), given back when closed. Whoever holds an address
 * inside keeps the mapping open: an access after close ends the process, or worse, reaches another
 * mapping.
 */
public final class Mapping implements AutoCloseable {
    private static final LibC LIBC = Host.LIBC;
    private static final int PAGE = LIBC.getpagesize();

    private final long address;
    private final long length;
    private final AtomicBoolean closed = new AtomicBoolean();

    private Mapping(long address, long length) {
        this.address = address;
        this.length = length;
    }

    /** What the mapping permits. */
    public enum Protection {
        /** Addresses only: any access faults. */
        NONE(Abi.PROT_NONE),
        READ(Abi.PROT_READ),
        READ_WRITE(Abi.PROT_READ | Abi.PROT_WRITE);

        private final int bits;

        Protection(int bits) {
            this.bits = bits;
        }
    }

    /** The host's page, in bytes; offsets and lengths of mappings are multiples of it. */
    public static int pageSize() {
        return PAGE;
    }

    /** Zeroed memory of this process alone. */
    public static Mapping anonymous(long length, Protection protection) throws LinuxException {
        int flags = Abi.MAP_PRIVATE | Abi.MAP_ANONYMOUS | Abi.MAP_NORESERVE;
        return new Mapping(
                map(length, protection, flags, -1, 0, length + " bytes of memory"), length);
    }

    /**
     * A file's bytes; stores reach the file and everybody else who maps it. The mapping outlives
     * the descriptor.
     *
     * @param offset in bytes, a multiple of the page
     * @param length in bytes
     */
    public static Mapping shared(Fd file, long offset, long length, Protection protection)
            throws LinuxException {
        return ofFile(file, offset, length, protection, Abi.MAP_SHARED | Abi.MAP_NORESERVE);
    }

    /** A file's bytes; stores stay in this process. Otherwise as {@link #shared}. */
    public static Mapping copyOnWrite(Fd file, long offset, long length, Protection protection)
            throws LinuxException {
        return ofFile(file, offset, length, protection, Abi.MAP_PRIVATE | Abi.MAP_NORESERVE);
    }

    private static Mapping ofFile(
            Fd file, long offset, long length, Protection protection, int flags)
            throws LinuxException {
        int fd = file.enter("mmap");
        try {
            String what = length + " bytes at offset " + offset + " of " + file.name();
            return new Mapping(map(length, protection, flags, fd, offset, what), length);
        } finally {
            file.leave();
        }
    }

    private static long map(
            long length, Protection protection, int flags, int fd, long offset, String what)
            throws LinuxException {
        long address = LIBC.mmap(0, length, protection.bits, flags, fd, offset);
        if (address == Abi.MAP_FAILED) {
            throw LinuxException.last("map " + what);
        }
        return address;
    }

    /** Where it begins. */
    public long address() {
        if (closed.get()) {
            throw new IllegalStateException("the mapping is closed");
        }
        return address;
    }

    /** In bytes. */
    public long length() {
        return length;
    }

    /**
     * Lets the host use huge pages where its settings permit, and keeps the run out of core dumps.
     */
    public void adviseGuestMemory() throws LinuxException {
        Fd.check(
                LIBC.madvise(address(), length, Abi.MADV_DONTDUMP),
                "keep " + length + " bytes out of core dumps");
        if (LIBC.madvise(address, length, Abi.MADV_HUGEPAGE) < 0 && Host.errno() != Abi.EINVAL) {
            throw LinuxException.last("advise huge pages for " + length + " bytes");
        }
    }

    /** Gives the addresses back. Closing again does nothing. */
    @Override
    public void close() {
        if (closed.compareAndSet(false, true) && LIBC.munmap(address, length) < 0) {
            // Only possible if somebody else unmapped or corrupted what is ours.
            throw new IllegalStateException(
                    "unmap %d bytes at %#x: errno %d".formatted(length, address, Host.errno()));
        }
    }
}
