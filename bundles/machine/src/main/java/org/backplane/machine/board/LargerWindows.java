package org.backplane.machine.board;

import java.util.List;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.backplane.bus.AddressAllocator;
import org.backplane.bus.AddressRange;
import org.backplane.bus.Bus;
import org.backplane.bus.ClaimException;
import org.backplane.bus.IoHandler;
import org.backplane.bus.Placement;
import org.backplane.bus.Space;
import org.backplane.machine.MachineException;
import org.backplane.pci.WindowAdvice;

/** Finds the size that a window of a board would have to have, by trying what firmware does. */
final class LargerWindows implements WindowAdvice {
    /** What BARs of bus 0, or those behind one of the ports, would have of a window. */
    @FunctionalInterface
    interface Layout {
        /**
         * @param size of the window, in bytes
         * @throws MachineException the board cannot have that
         */
        AddressRange room(long size, boolean behindPort) throws MachineException;
    }

    /**
     * A window of which an option tells the size.
     *
     * @param window its name
     * @param sizes that may be tried, ascending
     */
    record Adjustable(String window, String option, List<Long> sizes, Layout layout) {
        /** Sizes that are powers of two, both ends included. */
        static Stream<Long> doubling(long least, long most) {
            return LongStream.iterate(least, size -> size > 0 && size <= most, size -> 2 * size)
                    .boxed();
        }
    }

    private static final IoHandler NOBODY =
            new IoHandler() {
                @Override
                public long read(long offset, int width) {
                    return Bus.allOnes(width);
                }

                @Override
                public void write(long offset, int width, long value) {
                    // On a trial's bus there is no guest.
                }
            };

    private final List<Adjustable> windows;

    LargerWindows(Adjustable... windows) {
        this.windows = List.of(windows);
    }

    @Override
    public String remedy(AddressAllocator window, boolean behindPort, List<Long> sizes) {
        for (Adjustable each : windows) {
            if (each.window().equals(window.name())) {
                return remedy(each, window.range().size(), behindPort, sizes);
            }
        }
        return "";
    }

    private static String remedy(
            Adjustable window, long now, boolean behindPort, List<Long> wanted) {
        for (long size : window.sizes()) {
            if (size > now && holds(window.layout(), size, behindPort, wanted)) {
                return "a window of %s would do, start the machine with %s %s"
                        .formatted(WindowSizes.text(size), window.option(), WindowSizes.text(size));
            }
        }
        return "no size that %s can give this board's window would do, leave out devices"
                .formatted(window.option());
    }

    private static boolean holds(Layout layout, long size, boolean behindPort, List<Long> wanted) {
        Bus trial = new Bus();
        try {
            AddressAllocator room =
                    trial.addWindow("trial", Space.MMIO, layout.room(size, behindPort));
            for (long each : wanted) {
                trial.claim(room, "trial", each, Placement.natural(each), NOBODY);
            }
            return true;
        } catch (MachineException | ClaimException no) {
            // An answer and no failure: this size does not do.
            return false;
        }
    }
}
