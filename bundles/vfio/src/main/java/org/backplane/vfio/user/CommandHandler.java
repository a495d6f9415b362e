package org.backplane.vfio.user;

import java.io.IOException;
import java.lang.System.Logger.Level;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Optional;
import org.backplane.linux.Fd;
import org.backplane.linux.Memfd;
import org.backplane.vfio.RegionInfo;
import org.backplane.vfio.VfioDevice;

/**
 * Carries a client's commands out on a served device. Everything in a message is any value:
 * lengths, offsets, counts and indexes are checked here, and a device sees only accesses inside of
 * its regions. On the server's thread.
 *
 * <p>Descriptors of a message that are not taken over are its sender's, that is the session's, to
 * close.
 */
final class CommandHandler {
    private static final System.Logger LOG = System.getLogger(CommandHandler.class.getName());

    /** A reply: payload and descriptors, which stay the device's. */
    record Reply(ByteBuffer payload, List<Fd> descriptors) {
        static final Reply EMPTY = new Reply(Message.payload(0), List.of());

        static Reply of(ByteBuffer payload) {
            return new Reply(payload, List.of());
        }
    }

    private final ServedDevice device;
    private final InterruptCommands interrupts;
    private final DmaTable maps = new DmaTable(Capabilities.OURS.mostMaps());

    CommandHandler(ServedDevice device, InterruptCommands interrupts) {
        this.device = device;
        this.interrupts = interrupts;
    }

    /** A command other than the first, VFIO_USER_VERSION. */
    Reply handle(Message message) throws RefusedException, IOException {
        boolean takesDescriptors =
                message.command() == Wire.DMA_MAP || message.command() == Wire.DEVICE_SET_IRQS;
        if (!takesDescriptors && !message.descriptors().isEmpty()) {
            throw new RefusedException(
                    Wire.EINVAL,
                    "command %d came with %d descriptors"
                            .formatted(message.command(), message.descriptors().size()));
        }
        return switch (message.command()) {
            case Wire.DMA_MAP -> map(message);
            case Wire.DMA_UNMAP -> unmap(message);
            case Wire.DEVICE_GET_INFO -> info(message);
            case Wire.DEVICE_GET_REGION_INFO -> regionInfo(message);
            case Wire.DEVICE_GET_IRQ_INFO -> Reply.of(interrupts.info(message));
            case Wire.DEVICE_SET_IRQS -> set(message);
            case Wire.REGION_READ -> read(message);
            case Wire.REGION_WRITE -> write(message);
            case Wire.REGION_WRITE_MULTI -> writeMultiple(message);
            case Wire.DEVICE_RESET -> reset();
            default ->
                    throw new RefusedException(
                            Wire.EOPNOTSUPP,
                            "command %d is not known".formatted(message.command()));
        };
    }

    static void require(boolean condition, int errno, String format, Object... values)
            throws RefusedException {
        if (!condition) {
            throw new RefusedException(errno, format.formatted(values));
        }
    }

    /** A payload of at least some bytes, whose {@code argsz} permits the reply. */
    static ByteBuffer payload(Message message, int least) throws RefusedException {
        require(
                message.payload().limit() >= least,
                Wire.EINVAL,
                "command %d came with %d bytes, and has %d",
                message.command(),
                message.payload().limit(),
                least);
        return message.payload();
    }

    static ByteBuffer payloadWithSize(Message message, int least) throws RefusedException {
        ByteBuffer payload = payload(message, least);
        int size = payload.getInt(Wire.ARGSZ);
        require(
                Integer.compareUnsigned(size, least) >= 0,
                Wire.EINVAL,
                "command %d has %s bytes for its structure of %d",
                message.command(),
                Integer.toUnsignedString(size),
                least);
        return payload;
    }

    private Reply info(Message message) throws RefusedException {
        payloadWithSize(message, Wire.INFO_BYTES);
        ByteBuffer reply = Message.payload(Wire.INFO_BYTES);
        reply.putInt(Wire.ARGSZ, Wire.INFO_BYTES);
        reply.putInt(Wire.INFO_FLAGS, Wire.INFO_PCI | (device.resettable() ? Wire.INFO_RESET : 0));
        reply.putInt(Wire.INFO_REGIONS, Wire.REGIONS);
        reply.putInt(Wire.INFO_IRQS, Wire.IRQS);
        return Reply.of(reply);
    }

    private Reply regionInfo(Message message) throws RefusedException {
        ByteBuffer payload = payloadWithSize(message, Wire.REGION_BYTES);
        RegionInfo region = region(payload.getInt(Wire.REGION_INDEX));
        List<Fd> descriptors =
                region.mappable().isEmpty()
                        ? List.of()
                        : device.mapping(region.index()).stream().toList();
        return new Reply(RegionLayout.write(region, payload.getInt(Wire.ARGSZ)), descriptors);
    }

    private RegionInfo region(int index) throws RefusedException {
        require(
                Integer.compareUnsigned(index, Wire.REGIONS) < 0,
                Wire.EINVAL,
                "there is no region %d",
                index);
        return device.region(index);
    }

    private Reply set(Message message) throws RefusedException, IOException {
        interrupts.set(message);
        return Reply.EMPTY;
    }

    private Reply read(Message message) throws RefusedException, IOException {
        ByteBuffer payload = payload(message, Wire.ACCESS_BYTES);
        RegionInfo region = region(payload.getInt(Wire.ACCESS_REGION));
        long offset = payload.getLong(Wire.ACCESS_OFFSET);
        int count = payload.getInt(Wire.ACCESS_COUNT);
        requireInside(region, offset, count, region.readable());
        ByteBuffer reply = Message.payload(Wire.ACCESS_BYTES + count);
        reply.put(0, payload, 0, Wire.ACCESS_BYTES);
        int done = 0;
        while (done < count) {
            int width = width(region, offset + done, count - done);
            long value = device.read(region.index(), offset + done, width);
            put(reply, Wire.ACCESS_BYTES + done, width, value);
            done += width;
        }
        return Reply.of(reply);
    }

    private Reply write(Message message) throws RefusedException, IOException {
        ByteBuffer payload = payload(message, Wire.ACCESS_BYTES);
        int data = payload.limit() - Wire.ACCESS_BYTES;
        require(
                data == payload.getInt(Wire.ACCESS_COUNT),
                Wire.EINVAL,
                "a write of %s bytes came with %d",
                Integer.toUnsignedString(payload.getInt(Wire.ACCESS_COUNT)),
                data);
        write(payload, 0, payload.slice(Wire.ACCESS_BYTES, data).order(payload.order()));
        ByteBuffer reply = Message.payload(Wire.ACCESS_BYTES);
        reply.put(0, payload, 0, Wire.ACCESS_BYTES);
        return Reply.of(reply);
    }

    /** One write that is described at an offset of the payload. */
    private void write(ByteBuffer payload, int at, ByteBuffer data)
            throws RefusedException, IOException {
        RegionInfo region = region(payload.getInt(at + Wire.ACCESS_REGION));
        long offset = payload.getLong(at + Wire.ACCESS_OFFSET);
        int count = data.limit();
        requireInside(region, offset, count, region.writable());
        int done = 0;
        while (done < count) {
            int width = width(region, offset + done, count - done);
            device.write(region.index(), offset + done, width, get(data, done, width));
            done += width;
        }
    }

    private Reply writeMultiple(Message message) throws RefusedException, IOException {
        ByteBuffer payload = payload(message, Wire.MULTI_WRITES);
        long count = payload.getLong(0);
        int room = payload.limit() - Wire.MULTI_WRITES;
        require(
                count >= 0
                        && count == room / Wire.MULTI_WRITE_BYTES
                        && room % Wire.MULTI_WRITE_BYTES == 0,
                Wire.EINVAL,
                "%s writes came in %d bytes",
                Long.toUnsignedString(count),
                room);
        for (int i = 0; i < count; i++) {
            int at = Wire.MULTI_WRITES + i * Wire.MULTI_WRITE_BYTES;
            int bytes = payload.getInt(at + Wire.ACCESS_COUNT);
            require(
                    bytes > 0 && bytes <= Long.BYTES,
                    Wire.EINVAL,
                    "a write among several has %s bytes",
                    Integer.toUnsignedString(bytes));
            write(payload, at, payload.slice(at + Wire.ACCESS_BYTES, bytes).order(payload.order()));
        }
        ByteBuffer reply = Message.payload(Wire.MULTI_WRITES);
        reply.putLong(0, count);
        return Reply.of(reply);
    }

    private static void requireInside(RegionInfo region, long offset, int count, boolean permitted)
            throws RefusedException {
        require(
                permitted
                        && count > 0
                        && count <= Wire.MOST_DATA
                        && offset >= 0
                        && count <= region.size() - offset,
                Wire.EINVAL,
                "region %d of 0x%x bytes has no %s bytes at 0x%x that could be accessed so",
                region.index(),
                region.size(),
                Integer.toUnsignedString(count),
                offset);
    }

    /** The widest access at an offset that is aligned and no longer than what is left. */
    private static int width(RegionInfo region, long offset, int left) {
        int widest = region.index() == VfioDevice.CONFIG ? Integer.BYTES : Long.BYTES;
        int aligned = offset == 0 ? widest : (int) Math.min(widest, Long.lowestOneBit(offset));
        return Math.min(aligned, Integer.highestOneBit(left));
    }

    private static void put(ByteBuffer to, int at, int width, long value) {
        for (int i = 0; i < width; i++) {
            to.put(at + i, (byte) (value >>> 8 * i));
        }
    }

    private static long get(ByteBuffer from, int at, int width) {
        long value = 0;
        for (int i = 0; i < width; i++) {
            value |= (from.get(at + i) & 0xffL) << 8 * i;
        }
        return value;
    }

    private Reply reset() throws RefusedException, IOException {
        require(device.resettable(), Wire.EOPNOTSUPP, "the device has no reset");
        device.reset();
        return Reply.EMPTY;
    }

    private Reply map(Message message) throws RefusedException, IOException {
        ByteBuffer payload = payloadWithSize(message, Wire.MAP_BYTES);
        int flags = payload.getInt(Wire.MAP_FLAGS);
        long offset = payload.getLong(Wire.MAP_OFFSET);
        long address = payload.getLong(Wire.MAP_ADDRESS);
        long length = payload.getLong(Wire.MAP_SIZE);
        require(
                message.descriptors().size() <= 1
                        && (flags & ~(Wire.MAP_READABLE | Wire.MAP_WRITABLE)) == 0
                        && address >= 0
                        && length > 0
                        && length <= Long.MAX_VALUE - address
                        && offset >= 0,
                Wire.EINVAL,
                "0x%x bytes at 0x%x cannot be mapped from offset 0x%x of %d descriptors, flags 0x%x",
                length,
                address,
                offset,
                message.descriptors().size(),
                flags);
        require(!maps.isFull(), Wire.ENOSPC, "there are %d DMA maps", maps.size());
        require(
                !maps.overlaps(address, length),
                Wire.EEXIST,
                "0x%x bytes at 0x%x overlap what is mapped",
                length,
                address);
        Optional<Fd> descriptor = message.descriptors().stream().findFirst();
        boolean keepsSize = descriptor.isPresent() && keepsSize(descriptor.get(), offset, length);
        ServedMemory memory =
                new ServedMemory(
                        address,
                        length,
                        descriptor,
                        offset,
                        (flags & Wire.MAP_READABLE) != 0,
                        (flags & Wire.MAP_WRITABLE) != 0,
                        keepsSize);
        device.map(memory);
        message.descriptors().clear();
        maps.add(memory);
        return Reply.EMPTY;
    }

    private static boolean keepsSize(Fd descriptor, long offset, long length)
            throws RefusedException, IOException {
        boolean keepsSize = Memfd.keepsSize(descriptor);
        long size = descriptor.size();
        require(
                offset <= size && length <= size - offset,
                Wire.EINVAL,
                "0x%x bytes at offset 0x%x are not inside of %s, which has 0x%x",
                length,
                offset,
                descriptor.name(),
                size);
        return keepsSize;
    }

    private Reply unmap(Message message) throws RefusedException {
        ByteBuffer payload = payload(message, Wire.UNMAP_BYTES);
        int flags = payload.getInt(Wire.UNMAP_FLAGS);
        long address = payload.getLong(Wire.UNMAP_ADDRESS);
        long length = payload.getLong(Wire.UNMAP_SIZE);
        if (flags == Wire.UNMAP_ALL && address == 0 && length == 0) {
            unmapAll();
        } else {
            require(flags == 0, Wire.EINVAL, "memory is unmapped with flags 0x%x", flags);
            Optional<ServedMemory> memory = maps.take(address, length);
            require(
                    memory.isPresent(),
                    Wire.ENOENT,
                    "0x%x bytes at 0x%x are not mapped as such",
                    length,
                    address);
            unmap(List.of(memory.get()));
        }
        ByteBuffer reply = Message.payload(Wire.UNMAP_BYTES);
        reply.put(0, payload, 0, Wire.UNMAP_BYTES);
        return Reply.of(reply);
    }

    private void unmap(List<ServedMemory> memory) {
        try {
            device.unmap(memory);
        } catch (RuntimeException | InternalError e) {
            LOG.log(Level.ERROR, "the device did not let go of " + memory, e);
        } finally {
            // The device's mistake must not keep what the client gave.
            memory.forEach(each -> each.descriptor().ifPresent(Fd::close));
        }
    }

    private void unmapAll() {
        List<ServedMemory> all = maps.takeAll();
        if (!all.isEmpty()) {
            unmap(all);
        }
    }

    /** The client is gone: takes back what it gave; the device's state stays. */
    void release() {
        try {
            device.left();
        } catch (IOException | RuntimeException | InternalError e) {
            LOG.log(Level.ERROR, "the served device does not let its client go", e);
        }
        try {
            interrupts.disableAll();
        } catch (RuntimeException | InternalError e) {
            LOG.log(Level.ERROR, "the served device does not let its interrupts go", e);
        } finally {
            unmapAll();
        }
    }
}
