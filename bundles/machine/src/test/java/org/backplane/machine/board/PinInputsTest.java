package org.backplane.machine.board;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.reflect.Proxy;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.backplane.device.context.Lease;
import org.backplane.hypervisor.EventRoutes;
import org.backplane.hypervisor.HypervisorException;
import org.backplane.hypervisor.Vm;
import org.backplane.linux.EventFd;
import org.junit.jupiter.api.Test;

/** PCI's pins on the lines of a board, by level and by eventfd. */
class PinInputsTest {
    private final List<String> seen = new ArrayList<>();

    private PinInputs pins(Optional<EventRoutes> routes) {
        var vm =
                (Vm)
                        Proxy.newProxyInstance(
                                getClass().getClassLoader(),
                                new Class<?>[] {Vm.class},
                                (proxy, method, arguments) -> {
                                    if (method.getName().equals("eventRoutes")) {
                                        return routes;
                                    }
                                    seen.add("%s=%s".formatted(arguments[0], arguments[1]));
                                    return null;
                                });
        var lines = new InterruptLines(vm, InterruptLines.Wiring.sharedFirst(4, 6));
        return new PinInputs(lines, 4, (device, pin) -> 1 + (device + pin - 1) % 4);
    }

    private record Routes(List<String> seen, boolean full) implements EventRoutes {
        @Override
        public MessageRoute message(EventFd event) {
            throw new AssertionError("no message was asked for");
        }

        @Override
        public Vm.Lease line(EventFd event, EventFd resample, int source)
                throws HypervisorException {
            if (full) {
                throw new HypervisorException("no route is left");
            }
            seen.add("route %d".formatted(source));
            return () -> seen.add("no route %d".formatted(source));
        }
    }

    @Test
    void pinsOnOneLineAreJoinedAndARouteLiesBesideThem() throws Exception {
        PinInputs pins = pins(Optional.of(new Routes(seen, false)));
        try (EventFd event = EventFd.open();
                EventFd resample = EventFd.open()) {
            pins.set(1, 1, true);
            pins.set(5, 1, true);
            Lease lease = pins.route(6, 4, event, resample).orElseThrow();
            pins.set(1, 1, false);
            lease.close();
            pins.set(5, 1, false);
        }
        assertEquals(List.of("2=true", "route 2", "no route 2", "2=false"), seen);
    }

    @Test
    void thereIsNoRouteWhereTheEngineHasNone() throws Exception {
        try (EventFd event = EventFd.open();
                EventFd resample = EventFd.open()) {
            assertTrue(pins(Optional.empty()).route(2, 1, event, resample).isEmpty());
            var full = new Routes(seen, true);
            assertTrue(pins(Optional.of(full)).route(2, 1, event, resample).isEmpty());
        }
    }
}
