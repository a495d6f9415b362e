package org.backplane.machine.serve;

import org.backplane.bus.Bus;
import org.backplane.machine.board.Board;
import org.backplane.machine.board.Boards;
import org.backplane.machine.board.BusExits;
import org.backplane.machine.board.WindowSizes;
import org.backplane.machine.processor.Processors;
import org.backplane.pci.BarHandler;
import org.backplane.pci.PciFunction;
import org.backplane.pci.PciShape;

/** A function on the board that serves it, with no slot in between: a reset is the function's. */
final class ServedRig implements AutoCloseable {
    final Board board;
    final Processors processors;
    final PciFunction function;
    final ServedFunction served;

    ServedRig(PciShape shape, BarHandler registers) throws Exception {
        var bus = new Bus();
        board =
                Boards.of(
                        "served",
                        0,
                        WindowSizes.OWN,
                        1,
                        bus,
                        new ClientEngine(),
                        new BusExits(bus, 1, event -> {}, octet -> {}));
        processors = new Processors("served", board.vm(), failure -> {});
        processors.start();
        processors.resume();
        function = board.bridge().plug("card0", -1, shape, registers);
        function.place();
        served =
                new ServedFunction(
                        board,
                        function,
                        new ServedSlot() {
                            @Override
                            public void reset() {
                                function.reset();
                            }

                            @Override
                            public void renew() {}
                        });
    }

    @Override
    public void close() throws Exception {
        processors.halt();
        processors.end();
        board.close();
    }
}
