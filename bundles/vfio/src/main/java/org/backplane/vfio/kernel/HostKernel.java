package org.backplane.vfio.kernel;

import java.nio.ByteBuffer;
import java.nio.file.Path;
import org.backplane.linux.Fd;
import org.backplane.linux.Ioctl;
import org.backplane.linux.LinuxException;
import org.backplane.linux.OpenFlag;

/**
 * The calls to the kernel that VFIO consists of. Structures are direct buffers in host byte order,
 * used from their first byte. Thread-safe.
 */
interface HostKernel {
    int EPERM = 1;
    int ENOENT = 2;
    int ENXIO = 6;
    int ENOMEM = 12;
    int EACCES = 13;
    int EFAULT = 14;
    int EBUSY = 16;
    int EEXIST = 17;
    int ENODEV = 19;
    int EINVAL = 22;
    int ENOTTY = 25;
    int ENOSPC = 28;
    int EMSGSIZE = 90;

    /** The kernel said no. */
    final class Refusal extends Exception {
        private static final long serialVersionUID = 1L;

        private final int errno;

        Refusal(int errno) {
            super(Ioctl.reason(errno));
            this.errno = errno;
        }

        int errno() {
            return errno;
        }
    }

    /** Opens a file for reading and writing. */
    Fd open(Path path) throws Refusal;

    /** Makes a request that gives a descriptor. */
    Fd open(Fd by, long request, ByteBuffer structure, String name) throws Refusal;

    /**
     * Makes a request with a number.
     *
     * @return what it gives, or the error number, negated
     */
    int call(Fd fd, long request, long argument);

    /** As {@link #call(Fd, long, long)} with a structure. */
    int call(Fd fd, long request, ByteBuffer structure);

    /** The kernel that this process runs on. */
    final class OfThisHost implements HostKernel {
        @Override
        public Fd open(Path path) throws Refusal {
            try {
                return Fd.open(path, OpenFlag.READ, OpenFlag.WRITE);
            } catch (LinuxException e) {
                throw new Refusal(e.errno());
            }
        }

        @Override
        public Fd open(Fd by, long request, ByteBuffer structure, String name) throws Refusal {
            try {
                return Ioctl.open(by, request, structure, name);
            } catch (LinuxException e) {
                throw new Refusal(e.errno());
            }
        }

        @Override
        public int call(Fd fd, long request, long argument) {
            return Ioctl.call(fd, request, argument);
        }

        @Override
        public int call(Fd fd, long request, ByteBuffer structure) {
            return Ioctl.call(fd, request, structure);
        }
    }
}
