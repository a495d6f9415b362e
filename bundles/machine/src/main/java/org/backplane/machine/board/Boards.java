package org.backplane.machine.board;

import org.backplane.bus.Bus;
import org.backplane.hypervisor.ExitHandler;
import org.backplane.hypervisor.Hypervisor;
import org.backplane.machine.MachineException;

/** Which board goes with which engine. */
public final class Boards {
    /** The board of riscv64 with kvmtool's old map, on which the kernel moves no BAR. */
    public static final String RISCV_CAM = "riscv-cam";

    private static final String RISCV_64 = "riscv64";

    private Boards() {}

    /**
     * Makes a board by its name.
     *
     * @param board empty for what goes with the engine, or {@link #RISCV_CAM}
     * @param ramSize in bytes
     * @throws MachineException there is none of that name for the engine, sizes do not fit it, or
     *     the host does not give what it needs
     */
    public static Board of(
            String board,
            String name,
            long ramSize,
            WindowSizes windows,
            int cpus,
            Bus bus,
            Hypervisor engine,
            ExitHandler exits)
            throws MachineException {
        if (board.isEmpty()) {
            return of(name, ramSize, windows, cpus, bus, engine, exits);
        }
        if (board.equals(RISCV_CAM) && engine.architecture().equals(RISCV_64)) {
            return new RiscvBoard(name, RiscvMap.cam(ramSize, windows), cpus, bus, engine, exits);
        }
        throw new MachineException(
                "There is no board '%s' for the engine '%s', which executes %s; leave out --board, or choose another engine with --engine."
                        .formatted(board, engine.name(), engine.architecture()));
    }

    /**
     * Makes the board for what the engine executes.
     *
     * @param ramSize in bytes
     * @throws MachineException there is none, sizes do not fit it, or the host does not give what
     *     it needs
     */
    public static Board of(
            String name,
            long ramSize,
            WindowSizes windows,
            int cpus,
            Bus bus,
            Hypervisor engine,
            ExitHandler exits)
            throws MachineException {
        return switch (engine.architecture()) {
            case RISCV_64 -> new RiscvBoard(name, ramSize, windows, cpus, bus, engine, exits);
            case "x86_64" -> X86Board.of(name, ramSize, windows, cpus, bus, engine, exits);
            case ServedBoard.ARCHITECTURE -> new ServedBoard(name, bus, engine, exits);
            default ->
                    throw new MachineException(
                            "The engine '%s' executes %s, and there is no board for that; choose another with --engine."
                                    .formatted(engine.name(), engine.architecture()));
        };
    }
}
