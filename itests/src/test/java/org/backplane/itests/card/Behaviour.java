package org.backplane.itests.card;

/** What a card's bundle does wrong, by a header of its manifest. */
public enum Behaviour {
    /** Nothing. */
    GOOD,
    /** Throws in create, with leases taken. */
    THROWS_IN_CREATE,
    /** Throws in start. */
    THROWS_IN_START,
    /** Throws from its register. */
    THROWS_IN_READ,
    /** Throws when it is quiesced and when it is closed. */
    THROWS_AT_THE_END,
    /** Refuses every state. */
    REFUSES_STATE,
    /** Leaves a thread behind, named {@link #LEFT_BEHIND}, that ends when it is interrupted. */
    LEAVES_A_THREAD;

    public static final String LEFT_BEHIND = "card-left-behind";

    public static final String HEADER = "Card-Behaviour";
}
