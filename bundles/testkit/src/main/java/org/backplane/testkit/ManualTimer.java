package org.backplane.testkit;

import org.backplane.device.context.TimerLease;

/** A timer that expires when the test advances the guest's time. */
final class ManualTimer implements TimerLease {
    private final Runnable expired;
    private final Runnable closing;
    private boolean armed;
    private long expiry;

    ManualTimer(Runnable expired, Runnable closing) {
        this.expired = expired;
        this.closing = closing;
    }

    @Override
    public synchronized void arm(long guestTime) {
        armed = true;
        expiry = guestTime;
    }

    @Override
    public synchronized void disarm() {
        armed = false;
    }

    synchronized boolean due(long guestTime) {
        return armed && expiry <= guestTime;
    }

    synchronized long expiry() {
        return expiry;
    }

    void fire() {
        disarm();
        expired.run();
    }

    @Override
    public void close() {
        disarm();
        closing.run();
    }
}
