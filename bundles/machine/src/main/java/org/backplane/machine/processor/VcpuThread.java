package org.backplane.machine.processor;

import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.util.function.Consumer;
import org.backplane.hypervisor.AbandonedExit;
import org.backplane.hypervisor.HypervisorException;
import org.backplane.hypervisor.Vcpu;

/** The thread of one processor: outside, running, or parked at a slot's gate. */
final class VcpuThread extends MachineThread {
    private static final Logger LOG = System.getLogger(VcpuThread.class.getName());

    private final Vcpu vcpu;
    private final Processors processors;
    private final Consumer<HypervisorException> failed;
    // Guarded by processors.
    private boolean outside = true;
    private Runnable parked;
    private boolean abandoned;

    VcpuThread(
            String name, Vcpu vcpu, Processors processors, Consumer<HypervisorException> failed) {
        super(name, () -> ((VcpuThread) Thread.currentThread()).loop());
        this.vcpu = vcpu;
        this.processors = processors;
        this.failed = failed;
    }

    private void loop() {
        try {
            while (processors.awaitGo(this)) {
                vcpu.run();
            }
        } catch (AbandonedExit e) {
            LOG.log(Level.INFO, () -> "%s came out of a device after all.".formatted(getName()));
        } catch (HypervisorException e) {
            failed.accept(e);
        } finally {
            processors.left(this);
        }
    }

    /** Another thread for the same processor: its instruction is executed again. */
    @Override
    public void replace() {
        processors.replace(this, new VcpuThread(getName(), vcpu, processors, failed));
    }

    void kick() {
        vcpu.kick();
    }

    /** Whether it touches no guest state now. Under the lock of processors. */
    boolean still() {
        return outside || parked != null;
    }

    boolean isOutside() {
        return outside;
    }

    void outside(boolean now) {
        outside = now;
        if (now) {
            abandoned = false;
        }
    }

    /** Gives up parking: the access ends with a refusal. Returns what wakes it, or null. */
    Runnable abandon() {
        abandoned = !outside;
        return parked;
    }

    @Override
    public void parking(Runnable wake) {
        processors.parked(() -> parked = wake);
    }

    @Override
    public boolean abandoned() {
        return processors.holding(() -> abandoned);
    }

    @Override
    public void unparking() {
        processors.unparking(() -> abandoned, () -> parked = null);
    }
}
