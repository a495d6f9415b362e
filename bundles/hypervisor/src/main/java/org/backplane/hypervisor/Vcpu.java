package org.backplane.hypervisor;

import org.osgi.annotation.versioning.ProviderType;

/** A processor. {@link #run} belongs to one thread at a time; {@link #kick} to any. */
@ProviderType
public interface Vcpu {
    int index();

    /**
     * Starts this processor at an address when it runs next, with arguments in the architecture's
     * argument registers (RISC-V: a0, a1). A processor never started waits for another to start it
     * by the architecture's own means.
     *
     * @throws IllegalArgumentException the architecture needs more to begin with, see {@link
     *     #enter}
     */
    void enterAt(long pc, long... arguments);

    /**
     * Starts this processor in a state when it runs next. A processor never started waits for
     * another to start it by the architecture's own means.
     *
     * @throws IllegalArgumentException this is a processor of another architecture
     */
    default void enter(X86Entry entry) {
        throw new IllegalArgumentException(
                "processor " + index() + " is no x86 processor and cannot begin with " + entry);
    }

    /**
     * Runs guest code, waiting for interrupts included, until kicked. A kick that comes while the
     * processor is outside makes the next call return at once.
     *
     * <p>May be called while an earlier call, on another thread, is inside an {@link ExitHandler}
     * that will end with {@link AbandonedExit} if at all: the processor then belongs to the new
     * caller, who executes the instruction of that exit again. The caller has seen the earlier
     * thread enter the handler (happens-before).
     *
     * @throws HypervisorException the processor cannot go on; the message names it and its pc
     * @throws AbandonedExit this thread does not own the processor any more
     */
    void run() throws HypervisorException;

    /**
     * Makes {@link #run} return soon. Also ends the waiting of a handler that asks {@link #kicked}.
     */
    void kick();

    /** Whether a kick is pending. */
    boolean kicked();

    /** The program counter, for diagnosis; exact while outside of {@link #run}. */
    long pc();

    /** Guest instructions completed; 0 where the engine cannot count them. */
    long instructions();

    /** Whether the processor waits for an interrupt or to be started. */
    boolean idle();
}
