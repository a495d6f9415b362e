package org.backplane.itests.card;

import java.util.concurrent.CountDownLatch;

/**
 * How a card behaves.
 *
 * @param version what it answers when it is asked
 * @param hold what hangs returns once it is released
 */
record Conduct(Behaviour behaviour, int version, CountDownLatch hold) {
    boolean is(Behaviour asked) {
        return behaviour == asked;
    }

    void throwIf(Behaviour asked, String where) {
        if (is(asked)) {
            throw new IllegalStateException("thrown in " + where);
        }
    }

    /** Heeds no interrupt, as code that hangs does not. */
    void hangIf(Behaviour asked) {
        boolean released = !is(asked);
        while (!released) {
            try {
                hold.await();
                released = true;
            } catch (InterruptedException ignored) {
                released = false;
            }
        }
    }

    boolean held() {
        return hold.getCount() > 0;
    }
}
