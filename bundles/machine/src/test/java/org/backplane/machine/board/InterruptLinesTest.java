package org.backplane.machine.board;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.reflect.Proxy;
import java.util.ArrayList;
import java.util.List;
import org.backplane.hypervisor.Vm;
import org.backplane.machine.MachineException;
import org.junit.jupiter.api.Test;

class InterruptLinesTest {
    private final List<String> levels = new ArrayList<>();
    private final InterruptLines lines =
            new InterruptLines(
                    (Vm)
                            Proxy.newProxyInstance(
                                    getClass().getClassLoader(),
                                    new Class<?>[] {Vm.class},
                                    (proxy, method, arguments) -> {
                                        levels.add(arguments[0] + "=" + arguments[1]);
                                        return null;
                                    }),
                    4,
                    6);

    @Test
    void lineIsHighWhileAnyInputIs() {
        InterruptLines.Input a = lines.input(3);
        InterruptLines.Input b = lines.input(3);
        a.set(true);
        b.set(true);
        b.set(true);
        a.set(false);
        assertEquals(List.of("3=true"), levels);
        b.set(false);
        assertEquals(List.of("3=true", "3=false"), levels);
    }

    @Test
    void ownedSourcesStartBehindTheSharedOnes() throws Exception {
        assertEquals(5, lines.allocate("uart0"));
        assertEquals(6, lines.allocate("rtc0"));
    }

    @Test
    void refusesWhenNoneIsLeftAndTakesBack() throws Exception {
        lines.allocate("uart0");
        int last = lines.allocate("rtc0");
        var refusal = assertThrows(MachineException.class, () -> lines.allocate("x0"));
        assertTrue(refusal.getMessage().contains("'x0'"), refusal.getMessage());
        lines.free(last);
        assertEquals(last, lines.allocate("x0"));
    }
}
