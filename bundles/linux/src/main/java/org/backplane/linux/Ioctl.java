package org.backplane.linux;

import java.lang.ref.Reference;
import java.nio.ByteBuffer;
import org.backplane.linux.libc.Abi;
import org.backplane.linux.libc.Host;

/**
 * Requests to devices, ioctl(2), with integers and raw addresses as arguments. Which requests a
 * descriptor takes, and what their arguments mean, is the caller's knowledge: what an address
 * points to has to be as long as the request says, and is the caller's for the length of the call.
 */
public final class Ioctl {
    private Ioctl() {}

    /**
     * Makes a request. One that a signal interrupts is not made again: there are requests that run
     * until a signal comes. Throws and allocates nothing.
     *
     * @param argument a value, or the address of one
     * @return what the request gives, which is not negative, or the error number, negated; -EBADF
     *     once the descriptor is closed
     */
    public static int call(Fd descriptor, long request, long argument) {
        if (!descriptor.tryEnter()) {
            return -Abi.EBADF;
        }
        try {
            int result = Fd.LIBC.ioctl(descriptor.number(), request, argument);
            return result >= 0 ? result : -Host.errno();
        } finally {
            descriptor.leave();
        }
    }

    /**
     * As {@link #call(Fd, long, long)} with a structure that the request reads or fills.
     *
     * @param structure direct, used from its first byte whatever its position
     */
    public static int call(Fd descriptor, long request, ByteBuffer structure) {
        try {
            return call(descriptor, request, Host.address(structure));
        } finally {
            Reference.reachabilityFence(structure);
        }
    }

    /**
     * Makes a request that gives a new descriptor.
     *
     * @param name of what is opened, as messages have it
     * @throws LinuxException it failed
     */
    public static Fd open(Fd descriptor, long request, long argument, String name)
            throws LinuxException {
        int number = call(descriptor, request, argument);
        if (number < 0) {
            throw new LinuxException("open " + name + " by " + descriptor.name(), -number);
        }
        return new Fd(number, name);
    }

    /**
     * As {@link #open(Fd, long, long, String)} with a structure that the request reads or fills.
     */
    public static Fd open(Fd descriptor, long request, ByteBuffer structure, String name)
            throws LinuxException {
        try {
            return open(descriptor, request, Host.address(structure), name);
        } finally {
            Reference.reachabilityFence(structure);
        }
    }

    /**
     * Makes a request that leaves a new descriptor in its structure.
     *
     * @param offset of the descriptor's number in the structure, in bytes
     * @throws LinuxException it failed
     */
    public static Fd openInto(
            Fd descriptor, long request, ByteBuffer structure, int offset, String name)
            throws LinuxException {
        int result = call(descriptor, request, structure);
        if (result < 0) {
            throw new LinuxException("open " + name + " by " + descriptor.name(), -result);
        }
        return new Fd(structure.getInt(offset), name);
    }

    /** The kernel's words for an error number, such as {@code Permission denied (errno 13)}. */
    public static String reason(int errno) {
        return Host.LIBC.strerror(errno) + " (errno " + errno + ")";
    }
}
