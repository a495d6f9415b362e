package org.backplane.machine.board;

import java.util.function.Consumer;
import java.util.function.IntConsumer;
import org.backplane.bus.Bus;
import org.backplane.bus.Space;
import org.backplane.hypervisor.ExitHandler;

/** Carries the processors' accesses to the bus. */
public final class BusExits implements ExitHandler {
    private final Bus bus;
    private final Consumer<SystemEvent> events;
    private final IntConsumer debugConsole;

    /**
     * @param events takes what the guest asks of the machine; must only post it
     * @param debugConsole takes the bytes of the firmware's console; must not wait
     */
    public BusExits(Bus bus, Consumer<SystemEvent> events, IntConsumer debugConsole) {
        this.bus = bus;
        this.events = events;
        this.debugConsole = debugConsole;
    }

    @Override
    public long mmioRead(int vcpu, long address, int width) {
        return bus.read(Space.MMIO, address, width);
    }

    @Override
    public void mmioWrite(int vcpu, long address, int width, long value) {
        bus.write(Space.MMIO, address, width, value);
    }

    @Override
    public long ioRead(int vcpu, int port, int width) {
        return bus.read(Space.IO, port, width);
    }

    @Override
    public void ioWrite(int vcpu, int port, int width, long value) {
        bus.write(Space.IO, port, width, value);
    }

    @Override
    public void systemEvent(int vcpu, SystemEvent event) {
        events.accept(event);
    }

    @Override
    public void debugConsole(int octet) {
        debugConsole.accept(octet);
    }
}
