package org.backplane.contract;

import java.util.function.BooleanSupplier;
import org.backplane.device.Device;
import org.backplane.device.DeviceException;
import org.backplane.device.DeviceFactory;
import org.backplane.device.context.DeviceContext;

/**
 * One judging of one clause.
 *
 * @param subject whose devices are judged
 * @param calls into all of them
 */
record Trial(Subject subject, Calls calls) {
    /** A slot with settings that the factory takes, still empty. */
    Bench bench() throws Exception {
        return new Bench(this, subject.settings());
    }

    /** A slot with its device, made and wired. */
    Bench made() throws Exception {
        Bench bench = bench();
        try {
            bench.create();
            return bench;
        } catch (Exception | Error failed) {
            bench.close();
            throw failed;
        }
    }

    /** A slot whose device serves. */
    Bench started() throws Exception {
        Bench bench = made();
        try {
            bench.start();
            return bench;
        } catch (Exception | Error failed) {
            bench.close();
            throw failed;
        }
    }

    /** The subject's factory, its devices watched and wired. */
    DeviceFactory factory() {
        return context -> create(context).device();
    }

    /**
     * A device, watched and wired.
     *
     * @param pin whether it drives its interrupt pin
     */
    record Wired(Device device, BooleanSupplier pin) {}

    Wired create(DeviceContext context) throws DeviceException {
        try {
            Device device = calls.during("create", () -> subject.factory().create(context));
            Device observed = Observed.device(device, calls);
            return new Wired(observed, Wiring.wire(context.slot(), observed));
        } catch (DeviceException | RuntimeException e) {
            throw e;
        } catch (Exception e) {
            throw new IllegalStateException(e);
        }
    }
}
