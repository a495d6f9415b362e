package org.backplane.launcher.option;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A setting of a kind of device, as the manifest describes it: {@code queues=1..16}, {@code
 * path!=file}.
 */
record Setting(String name, boolean required, SettingType type) {
    private static final Pattern WRITTEN =
            Pattern.compile("([^=]*?)(!?)(?:=(.*))?", Pattern.DOTALL);

    /**
     * What is wrong with a device's settings.
     *
     * @param name of the setting
     * @param sentence the rest of a sentence that begins with the option
     */
    record Mistake(String name, String sentence) {}

    static Setting of(String text) {
        Matcher matcher = WRITTEN.matcher(text.strip());
        if (!matcher.matches()) {
            throw new IllegalArgumentException(text);
        }
        return new Setting(
                matcher.group(1).strip(),
                !matcher.group(2).isEmpty(),
                SettingType.of(matcher.group(3) == null ? "" : matcher.group(3).strip()));
    }

    /** The mistakes in the settings of a kind that knows these and no others. */
    static List<Mistake> mistakes(String kind, List<Setting> known, Map<String, String> given) {
        List<Mistake> mistakes = new ArrayList<>();
        given.forEach(
                (name, value) -> {
                    if (known.stream().noneMatch(setting -> setting.name.equals(name))) {
                        mistakes.add(new Mistake(name, unknown(kind, known, name, value)));
                    }
                });
        for (Setting setting : known) {
            String value = given.get(setting.name);
            if (value != null) {
                for (String remedy : setting.type.remedies(value)) {
                    mistakes.add(
                            new Mistake(
                                    setting.name,
                                    "'" + setting.name + "=" + value + "' is wrong: " + remedy));
                }
            } else if (setting.required) {
                mistakes.add(
                        new Mistake(
                                setting.name,
                                kind
                                        + " needs "
                                        + setting.name
                                        + "="
                                        + setting.type.placeholder()));
            }
        }
        return mistakes;
    }

    private static String unknown(String kind, List<Setting> known, String name, String value) {
        return kind
                + " has no setting '"
                + name
                + "' (value '"
                + value
                + "'); there are: "
                + (known.isEmpty()
                        ? "none"
                        : String.join(", ", known.stream().map(Setting::name).toList()));
    }
}
