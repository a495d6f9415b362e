package org.backplane.machine.board;

import org.backplane.bus.Bus;
import org.backplane.hypervisor.ExitHandler;
import org.backplane.hypervisor.Hypervisor;
import org.backplane.machine.MachineException;

/** Which board goes with which engine. */
public final class Boards {
    private Boards() {}

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
            case "riscv64" -> new RiscvBoard(name, ramSize, windows, cpus, bus, engine, exits);
            case "x86_64" -> X86Board.of(name, ramSize, windows, cpus, bus, engine, exits);
            case ServedBoard.ARCHITECTURE -> new ServedBoard(name, bus, engine, exits);
            default ->
                    throw new MachineException(
                            "The engine '%s' executes %s, and there is no board for that; choose another with --engine."
                                    .formatted(engine.name(), engine.architecture()));
        };
    }
}
