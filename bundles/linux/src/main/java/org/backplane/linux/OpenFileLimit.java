package org.backplane.linux;

import java.io.IOException;
import java.lang.ref.Reference;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.backplane.linux.libc.Abi;
import org.backplane.linux.libc.Host;

/**
 * How many descriptors this process may have open, RLIMIT_NOFILE of getrlimit(2).
 *
 * @param now the limit that counts, as an unsigned number
 * @param most what it can be raised to without a privilege, as an unsigned number
 */
public record OpenFileLimit(long now, long most) {
    private static final Path OPEN = Path.of("/proc/self/fd");

    /** Descriptors that stay free for the rest of the process. */
    private static final long SPARE = 64;

    public static OpenFileLimit ofThisProcess() throws LinuxException {
        ByteBuffer limit = Host.buffer(Abi.RLIMIT_BYTES);
        Fd.check(
                Host.LIBC.getrlimit(Abi.RLIMIT_NOFILE, Host.address(limit)),
                "ask how many files may be open");
        return new OpenFileLimit(limit.getLong(Abi.RLIM_CUR), limit.getLong(Abi.RLIM_MAX));
    }

    /**
     * Makes sure that so many more descriptors can be open than there are, and raises the limit as
     * far as that needs. Nothing is reserved: who comes first takes them.
     *
     * @param more descriptors
     * @param what they are for, the beginning of the sentence
     * @throws IOException there cannot be so many: a sentence with the numbers and the remedy
     */
    public static void require(int more, String what) throws IOException {
        long open;
        try (Stream<Path> files = Files.list(OPEN)) {
            open = files.count();
        }
        ofThisProcess().require(open, more, what);
    }

    void require(long open, int more, String what) throws IOException {
        long wanted = open + more + SPARE;
        if (Long.compareUnsigned(wanted, now) <= 0) {
            return;
        }
        if (Long.compareUnsigned(wanted, most) > 0) {
            throw new IOException(
                    "%s needs %d more open files than the %d there are, besides %d that stay free, and this process may have %s at most; raise the limit with 'ulimit -Hn %d', or LimitNOFILE= of a service."
                            .formatted(
                                    what, more, open, SPARE, Long.toUnsignedString(most), wanted));
        }
        ByteBuffer limit = Host.buffer(Abi.RLIMIT_BYTES);
        limit.putLong(Abi.RLIM_CUR, wanted).putLong(Abi.RLIM_MAX, most);
        try {
            Fd.check(
                    Host.LIBC.setrlimit(Abi.RLIMIT_NOFILE, Host.address(limit)),
                    "let this process have " + wanted + " files open");
        } finally {
            Reference.reachabilityFence(limit);
        }
    }
}
