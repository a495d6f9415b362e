package org.backplane.itests.card;

/** What a card's bundle does wrong, by a header of its manifest. */
public enum Behaviour {
    /** Nothing. */
    GOOD,
    /** Imports a package that nobody exports. */
    DOES_NOT_RESOLVE,
    /** Throws from its bundle's activator. */
    DOES_NOT_START,
    /** Does not return from its bundle's activator. */
    HANGS_IN_THE_ACTIVATOR,
    /** Throws in create, with leases taken. */
    THROWS_IN_CREATE,
    /** Does not return from create, with leases taken. */
    HANGS_IN_CREATE,
    /** Has another shape: a larger region, another device ID. */
    OTHER_SHAPE,
    /** Throws in start. */
    THROWS_IN_START,
    /** Refuses every state. */
    REFUSES_STATE,
    /** Throws from its register. */
    THROWS_IN_READ,
    /** Does not return from its register. */
    HANGS_IN_READ,
    /** Throws from its queue's work, with requests taken. */
    THROWS_IN_WORK,
    /** Does not return from its queue's work, with requests taken. */
    HANGS_IN_WORK,
    /** Takes every request of its queue and completes none. */
    KEEPS_REQUESTS,
    /** Its timer is due again at once, its queue's work interrupts without end. */
    FLOODS,
    /** Does not return from quiesce. */
    HANGS_IN_QUIESCE,
    /** Is never idle. */
    NEVER_RESTS,
    /** Throws when it is quiesced and when it is closed. */
    THROWS_AT_THE_END,
    /** Leaves a thread behind, named {@link #LEFT_BEHIND}, that ends when it is interrupted. */
    LEAVES_A_THREAD;

    public static final String LEFT_BEHIND = "card-left-behind";

    public static final String HEADER = "Card-Behaviour";

    /**
     * Property of a {@link java.util.concurrent.CountDownLatch} service: what hangs returns when it
     * is released.
     */
    public static final String HOLD = "card.hold";

    boolean hangs() {
        return switch (this) {
            case HANGS_IN_THE_ACTIVATOR,
                    HANGS_IN_CREATE,
                    HANGS_IN_READ,
                    HANGS_IN_WORK,
                    HANGS_IN_QUIESCE,
                    FLOODS ->
                    true;
            default -> false;
        };
    }
}
