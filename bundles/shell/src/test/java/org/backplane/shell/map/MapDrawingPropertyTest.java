package org.backplane.shell.map;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.Example;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.constraints.IntRange;
import org.backplane.bus.AddressRange;
import org.backplane.bus.Space;
import org.backplane.machine.AddressMap;
import org.backplane.machine.AddressMap.Region;
import org.backplane.machine.AddressMap.Window;
import org.backplane.shell.command.Screen;

class MapDrawingPropertyTest {
    /** A window that begins anywhere, filled from its base with regions and holes by turns. */
    @Provide
    Arbitrary<Window> windows() {
        Arbitrary<Long> sizes = Arbitraries.integers().between(0, 42).map(bits -> 1L << bits);
        Arbitrary<List<Long>> parts = sizes.list().ofMinSize(1).ofMaxSize(150);
        return Combinators.combine(parts, Arbitraries.longs().between(0, 1L << 50))
                .as(MapDrawingPropertyTest::window);
    }

    private static Window window(List<Long> sizes, long base) {
        List<Region> regions = new ArrayList<>();
        List<AddressRange> holes = new ArrayList<>();
        long next = base;
        for (int i = 0; i < sizes.size(); i++) {
            AddressRange range = new AddressRange(next, sizes.get(i));
            if (i % 3 == 2) {
                holes.add(range);
            } else {
                regions.add(new Region("slot" + i / 4 + " bar" + i, range, i % 5 != 0, 0, 0));
            }
            next += sizes.get(i);
        }
        return new Window(
                "window", Space.MMIO, new AddressRange(base, next - base), regions, holes);
    }

    private record Sized(int columns, boolean colours) implements Screen {
        @Override
        public int rows() {
            return 24;
        }

        @Override
        public boolean isTerminal() {
            return true;
        }

        @Override
        public boolean redraws() {
            return false;
        }

        @Override
        public void redraw(String text) {
            throw new AssertionError(text);
        }

        @Override
        public boolean keyWithin(Duration time) {
            throw new AssertionError(time);
        }
    }

    private static String drawn(Window window, int columns, boolean colours) {
        return MapDrawing.of(
                new AddressMap(List.of(), List.of(window)), new Sized(columns, colours));
    }

    /** The bars below the window's title, colours taken away. */
    private static String bars(String drawing) {
        return drawing.lines()
                .map(line -> line.replaceAll("\033\\[[0-9;]*m", ""))
                .dropWhile(line -> !line.startsWith("window "))
                .filter(line -> !line.matches("(window |  |\\().*"))
                .collect(Collectors.joining("\n"));
    }

    @Property(tries = 200)
    void everythingFitsTheWidth(
            @ForAll("windows") Window window,
            @ForAll @IntRange(min = 21, max = 300) int columns,
            @ForAll boolean colours) {
        drawn(window, columns, colours)
                .lines()
                .map(line -> line.replaceAll("\033\\[[0-9;]*m", ""))
                .forEach(line -> assertTrue(line.length() < columns, line));
    }

    @Property(tries = 200)
    void everyRegionIsVisibleInItsOrder(
            @ForAll("windows") Window window, @ForAll @IntRange(min = 21, max = 300) int columns) {
        String drawing = drawn(window, columns, false);
        String explained =
                drawing.lines()
                        .dropWhile(line -> !line.startsWith("window "))
                        .filter(line -> line.startsWith("  ") && !line.startsWith("  . "))
                        .map(line -> line.substring(2))
                        .map(line -> line.split(" ")[1] + " " + line.split(" ")[2])
                        .collect(Collectors.joining(","));
        assertEquals(
                window.regions().stream().map(Region::owner).collect(Collectors.joining(",")),
                explained.replaceAll("0x[^,]*", ""));
    }

    @Property(tries = 200)
    void everyPartHasAColumnAndAllTogetherFillTheRow(
            @ForAll("windows") Window window, @ForAll @IntRange(min = 20, max = 300) int columns) {
        for (List<Part> row : Strip.of(window).rows(columns)) {
            Widths widths = Widths.of(row, columns);
            int sum = 0;
            for (int width : widths.columns()) {
                assertTrue(width >= 1);
                sum += width;
            }
            assertEquals(columns, sum);
        }
    }

    @Property(tries = 200)
    void theLargerOfTwoIsNeverNarrower(
            @ForAll("windows") Window window, @ForAll @IntRange(min = 20, max = 300) int columns) {
        for (List<Part> row : Strip.of(window).rows(columns)) {
            int[] widths = Widths.of(row, columns).columns();
            for (int i = 0; i < widths.length; i++) {
                for (int j = 0; j < widths.length; j++) {
                    if (row.get(i).range().size() > row.get(j).range().size()) {
                        // What is left over goes to single parts.
                        assertTrue(widths[i] >= widths[j] - 1, i + " " + j);
                    }
                }
            }
        }
    }

    @Example
    void namesTheHolesToo() {
        String drawing = drawn(window(List.of(4096L, 4096L, 8192L), 0), 80, false);
        assertTrue(drawing.endsWith("\n  . free 0x2000-0x3fff  8 KiB\n"), drawing);
    }

    @Example
    void linearWhereThatHidesNothing() {
        Window even = window(List.of(4096L, 4096L, 8192L), 0);
        String drawing = drawn(even, 41, false);
        assertTrue(drawing.contains("(to scale, a column is 410 B)"), drawing);
        assertEquals("a---------b=========....................", bars(drawing));
    }

    @Example
    void logarithmicWhereLinearHidesSomething() {
        Window uneven = window(List.of(8L, 1L << 40, 1L << 30), 0);
        String drawing = drawn(uneven, 41, false);
        assertTrue(drawing.contains("(logarithmic"), drawing);
        assertTrue(bars(drawing).matches("a-*b slot0 bar1 =+\\.{10,}"), drawing);
    }

    @Example
    void coloursOnlyWhereTheScreenHasThem() {
        Window window = window(List.of(4096L, 4096L), 0);
        assertTrue(drawn(window, 80, true).contains("\033["));
        assertEquals(
                drawn(window, 80, false),
                drawn(window, 80, true).replaceAll("\033\\[[0-9;]*m", ""));
    }
}
