package org.backplane.launcher.option;

import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import org.backplane.launcher.kernel.Architecture;
import org.backplane.launcher.kernel.Architecture.Window;

/**
 * The board, and how large its windows of PCI are, in bytes; empty where the board has its own.
 *
 * @param board its name; empty for the one of the architecture
 * @param mmio32 for BARs of 32 bits
 * @param mmio64 for BARs of 64 bits
 */
public record WindowPlan(Optional<String> board, OptionalLong mmio32, OptionalLong mmio64) {
    static final WindowPlan OWN =
            new WindowPlan(Optional.empty(), OptionalLong.empty(), OptionalLong.empty());

    static final String BOARD = "--board";

    /** Of riscv64: PCI as kvmtool had it before 2021, with one window and BARs that stay. */
    private static final String RISCV_CAM = "riscv-cam";

    static final String MMIO_32 = "--mmio32";
    static final String MMIO_64 = "--mmio64";
    private static final long MEGABYTE = 1L << 20;

    /** As far as the options are right; what is wrong is added to the problems. */
    static WindowPlan read(WindowOptions options, Architecture architecture, Problems problems) {
        return new WindowPlan(
                board(options, architecture, problems),
                read(MMIO_32, options.mmio32(), architecture, architecture.mmio32(), problems),
                read(MMIO_64, options.mmio64(), architecture, architecture.mmio64(), problems));
    }

    private static Optional<String> board(
            WindowOptions options, Architecture architecture, Problems problems) {
        options.board()
                .ifPresent(
                        board -> {
                            if (!board.equals(RISCV_CAM)) {
                                problems.add(
                                        BOARD, board, "there is no such board but " + RISCV_CAM);
                            } else if (architecture != Architecture.RISCV64) {
                                problems.add(
                                        BOARD,
                                        board,
                                        "it is for riscv64, the kernel for " + architecture.word());
                            } else if (options.mmio32().isPresent()
                                    || options.mmio64().isPresent()) {
                                problems.add(
                                        BOARD,
                                        board,
                                        "its window of PCI has a fixed size; leave out "
                                                + MMIO_32
                                                + " and "
                                                + MMIO_64);
                            }
                        });
        return options.board();
    }

    private static OptionalLong read(
            String option,
            Optional<String> given,
            Architecture architecture,
            Window window,
            Problems problems) {
        if (given.isEmpty()) {
            return OptionalLong.empty();
        }
        OptionalLong size = Size.parse(given.get());
        if (size.isEmpty()) {
            problems.add(
                    option,
                    given.get(),
                    "this is no size; give a number with M, G or T, as in "
                            + Size.format(window.most()));
        } else if (size.getAsLong() < window.least() || size.getAsLong() > window.most()) {
            problems.add(
                    option,
                    given.get(),
                    "the window of a machine for "
                            + architecture.word()
                            + " has from "
                            + Size.format(window.least())
                            + " to "
                            + Size.format(window.most())
                            + "; give a size between");
        } else if (size.getAsLong() % MEGABYTE != 0) {
            problems.add(option, given.get(), "it is not a multiple of 1M; give one, as in 512M");
        }
        return size;
    }

    void addTo(Map<String, Object> map) {
        board.ifPresent(name -> map.put("board", name));
        mmio32.ifPresent(size -> map.put("mmio32", size));
        mmio64.ifPresent(size -> map.put("mmio64", size));
    }
}
