package org.backplane.hypervisor;

/**
 * Thrown by an {@link ExitHandler} on a processor thread that has been replaced: the access did not
 * return within its bound, the machine gave the processor to a fresh thread, which calls {@link
 * Vcpu#run} and executes the instruction again, and now the first thread has come back.
 *
 * <p>An engine lets it through to the caller of {@link Vcpu#run} and touches nothing of the
 * processor on the way: the fresh thread runs it at this moment.
 */
public final class AbandonedExit extends Error {
    private static final long serialVersionUID = 1L;

    public AbandonedExit() {
        super("the processor has been given to another thread", null, false, false);
    }
}
