package org.backplane.machine.processor;

import java.util.function.Consumer;
import org.backplane.hypervisor.HypervisorException;
import org.backplane.hypervisor.Vcpu;

/** The thread of one processor: outside, running, or parked at a slot's gate. */
final class VcpuThread extends MachineThread {
    private final Vcpu vcpu;
    private final Processors processors;
    // Guarded by processors.
    private boolean outside = true;
    private Runnable parked;
    private boolean abandoned;

    VcpuThread(
            String name, Vcpu vcpu, Processors processors, Consumer<HypervisorException> failed) {
        super(name, () -> ((VcpuThread) Thread.currentThread()).loop(failed));
        this.vcpu = vcpu;
        this.processors = processors;
    }

    private void loop(Consumer<HypervisorException> failed) {
        try {
            while (processors.awaitGo(this)) {
                vcpu.run();
            }
        } catch (HypervisorException e) {
            failed.accept(e);
        } finally {
            processors.left(this);
        }
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
