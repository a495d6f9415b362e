package org.backplane.linux;

import java.io.IOException;
import org.backplane.linux.libc.Abi;
import org.backplane.linux.libc.Host;

/**
 * A system call failed. The message says what was attempted, on what and with which values, and the
 * kernel's reason: {@code open '/vm/disk.img' for reading and writing: Permission denied (errno
 * 13)}.
 */
public final class LinuxException extends IOException {
    private static final long serialVersionUID = 1L;

    private final int errno;

    LinuxException(String attempt, int errno) {
        super(attempt + ": " + reason(errno));
        this.errno = errno;
    }

    /** What an error number means, errno(3), also one that another process sent. */
    public static String reason(int errno) {
        return Host.LIBC.strerror(errno) + " (errno " + errno + ")";
    }

    /** The error of the calling thread's last call; to be made before any other call. */
    static LinuxException last(String attempt) {
        return new LinuxException(attempt, Host.errno());
    }

    static LinuxException closed(String attempt) {
        return new LinuxException(attempt + ", which is closed", Abi.EBADF);
    }

    /** The error number, errno(3). */
    public int errno() {
        return errno;
    }

    /** EACCES or EPERM: the caller lacks the right. */
    public boolean isPermission() {
        return errno == Abi.EACCES || errno == Abi.EPERM;
    }

    /** ENOENT: there is no such file. */
    public boolean isAbsent() {
        return errno == Abi.ENOENT;
    }

    /** EOPNOTSUPP or ENODEV: the file system or device cannot do this, as told by fallocate(2). */
    public boolean isUnsupported() {
        return errno == Abi.EOPNOTSUPP || errno == Abi.ENODEV;
    }

    /** EADDRINUSE: somebody else listens there, or a socket's file is in the way. */
    public boolean isInUse() {
        return errno == Abi.EADDRINUSE;
    }

    /** ECONNREFUSED: there is a socket's file, and nobody who listens at it. */
    public boolean isRefused() {
        return errno == Abi.ECONNREFUSED;
    }

    /** EBUSY: somebody else has it. */
    public boolean isBusy() {
        return errno == Abi.EBUSY;
    }

    /** EINVAL: it is no such thing, or not with these values. */
    public boolean isInvalid() {
        return errno == Abi.EINVAL;
    }

    /** EIO: what is behind the descriptor does not work, or is a network interface that is down. */
    public boolean isInputOutput() {
        return errno == Abi.EIO;
    }

    /** EBADFD: what the descriptor was for is gone. */
    public boolean isGone() {
        return errno == Abi.EBADFD;
    }

    /** EMSGSIZE: more than there is room for. */
    public boolean isTooMuch() {
        return errno == Abi.EMSGSIZE;
    }

    /** EMFILE: this process may have no more descriptors open. */
    public boolean isStarved() {
        return errno == Abi.EMFILE;
    }

    /** ENOSPC: the device is full. */
    public boolean isFull() {
        return errno == Abi.ENOSPC;
    }
}
