package org.backplane.contract;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.backplane.contract.Verdict.Outcome;
import org.backplane.device.DeviceException;
import org.backplane.device.DeviceFactory;
import org.backplane.device.context.DeviceContext;
import org.backplane.device.state.SaveSupport;
import org.backplane.device.state.SavedState;
import org.backplane.linux.LinuxException;
import org.backplane.memory.Access;
import org.backplane.memory.OffHeap;
import org.backplane.testkit.TestMemory;
import org.backplane.virtio.DescriptorChain;
import org.backplane.virtio.VirtioShape;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Devices that are broken in one place, and the one clause that tells each. */
class ContractTest {
    private static final byte[] OCTETS = new byte[Gadget.BYTES - 1];
    private static final Duration PATIENCE = Duration.ofSeconds(30);

    /** Of those that never return: there is nothing to wait for. */
    private static final Duration IMPATIENCE = Duration.ofSeconds(1);

    private static List<Verdict> faults(
            String kind, DeviceFactory factory, Duration bound, SavedState... released) {
        Subject subject = new Subject(kind, factory, Map.of(), List.of(released));
        return new Contract(subject, bound).judge(verdict -> {});
    }

    /** A device that is broken in one place. */
    private record Broken(
            String clause, String sentence, String kind, DeviceFactory factory, Duration bound) {
        @Override
        public String toString() {
            return clause + ": " + sentence;
        }
    }

    private static Arguments gadget(String clause, String sentence, DeviceFactory factory) {
        return arguments(new Broken(clause, sentence, Gadget.KIND, factory, PATIENCE));
    }

    private static Arguments stuck(String clause, String sentence, DeviceFactory factory) {
        return arguments(new Broken(clause, sentence, Gadget.KIND, factory, IMPATIENCE));
    }

    private static Arguments card(String clause, String sentence, DeviceFactory factory) {
        return arguments(new Broken(clause, sentence, Card.KIND, factory, PATIENCE));
    }

    static Stream<Arguments> broken() {
        return Stream.of(lives(), registers(), queues(), states(), hosts()).flatMap(s -> s);
    }

    private static Stream<Arguments> lives() {
        return Stream.of(
                gadget(
                        "isMade",
                        "threw java.lang.IllegalStateException: not today when it was made",
                        context -> {
                            throw new IllegalStateException("not today");
                        }),
                gadget("isMade", "the factory returned no device", context -> null),
                gadget(
                        "isMade",
                        "refused the settings {}: no such file",
                        context -> {
                            throw new DeviceException("no such file");
                        }),
                card(
                        "describesItself",
                        "MEMORY_32 BAR 0 of 0xbb8 bytes",
                        context ->
                                new Card(context) {
                                    @Override
                                    long size() {
                                        return 3000;
                                    }
                                }),
                card(
                        "describesItself",
                        "has another shape when it is asked again",
                        context ->
                                new Card(context) {
                                    private int asked;

                                    @Override
                                    long size() {
                                        return 4096L << asked++;
                                    }
                                }),
                stuck(
                        "isMade",
                        "did not return from close within 1000 ms (ContractTest",
                        context ->
                                new Gadget(context) {
                                    @Override
                                    public void close() {
                                        spin();
                                    }
                                }),
                stuck(
                        "returnsFromEveryCall",
                        "did not return from work within 1000 ms (ContractTest",
                        context ->
                                new Gadget(context) {
                                    @Override
                                    void answer(DescriptorChain chain) {
                                        spin();
                                    }
                                }),
                stuck(
                        "returnsFromEveryCall",
                        "did not return from readConfig within 1000 ms (ContractTest",
                        context ->
                                new Gadget(context) {
                                    @Override
                                    public long readConfig(int offset, int width) {
                                        await();
                                        return 0;
                                    }
                                }),
                gadget(
                        "throwsNothing",
                        "threw java.lang.ArrayIndexOutOfBoundsException",
                        context ->
                                new Gadget(context) {
                                    @Override
                                    public void writeConfig(int offset, int width, long value) {
                                        OCTETS[offset] = (byte) value;
                                    }
                                }),
                gadget(
                        "comesToRest",
                        "was not idle after quiesce, though asked 10000 times",
                        context ->
                                new Gadget(context) {
                                    @Override
                                    public boolean idle() {
                                        return false;
                                    }
                                }),
                gadget(
                        "refusesSettingsItDoesNotKnow",
                        "took the setting invented.setting=1",
                        context -> new Gadget(context, false)),
                gadget("startsNoThread", "started the thread 'gadget's own'", Threaded::new),
                gadget(
                        "neverWaits",
                        "waited in work",
                        context ->
                                new Gadget(context) {
                                    @Override
                                    void answer(DescriptorChain chain) {
                                        LockSupport.parkNanos(1000);
                                        super.answer(chain);
                                    }
                                }),
                gadget(
                        "leavesNothingOpen",
                        "descriptors open after 3 lives",
                        context -> {
                            Gadget gadget = new Gadget(context);
                            Gadget.open();
                            return gadget;
                        }),
                gadget(
                        "takesNoMoreLeases",
                        "more leases in 3 resets",
                        context ->
                                new Gadget(context) {
                                    @Override
                                    public void reset() {
                                        super.reset();
                                        context.timer(() -> {});
                                    }
                                }));
    }

    private static Stream<Arguments> registers() {
        return Stream.of(
                gadget(
                        "remembersEveryRegister",
                        "forgot a value: after a swap the guest reads 0x0, and not 0x",
                        context ->
                                new Gadget(context) {
                                    private long colour;

                                    @Override
                                    public VirtioShape shape() {
                                        VirtioShape shape = super.shape();
                                        return new VirtioShape(
                                                shape.deviceId(),
                                                shape.classCode(),
                                                0,
                                                shape.queueSizes(),
                                                BYTES + 1);
                                    }

                                    @Override
                                    public long readConfig(int offset, int width) {
                                        return offset == BYTES
                                                ? colour
                                                : super.readConfig(offset, width);
                                    }

                                    @Override
                                    public void writeConfig(int offset, int width, long value) {
                                        if (offset == BYTES) {
                                            colour = value;
                                        } else {
                                            super.writeConfig(offset, width, value);
                                        }
                                    }

                                    @Override
                                    public void reset() {
                                        super.reset();
                                        colour = 0;
                                    }
                                }),
                gadget(
                        "resetMakesItAsNew",
                        "is not as new after a reset: the guest reads 0x",
                        context ->
                                new Gadget(context) {
                                    @Override
                                    public void reset() {
                                        queue = null;
                                        quiesced = false;
                                    }
                                }),
                card(
                        "sharesNothingWithOthers",
                        "shares a value with another device of its factory",
                        new Shared()),
                card(
                        "restoresWithoutASignal",
                        "drove its interrupt pin in restore",
                        context ->
                                new Card(context) {
                                    @Override
                                    public SaveSupport saveSupport() {
                                        var whole = (SaveSupport.Saveable) super.saveSupport();
                                        return new SaveSupport.Saveable(
                                                whole.saver(),
                                                state -> {
                                                    whole.restorer().restore(state);
                                                    wires.interrupt(register != 0);
                                                });
                                    }
                                }),
                card(
                        "drivesItsPinAsBefore",
                        "lost its interrupt",
                        context ->
                                new Card(context) {
                                    @Override
                                    public void start() {
                                        // The level comes with the next write.
                                    }
                                }),
                card(
                        "drivesItsPinAsBefore",
                        "left its interrupt pin high in a reset",
                        context ->
                                new Card(context) {
                                    @Override
                                    public void reset() {
                                        register = 0;
                                    }
                                }),
                gadget(
                        "sharesNothingWithOthers",
                        "shares state with another device of its factory",
                        new Together()),
                gadget(
                        "hasAsMuchConfigurationAsItSays",
                        "has configuration at 4, behind the 4 bytes that its shape gives",
                        context ->
                                new Gadget(context) {
                                    @Override
                                    public long readConfig(int offset, int width) {
                                        return offset == BYTES
                                                ? 7
                                                : super.readConfig(offset, width);
                                    }
                                }));
    }

    private static Stream<Arguments> queues() {
        return Stream.of(
                gadget(
                        "completesWhatItTook",
                        "lost 6 requests of 18",
                        context ->
                                new Gadget(context) {
                                    private int seen;

                                    @Override
                                    void answer(DescriptorChain chain) {
                                        if (++seen % 3 != 0) {
                                            super.answer(chain);
                                        }
                                    }
                                }),
                gadget(
                        "completesOnce",
                        "completed 32 requests more than once",
                        context ->
                                new Gadget(context) {
                                    @Override
                                    void answer(DescriptorChain chain) {
                                        super.answer(chain);
                                        super.answer(chain);
                                    }
                                }),
                gadget(
                        "tellsTheDriver",
                        "completed 32 requests and never called interrupt()",
                        context ->
                                new Gadget(context) {
                                    @Override
                                    void tell() {
                                        // It does not.
                                    }
                                }),
                gadget(
                        "takesNothingWhileQuiesced",
                        "requests while it was quiesced",
                        context ->
                                new Gadget(context) {
                                    @Override
                                    public void quiesce() {
                                        // It goes on.
                                    }
                                }),
                gadget(
                        "servesAgainAfterResume",
                        "and none any more after quiesce and resume",
                        context ->
                                new Gadget(context) {
                                    @Override
                                    public void resume() {
                                        // It rests for ever.
                                    }
                                }),
                gadget(
                        "writesOnlyIntoBuffers",
                        "1 bytes behind a buffer of",
                        context ->
                                new Gadget(context) {
                                    @Override
                                    void answer(DescriptorChain chain) {
                                        int last = chain.segments() - 1;
                                        OffHeap.putByte(
                                                chain.address(last) + chain.length(last), (byte) 1);
                                        super.answer(chain);
                                    }
                                }),
                gadget(
                        "writesOnlyIntoBuffers",
                        "that it may only read",
                        context ->
                                new Gadget(context) {
                                    @Override
                                    void answer(DescriptorChain chain) {
                                        OffHeap.putLong(chain.address(0), 0x0123_4567_89ab_cdefL);
                                        super.answer(chain);
                                    }
                                }),
                gadget(
                        "survivesAHostileDriver",
                        "for what a hostile driver offered",
                        context ->
                                new Gadget(context) {
                                    private final byte[] request = new byte[1 << 16];

                                    @Override
                                    void answer(DescriptorChain chain) {
                                        chain.read(0, request, 0, (int) chain.readableLength());
                                        super.answer(chain);
                                    }
                                }));
    }

    private static Stream<Arguments> states() {
        return Stream.of(
                gadget(
                        "savesUnderItsKind",
                        "saves a state of the schema 'gizmo'",
                        context ->
                                new Gadget(context) {
                                    @Override
                                    String schema() {
                                        return "gizmo";
                                    }
                                }),
                gadget(
                        "refusesStatesOfOthers",
                        "restored ",
                        context ->
                                new Gadget(context) {
                                    @Override
                                    void restore(SavedState state) throws DeviceException {
                                        dial = (int) state.number("dial", 0, 0, 0xffff_ffffL);
                                    }
                                }),
                gadget(
                        "savesWhatItRestored",
                        "restored ",
                        context ->
                                new Gadget(context) {
                                    private long starts;

                                    @Override
                                    public void start() {
                                        starts++;
                                    }

                                    @Override
                                    SavedState.Builder saved() {
                                        return super.saved().number("starts", starts);
                                    }

                                    @Override
                                    void restore(SavedState state) throws DeviceException {
                                        super.restore(state);
                                        starts = state.number("starts", 0);
                                    }
                                }),
                gadget(
                        "savesWithoutAChange",
                        "saved twice, and not the same",
                        context ->
                                new Gadget(context) {
                                    private long saves;

                                    @Override
                                    SavedState.Builder saved() {
                                        return super.saved().number("saves", saves++);
                                    }

                                    @Override
                                    void restore(SavedState state) throws DeviceException {
                                        super.restore(state);
                                        saves = state.number("saves", 0);
                                    }
                                }),
                gadget(
                        "restoresWithoutAnEffect",
                        "took something from its context in restore",
                        context ->
                                new Gadget(context) {
                                    @Override
                                    void restore(SavedState state) throws DeviceException {
                                        super.restore(state);
                                        context.timer(() -> {});
                                    }
                                }),
                gadget(
                        "ignoresNamesItDoesNotKnow",
                        "refused a state with names that nobody knows",
                        context ->
                                new Gadget(context) {
                                    @Override
                                    void restore(SavedState state) throws DeviceException {
                                        super.restore(state);
                                        if (!Set.of("dial").containsAll(state.numbers().keySet())) {
                                            throw state.damaged("too many names");
                                        }
                                    }
                                }),
                gadget(
                        "defaultsNamesThatAreMissing",
                        "refused a state without ",
                        context ->
                                new Gadget(context) {
                                    @Override
                                    void restore(SavedState state) throws DeviceException {
                                        super.restore(state);
                                        if (!state.numbers().containsKey("dial")) {
                                            throw state.damaged("no dial");
                                        }
                                    }
                                }),
                gadget(
                        "trustsNoState",
                        "threw java.lang.NegativeArraySizeException",
                        context ->
                                new Gadget(context) {
                                    private long room = 8;

                                    @Override
                                    public void start() {
                                        room = new byte[(int) room].length;
                                    }

                                    @Override
                                    SavedState.Builder saved() {
                                        return super.saved().number("room", room);
                                    }

                                    @Override
                                    void restore(SavedState state) throws DeviceException {
                                        super.restore(state);
                                        room = state.number("room", 8, -1, 64);
                                    }
                                }),
                gadget(
                        "bendsNoValue",
                        "took a state with ",
                        context ->
                                new Gadget(context) {
                                    private long level;

                                    @Override
                                    SavedState.Builder saved() {
                                        return super.saved().number("level", level);
                                    }

                                    @Override
                                    void restore(SavedState state) throws DeviceException {
                                        super.restore(state);
                                        level =
                                                Math.max(
                                                        0, Math.min(100, state.number("level", 0)));
                                    }
                                }));
    }

    private static Stream<Arguments> hosts() {
        return Stream.of(
                gadget(
                        "survivesAHostThatFails",
                        "when every call on the host failed (ContractTest",
                        context ->
                                new Gadget(context) {
                                    @Override
                                    void failed(DescriptorChain chain, LinuxException e) {
                                        throw new IllegalStateException(e);
                                    }
                                }),
                card(
                        "survivesRefusedMemory",
                        "when guest memory was refused to it (ContractTest",
                        context ->
                                new Card(context) {
                                    @Override
                                    public void writeBar(
                                            int bar, long offset, int width, long value) {
                                        super.writeBar(bar, offset, width, value);
                                        store(context);
                                    }
                                }));
    }

    /** Until somebody has enough of it. */
    private static void spin() {
        while (!Thread.currentThread().isInterrupted()) {
            Thread.onSpinWait();
        }
    }

    private static void await() {
        try {
            new CountDownLatch(1).await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private static void store(DeviceContext context) {
        long host = context.memory().translate(TestMemory.BASE, 1, Access.WRITE);
        if (host == 0) {
            throw new IllegalStateException("no memory");
        }
        OffHeap.putByte(host, (byte) 1);
    }

    /** Begins a thread and ends it in time, as if that helped. */
    private static final class Threaded extends Gadget {
        private final Thread thread = new Thread(ContractTest::await, "gadget's own");

        Threaded(DeviceContext context) throws DeviceException {
            super(context);
            thread.setDaemon(true);
        }

        @Override
        public void start() {
            thread.start();
        }

        @Override
        public void close() {
            super.close();
            thread.interrupt();
        }
    }

    /** Its devices have one register between them. */
    private static final class Shared implements DeviceFactory {
        private final List<Card> made = new ArrayList<>();

        @Override
        public Card create(DeviceContext context) throws DeviceException {
            Card card =
                    new Card(context) {
                        @Override
                        public void writeBar(int bar, long offset, int width, long value) {
                            super.writeBar(bar, offset, width, value);
                            made.forEach(other -> other.register = register);
                        }

                        @Override
                        public void close() {
                            made.remove(this);
                        }
                    };
            made.add(card);
            return card;
        }
    }

    /** Its devices count what they served in one number. */
    private static final class Together implements DeviceFactory {
        private final AtomicInteger served = new AtomicInteger();

        @Override
        public Gadget create(DeviceContext context) throws DeviceException {
            return new Gadget(context) {
                @Override
                void answer(DescriptorChain chain) {
                    served.incrementAndGet();
                    super.answer(chain);
                }

                @Override
                SavedState.Builder saved() {
                    return super.saved().number("served", served.get());
                }

                @Override
                void restore(SavedState state) throws DeviceException {
                    super.restore(state);
                    served.set((int) state.number("served", 0, 0, Integer.MAX_VALUE));
                }
            };
        }
    }

    @ParameterizedTest
    @MethodSource("broken")
    void tellsABrokenDeviceByTheClauseThatItBreaks(Broken device) {
        List<Verdict> faults = faults(device.kind(), device.factory(), device.bound());
        List<Verdict> broken =
                faults.stream().filter(fault -> fault.outcome() == Outcome.BROKEN).toList();
        assertEquals(
                List.of(device.clause()),
                broken.stream().map(Verdict::clause).toList(),
                broken.toString());
        assertTrue(broken.get(0).sentence().contains(device.sentence()), broken.toString());
    }

    @Test
    void tellsReleasedStatesThatAreReadNoLonger() {
        SavedState released = SavedState.of(Gadget.KIND, 1).number("dial", 0x1_0000_0000L).build();
        List<Verdict> faults = faults(Gadget.KIND, Gadget::new, PATIENCE, released);
        assertEquals("readsReleasedStates", faults.get(0).clause());
        assertEquals("refused a state of version 1", faults.get(0).sentence());
        assertTrue(
                faults.stream().skip(1).allMatch(fault -> fault.outcome() == Outcome.NOT_JUDGED));
    }

    @Test
    void findsNothingWrongWithDevicesThatKeepTheContract() {
        assertEquals(List.of(), faults(Gadget.KIND, Gadget::new, PATIENCE));
        assertEquals(List.of(), faults(Card.KIND, Card::new, PATIENCE));
    }

    @Test
    void aFoundationThatIsBrokenLeavesTheRestUnjudged() {
        AtomicInteger told = new AtomicInteger();
        Subject subject = new Subject(Gadget.KIND, context -> null, Map.of(), List.of());
        List<Verdict> faults = new Contract(subject).judge(verdict -> told.incrementAndGet());
        assertEquals(Contract.clauses().size(), told.get());
        assertEquals(Contract.clauses().size(), faults.size());
        assertEquals("not judged, because of isMade", faults.get(1).sentence());
    }

    @Test
    void everyClauseIsBrokenBySomeDevice() {
        Set<String> covered =
                broken().map(each -> ((Broken) each.get()[0]).clause())
                        .collect(Collectors.toCollection(TreeSet::new));
        covered.add("readsReleasedStates");
        assertEquals(new TreeSet<>(Contract.clauses()), covered);
    }
}
