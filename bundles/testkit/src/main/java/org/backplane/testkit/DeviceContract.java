package org.backplane.testkit;

import java.util.Random;
import java.util.TreeSet;
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

    public DeviceContract(DeviceFactory factory, Slots slots) {
        this.factory = factory;
        this.slots = slots;
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

    /** A reader ignores names that it does not know. */
    public void ignoresNamesItDoesNotKnow() throws Exception {
        SavedState state = saved();
        if (state != null) {
            SavedState more =
                    copy(state)
                            .number("invented.number", 7)
                            .bytes("invented.bytes", new byte[3])
                            .child("invented.child", SavedState.of("invented", 1).build())
                            .build();
            restores(more, "with names that nobody knows");
        }
    }

    /** A reader gives a default for each name that is missing, and for all of them. */
    public void defaultsNamesThatAreMissing() throws Exception {
        SavedState state = saved();
        if (state == null) {
            return;
        }
        restores(SavedState.of(state.schema(), state.version()).build(), "without any name");
        for (String name : names(state)) {
            restores(without(state, name), "without '" + name + "'");
        }
    }

    /** A reader refuses, with a DeviceException, another schema and a newer version. */
    public void refusesStatesOfOthers() throws Exception {
        SavedState state = saved();
        if (state != null) {
            refuses(SavedState.of("invented", 1).build());
            refuses(SavedState.of(state.schema(), state.version() + 1).build());
            refuses(SavedState.of(state.schema(), 0).build());
        }
    }

    /**
     * Whatever values a state holds, a reader takes it or refuses it with a DeviceException; and a
     * device that took it lives on.
     *
     * @param seed of the values
     * @param tries how many states
     */
    public void trustsNoState(long seed, int tries) throws Exception {
        SavedState state = saved();
        Random random = new Random(seed);
        for (int i = 0; state != null && i < tries; i++) {
            SavedState wrong = scrambled(state, random);
            onCreated(
                    (slot, device) -> {
                        try {
                            support(device).restorer().restore(wrong);
                        } catch (DeviceException refused) {
                            require(refused.getMessage() != null, "refused without a word");
                            return;
                        }
                        device.start();
                        drain(slot, device);
                        support(device).saver().save();
                        device.resume();
                        device.reset();
                        drain(slot, device);
                    });
        }
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

    private void refuses(SavedState state) throws Exception {
        onCreated(
                (slot, device) -> {
                    try {
                        support(device).restorer().restore(state);
                    } catch (DeviceException refused) {
                        return;
                    }
                    throw new AssertionError("restored " + state);
                });
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

    private static TreeSet<String> names(SavedState state) {
        TreeSet<String> names = new TreeSet<>(state.numbers().keySet());
        state.byteNames().forEach(names::add);
        names.addAll(state.children().keySet());
        return names;
    }

    private static SavedState.Builder copy(SavedState state) {
        return rebuilt(state, "", null);
    }

    private static SavedState without(SavedState state, String name) {
        return rebuilt(state, name, null).build();
    }

    private static SavedState scrambled(SavedState state, Random random) {
        return rebuilt(state, "", random).build();
    }

    /**
     * @param leftOut a name that is left out
     * @param random changes values; null for none
     */
    private static SavedState.Builder rebuilt(SavedState state, String leftOut, Random random) {
        SavedState.Builder copy = SavedState.of(state.schema(), state.version());
        state.numbers().entrySet().stream()
                .filter(entry -> !entry.getKey().equals(leftOut))
                .forEach(entry -> copy.number(entry.getKey(), scrambled(entry.getValue(), random)));
        for (String name : state.byteNames()) {
            if (!name.equals(leftOut)) {
                copy.bytes(name, scrambled(state.bytes(name), random));
            }
        }
        state.children().entrySet().stream()
                .filter(entry -> !entry.getKey().equals(leftOut))
                .forEach(
                        entry ->
                                copy.child(
                                        entry.getKey(),
                                        rebuilt(entry.getValue(), "", random).build()));
        return copy;
    }

    private static long scrambled(long value, Random random) {
        return switch (random == null ? 0 : random.nextInt(6)) {
            case 1 -> random.nextLong();
            case 2 -> random.nextInt(0x1_0001);
            case 3 -> value ^ 1L << random.nextInt(64);
            case 4 -> -1 - value;
            default -> value;
        };
    }

    private static byte[] scrambled(byte[] value, Random random) {
        if (random == null || random.nextBoolean()) {
            return value;
        }
        byte[] other = new byte[random.nextInt(2 * value.length + 40)];
        random.nextBytes(other);
        return other;
    }

    private static void require(boolean kept, String format, Object... values) {
        if (!kept) {
            throw new AssertionError(format.formatted(values));
        }
    }
}
