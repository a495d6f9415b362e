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

    /** In bytes. */
    public long length() {
        return length;
    }
}
