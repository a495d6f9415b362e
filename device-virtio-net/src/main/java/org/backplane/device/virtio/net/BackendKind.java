package org.backplane.device.virtio.net;

import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Collectors;

/** What can be at the host's end; {@link Backends} makes it. */
enum BackendKind {
    USER,
    TAP,
    SOCKET,
    NONE;

    String word() {
        return name().toLowerCase(Locale.ROOT);
    }

    static Optional<BackendKind> of(String word) {
        return Arrays.stream(values()).filter(kind -> kind.word().equals(word)).findFirst();
    }

    static String words() {
        return Arrays.stream(values()).map(BackendKind::word).collect(Collectors.joining(", "));
    }
}
