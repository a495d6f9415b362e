package org.backplane.linux;

import java.lang.ref.Reference;
import java.nio.ByteBuffer;
import org.backplane.linux.libc.Abi;
import org.backplane.linux.libc.Host;

/**
 * Memory with a descriptor, memfd_create(2). Its size is sealed: a mapping of it never meets an end
 * that moved, which would be a SIGBUS for this process.
 */
public final class Memfd extends Fd {
    private final long length;

    private Memfd(int number, String name, long length) {
        super(number, "memory '" + name + "'");
        this.length = length;
    }

    /**
     * @param name as {@code /proc/PID/maps} shows it
     * @param length in bytes; pages are taken from the host when first touched
     */
    public static Memfd create(String name, long length) throws LinuxException {
        ByteBuffer string = Host.string(name);
        int number =
                LIBC.memfd_create(Host.address(string), Abi.MFD_CLOEXEC | Abi.MFD_ALLOW_SEALING);
        check(number, "make the memory '" + name + "'");
        Reference.reachabilityFence(string);
        Memfd memory = new Memfd(number, name, length);
        try {
            memory.truncate(length);
            check(
                    LIBC.fcntl(
                            number,
                            Abi.F_ADD_SEALS,
                            Abi.F_SEAL_SHRINK | Abi.F_SEAL_GROW | Abi.F_SEAL_SEAL),
                    "seal the size of the memory '" + name + "'");
        } catch (LinuxException e) {
            memory.close();
            throw e;
        }
        return memory;
    }

    /**
     * Makes sure that memory which another process gave cannot shrink any more: sealed already, or
     * sealed here. Whoever maps memory that can shrink meets SIGBUS once its owner does that.
     *
     * <p>False for huge pages too: one of those can be missing although the size stays, when its
     * owner has punched a hole and the host has none left. False for devices: what they map goes
     * when they like.
     *
     * @return whether a mapping of it stays good, whatever its owner does
     */
    public static boolean keepsSize(Fd descriptor) throws LinuxException {
        int fd = descriptor.enter("fcntl");
        try {
            if (isHugePages(fd, descriptor.name())) {
                return false;
            }
            int seals = LIBC.fcntl(fd, Abi.F_GET_SEALS, 0);
            if (seals >= 0 && (seals & Abi.F_SEAL_SHRINK) != 0) {
                return true;
            }
            // EINVAL where nothing can be sealed, EPERM where that is sealed, or open for reading.
            return seals >= 0 && LIBC.fcntl(fd, Abi.F_ADD_SEALS, Abi.F_SEAL_SHRINK) == 0;
        } finally {
            descriptor.leave();
        }
    }

    private static boolean isHugePages(int fd, String name) throws LinuxException {
        ByteBuffer status = Host.buffer(Abi.STATFS_BYTES);
        check(LIBC.fstatfs(fd, Host.address(status)), "ask for the file system of " + name);
        return (int) status.getLong(0) == Abi.HUGETLBFS_MAGIC;
    }

    /** In bytes. */
    public long length() {
        return length;
    }
}
