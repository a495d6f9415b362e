package org.backplane.hypervisor;

import org.osgi.annotation.versioning.ConsumerType;

/**
 * Answers what leaves the processors. Called on processor threads, by several at once. A handler
 * may park, and then returns early when its processor is kicked; the engine repeats nothing.
 *
 * <p>During a call the processor's state is the one before the instruction that made it, the
 * program counter included, so that executing the instruction again makes the same call: what
 * {@link Vm#save} gives meanwhile, and what a fresh thread finds that calls {@link Vcpu#run} for a
 * thread that does not come back. Such a handler ends with {@link AbandonedExit} if it ever does;
 * no other thread may run the processor while a handler will still return.
 */
@ConsumerType
public interface ExitHandler {
    /** What a guest asks of the machine; the handler posts it and returns. */
    enum SystemEvent {
        POWER_OFF,
        REBOOT,
        /** The guest says it failed, and asks to be reset or stopped. */
        FAILED
    }

    /**
     * A load from an address that is no memory.
     *
     * @param width in bytes: 1, 2, 4 or 8
     * @return the value in the low bits, all ones where nothing answers
     */
    long mmioRead(int vcpu, long address, int width);

    /**
     * A store to an address that is no memory.
     *
     * @param value in the low bits; bits above the width are zero
     */
    void mmioWrite(int vcpu, long address, int width, long value);

    long ioRead(int vcpu, int port, int width);

    void ioWrite(int vcpu, int port, int width, long value);

    void systemEvent(int vcpu, SystemEvent event);

    /** A byte of the firmware's debug console (RISC-V SBI DBCN, legacy putchar). */
    void debugConsole(int octet);
}
