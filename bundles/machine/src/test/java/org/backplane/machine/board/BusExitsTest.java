package org.backplane.machine.board;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.backplane.bus.Bus;
import org.backplane.hypervisor.ExitHandler.SystemEvent;
import org.junit.jupiter.api.Test;

class BusExitsTest {
    private final BusExits exits = new BusExits(new Bus(), 2, event -> {}, octet -> {});

    @Test
    void everyAccessCountsForTheProcessorThatMadeIt() {
        exits.mmioRead(0, 0x1000, 4);
        exits.mmioWrite(1, 0x1000, 4, 0);
        exits.ioRead(1, 0x10, 1);
        exits.ioWrite(1, 0x10, 1, 0);
        exits.systemEvent(1, SystemEvent.REBOOT);
        assertEquals(1, exits.count(0));
        assertEquals(4, exits.count(1));
    }

    @Test
    void firmwareConsoleIsNoExitOfAProcessorThatIsKnown() {
        exits.debugConsole('x');
        assertEquals(0, exits.count(0) + exits.count(1));
    }
}
