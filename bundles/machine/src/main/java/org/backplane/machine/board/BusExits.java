package org.backplane.machine.board;

import java.util.concurrent.atomic.AtomicLongArray;
import java.util.function.Consumer;
import java.util.function.IntConsumer;
import org.backplane.bus.Bus;
import org.backplane.bus.Space;
import org.backplane.hypervisor.ExitHandler;

/** Carries the processors' accesses to the bus. */
public final class BusExits implements ExitHandler {
    /** Longs in a cache line and its neighbour, which processors fetch together. */
    private static final int LINE = 16;

    private final Bus bus;
    private final Consumer<SystemEvent> events;
    private final IntConsumer debugConsole;

    /**
     * Exits by processor, a cache line apart. Each is written by the one thread that has the
     * processor; who reads may see an older value.
     */
    private final AtomicLongArray exits;

    /**
     * @param vcpus how many processors there are
     * @param events takes what the guest asks of the machine; must only post it
     * @param debugConsole takes the bytes of the firmware's console; must not wait
     */
    public BusExits(Bus bus, int vcpus, Consumer<SystemEvent> events, IntConsumer debugConsole) {
        this.bus = bus;
        this.events = events;
        this.debugConsole = debugConsole;
        exits = new AtomicLongArray((vcpus + 1) * LINE);
    }

    /** How often the processor came out with an access, or a call for power-off or reboot. */
    public long count(int vcpu) {
        return exits.getOpaque(place(vcpu));
    }

    private void counted(int vcpu) {
        int place = place(vcpu);
        exits.setOpaque(place, exits.getPlain(place) + 1);
    }

    private static int place(int vcpu) {
        return (vcpu + 1) * LINE;
    }

    @Override
    public long mmioRead(int vcpu, long address, int width) {
        counted(vcpu);
        return bus.read(Space.MMIO, address, width);
    }

    @Override
    public void mmioWrite(int vcpu, long address, int width, long value) {
        counted(vcpu);
        bus.write(Space.MMIO, address, width, value);
    }

    @Override
    public long ioRead(int vcpu, int port, int width) {
        counted(vcpu);
        return bus.read(Space.IO, port, width);
    }

    @Override
    public void ioWrite(int vcpu, int port, int width, long value) {
        counted(vcpu);
        bus.write(Space.IO, port, width, value);
    }

    @Override
    public void systemEvent(int vcpu, SystemEvent event) {
        counted(vcpu);
        events.accept(event);
    }

    @Override
    public void debugConsole(int octet) {
        debugConsole.accept(octet);
    }
}
