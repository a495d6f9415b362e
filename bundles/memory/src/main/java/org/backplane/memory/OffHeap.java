package org.backplane.memory;

import java.lang.reflect.Field;
import java.util.Objects;
import sun.misc.Unsafe;

/**
 * Every access of this process to memory outside of the Java heap, by host address.
 *
 * <p>The addresses come from {@link MemoryLayout#translate} and {@link MemoryView#translate}, which
 * have checked their whole run: nothing is checked again here, and a wrong address ends the
 * process. The caller holds a pin, or whatever else keeps the mapping, over the access.
 *
 * <p>Why {@code sun.misc.Unsafe}: a processor model loads and stores guest memory for every other
 * instruction, and a direct ByteBuffer measured 10 to 28 per cent slower for a whole guest; foreign
 * memory is not final in Java 17. Why one class: whatever replaces it later replaces it here.
 *
 * <p>Values have the host's byte order, which is little-endian on every host supported. An access
 * of 2, 4 or 8 bytes at an address aligned to its width is a single access, never torn: other
 * processors, the kernel and devices see all of it or nothing. An access that is not aligned is
 * permitted in the plain and copying methods only, and may tear.
 *
 * <p>The ordering stands in the name:
 *
 * <ul>
 *   <li>no suffix: a plain access; the compiler may move, merge or, in a loop, hoist it. For memory
 *       that nobody else touches now, and for a guest's own loads and stores between fences.
 *   <li>{@code Opaque}: happens exactly once where it is written, and says nothing about other
 *       addresses. For a guest's field that must be read once into a local, for polling, and for
 *       device registers mapped from the host.
 *   <li>{@code Acquire} (loads): later accesses stay after it. For the index or flag that says that
 *       other memory is now ours to read: {@code avail.idx} before the ring's entries.
 *   <li>{@code Release} (stores): earlier accesses stay before it. For the index or flag that hands
 *       other memory over: {@code used.idx} after the ring's entries.
 *   <li>{@code Volatile}: acquire or release, and one total order with all other volatile accesses.
 *       A volatile store is also not overtaken by later volatile loads, which is what "publish,
 *       then look whether the other side wants an event" needs.
 * </ul>
 *
 * <p>{@code sun.misc.Unsafe} has fewer modes than this class has names; where one is missing the
 * next stronger is used, which costs nothing on x86-64 and little elsewhere. Thread-safe: there is
 * no state.
 */
@SuppressWarnings("sunapi")
public final class OffHeap {
    private static final Unsafe UNSAFE = unsafe();

    /**
     * Longest run copied or filled at one go, in bytes: the JVM reaches no safepoint inside such a
     * run, and a longer one would make every other thread wait for it.
     */
    private static final long RUN = 1 << 20;

    /** Always 0; not final, so that no compiler counts on it. */
    private static volatile int noArrays;

    /** Written only, so that the array is made. */
    private static volatile byte[][] faultProbe;

    private OffHeap() {}

    private static Unsafe unsafe() {
        try {
            Field field = Unsafe.class.getDeclaredField("theUnsafe");
            field.setAccessible(true);
            return (Unsafe) field.get(null);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    /**
     * Throws the {@link InternalError} of an access that this thread has made to memory that is not
     * there any more, if there was one. Compiled code is told of such a fault late, when it comes
     * into the virtual machine the next time; which is here, because an array of arrays whose sizes
     * are not constant is made by the virtual machine itself.
     */
    public static void raiseFault() {
        faultProbe = new byte[noArrays][noArrays];
    }

    /** Plain load. */
    public static byte getByte(long address) {
        return UNSAFE.getByte(address);
    }

    /** Plain store. */
    public static void putByte(long address, byte value) {
        UNSAFE.putByte(address, value);
    }

    /** Plain load. */
    public static short getShort(long address) {
        return UNSAFE.getShort(address);
    }

    /** Plain store. */
    public static void putShort(long address, short value) {
        UNSAFE.putShort(address, value);
    }

    /** Plain load. */
    public static int getInt(long address) {
        return UNSAFE.getInt(address);
    }

    /** Plain store. */
    public static void putInt(long address, int value) {
        UNSAFE.putInt(address, value);
    }

    /** Plain load. */
    public static long getLong(long address) {
        return UNSAFE.getLong(address);
    }

    /** Plain store. */
    public static void putLong(long address, long value) {
        UNSAFE.putLong(address, value);
    }

    /** Loads exactly once: never repeated, merged or hoisted out of a loop. */
    public static byte getByteOpaque(long address) {
        return UNSAFE.getByteVolatile(null, address);
    }

    /** Loads before everything that follows. */
    public static byte getByteAcquire(long address) {
        return UNSAFE.getByteVolatile(null, address);
    }

    /** Loads in the one order of volatile accesses. */
    public static byte getByteVolatile(long address) {
        return UNSAFE.getByteVolatile(null, address);
    }

    /** Loads exactly once: never repeated, merged or hoisted out of a loop. */
    public static short getShortOpaque(long address) {
        return UNSAFE.getShortVolatile(null, address);
    }

    /** Loads before everything that follows. */
    public static short getShortAcquire(long address) {
        return UNSAFE.getShortVolatile(null, address);
    }

    /** Loads in the one order of volatile accesses. */
    public static short getShortVolatile(long address) {
        return UNSAFE.getShortVolatile(null, address);
    }

    /** Loads exactly once: never repeated, merged or hoisted out of a loop. */
    public static int getIntOpaque(long address) {
        return UNSAFE.getIntVolatile(null, address);
    }

    /** Loads before everything that follows. */
    public static int getIntAcquire(long address) {
        return UNSAFE.getIntVolatile(null, address);
    }

    /** Loads in the one order of volatile accesses. */
    public static int getIntVolatile(long address) {
        return UNSAFE.getIntVolatile(null, address);
    }

    /** Loads exactly once: never repeated, merged or hoisted out of a loop. */
    public static long getLongOpaque(long address) {
        return UNSAFE.getLongVolatile(null, address);
    }

    /** Loads before everything that follows. */
    public static long getLongAcquire(long address) {
        return UNSAFE.getLongVolatile(null, address);
    }

    /** Loads in the one order of volatile accesses. */
    public static long getLongVolatile(long address) {
        return UNSAFE.getLongVolatile(null, address);
    }

    /**
     * Stores exactly once: never merged with another store or left out. Fences on both sides keep
     * it from being merged with a neighbour; there is no ordered store of this width.
     */
    public static void putByteOpaque(long address, byte value) {
        UNSAFE.storeFence();
        UNSAFE.putByte(address, value);
        UNSAFE.storeFence();
    }

    /** Stores after everything that precedes. */
    public static void putByteRelease(long address, byte value) {
        UNSAFE.storeFence();
        UNSAFE.putByte(address, value);
    }

    /** Stores in the one order of volatile accesses: later volatile loads stay after it. */
    public static void putByteVolatile(long address, byte value) {
        UNSAFE.putByteVolatile(null, address, value);
    }

    /**
     * Stores exactly once: never merged with another store or left out. Fences on both sides keep
     * it from being merged with a neighbour; there is no ordered store of this width.
     */
    public static void putShortOpaque(long address, short value) {
        UNSAFE.storeFence();
        UNSAFE.putShort(address, value);
        UNSAFE.storeFence();
    }

    /** Stores after everything that precedes. */
    public static void putShortRelease(long address, short value) {
        UNSAFE.storeFence();
        UNSAFE.putShort(address, value);
    }

    /** Stores in the one order of volatile accesses: later volatile loads stay after it. */
    public static void putShortVolatile(long address, short value) {
        UNSAFE.putShortVolatile(null, address, value);
    }

    /** Stores exactly once: never merged with another store or left out. */
    public static void putIntOpaque(long address, int value) {
        UNSAFE.putOrderedInt(null, address, value);
    }

    /** Stores after everything that precedes. */
    public static void putIntRelease(long address, int value) {
        UNSAFE.putOrderedInt(null, address, value);
    }

    /** Stores in the one order of volatile accesses: later volatile loads stay after it. */
    public static void putIntVolatile(long address, int value) {
        UNSAFE.putIntVolatile(null, address, value);
    }

    /** Stores exactly once: never merged with another store or left out. */
    public static void putLongOpaque(long address, long value) {
        UNSAFE.putOrderedLong(null, address, value);
    }

    /** Stores after everything that precedes. */
    public static void putLongRelease(long address, long value) {
        UNSAFE.putOrderedLong(null, address, value);
    }

    /** Stores in the one order of volatile accesses: later volatile loads stay after it. */
    public static void putLongVolatile(long address, long value) {
        UNSAFE.putLongVolatile(null, address, value);
    }

    /**
     * Stores if the value is as expected; with the ordering of a volatile load and store. For a
     * processor's SC and AMO, and for bits that others set in the same word.
     *
     * @param address aligned to the width
     * @return whether it stored
     */
    public static boolean compareAndSetInt(long address, int expected, int value) {
        return UNSAFE.compareAndSwapInt(null, address, expected, value);
    }

    /** Adds atomically, with volatile ordering; returns what was there before. */
    public static int getAndAddInt(long address, int delta) {
        return UNSAFE.getAndAddInt(null, address, delta);
    }

    /** Exchanges atomically, with volatile ordering; returns what was there before. */
    public static int getAndSetInt(long address, int value) {
        return UNSAFE.getAndSetInt(null, address, value);
    }

    /**
     * Stores if the value is as expected; with the ordering of a volatile load and store. For a
     * processor's SC and AMO, and for bits that others set in the same word.
     *
     * @param address aligned to the width
     * @return whether it stored
     */
    public static boolean compareAndSetLong(long address, long expected, long value) {
        return UNSAFE.compareAndSwapLong(null, address, expected, value);
    }

    /** Adds atomically, with volatile ordering; returns what was there before. */
    public static long getAndAddLong(long address, long delta) {
        return UNSAFE.getAndAddLong(null, address, delta);
    }

    /** Exchanges atomically, with volatile ordering; returns what was there before. */
    public static long getAndSetLong(long address, long value) {
        return UNSAFE.getAndSetLong(null, address, value);
    }

    /**
     * Copies between two places outside of the heap; they may overlap as long as neither is longer
     * than 1 MiB. Bytes may be copied in any order and width.
     *
     * @param length in bytes, not negative
     */
    public static void copy(long from, long to, long length) {
        for (long done = 0; done < length; done += RUN) {
            UNSAFE.copyMemory(from + done, to + done, Math.min(RUN, length - done));
        }
    }

    /** Copies out of the heap: {@code length} bytes of the array from {@code offset}. */
    public static void copy(byte[] from, int offset, long to, int length) {
        Objects.checkFromIndexSize(offset, length, from.length);
        for (long done = 0; done < length; done += RUN) {
            UNSAFE.copyMemory(
                    from,
                    Unsafe.ARRAY_BYTE_BASE_OFFSET + offset + done,
                    null,
                    to + done,
                    Math.min(RUN, length - done));
        }
    }

    /** Copies into the heap: {@code length} bytes to the array at {@code offset}. */
    public static void copy(long from, byte[] to, int offset, int length) {
        Objects.checkFromIndexSize(offset, length, to.length);
        for (long done = 0; done < length; done += RUN) {
            UNSAFE.copyMemory(
                    null,
                    from + done,
                    to,
                    Unsafe.ARRAY_BYTE_BASE_OFFSET + offset + done,
                    Math.min(RUN, length - done));
        }
    }

    /** Sets {@code length} bytes to one value. */
    public static void fill(long address, long length, byte value) {
        for (long done = 0; done < length; done += RUN) {
            UNSAFE.setMemory(address + done, Math.min(RUN, length - done), value);
        }
    }

    /**
     * No access moves across, in either direction: a store before it is visible before a load after
     * it is done. RISC-V {@code fence rw,rw}, and the "suppress or notify" handshake of a
     * virtqueue.
     */
    public static void fullFence() {
        UNSAFE.fullFence();
    }

    /**
     * Loads before it stay before all accesses after it. RISC-V {@code fence r,rw}, and what keeps
     * a spin loop's plain load from being hoisted.
     */
    public static void loadFence() {
        UNSAFE.loadFence();
    }

    /** All accesses before it stay before stores after it. RISC-V {@code fence rw,w}. */
    public static void storeFence() {
        UNSAFE.storeFence();
    }
}
