package org.backplane.machine.snapshot;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;
import org.backplane.device.DeviceException;
import org.backplane.device.state.SavedState;
import org.backplane.memory.MemoryLayout;
import org.backplane.memory.MemoryRange;
import org.backplane.memory.OffHeap;

/**
 * RAM as a snapshot keeps it: a file with the pages that are not all zeroes, one after the other in
 * the order of their guest addresses, and what tells where they belong.
 *
 * <p>Schema {@code memory-image}, version 1: {@code page}, the page's size in bytes; {@code size},
 * of all RAM in bytes; {@code present}, a bit for each page, the lowest bit of the first byte being
 * the first page; {@code digests}, the SHA-256 of what each chunk of {@code chunk} pages has in the
 * file, one after the other. A chunk ends with its range of RAM.
 *
 * @param pages in all of RAM
 * @param present pages that are in the file
 * @param digests 32 bytes a chunk
 */
record MemoryImage(int pages, BitSet present, byte[] digests) {
    static final String SCHEMA = "memory-image";
    static final int VERSION = 1;
    static final int PAGE = 4096;

    /** In pages: a megabyte, small enough to keep two processors busy to the end. */
    static final int CHUNK = 256;

    private static final int DIGEST = 32;
    private static final String PAGE_NAME = "page";
    private static final String CHUNK_NAME = "chunk";
    private static final String SIZE = "size";
    private static final String PRESENT = "present";
    private static final String DIGESTS = "digests";

    /** A run of RAM that is read and checked at once. */
    private record Chunk(int index, int firstPage, int pages, long hostAddress) {}

    /** Of the file, in bytes. */
    long fileSize() {
        return (long) present.cardinality() * PAGE;
    }

    SavedState toSaved() {
        return SavedState.of(SCHEMA, VERSION)
                .number(PAGE_NAME, PAGE)
                .number(CHUNK_NAME, CHUNK)
                .number(SIZE, (long) pages * PAGE)
                .bytes(PRESENT, Arrays.copyOf(present.toByteArray(), (pages + 7) / 8))
                .bytes(DIGESTS, digests)
                .build();
    }

    /**
     * Reads the description of an image.
     *
     * @throws DeviceException it is none of this RAM
     */
    static MemoryImage of(SavedState saved, MemoryLayout layout) throws DeviceException {
        saved.require(SCHEMA, VERSION);
        List<Chunk> chunks = chunks(layout);
        int pages = pages(chunks);
        long size = saved.number(SIZE, 0);
        require(size == (long) pages * PAGE, "is of %d bytes of RAM, not of %d", size, pages);
        require(
                saved.number(PAGE_NAME, 0) == PAGE && saved.number(CHUNK_NAME, 0) == CHUNK,
                "is in pages or chunks of another size");
        byte[] present = saved.bytes(PRESENT);
        byte[] digests = saved.bytes(DIGESTS);
        require(
                present != null && present.length == (pages + 7) / 8,
                "does not tell which of its %d pages are there",
                pages);
        require(
                digests != null && digests.length == chunks.size() * DIGEST,
                "has not one digest for each of its %d chunks",
                chunks.size());
        BitSet bits = BitSet.valueOf(present);
        require(bits.length() <= pages, "has pages behind the end of RAM");
        return new MemoryImage(pages, bits, digests);
    }

    private static void require(boolean held, String objection, Object... values)
            throws DeviceException {
        if (!held) {
            throw new DeviceException("The memory image " + objection.formatted(values) + ".");
        }
    }

    /** Writes RAM's pages to an empty file. Nobody stores to RAM meanwhile. */
    static MemoryImage write(MemoryLayout layout, FileChannel file) throws IOException {
        List<Chunk> chunks = chunks(layout);
        BitSet touched = touched(layout);
        BitSet[] found = new BitSet[chunks.size()];
        Parallel.forEach(chunks, () -> chunk -> found[chunk.index] = notZero(chunk, touched));
        BitSet present = new BitSet();
        for (Chunk chunk : chunks) {
            BitSet here = found[chunk.index];
            for (int page = here.nextSetBit(0); page >= 0; page = here.nextSetBit(page + 1)) {
                present.set(chunk.firstPage + page);
            }
        }
        long[] places = places(chunks, present);
        byte[] digests = new byte[chunks.size() * DIGEST];
        Parallel.forEach(
                chunks,
                () -> {
                    byte[] content = new byte[CHUNK * PAGE];
                    MessageDigest digest = sha256();
                    return chunk -> {
                        int length = gather(chunk, present, content);
                        digest.update(content, 0, length);
                        byte[] value = digest.digest();
                        System.arraycopy(value, 0, digests, chunk.index * DIGEST, DIGEST);
                        writeFully(file, content, length, places[chunk.index]);
                    };
                });
        return new MemoryImage(pages(chunks), present, digests);
    }

    /**
     * Puts the file's pages into RAM, which is all zeroes.
     *
     * @return whether every chunk had its digest; if not, RAM holds anything
     */
    boolean load(MemoryLayout layout, FileChannel file) throws IOException {
        List<Chunk> chunks = chunks(layout);
        long[] places = places(chunks, present);
        var good = new boolean[chunks.size()];
        Parallel.forEach(
                chunks,
                () -> {
                    byte[] content = new byte[CHUNK * PAGE];
                    MessageDigest digest = sha256();
                    return chunk -> {
                        int length =
                                present.get(chunk.firstPage, chunk.firstPage + chunk.pages)
                                                .cardinality()
                                        * PAGE;
                        if (!readFully(file, content, length, places[chunk.index])) {
                            return;
                        }
                        digest.update(content, 0, length);
                        int at = chunk.index * DIGEST;
                        good[chunk.index] =
                                Arrays.equals(digest.digest(), 0, DIGEST, digests, at, at + DIGEST);
                        if (good[chunk.index]) {
                            scatter(chunk, content);
                        }
                    };
                });
        for (boolean each : good) {
            if (!each) {
                return false;
            }
        }
        return true;
    }

    private static List<Chunk> chunks(MemoryLayout layout) {
        List<Chunk> chunks = new ArrayList<>();
        int page = 0;
        for (MemoryRange range : ram(layout)) {
            int end = page + Math.toIntExact(range.length() / PAGE);
            for (long host = range.hostAddress(); page < end; host += (long) CHUNK * PAGE) {
                int pages = Math.min(CHUNK, end - page);
                chunks.add(new Chunk(chunks.size(), page, pages, host));
                page += pages;
            }
        }
        return chunks;
    }

    private static int pages(List<Chunk> chunks) {
        return chunks.stream().mapToInt(Chunk::pages).sum();
    }

    private static List<MemoryRange> ram(MemoryLayout layout) {
        return layout.ranges().stream()
                .filter(range -> range.kind() == MemoryRange.Kind.RAM)
                .toList();
    }

    /**
     * The pages that the host has given memory to. The others are zeroes, and must not be looked
     * at: a load from shared memory takes a page as a store does.
     */
    private static BitSet touched(MemoryLayout layout) throws IOException {
        BitSet touched = new BitSet();
        int page = 0;
        for (MemoryRange range : ram(layout)) {
            long end = range.offset() + range.length();
            long from = range.descriptor().nextData(range.offset());
            while (from >= 0 && from < end) {
                long to = Math.min(end, range.descriptor().nextHole(from));
                touched.set(
                        page + Math.toIntExact((from - range.offset()) / PAGE),
                        page + Math.toIntExact((to - range.offset() + PAGE - 1) / PAGE));
                from = to < end ? range.descriptor().nextData(to) : -1;
            }
            page += Math.toIntExact(range.length() / PAGE);
        }
        return touched;
    }

    private static BitSet notZero(Chunk chunk, BitSet touched) {
        BitSet found = new BitSet();
        int end = chunk.firstPage + chunk.pages;
        for (int page = touched.nextSetBit(chunk.firstPage);
                page >= 0 && page < end;
                page = touched.nextSetBit(page + 1)) {
            int here = page - chunk.firstPage;
            if (!isZero(chunk.hostAddress + (long) here * PAGE)) {
                found.set(here);
            }
        }
        return found;
    }

    private static boolean isZero(long address) {
        for (long at = address; at < address + PAGE; at += 4 * Long.BYTES) {
            if ((OffHeap.getLong(at)
                            | OffHeap.getLong(at + 8)
                            | OffHeap.getLong(at + 16)
                            | OffHeap.getLong(at + 24))
                    != 0) {
                return false;
            }
        }
        return true;
    }

    /** Where each chunk's pages begin in the file. */
    private static long[] places(List<Chunk> chunks, BitSet present) {
        long[] places = new long[chunks.size()];
        long place = 0;
        for (Chunk chunk : chunks) {
            places[chunk.index] = place;
            place +=
                    (long) present.get(chunk.firstPage, chunk.firstPage + chunk.pages).cardinality()
                            * PAGE;
        }
        return places;
    }

    /** What is done with a run of pages that are there, and where it is in the chunk's content. */
    private interface Run {
        void of(long hostAddress, int offset, int length);
    }

    private static int runs(Chunk chunk, BitSet present, Run run) {
        int end = chunk.firstPage + chunk.pages;
        int offset = 0;
        int from = present.nextSetBit(chunk.firstPage);
        while (from >= 0 && from < end) {
            int to = Math.min(end, present.nextClearBit(from));
            int length = (to - from) * PAGE;
            run.of(chunk.hostAddress + (long) (from - chunk.firstPage) * PAGE, offset, length);
            offset += length;
            from = present.nextSetBit(to);
        }
        return offset;
    }

    private static int gather(Chunk chunk, BitSet present, byte[] content) {
        return runs(
                chunk,
                present,
                (address, offset, length) -> OffHeap.copy(address, content, offset, length));
    }

    private void scatter(Chunk chunk, byte[] content) {
        runs(
                chunk,
                present,
                (address, offset, length) -> OffHeap.copy(content, offset, address, length));
    }

    private static void writeFully(FileChannel file, byte[] content, int length, long place)
            throws IOException {
        ByteBuffer bytes = ByteBuffer.wrap(content, 0, length);
        while (bytes.hasRemaining()) {
            file.write(bytes, place + bytes.position());
        }
    }

    private static boolean readFully(FileChannel file, byte[] content, int length, long place)
            throws IOException {
        ByteBuffer bytes = ByteBuffer.wrap(content, 0, length);
        while (bytes.hasRemaining()) {
            if (file.read(bytes, place + bytes.position()) < 0) {
                return false;
            }
        }
        return true;
    }

    static MessageDigest sha256() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        }
    }
}
