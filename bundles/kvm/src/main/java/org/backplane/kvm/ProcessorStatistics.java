package org.backplane.kvm;

import static org.backplane.kvm.KvmAbi.*;

import java.nio.charset.StandardCharsets;
import org.backplane.hypervisor.HypervisorException;
import org.backplane.linux.Fd;
import org.backplane.linux.LinuxException;

/**
 * What KVM counts of a processor, readable while it runs: whether it waits, here. Kernels before
 * 5.16 do not tell.
 */
final class ProcessorStatistics implements AutoCloseable {
    private static final String BLOCKING = "blocking";

    private final Fd fd;

    /** Where the number is that says whether the processor waits; -1 where there is none. */
    private final long blocking;

    ProcessorStatistics(KvmFd processor) throws HypervisorException {
        fd = processor.open(KVM_GET_STATS_FD, 0, "statistics of " + processor.name());
        try {
            blocking = find();
        } catch (LinuxException | HypervisorException e) {
            fd.close();
            throw new HypervisorException(
                    "The statistics of %s cannot be read: %s"
                            .formatted(processor.name(), e.getMessage()),
                    e);
        }
    }

    private long find() throws LinuxException, HypervisorException {
        try (Struct header = Struct.of(STATS_BYTES)) {
            fd.pread(header.address(), STATS_BYTES, 0);
            int nameBytes = header.u32(STATS_NAME_SIZE);
            int size = STATS_DESC_BYTES + nameBytes;
            try (Struct description = Struct.of(size)) {
                for (int i = 0; i < header.u32(STATS_NUM_DESC); i++) {
                    long at = header.u32(STATS_DESC_OFFSET) + (long) i * size;
                    fd.pread(description.address(), size, at);
                    if (name(description.bytes(STATS_DESC_NAME, nameBytes)).equals(BLOCKING)) {
                        return header.u32(STATS_DATA_OFFSET)
                                + (long) description.u32(STATS_DESC_OFFSET_OF_DATA);
                    }
                }
            }
        }
        return -1;
    }

    private static String name(byte[] bytes) {
        String padded = new String(bytes, StandardCharsets.US_ASCII);
        int end = padded.indexOf('\0');
        return end < 0 ? padded : padded.substring(0, end);
    }

    /** Whether the processor waits inside of KVM now; false where that is not told. */
    boolean blocking() throws HypervisorException {
        if (blocking < 0) {
            return false;
        }
        try (Struct value = Struct.of(Long.BYTES)) {
            fd.pread(value.address(), Long.BYTES, blocking);
            return value.u64(0) != 0;
        } catch (LinuxException e) {
            throw new HypervisorException(e.getMessage(), e);
        }
    }

    @Override
    public void close() {
        fd.close();
    }
}
