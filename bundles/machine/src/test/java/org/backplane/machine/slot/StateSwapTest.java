package org.backplane.machine.slot;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.function.BooleanSupplier;
import java.util.stream.Stream;
import org.backplane.bus.Space;
import org.backplane.device.DeviceException;
import org.backplane.device.DeviceFactory;
import org.backplane.device.context.DeviceContext;
import org.backplane.device.state.SaveSupport;
import org.backplane.device.state.SavedState;
import org.backplane.machine.HistoryEntry;
import org.backplane.machine.MachineException;
import org.backplane.machine.SlotState;
import org.backplane.machine.dial.Dial;
import org.backplane.machine.dial.first.FirstDial;
import org.backplane.machine.dial.second.SecondDial;
import org.backplane.machine.slot.Factories.Offer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** States of other versions, and damaged ones, between devices in a slot that runs. */
@Timeout(60)
class StateSwapTest {
    private static final SavedState FALSE_STATE =
            SavedState.of("dial", 1).number("level", 101).build();

    private CounterSlot rig;

    @BeforeEach
    void open() throws Exception {
        rig = new CounterSlot();
    }

    @AfterEach
    void close() throws Exception {
        rig.close();
    }

    /** Fails at a read of the ceiling; what it tells then is right. */
    private static final class FailingDial extends SecondDial {
        FailingDial(DeviceContext context) throws DeviceException {
            super(context);
        }

        @Override
        public long read(long offset, int width) {
            if (offset == CEILING) {
                throw new IllegalStateException("broken ceiling");
            }
            return super.read(offset, width);
        }
    }

    /** Tells another state than its own. */
    private static DeviceFactory telling(SavedState state) {
        return context ->
                new FirstDial(context) {
                    @Override
                    public SaveSupport saveSupport() {
                        var own = (SaveSupport.Saveable) super.saveSupport();
                        return new SaveSupport.Saveable(() -> state, own.restorer());
                    }

                    @Override
                    public long read(long offset, int width) {
                        if (offset == CEILING) {
                            throw new IllegalStateException("broken ceiling");
                        }
                        return super.read(offset, width);
                    }
                };
    }

    private Slot slot() {
        return rig.slot();
    }

    private Offer offer(DeviceFactory factory) {
        return rig.code().offer("counter", factory);
    }

    private Offer fill(DeviceFactory factory) throws MachineException {
        Offer offer = offer(factory);
        slot().fill(offer);
        return offer;
    }

    private void write(int offset, long value) {
        rig.bus().write(Space.MMIO, rig.base() + offset, 4, value);
    }

    private static void await(BooleanSupplier condition) {
        while (!condition.getAsBoolean()) {
            if (Thread.interrupted()) {
                throw new AssertionError("waited in vain");
            }
            Thread.onSpinWait();
        }
    }

    private void awaitRunning(Offer offer) {
        await(() -> slot().offer().filter(now -> now == offer).isPresent());
    }

    private String latest(String step) {
        List<HistoryEntry> steps =
                slot().history().stream().filter(entry -> entry.step().equals(step)).toList();
        assertTrue(!steps.isEmpty(), () -> "no step '%s' in %s".formatted(step, slot().history()));
        return steps.get(steps.size() - 1).detail();
    }

    @Test
    void newCodeReadsWhatTheFirstReleaseSaves() throws Exception {
        fill(FirstDial::new);
        write(Dial.LEVEL, 42);
        slot().swap(offer(SecondDial::new), false);
        assertEquals(42, rig.read(Dial.LEVEL));
        assertEquals(Dial.TOP, rig.read(Dial.CEILING));
        write(Dial.CEILING, 60);
        slot().swap(offer(SecondDial::new), false);
        assertEquals(60, rig.read(Dial.CEILING));
    }

    @Test
    void codeOfTheFirstReleaseRefusesWhatTheSecondSavesAndTheSecondRunsOn() throws Exception {
        Offer second = fill(SecondDial::new);
        write(Dial.CEILING, 60);
        Offer first = offer(FirstDial::new);
        String refusal =
                assertThrows(MachineException.class, () -> slot().swap(first, false)).getMessage();
        String reason = "The state of 'dial' has version 2 and this code reads 1 at most";
        assertTrue(refusal.contains(reason), refusal);
        assertTrue(latest("rolled back").contains(reason));
        assertSame(second, slot().offer().orElseThrow());
        write(Dial.LEVEL, 60);
        assertEquals(60, rig.read(Dial.LEVEL));
    }

    @Test
    void forcedCodeThatRefusesTheStateBeginsWithoutIt() throws Exception {
        fill(SecondDial::new);
        write(Dial.LEVEL, 42);
        Offer first = offer(FirstDial::new);
        slot().swap(first, true);
        assertSame(first, slot().offer().orElseThrow());
        assertEquals(0, rig.read(Dial.LEVEL));
        assertTrue(latest("refused").contains("version 2"));
    }

    static Stream<Arguments> refused() {
        return Stream.of(
                arguments(SavedState.of("dial", 3).build(), "'dial' has version 3"),
                arguments(SavedState.of("dial", 0).build(), "'dial', version 0"),
                arguments(SavedState.of("clock", 1).build(), "'clock', not of 'dial'"),
                arguments(FALSE_STATE, "'dial', version 1, is damaged"),
                arguments(
                        SavedState.of("dial", 2).number("level", -1).build(),
                        "'level' is -1, and only 0 to 100 are possible"),
                arguments(
                        SavedState.of("dial", 2).number("level", 61).number("ceiling", 60).build(),
                        "'level' is 61, and only 0 to 60 are possible"),
                arguments(
                        SavedState.of("dial", 2).number("ceiling", Long.MIN_VALUE).build(),
                        "'ceiling' is -9223372036854775808"));
    }

    @ParameterizedTest
    @MethodSource("refused")
    void damagedStateIsRefusedWithASentenceAndTheOldCodeRunsOn(SavedState state, String reason)
            throws Exception {
        Offer old = fill(telling(state));
        write(Dial.LEVEL, 42);
        Offer next = offer(SecondDial::new);
        String refusal =
                assertThrows(MachineException.class, () -> slot().swap(next, false)).getMessage();
        assertTrue(refusal.contains(reason), refusal);
        assertTrue(latest("rolled back").contains(reason));
        assertSame(old, slot().offer().orElseThrow());
        assertEquals(SlotState.RUNNING, slot().state());
        assertEquals(42, rig.read(Dial.LEVEL));
        write(Dial.LEVEL, 43);
        assertEquals(43, rig.read(Dial.LEVEL));
    }

    static Stream<Arguments> silent() {
        return Stream.of(
                arguments(null, "it does not say whether its state can be saved"),
                arguments(
                        new SaveSupport.Saveable(() -> null, state -> {}),
                        "it saved nothing, and did not say why"),
                arguments(new SaveSupport.Unsupported("it has a secret"), "it has a secret"));
    }

    @ParameterizedTest
    @MethodSource("silent")
    void deviceThatTellsNoStateIsNotTakenForOneWithoutState(SaveSupport answer, String reason)
            throws Exception {
        Offer old =
                fill(
                        context ->
                                new FirstDial(context) {
                                    @Override
                                    public SaveSupport saveSupport() {
                                        return answer;
                                    }
                                });
        write(Dial.LEVEL, 42);
        Offer next = offer(FirstDial::new);
        String refusal =
                assertThrows(MachineException.class, () -> slot().swap(next, false)).getMessage();
        assertTrue(refusal.contains(reason), refusal);
        assertSame(old, slot().offer().orElseThrow());
        assertEquals(42, rig.read(Dial.LEVEL));
    }

    @Test
    void codeWithoutStateRefusesThatOfTheOneBefore() throws Exception {
        Offer old = fill(FirstDial::new);
        write(Dial.LEVEL, 42);
        Offer stateless =
                offer(
                        context ->
                                new FirstDial(context) {
                                    @Override
                                    public SaveSupport saveSupport() {
                                        return new SaveSupport.Stateless();
                                    }
                                });
        String refusal =
                assertThrows(MachineException.class, () -> slot().swap(stateless, false))
                        .getMessage();
        assertTrue(refusal.contains("saved 'dial', the new one takes no state"), refusal);
        assertSame(old, slot().offer().orElseThrow());
        slot().swap(stateless, true);
        assertEquals(0, rig.read(Dial.LEVEL));
        slot().swap(offer(SecondDial::new), false);
        assertEquals(Dial.TOP, rig.read(Dial.CEILING));
    }

    @Test
    void codeThatFailsOnProbationLeavesTheStateOfTheSwapToTheOneBefore() throws Exception {
        Offer first = fill(FirstDial::new);
        write(Dial.LEVEL, 42);
        slot().swap(offer(FailingDial::new), false);
        write(Dial.LEVEL, 43);
        rig.read(Dial.CEILING);
        awaitRunning(first);
        assertTrue(latest("refused").contains("'dial' has version 2"));
        await(() -> slot().history().stream().anyMatch(e -> e.step().equals("fell back")));
        assertTrue(latest("fell back").contains("what the failed device told was refused"));
        assertEquals(42, rig.read(Dial.LEVEL));
    }

    @Test
    void updatedCodeThatFailsOnProbationLeavesTheStateOfTheUpdateToTheOneBefore() throws Exception {
        Offer first = fill(FirstDial::new);
        write(Dial.LEVEL, 42);
        slot().vacate(first);
        slot().fill(PlayedCode.offer("counter", FailingDial::new, first.bundle()));
        write(Dial.LEVEL, 43);
        CompletableFuture<Long> parked =
                CompletableFuture.supplyAsync(() -> rig.read(Dial.CEILING));
        await(() -> rig.code().comingBack.equals(List.of(first.code())));
        slot().fill(offer(FirstDial::new));
        assertEquals(42, rig.read(Dial.LEVEL));
        parked.get();
        assertTrue(latest("refused").contains("'dial' has version 2"));
    }

    @Test
    void slotWhoseStateNobodyReadsIsRepairedByForce() throws Exception {
        fill(telling(FALSE_STATE));
        rig.read(Dial.CEILING);
        await(() -> slot().state() == SlotState.FAILED);
        Offer next = offer(SecondDial::new);
        String refusal =
                assertThrows(MachineException.class, () -> slot().swap(next, false)).getMessage();
        assertTrue(refusal.contains("'level' is 101"), refusal);
        assertEquals(SlotState.FAILED, slot().state());
        slot().swap(next, true);
        assertEquals(SlotState.RUNNING, slot().state());
        assertEquals(0, rig.read(Dial.LEVEL));
        assertTrue(latest("refused").contains("'level' is 101"));
    }
}
