package org.backplane.kvm;

import static org.backplane.kvm.KvmAbi.*;

import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.util.BitSet;
import java.util.Map;
import java.util.TreeMap;
import org.backplane.hypervisor.EventRoutes;
import org.backplane.hypervisor.HypervisorException;
import org.backplane.hypervisor.Vm;
import org.backplane.linux.EventFd;

/**
 * KVM's table of interrupt routes, and the eventfds that signal them. The table is replaced as a
 * whole by each change, so the inputs of the interrupt controllers are always written with the
 * messages. Thread-safe.
 */
final class InterruptRoutes implements EventRoutes {
    /** Global system interrupts 0 to 15 reach the 8259As too. */
    private static final int PIC_LINES = 16;

    /** The timer, interrupt 0, drives this input of the I/O APIC; nothing else does. */
    private static final int TIMER_INPUT = 2;

    private static final long MESSAGE_BASE = 0xfee0_0000L;
    private static final long MESSAGE_MASK = -1L << 20;

    private static final Logger LOG = System.getLogger(InterruptRoutes.class.getName());

    private record Message(long address, int data) {
        /** As equals, which the JVM links at its first call, inside of a guest's access. */
        boolean is(long otherAddress, int otherData) {
            return address == otherAddress && data == otherData;
        }
    }

    /** What a VM is asked for, as {@link KvmFd#call} does it. */
    @FunctionalInterface
    interface Requests {
        void call(long request, Struct argument, String arguments) throws HypervisorException;
    }

    private final Requests vm;
    private final int most;
    private final BitSet taken = new BitSet();

    /** By interrupt: what KVM's table has, less what was closed since. */
    private Map<Integer, Message> messages = new TreeMap<>();

    /**
     * @param most entries of the table
     */
    InterruptRoutes(Requests vm, int most) throws HypervisorException {
        this.vm = vm;
        this.most = most;
        taken.set(0, KVM_IOAPIC_NUM_PINS);
        write(messages);
    }

    /** KVM keeps the table that it has if it does not take this one. */
    private void write(Map<Integer, Message> next) throws HypervisorException {
        int room = PIC_LINES + KVM_IOAPIC_NUM_PINS + next.size();
        try (Struct table = Struct.of(ROUTING_ENTRIES + room * ROUTE_BYTES)) {
            int count = 0;
            for (int line = 0; line < KVM_IOAPIC_NUM_PINS; line++) {
                // The second 8259A hangs on input 2 of the first.
                if (line < PIC_LINES && line != 2) {
                    int chip = line < 8 ? KVM_IRQCHIP_PIC_MASTER : KVM_IRQCHIP_PIC_SLAVE;
                    input(table, count++, line, chip, line & 7);
                }
                if (line != TIMER_INPUT) {
                    int pin = line == 0 ? TIMER_INPUT : line;
                    input(table, count++, line, KVM_IRQCHIP_IOAPIC, pin);
                }
            }
            for (Map.Entry<Integer, Message> each : next.entrySet()) {
                int at = ROUTING_ENTRIES + count++ * ROUTE_BYTES;
                Message message = each.getValue();
                table.u32(at + ROUTE_GSI, each.getKey())
                        .u32(at + ROUTE_TYPE, KVM_IRQ_ROUTING_MSI)
                        .u32(at + ROUTE_MSI_ADDRESS_LOW, (int) message.address)
                        .u32(at + ROUTE_MSI_ADDRESS_HIGH, (int) (message.address >>> 32))
                        .u32(at + ROUTE_MSI_DATA, message.data);
            }
            table.u32(ROUTING_COUNT, count);
            vm.call(KVM_SET_GSI_ROUTING, table, count + " routes");
        }
    }

    /**
     * Whether a store there is a message (Intel SDM, volume 3, section 11.11.1). KVM looks at the
     * bits that name the destination only.
     */
    static boolean reachesLocalApics(long address) {
        return (address & MESSAGE_MASK) == MESSAGE_BASE;
    }

    private static void input(Struct table, int entry, int line, int chip, int pin) {
        int at = ROUTING_ENTRIES + entry * ROUTE_BYTES;
        table.u32(at + ROUTE_GSI, line)
                .u32(at + ROUTE_TYPE, KVM_IRQ_ROUTING_IRQCHIP)
                .u32(at + ROUTE_CHIP, chip)
                .u32(at + ROUTE_PIN, pin);
    }

    private void irqfd(EventFd event, int interrupt, int flags, int resample)
            throws HypervisorException {
        try (Struct argument = Struct.of(IRQFD_BYTES)) {
            argument.u32(IRQFD_FD, event.number())
                    .u32(IRQFD_GSI, interrupt)
                    .u32(IRQFD_FLAGS, flags)
                    .u32(IRQFD_RESAMPLE_FD, resample);
            vm.call(
                    KVM_IRQFD,
                    argument,
                    "interrupt " + interrupt + ", " + event + ", flags " + flags);
        }
    }

    @Override
    public Vm.Lease line(EventFd event, EventFd resample, int source) throws HypervisorException {
        irqfd(event, source, KVM_IRQFD_FLAG_RESAMPLE, resample.number());
        return new Line(event, source);
    }

    private final class Line implements Vm.Lease {
        private final EventFd event;
        private final int source;
        private boolean closed;

        Line(EventFd event, int source) {
            this.event = event;
            this.source = source;
        }

        @Override
        public synchronized void close() {
            if (!closed) {
                closed = true;
                release(event, source);
            }
        }
    }

    /** An eventfd that was closed before its route drives nothing any more. */
    private void detach(EventFd event, int interrupt) throws HypervisorException {
        if (event.isOpen()) {
            irqfd(event, interrupt, KVM_IRQFD_FLAG_DEASSIGN, 0);
        }
    }

    /**
     * For good: whoever closes a route may be a processor in the guest's access, and has no remedy.
     *
     * @return false if KVM goes on delivering
     */
    private boolean release(EventFd event, int interrupt) {
        try {
            detach(event, interrupt);
            return true;
        } catch (HypervisorException e) {
            LOG.log(
                    Level.ERROR,
                    () ->
                            "interrupt %d stays on %s until that is closed: %s"
                                    .formatted(interrupt, event, e.getMessage()));
            return false;
        }
    }

    @Override
    public synchronized MessageRoute message(EventFd event) throws HypervisorException {
        int interrupt = taken.nextClearBit(0);
        // Inputs 0 to 15 have two entries each.
        if (interrupt >= most - PIC_LINES) {
            throw new HypervisorException(
                    "All %d interrupt routes of KVM are taken; plug fewer devices, or devices with fewer vectors."
                            .formatted(most));
        }
        taken.set(interrupt);
        return new Route(event, interrupt);
    }

    /** Guarded by the table. */
    private final class Route implements MessageRoute {
        private final EventFd event;
        private final int interrupt;
        private boolean on;
        private boolean closed;

        Route(EventFd event, int interrupt) {
            this.event = event;
            this.interrupt = interrupt;
        }

        @Override
        public void set(long address, int data) throws HypervisorException {
            synchronized (InterruptRoutes.this) {
                if (closed) {
                    throw new IllegalStateException("the route is closed");
                }
                if (!reachesLocalApics(address)) {
                    off();
                    return;
                }
                Message before = messages.get(interrupt);
                if (before == null || !before.is(address, data)) {
                    Map<Integer, Message> next = new TreeMap<>(messages);
                    next.put(interrupt, new Message(address, data));
                    write(next);
                    messages = next;
                }
                if (!on) {
                    // After the table: what is in the eventfd already is delivered at once.
                    irqfd(event, interrupt, 0, 0);
                    on = true;
                }
            }
        }

        @Override
        public void off() throws HypervisorException {
            synchronized (InterruptRoutes.this) {
                if (on) {
                    detach(event, interrupt);
                    on = false;
                }
            }
        }

        @Override
        public void close() {
            synchronized (InterruptRoutes.this) {
                if (closed) {
                    return;
                }
                closed = true;
                // Or the next with this number would get the signals of an eventfd that stays.
                if (!on || release(event, interrupt)) {
                    on = false;
                    messages.remove(interrupt);
                    taken.clear(interrupt);
                }
            }
        }
    }
}
