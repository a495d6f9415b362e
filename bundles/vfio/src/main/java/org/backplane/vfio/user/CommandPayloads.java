package org.backplane.vfio.user;

import java.nio.ByteBuffer;
import org.backplane.memory.MemoryRange;

/** What a client's commands consist of behind their headers. */
final class CommandPayloads {
    private CommandPayloads() {}

    static ByteBuffer read(int region, long offset, int width) {
        return access(region, offset, width, 0);
    }

    static ByteBuffer write(int region, long offset, int width, long value) {
        ByteBuffer payload = access(region, offset, width, width);
        for (int i = 0; i < width; i++) {
            payload.put(Wire.ACCESS_BYTES + i, (byte) (value >>> 8 * i));
        }
        return payload;
    }

    private static ByteBuffer access(int region, long offset, int width, int data) {
        if (width != 1 && width != 2 && width != 4 && width != 8) {
            throw new IllegalArgumentException("an access of " + width + " bytes");
        }
        ByteBuffer payload = Message.payload(Wire.ACCESS_BYTES + data);
        payload.putLong(Wire.ACCESS_OFFSET, offset);
        payload.putInt(Wire.ACCESS_REGION, region);
        payload.putInt(Wire.ACCESS_COUNT, width);
        return payload;
    }

    /** What a reply to a read of a width has read, which is that long. */
    static long data(ByteBuffer reply, int width) {
        return switch (width) {
            case 1 -> reply.get(Wire.ACCESS_BYTES) & 0xffL;
            case 2 -> reply.getShort(Wire.ACCESS_BYTES) & 0xffffL;
            case 4 -> reply.getInt(Wire.ACCESS_BYTES) & 0xffff_ffffL;
            default -> reply.getLong(Wire.ACCESS_BYTES);
        };
    }

    static ByteBuffer setIrqs(int irq, int flags, int start, int count) {
        ByteBuffer payload = Message.payload(Wire.SET_BYTES);
        payload.putInt(Wire.ARGSZ, Wire.SET_BYTES);
        payload.putInt(Wire.SET_FLAGS, flags);
        payload.putInt(Wire.SET_INDEX, irq);
        payload.putInt(Wire.SET_START, start);
        payload.putInt(Wire.SET_COUNT, count);
        return payload;
    }

    static ByteBuffer map(MemoryRange range) {
        ByteBuffer payload = Message.payload(Wire.MAP_BYTES);
        payload.putInt(Wire.ARGSZ, Wire.MAP_BYTES);
        payload.putInt(
                Wire.MAP_FLAGS, Wire.MAP_READABLE | (range.writable() ? Wire.MAP_WRITABLE : 0));
        payload.putLong(Wire.MAP_OFFSET, range.offset());
        payload.putLong(Wire.MAP_ADDRESS, range.guestAddress());
        payload.putLong(Wire.MAP_SIZE, range.length());
        return payload;
    }

    static ByteBuffer unmap(MemoryRange range) {
        ByteBuffer payload = Message.payload(Wire.UNMAP_BYTES);
        payload.putInt(Wire.ARGSZ, Wire.UNMAP_BYTES);
        payload.putLong(Wire.UNMAP_ADDRESS, range.guestAddress());
        payload.putLong(Wire.UNMAP_SIZE, range.length());
        return payload;
    }
}
