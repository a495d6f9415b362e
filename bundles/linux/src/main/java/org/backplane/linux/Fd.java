package org.backplane.linux;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.lang.ref.Reference;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.backplane.linux.libc.Abi;
import org.backplane.linux.libc.Host;
import org.backplane.linux.libc.LibC;

/**
 * An open file descriptor, owned by whoever holds this object, and closed once.
 *
 * <p>Thread-safe. The kernel hands a closed number out again, so a call that raced with close would
 * reach somebody else's file: every call here first counts itself in, closing refuses those that
 * come later with EBADF, and the last one out closes the number. {@link #close} therefore never
 * waits.
 *
 * <p>Addresses are raw and not checked: the caller owns the memory for the length of the call.
 * Calls that a signal interrupts are made again.
 */
public class Fd implements AutoCloseable {
    private static final VarHandle USES;

    static {
        try {
            USES = MethodHandles.lookup().findVarHandle(Fd.class, "uses", int.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private static final int CLOSED = 1 << 31;

    static final LibC LIBC = Host.LIBC;

    private final int number;
    private final String name;

    /** Calls under way; with {@link #CLOSED} once closed. */
    @SuppressWarnings("unused")
    private volatile int uses;

    Fd(int number, String name) {
        this.number = number;
        this.name = name;
    }

    /**
     * Opens a file.
     *
     * @throws LinuxException it cannot be opened that way; the message names path and reason
     */
    public static Fd open(Path path, OpenFlag... flags) throws LinuxException {
        List<OpenFlag> wanted = Arrays.asList(flags);
        ByteBuffer string = Host.string(path.toString());
        int number;
        do {
            number = LIBC.open(Host.address(string), OpenFlag.bits(wanted), 0600);
        } while (number < 0 && Host.errno() == Abi.EINTR);
        LinuxException failure = number < 0 ? openFailed(path, wanted) : null;
        Reference.reachabilityFence(string);
        if (failure != null) {
            throw failure;
        }
        return new Fd(number, "'" + path + "'");
    }

    private static LinuxException openFailed(Path path, List<OpenFlag> wanted) {
        String purpose =
                wanted.contains(OpenFlag.WRITE)
                        ? wanted.contains(OpenFlag.READ) ? "reading and writing" : "writing"
                        : "reading";
        return LinuxException.last("open '" + path + "' for " + purpose);
    }

    /**
     * The descriptor's number, for messages and for handing to another process. Not for calls: it
     * may be another file's by the time they are made.
     */
    public final int number() {
        return number;
    }

    /** What it is open on, as messages name it. */
    public final String name() {
        return name;
    }

    public final boolean isOpen() {
        return uses >= 0;
    }

    /**
     * Counts a call in.
     *
     * @return the number, good until {@link #leave}
     */
    final int enter(String call) throws LinuxException {
        if (!tryEnter()) {
            throw LinuxException.closed(call + " on " + name);
        }
        return number;
    }

    final boolean tryEnter() {
        int seen;
        do {
            seen = uses;
            if (seen < 0) {
                return false;
            }
        } while (!USES.compareAndSet(this, seen, seen + 1));
        return true;
    }

    final void leave() {
        if ((int) USES.getAndAdd(this, -1) - 1 == CLOSED) {
            LIBC.close(number);
            released();
        }
    }

    /**
     * Gives the number away, open: this object is closed, and no call is under way.
     *
     * @throws LinuxException a call is under way, EBUSY, or it is closed
     */
    final int detach() throws LinuxException {
        if (!USES.compareAndSet(this, 0, CLOSED)) {
            throw isOpen()
                    ? new LinuxException("take over " + name + ", which is in use", Abi.EBUSY)
                    : LinuxException.closed("take over " + name);
        }
        return number;
    }

    /** The number has just been closed. */
    void released() {}

    /**
     * Reads at the file's position.
     *
     * @param address where to
     * @param length at most, in bytes
     * @return bytes read, 0 at the end, -1 if there is nothing and the descriptor is non-blocking
     */
    public final long read(long address, long length) throws LinuxException {
        int fd = enter("read");
        try {
            long count;
            do {
                count = LIBC.read(fd, address, length);
            } while (count < 0 && Host.errno() == Abi.EINTR);
            return count >= 0 || Host.errno() == Abi.EAGAIN
                    ? count
                    : failed("read of " + length + " bytes from " + name);
        } finally {
            leave();
        }
    }

    /**
     * Writes at the file's position.
     *
     * @return bytes written, -1 if there is no room and the descriptor is non-blocking
     */
    public final long write(long address, long length) throws LinuxException {
        int fd = enter("write");
        try {
            long count;
            do {
                count = LIBC.write(fd, address, length);
            } while (count < 0 && Host.errno() == Abi.EINTR);
            return count >= 0 || Host.errno() == Abi.EAGAIN
                    ? count
                    : failed("write of " + length + " bytes to " + name);
        } finally {
            leave();
        }
    }

    /** As {@link #read}, scattered over the vector's runs in order. */
    public final long readv(IoVec vector) throws LinuxException {
        int fd = enter("readv");
        try {
            long count;
            do {
                count = LIBC.readv(fd, vector.address(), vector.count());
            } while (count < 0 && Host.errno() == Abi.EINTR);
            return count >= 0 || Host.errno() == Abi.EAGAIN
                    ? count
                    : failed("read of " + vector.bytes() + " bytes from " + name);
        } finally {
            Reference.reachabilityFence(vector);
            leave();
        }
    }

    /** As {@link #write}, gathered from the vector's runs in order. */
    public final long writev(IoVec vector) throws LinuxException {
        int fd = enter("writev");
        try {
            long count;
            do {
                count = LIBC.writev(fd, vector.address(), vector.count());
            } while (count < 0 && Host.errno() == Abi.EINTR);
            return count >= 0 || Host.errno() == Abi.EAGAIN
                    ? count
                    : failed("write of " + vector.bytes() + " bytes to " + name);
        } finally {
            Reference.reachabilityFence(vector);
            leave();
        }
    }

    /**
     * Reads at an offset in bytes.
     *
     * @return bytes read; fewer than asked for at the end of the file
     */
    public final long pread(long address, long length, long offset) throws LinuxException {
        int fd = enter("pread");
        try {
            long count;
            do {
                count = LIBC.pread(fd, address, length, offset);
            } while (count < 0 && Host.errno() == Abi.EINTR);
            return count >= 0 ? count : failedAt("read", length, offset);
        } finally {
            leave();
        }
    }

    /**
     * Writes at an offset in bytes.
     *
     * @return bytes written, which may be fewer than asked for
     */
    public final long pwrite(long address, long length, long offset) throws LinuxException {
        int fd = enter("pwrite");
        try {
            long count;
            do {
                count = LIBC.pwrite(fd, address, length, offset);
            } while (count < 0 && Host.errno() == Abi.EINTR);
            return count >= 0 ? count : failedAt("write", length, offset);
        } finally {
            leave();
        }
    }

    /**
     * As {@link #pread(long, long, long)}.
     *
     * @param to direct; its remaining bytes are filled, its position stays
     */
    public final long pread(ByteBuffer to, long offset) throws LinuxException {
        try {
            return pread(Host.address(to) + to.position(), to.remaining(), offset);
        } finally {
            Reference.reachabilityFence(to);
        }
    }

    /**
     * As {@link #pwrite(long, long, long)}.
     *
     * @param from direct; its remaining bytes are written, its position stays
     */
    public final long pwrite(ByteBuffer from, long offset) throws LinuxException {
        try {
            return pwrite(Host.address(from) + from.position(), from.remaining(), offset);
        } finally {
            Reference.reachabilityFence(from);
        }
    }

    /** As {@link #pread(long, long, long)}, scattered over the vector's runs in order. */
    public final long preadv(IoVec vector, long offset) throws LinuxException {
        int fd = enter("preadv");
        try {
            long count;
            do {
                count = LIBC.preadv(fd, vector.address(), vector.count(), offset);
            } while (count < 0 && Host.errno() == Abi.EINTR);
            return count >= 0 ? count : failedAt("read", vector.bytes(), offset);
        } finally {
            Reference.reachabilityFence(vector);
            leave();
        }
    }

    /** As {@link #pwrite(long, long, long)}, gathered from the vector's runs in order. */
    public final long pwritev(IoVec vector, long offset) throws LinuxException {
        int fd = enter("pwritev");
        try {
            long count;
            do {
                count = LIBC.pwritev(fd, vector.address(), vector.count(), offset);
            } while (count < 0 && Host.errno() == Abi.EINTR);
            return count >= 0 ? count : failedAt("write", vector.bytes(), offset);
        } finally {
            Reference.reachabilityFence(vector);
            leave();
        }
    }

    /** Returns once data and attributes are on the device, fsync(2). */
    public final void fsync() throws LinuxException {
        int fd = enter("fsync");
        try {
            check(LIBC.fsync(fd), "fsync of " + name);
        } finally {
            leave();
        }
    }

    /** Returns once the data, and the size, are on the device, fdatasync(2). */
    public final void fdatasync() throws LinuxException {
        int fd = enter("fdatasync");
        try {
            check(LIBC.fdatasync(fd), "fdatasync of " + name);
        } finally {
            leave();
        }
    }

    /** Gives the run's blocks back; it reads as zeroes afterwards, and the size stays. */
    public final void punchHole(long offset, long length) throws LinuxException {
        allocate(
                Abi.FALLOC_FL_PUNCH_HOLE | Abi.FALLOC_FL_KEEP_SIZE, "punch a hole", offset, length);
    }

    /** Makes the run read as zeroes, its blocks kept where the file system can; the size stays. */
    public final void zeroRange(long offset, long length) throws LinuxException {
        allocate(
                Abi.FALLOC_FL_ZERO_RANGE | Abi.FALLOC_FL_KEEP_SIZE, "zero a range", offset, length);
    }

    private void allocate(int mode, String what, long offset, long length) throws LinuxException {
        int fd = enter("fallocate");
        try {
            int result;
            do {
                result = LIBC.fallocate(fd, mode, offset, length);
            } while (result < 0 && Host.errno() == Abi.EINTR);
            if (result < 0) {
                failedAt(what, length, offset);
            }
        } finally {
            leave();
        }
    }

    /** Cuts or extends the file to a size in bytes. */
    public final void truncate(long size) throws LinuxException {
        int fd = enter("ftruncate");
        try {
            check(LIBC.ftruncate(fd, size), "set the size of " + name + " to " + size + " bytes");
        } finally {
            leave();
        }
    }

    /** Kind, size and preferred block of the file. */
    public final FileStatus status() throws LinuxException {
        ByteBuffer status = Host.buffer(Abi.STATX_BYTES);
        ByteBuffer empty = Host.string("");
        int fd = enter("statx");
        try {
            check(
                    LIBC.statx(
                            fd,
                            Host.address(empty),
                            Abi.AT_EMPTY_PATH,
                            Abi.STATX_TYPE | Abi.STATX_SIZE,
                            Host.address(status)),
                    "statx of " + name);
            int blockSize = status.getInt(Abi.STX_BLKSIZE);
            switch (status.getShort(Abi.STX_MODE) & Abi.S_IFMT) {
                case Abi.S_IFREG:
                    long size = status.getLong(Abi.STX_SIZE);
                    return new FileStatus(FileStatus.Kind.REGULAR, size, blockSize);
                case Abi.S_IFBLK:
                    // A device's inode has no size; its end has a position.
                    long end = LIBC.lseek(fd, 0, Abi.SEEK_END);
                    check(end < 0 ? -1 : 0, "find the end of " + name);
                    return new FileStatus(FileStatus.Kind.BLOCK_DEVICE, end, blockSize);
                default:
                    return new FileStatus(FileStatus.Kind.OTHER, 0, blockSize);
            }
        } finally {
            Reference.reachabilityFence(empty);
            leave();
        }
    }

    /** Size in bytes, as {@link #status} has it. */
    public final long size() throws LinuxException {
        return status().size();
    }

    /**
     * Where data is at or behind an offset, lseek(2) with SEEK_DATA: what comes before reads as
     * zeroes and takes no storage, or no memory. A file system that does not tell has data
     * everywhere.
     *
     * @return an offset in bytes, or -1 if only a hole follows
     */
    public final long nextData(long offset) throws LinuxException {
        return seek(offset, Abi.SEEK_DATA, "find data");
    }

    /** Where a hole begins at or behind an offset; the end of the file counts as one. */
    public final long nextHole(long offset) throws LinuxException {
        return seek(offset, Abi.SEEK_HOLE, "find a hole");
    }

    private long seek(long offset, int whence, String what) throws LinuxException {
        int fd = enter("lseek");
        try {
            long found = LIBC.lseek(fd, offset, whence);
            if (found < 0 && Host.errno() != Abi.ENXIO) {
                throw LinuxException.last(what + " from offset " + offset + " in " + name);
            }
            return found;
        } finally {
            leave();
        }
    }

    /**
     * Locks the whole file, for as long as the descriptor is open and against every other open file
     * description, this process's included (F_OFD_SETLK, fcntl(2)). The descriptor must be open for
     * writing to lock exclusively, for reading to share.
     *
     * @return false if another holds a lock that excludes this one; does not wait
     */
    public final boolean lock(boolean exclusive) throws LinuxException {
        ByteBuffer flock = Host.buffer(Abi.FLOCK_BYTES);
        flock.putShort(Abi.L_TYPE, (short) (exclusive ? Abi.F_WRLCK : Abi.F_RDLCK));
        flock.putShort(Abi.L_WHENCE, (short) Abi.SEEK_SET);
        int fd = enter("lock");
        try {
            if (LIBC.fcntl(fd, Abi.F_OFD_SETLK, Host.address(flock)) == 0) {
                return true;
            }
            int errno = Host.errno();
            if (errno == Abi.EAGAIN || errno == Abi.EACCES) {
                return false;
            }
            String kind = exclusive ? "exclusively" : "shared";
            throw new LinuxException("lock " + name + " " + kind, errno);
        } finally {
            Reference.reachabilityFence(flock);
            leave();
        }
    }

    static void check(int result, String attempt) throws LinuxException {
        if (result < 0) {
            throw LinuxException.last(attempt);
        }
    }

    private static long failed(String attempt) throws LinuxException {
        throw LinuxException.last(attempt);
    }

    private long failedAt(String what, long length, long offset) throws LinuxException {
        throw LinuxException.last(
                what + " of " + length + " bytes at offset " + offset + " in " + name);
    }

    /**
     * Closes the descriptor: calls under way finish, later ones fail. Closing again does nothing.
     * An error that the kernel reports here is about data that nobody synchronised, and the number
     * is free all the same; whoever cares calls {@link #fdatasync} first.
     */
    @Override
    public void close() {
        if ((int) USES.getAndBitwiseOr(this, CLOSED) == 0) {
            LIBC.close(number);
            released();
        }
    }

    @Override
    public final String toString() {
        return name + " (descriptor " + number + (isOpen() ? ")" : ", closed)");
    }
}
