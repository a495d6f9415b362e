package org.backplane.shell.terminal;

import java.util.List;
import java.util.Map;
import org.jline.utils.InfoCmp;

/**
 * Terminals by family. The name comes from the far end; JLine would start infocmp for a name that
 * it does not know, here it only sees those that it brings a description of.
 */
final class TerminalType {
    static final String DUMB = "dumb";

    private static final List<String> MANY_COLOURS = List.of("256color", "direct", "truecolor");

    /** Beginnings of names, and the family each is in. */
    private static final Map<String, String> FAMILIES =
            Map.ofEntries(
                    Map.entry("xterm", "xterm"),
                    Map.entry("vte", "xterm"),
                    Map.entry("gnome", "xterm"),
                    Map.entry("konsole", "xterm"),
                    Map.entry("putty", "xterm"),
                    Map.entry("alacritty", "xterm-256color"),
                    Map.entry("foot", "xterm-256color"),
                    Map.entry("kitty", "xterm-256color"),
                    Map.entry("wezterm", "xterm-256color"),
                    Map.entry("st-", "xterm"),
                    Map.entry("ghostty", "xterm-256color"),
                    Map.entry("iterm", "xterm"),
                    Map.entry("mlterm", "xterm"),
                    Map.entry("screen", "screen"),
                    Map.entry("tmux", "screen"),
                    Map.entry("rxvt", "rxvt"),
                    Map.entry("linux", "xterm"),
                    Map.entry("ansi", "ansi"),
                    Map.entry("vt100", "ansi"),
                    Map.entry("vt220", "ansi"));

    private TerminalType() {}

    /** The family of a terminal whose {@code TERM} is that: a name that JLine describes. */
    static String family(String type) {
        String family =
                FAMILIES.entrySet().stream()
                        .filter(entry -> type.startsWith(entry.getKey()))
                        .map(Map.Entry::getValue)
                        .findFirst()
                        .orElse(DUMB);
        boolean many = MANY_COLOURS.stream().anyMatch(type::contains);
        return many && (family.equals("xterm") || family.equals("screen"))
                ? family + "-256color"
                : family;
    }

    /** A family whose description is loaded from JLine's own, without a program. */
    static String loaded(String type) {
        String family = family(type);
        InfoCmp.setLoadedInfoCmp(family, InfoCmp.getDefaultInfoCmp(family));
        return family;
    }
}
