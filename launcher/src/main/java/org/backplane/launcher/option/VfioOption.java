package org.backplane.launcher.option;

import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;

/**
 * Reads {@code --vfio ADDRESS|user:PATH[,key=value..]}, the short form of {@code --device
 * vfio,host=..} and {@code --device vfio,socket=..}.
 */
public final class VfioOption {
    static final String KIND = "vfio";
    static final String HOST = "host";
    static final String SOCKET = "socket";

    private static final String USER = "user:";
    private static final String FORMS =
            "give the address of a PCI function of the host, 0000:01:00.0, or user:PATH";

    /** Said by the first word. */
    private static final Set<String> TAKEN = Set.of(HOST, SOCKET);

    private VfioOption() {}

    /** Whether a word has the form of a PCI function's address. */
    public static boolean isAddress(String word) {
        return SettingType.PciAddress.isOne(word);
    }

    /**
     * The settings that are meant; none if the device is not told.
     *
     * @param wrong is given a clause for everything that is wrong
     */
    static Map<String, String> settings(Words words, Consumer<String> wrong) {
        Map<String, String> settings = new LinkedHashMap<>();
        String head = words.head();
        if (head.startsWith(USER)) {
            String text = head.substring(USER.length());
            Optional<Path> path = Optional.empty();
            if (text.isEmpty()) {
                wrong.accept("give the path of a socket after user:");
            } else {
                path = PlanReader.path(text, wrong);
            }
            if (path.isEmpty()) {
                return settings;
            }
            settings.put(SOCKET, path.get().toString());
        } else if (SettingType.PciAddress.isOne(head)) {
            settings.put(HOST, SettingType.PciAddress.whole(head));
        } else {
            wrong.accept(FORMS);
            return settings;
        }
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
        return settings;
    }
}
