package org.backplane.pci;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.OptionalInt;

/**
 * The PCI Express capability of an endpoint (PCI Express 5.0, section 7.5.3), for a function whose
 * driver demands one. What it tells of its link is that of the root port it may be plugged into.
 *
 * <p>Where such a capability lies in a shape, made here or a card's own, the function shows what
 * fits its place: on bus 0, which is no link, that of an endpoint that is integrated into the root
 * complex, without link registers; behind a root port that of an endpoint.
 */
public final class ExpressEndpoint {
    /** Bits 7:4 of the flags (section 7.5.3.2). */
    private static final int TYPE_SHIFT = 4;

    private static final int TYPE_MASK = 0xf << TYPE_SHIFT;
    private static final int ENDPOINT = 0;
    private static final int LEGACY_ENDPOINT = 1;
    private static final int INTEGRATED = 9;

    private static final int VERSION = 2;

    /** Common clock, extended sync, read completion boundary and power management. */
    private static final int LINK_CONTROL_WRITABLE = 0xcb;

    private ExpressEndpoint() {}

    /**
     * A capability of version 2: payloads of 128 bytes, no function level reset.
     *
     * @param at offset in configuration space; empty for wherever there is room
     */
    public static PciShape.Capability capability(OptionalInt at) {
        ByteBuffer values = registers();
        ByteBuffer writable = registers();
        values.putShort(ExpressCapability.FLAGS, (short) (VERSION | ENDPOINT << TYPE_SHIFT));
        values.putInt(
                ExpressCapability.DEVICE_CAPABILITIES, ExpressCapability.DEVICE_CAPABILITIES_VALUE);
        values.putShort(
                ExpressCapability.DEVICE_CONTROL, (short) ExpressCapability.DEVICE_CONTROL_INITIAL);
        writable.putShort(
                ExpressCapability.DEVICE_CONTROL,
                (short) ExpressCapability.DEVICE_CONTROL_WRITABLE);
        link(values, writable);
        return new PciShape.Capability(ExpressCapability.ID, body(values), body(writable), at);
    }

    private static void link(ByteBuffer values, ByteBuffer writable) {
        values.putInt(ExpressCapability.LINK_CAPABILITIES, ExpressCapability.LINK_SPEED_AND_WIDTH);
        values.putShort(
                ExpressCapability.LINK_STATUS, (short) ExpressCapability.LINK_SPEED_AND_WIDTH);
        writable.putShort(ExpressCapability.LINK_CONTROL, (short) LINK_CONTROL_WRITABLE);
        if (values.capacity() >= ExpressCapability.LENGTH) {
            values.putInt(ExpressCapability.LINK_CAPABILITIES_2, ExpressCapability.LINK_SPEEDS);
            values.putShort(
                    ExpressCapability.LINK_CONTROL_2, (short) ExpressCapability.LINK_TARGET_SPEED);
            writable.putShort(
                    ExpressCapability.LINK_CONTROL_2,
                    (short) ExpressCapability.LINK_TARGET_SPEED_MASK);
        }
    }

    private static ByteBuffer registers() {
        return ByteBuffer.allocate(ExpressCapability.LENGTH).order(ByteOrder.LITTLE_ENDIAN);
    }

    private static byte[] body(ByteBuffer registers) {
        byte[] body = new byte[registers.capacity() - Type0Header.CAPABILITY_BODY];
        registers.get(Type0Header.CAPABILITY_BODY, body);
        return body;
    }

    private static ByteBuffer registers(byte[] body) {
        return ByteBuffer.allocate(Type0Header.CAPABILITY_BODY + body.length)
                .order(ByteOrder.LITTLE_ENDIAN)
                .put(Type0Header.CAPABILITY_BODY, body);
    }

    /**
     * A capability as the function shows it at its place.
     *
     * @param integrated whether that is on bus 0
     */
    static PciShape.Capability placed(PciShape.Capability own, boolean integrated) {
        byte[] body = own.body();
        boolean whole =
                body.length + Type0Header.CAPABILITY_BODY >= ExpressCapability.SLOT_CAPABILITIES;
        if (own.id() != ExpressCapability.ID || !whole) {
            return own;
        }
        ByteBuffer values = registers(body);
        ByteBuffer writable = registers(own.writable());
        int flags = values.getShort(ExpressCapability.FLAGS);
        int type = (flags & TYPE_MASK) >>> TYPE_SHIFT;
        if (integrated && (type == ENDPOINT || type == LEGACY_ENDPOINT)) {
            noLink(values, writable);
            type = INTEGRATED;
        } else if (!integrated && type == INTEGRATED) {
            link(values, writable);
            type = ENDPOINT;
        } else {
            return own;
        }
        values.putShort(ExpressCapability.FLAGS, (short) (flags & ~TYPE_MASK | type << TYPE_SHIFT));
        return new PciShape.Capability(own.id(), body(values), body(writable), own.at());
    }

    private static void noLink(ByteBuffer... registers) {
        for (ByteBuffer each : registers) {
            each.putLong(ExpressCapability.LINK_CAPABILITIES, 0);
            if (each.capacity() >= ExpressCapability.LENGTH) {
                each.putInt(ExpressCapability.LINK_CAPABILITIES_2, 0);
                each.putInt(ExpressCapability.LINK_CONTROL_2, 0);
            }
        }
    }
}
