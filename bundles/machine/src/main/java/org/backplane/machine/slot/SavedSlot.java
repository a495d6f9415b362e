package org.backplane.machine.slot;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.backplane.bus.AddressRange;
import org.backplane.bus.Space;
import org.backplane.device.DeviceException;
import org.backplane.device.state.SavedState;
import org.backplane.machine.SlotState;
import org.backplane.pci.PciFunction;

/**
 * A slot as a snapshot keeps it: schema {@code slot}, version 1. What is the slot's own is here;
 * {@code face} is the state of its PCI or virtio function, {@code device} that of the device. Text
 * is UTF-8.
 *
 * @param offer bundle and version that answered, for information: any that takes the state does
 * @param detail why it failed, empty otherwise
 * @param port slot number of the root port that the PCI function is in, or {@link #NO_PORT}
 * @param pciDevice number on its bus, {@link #NO_DEVICE} if the guest sees no PCI function
 * @param linkUp whether the operator wants a link up, of a slot that has one
 * @param face absent for a platform device, and where there was none
 * @param device absent for a stateless device, and where there was none
 */
record SavedSlot(
        SlotSpec spec,
        String offer,
        Condition condition,
        String detail,
        int port,
        int pciDevice,
        List<Place> places,
        List<Integer> lines,
        boolean linkUp,
        Optional<SavedState> face,
        Optional<SavedState> device) {
    static final String SCHEMA = "slot";
    static final int VERSION = 1;
    static final int NO_DEVICE = -1;
    static final int NO_PORT = 0;

    private static final String PART_VERSION_1 = "slot-part";
    private static final int MOST_PLACES = 64;

    /** What was in the slot. The numbers of the saved form are the constants' {@code number}. */
    enum Condition {
        /** Nothing yet. */
        EMPTY(0),
        /** A device that answered, or that was on its way to its next version. */
        OCCUPIED(1),
        /** A device that failed: the guest goes on seeing its function. */
        FAILED(2);

        private final int number;

        Condition(int number) {
            this.number = number;
        }
    }

    /** Where a region of a device is that is not on PCI. */
    record Place(Space space, AddressRange range) {}

    SavedSlot {
        places = List.copyOf(places);
        lines = List.copyOf(lines);
    }

    /** What a slot at rest is. */
    static SavedSlot of(
            SlotSpec spec,
            String offer,
            SlotState state,
            String detail,
            Optional<Face> face,
            SlotEnvironment environment,
            boolean linkUp,
            Optional<SavedState> device) {
        Condition condition =
                switch (state) {
                    case WAITING, CLOSED -> Condition.EMPTY;
                    case RUNNING, SWAPPING, VACANT -> Condition.OCCUPIED;
                    case FAILED -> face.isPresent() ? Condition.FAILED : Condition.EMPTY;
                };
        return new SavedSlot(
                spec,
                offer,
                condition,
                detail,
                face.flatMap(Face::place).flatMap(PciPlace::port).orElse(NO_PORT),
                face.flatMap(Face::function).map(PciFunction::device).orElse(NO_DEVICE),
                environment.regions().places(),
                environment.lines().sources(),
                linkUp,
                face.flatMap(Face::save),
                device);
    }

    SavedState toSaved() {
        SavedState.Builder settings = SavedState.of(PART_VERSION_1, 1);
        spec.settings().forEach((name, value) -> settings.bytes(name, utf8(value)));
        SavedState.Builder state =
                SavedState.of(SCHEMA, VERSION)
                        .bytes("name", utf8(spec.name()))
                        .bytes("kind", utf8(spec.kind()))
                        .bytes("source", utf8(spec.source()))
                        .child("settings", settings.build())
                        .bytes("offer", utf8(offer))
                        .number("condition", condition.number)
                        .bytes("detail", utf8(detail))
                        .number("pciDevice", pciDevice);
        if (port != NO_PORT) {
            state.number("port", port);
        }
        if (!linkUp) {
            state.number("link", 0);
        }
        for (int i = 0; i < places.size(); i++) {
            Place place = places.get(i);
            state.child(
                    "region" + i,
                    SavedState.of(PART_VERSION_1, 1)
                            .number("io", place.space == Space.IO ? 1 : 0)
                            .number("base", place.range.base())
                            .number("size", place.range.size())
                            .build());
        }
        for (int i = 0; i < lines.size(); i++) {
            state.number("line" + i, lines.get(i));
        }
        face.ifPresent(saved -> state.child("face", saved));
        device.ifPresent(saved -> state.child("device", saved));
        return state.build();
    }

    /**
     * Reads a state of unknown origin; what the board has to say of places and lines comes when
     * they are taken.
     *
     * @throws DeviceException it is none of a slot
     */
    static SavedSlot of(SavedState saved) throws DeviceException {
        saved.require(SCHEMA, VERSION);
        String name = text(saved, "name");
        Map<String, String> settings = new HashMap<>();
        SavedState given = saved.child("settings");
        if (given != null) {
            for (String key : given.byteNames()) {
                settings.put(key, text(given, key));
            }
        }
        long number = saved.number("condition", Condition.EMPTY.number);
        Condition condition = null;
        for (Condition each : Condition.values()) {
            condition = each.number == number ? each : condition;
        }
        require(condition != null, name, "is in condition %d", number);
        long port = saved.number("port", NO_PORT);
        require(port >= NO_PORT && port < 256, name, "is in port %d", port);
        long device = saved.number("pciDevice", NO_DEVICE);
        require(device >= NO_DEVICE && device < 32, name, "is PCI device %d", device);
        List<Place> places = new ArrayList<>();
        SavedState place = saved.child("region0");
        while (place != null && places.size() < MOST_PLACES) {
            places.add(place(place, name));
            place = saved.child("region" + places.size());
        }
        List<Integer> lines = new ArrayList<>();
        long line = saved.number("line0", -1);
        while (line >= 0 && lines.size() < MOST_PLACES) {
            require(line >= 1 && line <= Integer.MAX_VALUE, name, "has the line %d", line);
            lines.add((int) line);
            line = saved.number("line" + lines.size(), -1);
        }
        return new SavedSlot(
                new SlotSpec(name, text(saved, "kind"), settings, text(saved, "source")),
                text(saved, "offer"),
                condition,
                text(saved, "detail"),
                (int) port,
                (int) device,
                places,
                lines,
                saved.flag("link", true),
                Optional.ofNullable(saved.child("face")),
                Optional.ofNullable(saved.child("device")));
    }

    private static Place place(SavedState saved, String name) throws DeviceException {
        long base = saved.number("base", -1);
        long size = saved.number("size", 0);
        require(
                base >= 0 && size > 0 && size <= Long.MAX_VALUE - base,
                name,
                "has a region of 0x%x bytes at 0x%x",
                size,
                base);
        return new Place(
                saved.number("io", 0) != 0 ? Space.IO : Space.MMIO, new AddressRange(base, size));
    }

    private static void require(boolean held, String name, String objection, Object... values)
            throws DeviceException {
        if (!held) {
            throw new DeviceException(
                    "The saved state of slot '%s' is damaged: it %s."
                            .formatted(name, objection.formatted(values)));
        }
    }

    private static String text(SavedState saved, String name) {
        byte[] value = saved.bytes(name);
        return value == null ? "" : new String(value, StandardCharsets.UTF_8);
    }

    private static byte[] utf8(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }
}
