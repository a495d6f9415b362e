package org.backplane.kvm;

import static org.backplane.kvm.KvmAbi.*;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.Map;
import java.util.TreeMap;
import org.backplane.hypervisor.EventRoutes.MessageRoute;
import org.backplane.hypervisor.HypervisorException;
import org.backplane.linux.EventFd;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** On a KVM that is played; InterruptTest has interrupts that arrive. */
class InterruptRoutesTest {
    private static final long APIC = 0xfee0_1000L;

    /** Data of a message that KVM does not take. */
    private static final int POISON = 0xbad;

    private final PlayedKvm kvm = new PlayedKvm();
    private InterruptRoutes routes;
    private EventFd one;
    private EventFd other;

    /** Keeps a table and who signals what, and refuses as it is told to. */
    private static final class PlayedKvm implements InterruptRoutes.Requests {
        /** Data of messages by interrupt. */
        private Map<Integer, Integer> table = Map.of();

        /** Interrupts by eventfd. */
        private final Map<Integer, Integer> attached = new TreeMap<>();

        private boolean keepsEvents;

        @Override
        public void call(long request, Struct argument, String arguments)
                throws HypervisorException {
            if (request == KVM_SET_GSI_ROUTING) {
                table = table(argument);
            } else if (request == KVM_IRQFD) {
                irqfd(argument);
            } else {
                throw new AssertionError("request " + request);
            }
        }

        private static Map<Integer, Integer> table(Struct argument) throws HypervisorException {
            Map<Integer, Integer> messages = new TreeMap<>();
            for (int i = 0; i < argument.u32(ROUTING_COUNT); i++) {
                int at = ROUTING_ENTRIES + i * ROUTE_BYTES;
                if (argument.u32(at + ROUTE_TYPE) == KVM_IRQ_ROUTING_MSI) {
                    messages.put(argument.u32(at + ROUTE_GSI), argument.u32(at + ROUTE_MSI_DATA));
                }
            }
            if (messages.containsValue(POISON)) {
                throw new HypervisorException("KVM refuses the table");
            }
            return messages;
        }

        private void irqfd(Struct argument) throws HypervisorException {
            if ((argument.u32(IRQFD_FLAGS) & KVM_IRQFD_FLAG_DEASSIGN) == 0) {
                attached.put(argument.u32(IRQFD_FD), argument.u32(IRQFD_GSI));
            } else if (keepsEvents) {
                throw new HypervisorException("KVM keeps the eventfd");
            } else {
                attached.remove(argument.u32(IRQFD_FD), argument.u32(IRQFD_GSI));
            }
        }
    }

    @BeforeEach
    void open() throws Exception {
        routes = new InterruptRoutes(kvm, 100);
        one = EventFd.open();
        other = EventFd.open();
    }

    @AfterEach
    void close() {
        one.close();
        other.close();
    }

    private int interrupt(EventFd event) {
        return kvm.attached.get(event.number());
    }

    @Test
    void aMessageThatKvmRefusesIsNobodyElsesTrouble() throws Exception {
        MessageRoute refused = routes.message(one);
        assertThrows(HypervisorException.class, () -> refused.set(APIC, POISON));
        assertEquals(Map.of(), kvm.attached);
        MessageRoute good = routes.message(other);
        good.set(APIC, 0x41);
        assertEquals(Map.of(interrupt(other), 0x41), kvm.table);
        refused.set(APIC, 0x42);
        assertEquals(Map.of(interrupt(one), 0x42, interrupt(other), 0x41), kvm.table);
    }

    @Test
    void aRouteGoesOnWithItsMessageWhereTheNextIsRefused() throws Exception {
        MessageRoute route = routes.message(one);
        route.set(APIC, 0x41);
        assertThrows(HypervisorException.class, () -> route.set(APIC, POISON));
        routes.message(other).set(APIC, 0x43);
        assertEquals(Map.of(interrupt(one), 0x41, interrupt(other), 0x43), kvm.table);
        // It is refused again, and not taken for one that is there.
        assertThrows(HypervisorException.class, () -> route.set(APIC, POISON));
        route.off();
        assertEquals(1, kvm.attached.size());
    }

    @Test
    void aRouteThatStaysOnSaysSoAndCanBeSwitchedOffLater() throws Exception {
        MessageRoute route = routes.message(one);
        route.set(APIC, 0x41);
        kvm.keepsEvents = true;
        assertThrows(HypervisorException.class, route::off);
        assertThrows(HypervisorException.class, route::off);
        kvm.keepsEvents = false;
        route.off();
        assertEquals(Map.of(), kvm.attached);
        route.set(APIC, 0x41);
        assertEquals(1, kvm.attached.size());
    }

    @Test
    void theInterruptOfAnEventfdThatStaysIsGivenToNobodyElse() throws Exception {
        MessageRoute route = routes.message(one);
        route.set(APIC, 0x41);
        int stays = interrupt(one);
        kvm.keepsEvents = true;
        route.close();
        route.close();
        kvm.keepsEvents = false;
        MessageRoute next = routes.message(other);
        next.set(APIC, 0x42);
        assertEquals(Map.of(stays, 0x41, interrupt(other), 0x42), kvm.table);
        next.close();
        MessageRoute again = routes.message(other);
        again.set(APIC, 0x44);
        assertEquals(Map.of(stays, 0x41, stays + 1, 0x44), kvm.table);
    }
}
