package org.backplane.contract;

import static org.backplane.contract.Clause.require;

import java.util.List;
import java.util.Objects;
import java.util.Random;
import org.backplane.device.DeviceException;
import org.backplane.device.state.SaveSupport;
import org.backplane.device.state.SavedState;
import org.backplane.virtio.VirtioDevice;

/** What a guest reads of a device, over a swap, a reset and beside another of the same kind. */
final class RegisterRules {
    private static final int BEHIND = 64;

    /** Times that values are tried until one makes the device interrupt. */
    private static final int ROUNDS = 20;

    private RegisterRules() {}

    static List<Clause> clauses() {
        return List.of(
                Clause.of("remembersEveryRegister", RegisterRules::remembersEveryRegister),
                Clause.of("resetMakesItAsNew", RegisterRules::resetMakesItAsNew),
                Clause.of("restoresWithoutASignal", RegisterRules::restoresWithoutASignal),
                Clause.of("drivesItsPinAsBefore", RegisterRules::drivesItsPinAsBefore),
                Clause.of("sharesNothingWithOthers", RegisterRules::sharesNothingWithOthers),
                Clause.of("hasAsMuchConfigurationAsItSays", RegisterRules::configurationLength));
    }

    /** What a guest wrote, it reads again of the device that took the state over. */
    private static void remembersEveryRegister(Trial trial) throws Exception {
        SavedState state;
        List<Registers.Reading> then;
        try (Bench bench = trial.started()) {
            if (!goesAnywhere(bench.device().saveSupport())) {
                return;
            }
            bench.registers().scramble(Bench.random());
            bench.drain();
            state = bench.save();
            bench.device().resume();
            then = bench.registers().readings();
        }
        try (Bench bench = trial.made()) {
            bench.restore(state);
            bench.start();
            String lost = Registers.difference(then, bench.registers().readings());
            require(lost.isEmpty(), "forgot a value: after a swap the guest reads %s", lost);
        }
    }

    /** Whether the state makes a device in another slot what this one is. */
    private static boolean goesAnywhere(SaveSupport support) {
        return !(support instanceof SaveSupport.Unsupported)
                && !(support instanceof SaveSupport.Saveable saveable
                        && saveable.bound().isPresent());
    }

    /** After a reset it reads as one that was just made. */
    private static void resetMakesItAsNew(Trial trial) throws Exception {
        List<Registers.Reading> fresh;
        try (Bench bench = trial.started()) {
            bench.reset();
            fresh = bench.registers().readings();
        }
        try (Bench bench = trial.started()) {
            bench.registers().scramble(Bench.random());
            bench.reset();
            String left = Registers.difference(fresh, bench.registers().readings());
            require(left.isEmpty(), "is not as new after a reset: the guest reads %s", left);
        }
    }

    /** What drives an interrupt pin comes with start: until then the guest has the one before. */
    private static void restoresWithoutASignal(Trial trial) throws Exception {
        SavedState state = signalling(trial);
        try (Bench bench = trial.made()) {
            bench.restore(state);
            require(!bench.pin(), "drove its interrupt pin in restore, and not first in start");
        }
    }

    /** The pin is part of what the guest sees: kept over a swap, let go by a reset. */
    private static void drivesItsPinAsBefore(Trial trial) throws Exception {
        SavedState state = signalling(trial);
        if (state == null) {
            return;
        }
        try (Bench bench = trial.made()) {
            bench.restore(state);
            bench.start();
            require(bench.pin(), "lost its interrupt: after a swap the pin is low that was high");
            bench.drain();
            bench.device().reset();
            require(!bench.pin(), "left its interrupt pin high in a reset");
        }
    }

    /** The state of a device that drives its interrupt pin; null if it did not by all values. */
    private static SavedState signalling(Trial trial) throws Exception {
        Random random = Bench.random();
        try (Bench bench = trial.started()) {
            for (int round = 0; round < ROUNDS && !bench.pin(); round++) {
                bench.registers().scramble(random);
            }
            if (!bench.pin()) {
                return null;
            }
            bench.drain();
            return bench.save();
        }
    }

    /** Factories are stateless, and devices have nothing in common. */
    private static void sharesNothingWithOthers(Trial trial) throws Exception {
        try (Bench one = trial.started()) {
            Bench other;
            try {
                other = trial.started();
            } catch (DeviceException exclusive) {
                // What it stands for on the host permits only one: nothing to compare with.
                return;
            }
            try (other) {
                one.registers().readings();
                List<Registers.Reading> before = one.registers().readings();
                other.registers().scramble(Bench.random());
                String changed = Registers.difference(before, one.registers().readings());
                require(
                        changed.isEmpty(),
                        "shares a value with another device of its factory: the guest reads %s",
                        changed);
                one.drain();
                SavedState saved = one.save();
                if (!Objects.equals(saved, one.save())) {
                    return;
                }
                other.drive(Bench.random());
                require(
                        Objects.equals(saved, one.save()),
                        "shares state with another device of its factory: it saves %s, and when that one has served %s",
                        saved,
                        one.save());
            }
        }
    }

    /** Virtio 1.2, section 2.5: nothing lies behind the length that the shape gives. */
    private static void configurationLength(Trial trial) throws Exception {
        try (Bench bench = trial.started()) {
            if (!(bench.device() instanceof VirtioDevice virtio)) {
                return;
            }
            int length = virtio.shape().configLength();
            for (int offset = 0; offset < length; offset++) {
                readByte(virtio, offset, length);
            }
            for (int offset = length; offset < length + BEHIND; offset++) {
                long value;
                try {
                    value = virtio.readConfig(offset, 1) & 0xff;
                } catch (RuntimeException nothingThere) {
                    // The slot never asks there.
                    continue;
                }
                require(
                        value == 0 || value == 0xff,
                        "has configuration at %d, behind the %d bytes that its shape gives",
                        offset,
                        length);
            }
        }
    }

    private static void readByte(VirtioDevice virtio, int offset, int length) {
        try {
            virtio.readConfig(offset, 1);
        } catch (RuntimeException thrown) {
            throw new AssertionError(
                    "threw %s for configuration at %d of the %d bytes that its shape gives"
                            .formatted(thrown, offset, length),
                    thrown);
        }
    }
}
