package org.backplane.shell.map;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.backplane.machine.AddressMap;
import org.backplane.shell.command.Screen;
import org.backplane.shell.format.Quantity;

/**
 * The address map as a picture: a bar for all addresses and one for each window. Regions have a
 * letter that the list below the bar explains; no line is wider than the screen.
 */
public final class MapDrawing {
    private static final String KEYS =
            "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
    private static final String HOLE = ".";
    private static final int NARROWEST = 20;

    /** Colours of the background: what is written on them is black. */
    private static final int[] COLOURS = {42, 44, 43, 45, 46, 41, 102, 104, 103, 105, 106, 101};

    private static final String DIM = "\033[2m";
    private static final String BOLD = "\033[1m";
    private static final String PLAIN = "\033[0m";

    private final int columns;
    private final boolean colours;
    private final Map<String, Integer> colourOfSlot = new HashMap<>();
    private final List<String> lines = new ArrayList<>();

    private MapDrawing(Screen screen) {
        columns = Math.max(NARROWEST, screen.columns() - 1);
        colours = screen.colours();
    }

    /** Draws a map for a screen. */
    public static String of(AddressMap map, Screen screen) {
        MapDrawing drawing = new MapDrawing(screen);
        drawing.draw(Strip.overview(map));
        map.windows().forEach(window -> drawing.draw(Strip.of(window)));
        return String.join("\n", drawing.lines);
    }

    private void draw(Strip strip) {
        int key = 0;
        for (List<Part> row : strip.rows(columns)) {
            Widths widths = Widths.of(row, columns);
            title(strip.title(), scale(widths));
            StringBuilder bar = new StringBuilder();
            List<String> legend = new ArrayList<>();
            for (int i = 0; i < row.size(); i++) {
                Part part = row.get(i);
                if (part.isHole()) {
                    bar.append(styled(DIM, HOLE.repeat(widths.columns()[i])));
                    legend.add(styled(DIM, explained(part, HOLE)));
                } else {
                    char letter = KEYS.charAt(key++ % KEYS.length());
                    bar.append(styled(colour(part), filled(part, letter, widths.columns()[i])));
                    legend.add(explained(part, String.valueOf(letter)));
                }
            }
            lines.add(bar.toString());
            lines.addAll(legend);
        }
        lines.add("");
    }

    /** On one line if that has room. */
    private void title(String title, String scale) {
        String both = title + "  " + scale;
        if (both.length() <= columns) {
            lines.add(styled(BOLD, title) + "  " + scale);
        } else {
            lines.add(styled(BOLD, cut(title)));
            lines.add(cut(scale));
        }
    }

    private static String scale(Widths widths) {
        return widths.linear()
                ? "(to scale, a column is %s)".formatted(Quantity.bytes(widths.bytesPerColumn()))
                : "(logarithmic: each doubling of a size adds as much width)";
    }

    /** The letter, and the owner behind it where there is room. */
    private static String filled(Part part, char letter, int width) {
        String fill = part.on() ? "=" : "-";
        String named = letter + " " + part.owner() + " ";
        return named.length() <= width
                ? named + fill.repeat(width - named.length())
                : letter + fill.repeat(width - 1);
    }

    private String explained(Part part, String mark) {
        String text =
                "%s %s %s  %s%s"
                        .formatted(
                                mark,
                                part.isHole() ? "free" : part.owner(),
                                part.range(),
                                Quantity.bytes(part.range().size()),
                                part.on() || part.isHole() ? "" : "  off");
        return "  " + cut(text, columns - 2);
    }

    /** The same for all regions of a slot. */
    private String colour(Part part) {
        int index = colourOfSlot.computeIfAbsent(part.slot(), slot -> colourOfSlot.size());
        return part.on()
                ? "\033[30;%dm".formatted(COLOURS[index % COLOURS.length])
                : "\033[2;%dm".formatted(COLOURS[index % COLOURS.length] - 10);
    }

    private String styled(String style, String text) {
        return colours ? style + text + PLAIN : text;
    }

    private String cut(String text) {
        return cut(text, columns);
    }

    private static String cut(String text, int width) {
        return text.length() <= width ? text : text.substring(0, width);
    }
}
