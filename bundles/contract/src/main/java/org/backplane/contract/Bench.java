package org.backplane.contract;

import java.io.IOException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.function.BooleanSupplier;
import org.backplane.device.Device;
import org.backplane.device.DeviceException;
import org.backplane.device.state.SaveSupport;
import org.backplane.device.state.SavedState;
import org.backplane.linux.Fd;
import org.backplane.memory.GuestMemory.RamBank;
import org.backplane.testkit.FakeDeviceContext;
import org.backplane.testkit.TestMemory;
import org.backplane.virtio.VirtioDevice;

/** A slot with guest memory, its device, and a guest that does what the rules say. */
final class Bench implements AutoCloseable {
    /** How often a device is asked whether it is idle; each time what it waits for is served. */
    private static final int IDLE_POLLS = 10_000;

    private static final long SECOND = 1_000_000_000;
    private static final int ROUNDS = 4;

    /** Bytes of guest memory: enough for the requests on many queues; what is not used is none. */
    private static final long MEMORY = 256L << 20;

    private final Trial trial;
    private final TestMemory memory = new TestMemory(List.of(new RamBank(TestMemory.BASE, MEMORY)));
    private final FakeDeviceContext slot;
    private Device device;
    private BooleanSupplier pin;
    private Traffic traffic;

    Bench(Trial trial, Map<String, String> settings) throws IOException {
        this.trial = trial;
        slot =
                new FakeDeviceContext(
                        "judged0",
                        trial.subject().kind(),
                        new HashMap<>(settings),
                        memory.guestMemory());
    }

    /** Makes the device and wires it. */
    Device create() throws DeviceException {
        Trial.Wired made = trial.create(slot);
        device = made.device();
        pin = made.pin();
        return device;
    }

    /** The device begins to serve, as after plugging and the driver's start. */
    void start() throws Exception {
        device.start();
        activate();
    }

    /** What a driver does after start and reset; nothing for a device without queues. */
    void activate() throws Exception {
        if (device instanceof VirtioDevice virtio) {
            traffic = new Traffic(virtio, memory, slot, trial.calls());
            traffic.activate();
        }
    }

    Device device() {
        return device;
    }

    FakeDeviceContext slot() {
        return slot;
    }

    Calls calls() {
        return trial.calls();
    }

    /** The driver's side; null where the device has no queues. */
    Traffic traffic() {
        return traffic;
    }

    /** Whether the device drives its interrupt pin. */
    boolean pin() {
        return pin.getAsBoolean();
    }

    Registers registers() {
        return Registers.of(this);
    }

    /** What a busy guest does with it: registers, requests and the time that passes. */
    void drive(Random random) throws Exception {
        registers().readings();
        for (int round = 0; round < ROUNDS; round++) {
            registers().scramble(random);
            if (traffic != null) {
                traffic.offerSome(random);
                traffic.work();
            }
            passTime();
        }
    }

    /** A second of guest time, with what expires in it. */
    void passTime() throws Exception {
        trial.calls()
                .during(
                        "a timer's callback",
                        () -> {
                            slot.advanceTo(slot.guestTime() + SECOND);
                            return null;
                        });
    }

    /** Quiesces; whether the device came to rest. */
    boolean rests() throws Exception {
        device.quiesce();
        for (int poll = 0; poll < IDLE_POLLS; poll++) {
            if (device.idle()) {
                return true;
            }
            for (Fd descriptor : slot.watched()) {
                trial.calls().during("a watch's work", () -> slot.readable(descriptor));
            }
            if (poll % 100 == 99) {
                passTime();
            }
        }
        return false;
    }

    /** Brings the device to rest. */
    void drain() throws Exception {
        Clause.require(rests(), "was not idle after quiesce, though asked %d times", IDLE_POLLS);
    }

    /** Drained, reset and taken by its driver again. */
    void reset() throws Exception {
        drain();
        device.reset();
        if (traffic != null) {
            traffic.disable();
        }
        activate();
    }

    /** The state of a device at rest; null if it has none. */
    SavedState save() {
        return device.saveSupport() instanceof SaveSupport.Saveable saveable
                ? saveable.saver().save()
                : null;
    }

    /** Takes a state over, unless the device has none. */
    void restore(SavedState state) throws DeviceException {
        if (state != null && device.saveSupport() instanceof SaveSupport.Saveable saveable) {
            saveable.restorer().restore(state);
        }
    }

    /** The device leaves, the slot stays. */
    void unplug() {
        if (device != null) {
            device.close();
            device = null;
            traffic = null;
        }
        slot.unplugDevice();
    }

    @Override
    public void close() {
        unplug();
        slot.close();
        memory.close();
    }

    /** The same driver's requests and values every time. */
    static Random random() {
        return new Random(1);
    }

    /** Settings with one more. */
    static Map<String, String> with(Map<String, String> settings, String name, String value) {
        Map<String, String> more = new HashMap<>(settings);
        more.put(name, value);
        return more;
    }
}
