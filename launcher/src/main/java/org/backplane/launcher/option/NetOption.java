package org.backplane.launcher.option;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;

/**
 * Reads {@code --net user|tap=IF|socket=PATH|none[,key=value..]}, the short form of {@code --device
 * virtio-net,backend=..}. What the settings themselves may be is judged by {@link Networks}.
 */
final class NetOption {
    /** May be given more than once in a value. */
    static final Set<String> REPEATABLE = Set.of(Networks.HOST_FORWARD);

    private static final String FORMS = "give user, tap=IF, socket=PATH or none";

    /** The setting that takes what stands after the word of a backend. */
    private static final Map<String, String> PLACES =
            Map.of(Networks.TAP, Networks.INTERFACE, Networks.SOCKET, Networks.PATH);

    private static final Set<String> BARE = Set.of(Networks.USER, Networks.NONE);

    /** Said by the first word. */
    private static final Set<String> TAKEN =
            Set.of(Networks.BACKEND, Networks.INTERFACE, Networks.PATH);

    private NetOption() {}

    /**
     * The settings that are meant; none if the backend is not told.
     *
     * @param wrong is given a clause for everything that is wrong
     */
    static Map<String, String> settings(Words words, Consumer<String> wrong) {
        Map<String, String> settings = new LinkedHashMap<>();
        backend(words.head(), wrong).ifPresent(settings::putAll);
        words.settings()
                .forEach(
                        (key, value) -> {
                            if (TAKEN.contains(key)) {
                                wrong.accept("'" + key + "' is said by the first word; " + FORMS);
                            } else if (key.isEmpty()) {
                                wrong.accept("there is nothing between two commas");
                            } else if (!key.equals("name")) {
                                settings.put(key, value);
                            }
                        });
        // Without one, there is nothing that the others could be held to.
        return settings.containsKey(Networks.BACKEND) ? settings : new LinkedHashMap<>();
    }

    private static Optional<Map<String, String>> backend(String head, Consumer<String> wrong) {
        int equals = head.indexOf('=');
        String backend = equals < 0 ? head : head.substring(0, equals);
        if (BARE.contains(backend)) {
            if (equals >= 0) {
                wrong.accept(backend + " takes no value");
            }
            return Optional.of(Map.of(Networks.BACKEND, backend));
        }
        String place = PLACES.get(backend);
        if (place == null || equals < 0) {
            wrong.accept(FORMS);
            return Optional.empty();
        }
        String value = head.substring(equals + 1);
        return Optional.of(
                Map.of(
                        Networks.BACKEND,
                        backend,
                        place,
                        backend.equals(Networks.SOCKET) ? absolute(value) : value));
    }

    /** What is no path is told of where all settings are judged. */
    private static String absolute(String text) {
        List<String> wrong = new ArrayList<>();
        return PlanReader.path(text, wrong::add).map(Object::toString).orElse(text);
    }
}
