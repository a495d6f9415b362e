package org.backplane.testkit;

import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Random;
import org.backplane.device.Device;
import org.backplane.device.DeviceException;
import org.backplane.device.DeviceFactory;
import org.backplane.device.state.SaveSupport;
import org.backplane.device.state.SavedState;
import org.backplane.linux.Fd;

/**
 * What every device has to keep to, whatever its kind: the life of {@link Device} and the rules for
 * saved state. For the tests of a device bundle: each method is one rule, to be called from a test
 * of its own, and throws an AssertionError that says what was not kept.
 *
 * <p>The rules about state hold for a device that is {@link SaveSupport.Saveable}; the others pass
 * them as they are.
 */
public final class DeviceContract {
    private static final int IDLE_POLLS = 10_000;

    /** Makes a slot with settings that the factory takes; closed after use. */
    @FunctionalInterface
    public interface Slots {
        FakeDeviceContext open() throws Exception;
    }

    /** What a rule does with a device in its slot. */
    @FunctionalInterface
    private interface Rule {
        void check(FakeDeviceContext slot, Device device) throws Exception;
    }

    private final DeviceFactory factory;
    private final Slots slots;
    private final List<SavedState> released;

    /**
     * @param slots with settings that fit the released states
     * @param released golden states, one at least of each version that was released; the rules
     *     about state are checked with them as well as with that of a device without a past
     */
    public DeviceContract(DeviceFactory factory, Slots slots, SavedState... released) {
        this.factory = factory;
        this.slots = slots;
        this.released = List.of(released);
    }

    /**
     * Start, quiesce and resume, reset, quiesce, close: a device goes through it as often as asked.
     */
    public void goesThroughItsLife() throws Exception {
        onCreated(
                (slot, device) -> {
                    device.start();
                    for (int round = 0; round < 3; round++) {
                        drain(slot, device);
                        device.resume();
                        device.reset();
                    }
                    drain(slot, device);
                });
    }

    /** What one device saved, another saves again after it restored it. */
    public void savesWhatItRestored() throws Exception {
        SavedState state = saved();
        if (state == null) {
            return;
        }
        onCreated(
                (slot, device) -> {
                    support(device).restorer().restore(state);
                    device.start();
                    drain(slot, device);
                    SavedState again = support(device).saver().save();
                    require(state.equals(again), "restored %s and saved %s", state, again);
                });
    }

    /**
     * Saving changes nothing: what is saved twice is the same, and a device that was resumed in
     * between saves no other.
     */
    public void savesWithoutAChange() throws Exception {
        for (SavedState state : states()) {
            onCreated(
                    (slot, device) -> {
                        support(device).restorer().restore(state);
                        device.start();
                        drain(slot, device);
                        SavedState first = support(device).saver().save();
                        require(
                                first.equals(support(device).saver().save()),
                                "saved twice, and not the same");
                        device.resume();
                        drain(slot, device);
                        require(
                                first.equals(support(device).saver().save()),
                                "saved, resumed, and saved something else");
                    });
        }
    }

    /**
     * Restoring has no effect on anything but the device: no line rises, no lease is taken, and the
     * machine is asked for nothing, before start.
     */
    public void restoresWithoutAnEffect() throws Exception {
        for (SavedState state : states()) {
            onCreated(
                    (slot, device) -> {
                        int leases = slot.openLeases();
                        List<String> kept = slot.keptNames();
                        support(device).restorer().restore(state);
                        require(
                                slot.lines().stream().allMatch(line -> line.rises() == 0),
                                "raised a line in restore");
                        require(
                                slot.openLeases() == leases && slot.keptNames().equals(kept),
                                "took something from its context in restore");
                        require(
                                slot.powerRequests().isEmpty(),
                                "asked for %s in restore",
                                slot.powerRequests());
                    });
        }
    }

    /** Every state that a released version saved is read, and a device goes on from it. */
    public void readsReleasedStates() throws Exception {
        for (SavedState state : released) {
            restores(state, "of version " + state.version());
        }
    }

    /** A reader ignores names that it does not know. */
    public void ignoresNamesItDoesNotKnow() throws Exception {
        for (SavedState state : states()) {
            SavedState more =
                    DamagedState.copy(state)
                            .number("invented.number", 7)
                            .bytes("invented.bytes", new byte[3])
                            .child("invented.child", SavedState.of("invented", 1).build())
                            .build();
            restores(more, "with names that nobody knows");
        }
    }

    /** A reader gives a default for each name that is missing, and for all of them. */
    public void defaultsNamesThatAreMissing() throws Exception {
        for (SavedState state : states()) {
            restores(SavedState.of(state.schema(), state.version()).build(), "without any name");
        }
        // In another state than this one a value may rest on the presence of another.
        SavedState fresh = saved();
        if (fresh != null) {
            for (String name : DamagedState.names(fresh)) {
                restores(DamagedState.without(fresh, name), "without '" + name + "'");
            }
        }
    }

    /** A reader refuses, with a sentence that names what it was, another schema and version. */
    public void refusesStatesOfOthers() throws Exception {
        SavedState state = saved();
        if (state != null) {
            int newer = state.version() + 1;
            refuses(SavedState.of("invented", 1).build(), "invented");
            refuses(SavedState.of(state.schema(), newer).build(), Integer.toString(newer));
            refuses(SavedState.of(state.schema(), 0).build(), state.schema());
        }
    }

    /**
     * Whatever values a state holds, a reader takes it or refuses it with a DeviceException whose
     * sentence names the schema; and a device that took it lives on. Every value is changed alone,
     * in many ways, and then some at once at random.
     *
     * @param seed of the values
     * @param tries how many random states of each that there are
     */
    public void trustsNoState(long seed, int tries) throws Exception {
        for (DamagedState damaged : damaged(states(), seed, tries)) {
            onCreated(
                    (slot, device) -> {
                        if (takes(device, damaged)) {
                            device.start();
                            drain(slot, device);
                            support(device).saver().save();
                            device.resume();
                            device.reset();
                            drain(slot, device);
                        }
                    });
        }
    }

    /**
     * A value that a reader takes is the value that its device then has: none is cut or bent until
     * it fits, which would make a damaged state look sound.
     *
     * @param seed of the values
     * @param tries how many random states of each that there are
     */
    public void bendsNoValue(long seed, int tries) throws Exception {
        SavedState fresh = saved();
        List<SavedState> newest =
                states().stream().filter(state -> state.version() == fresh.version()).toList();
        for (DamagedState damaged : damaged(newest, seed, tries)) {
            if (!damaged.missing()) {
                onCreated(
                        (slot, device) -> {
                            if (takes(device, damaged)) {
                                SavedState now = support(device).saver().save();
                                require(
                                        now.equals(damaged.state()),
                                        "took a state with %s, and is\n%s",
                                        damaged.what(),
                                        GoldenState.write(now));
                            }
                        });
            }
        }
    }

    private static List<DamagedState> damaged(List<SavedState> states, long seed, int tries) {
        Random random = new Random(seed);
        List<DamagedState> damaged = new ArrayList<>();
        for (SavedState state : states) {
            damaged.addAll(DamagedState.of(state));
            for (int i = 0; i < tries; i++) {
                damaged.add(DamagedState.random(state, random));
            }
        }
        return damaged;
    }

    /** That of a device without a past, and those released; none for a device without state. */
    private List<SavedState> states() throws Exception {
        List<SavedState> states = new ArrayList<>(released);
        SavedState fresh = saved();
        if (fresh != null) {
            states.add(fresh);
        }
        return states;
    }

    /** The state of a device that was started and drained; null if it has none. */
    private SavedState saved() throws Exception {
        SavedState[] state = new SavedState[1];
        onCreated(
                (slot, device) -> {
                    SaveSupport support = device.saveSupport();
                    require(support != null, "no answer to the question for its state");
                    device.start();
                    drain(slot, device);
                    if (support instanceof SaveSupport.Saveable saveable) {
                        state[0] = saveable.saver().save();
                        require(state[0] != null, "saved nothing at all");
                    }
                });
        return state[0];
    }

    private void restores(SavedState state, String how) throws Exception {
        onCreated(
                (slot, device) -> {
                    try {
                        support(device).restorer().restore(state);
                    } catch (DeviceException refused) {
                        throw new AssertionError("refused a state " + how, refused);
                    }
                    device.start();
                    drain(slot, device);
                });
    }

    private void refuses(SavedState state, String named) throws Exception {
        onCreated(
                (slot, device) -> {
                    try {
                        support(device).restorer().restore(state);
                    } catch (DeviceException refused) {
                        requireNamed(refused, named);
                        return;
                    }
                    throw new AssertionError("restored " + state);
                });
    }

    /** Whether the device takes the state; a refusal has to say what it is about. */
    private static boolean takes(Device device, DamagedState damaged) {
        try {
            support(device).restorer().restore(damaged.state());
            return true;
        } catch (DeviceException refused) {
            requireNamed(refused, damaged.state().schema());
            return false;
        } catch (RuntimeException e) {
            throw new AssertionError(
                    "threw %s for a state with %s".formatted(e, damaged.what()), e);
        }
    }

    private static void requireNamed(DeviceException refusal, String named) {
        String sentence = Objects.requireNonNullElse(refusal.getMessage(), "");
        require(
                sentence.contains(named),
                "refused a state with the sentence '%s', which does not name '%s'",
                sentence,
                named);
    }

    /** Checks a rule on a fresh device; an exception that no rule permits is a fault. */
    private void onCreated(Rule rule) throws Exception {
        try (FakeDeviceContext slot = slots.open()) {
            Device device = factory.create(slot);
            try {
                rule.check(slot, device);
            } catch (RuntimeException e) {
                throw new AssertionError("threw " + e, e);
            } finally {
                device.close();
                slot.unplugDevice();
            }
            require(slot.openLeases() == 0, "left %d leases", slot.openLeases());
        }
    }

    private static void drain(FakeDeviceContext slot, Device device) {
        device.quiesce();
        for (int poll = 0; poll < IDLE_POLLS; poll++) {
            if (device.idle()) {
                return;
            }
            for (Fd descriptor : slot.watched()) {
                slot.readable(descriptor);
            }
        }
        throw new AssertionError(
                "not idle after quiesce, though asked %d times".formatted(IDLE_POLLS));
    }

    private static SaveSupport.Saveable support(Device device) {
        if (device.saveSupport() instanceof SaveSupport.Saveable saveable) {
            return saveable;
        }
        throw new AssertionError("answers differently each time whether it can save");
    }

    private static void require(boolean kept, String format, Object... values) {
        if (!kept) {
            throw new AssertionError(format.formatted(values));
        }
    }
}
