package org.backplane.machine.board;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.reflect.Proxy;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.backplane.hypervisor.Vm;
import org.backplane.machine.MachineException;
import org.junit.jupiter.api.Test;

class InterruptLinesTest {
    private final List<String> levels = new ArrayList<>();
    private final InterruptLines lines = wired(InterruptLines.Wiring.sharedFirst(4, 6));

    /** Sources as a PC has them: some by name, few for whoever asks, the rest of others. */
    private final InterruptLines isa =
            wired(
                    new InterruptLines.Wiring(
                            7, Set.of(6, 7), Set.of(1, 4, 5), new TreeSet<>(Set.of(5))));

    private InterruptLines wired(InterruptLines.Wiring wiring) {
        return new InterruptLines(
                (Vm)
                        Proxy.newProxyInstance(
                                getClass().getClassLoader(),
                                new Class<?>[] {Vm.class},
                                (proxy, method, arguments) -> {
                                    levels.add(arguments[0] + "=" + arguments[1]);
                                    return null;
                                }),
                wiring);
    }

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

    @Test
    void namedSourceHasOneOwner() throws Exception {
        isa.allocate("uart0", 4);
        var refusal = assertThrows(MachineException.class, () -> isa.allocate("uart1", 4));
        assertEquals(
                "The interrupt line 4 cannot be that of 'uart1': it is taken by 'uart0'; give one of [1, 5].",
                refusal.getMessage());
        isa.allocate("x1", 1);
        isa.allocate("x5", 5);
        refusal = assertThrows(MachineException.class, () -> isa.allocate("uart1", 4));
        assertTrue(refusal.getMessage().contains("unplug one"), refusal.getMessage());
        isa.free(4);
        isa.allocate("uart1", 4);
    }

    @Test
    void namedSourcesAreNotGivenToWhoAsksForAny() throws Exception {
        assertEquals(5, isa.allocate("x0"));
        assertThrows(MachineException.class, () -> isa.allocate("x1"));
    }

    @Test
    void freeSourceThatWasAskedForByNameIsNobodyElses() throws Exception {
        isa.allocate("x0", 5);
        assertThrows(MachineException.class, () -> isa.allocate("x1"));
    }

    @Test
    void sharedAndForeignSourcesAreNoDevices() {
        for (int source : new int[] {-1, 0, 2, 6, 7, 8}) {
            var refusal = assertThrows(MachineException.class, () -> isa.allocate("x0", source));
            assertTrue(
                    refusal.getMessage().contains("[1, 4, 5] for devices; give one of them"),
                    refusal.getMessage());
        }
    }

    @Test
    void rejectsWiringThatContradictsItself() {
        assertThrows(
                IllegalArgumentException.class,
                () -> new InterruptLines.Wiring(4, Set.of(), Set.of(1), new TreeSet<>(Set.of(2))));
        assertThrows(
                IllegalArgumentException.class,
                () -> new InterruptLines.Wiring(4, Set.of(1), Set.of(1), new TreeSet<>()));
        assertThrows(
                IndexOutOfBoundsException.class,
                () -> new InterruptLines.Wiring(4, Set.of(5), Set.of(1), new TreeSet<>()));
    }
}
