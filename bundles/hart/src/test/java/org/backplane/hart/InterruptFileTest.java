package org.backplane.hart;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.BitSet;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.Example;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;

class InterruptFileTest {
    private static final int EIDELIVERY = 0x70;
    private static final int EITHRESHOLD = 0x72;
    private static final int EIP0 = 0x80;
    private static final int EIP2 = 0x82;
    private static final int EIE0 = 0xc0;
    private static final int EIE2 = 0xc2;
    private static final int IDENTITIES = 127;

    private final AtomicInteger wakes = new AtomicInteger();
    private final InterruptFile file = new InterruptFile(IDENTITIES, wakes::incrementAndGet);

    private static int top(int identity) {
        return identity << 16 | identity;
    }

    private void write(int select, long value) {
        file.exchange(select, -1, value);
    }

    private void enableAll() {
        write(EIDELIVERY, 1);
        write(EIE0, -1);
        write(EIE2, -1);
    }

    @Example
    void lowestPendingAndEnabledIdentityIsOnTop() {
        enableAll();
        file.deliver(100);
        file.deliver(7);
        file.deliver(64);
        assertEquals(top(7), file.top());
        file.exchange(EIE0, 1L << 7, 0);
        assertEquals(top(64), file.top());
    }

    @Example
    void claimClearsWhatItReturnsAndNothingElse() {
        enableAll();
        file.deliver(5);
        file.deliver(70);
        assertEquals(top(5), file.claim());
        assertTrue(file.pending());
        assertEquals(top(70), file.claim());
        assertFalse(file.pending());
        assertEquals(0, file.claim());
    }

    @Example
    void identityZeroAndThoseNotImplementedAreIgnored() {
        enableAll();
        file.deliver(0);
        file.deliver(IDENTITIES + 1);
        file.deliver(-1);
        assertEquals(0, wakes.get());
        assertEquals(0, file.top());
        write(EIP0, -1);
        assertEquals(~1L, file.read(EIP0));
        assertEquals(~1L, file.read(EIE0));
        assertEquals(0, file.exchange(EIP0 + 4, 0, -1));
        assertEquals(0, file.read(EIP0 + 4));
        assertEquals(0, file.exchange(EIE0 + 0x3e, 0, -1));
        assertEquals(0, file.read(EIE0 + 0x3e));
    }

    @Example
    void withoutDeliveryTheTopIsStillSeen() {
        enableAll();
        write(EIDELIVERY, 0);
        file.deliver(9);
        assertFalse(file.pending());
        assertEquals(top(9), file.top());
        write(EIDELIVERY, 1);
        assertTrue(file.pending());
    }

    @Example
    void deliveryByAnAplicIsNotOffered() {
        write(EIDELIVERY, 0x40000000);
        assertEquals(0, file.read(EIDELIVERY));
    }

    @Example
    void thresholdHidesItsIdentityAndHigher() {
        enableAll();
        file.deliver(20);
        write(EITHRESHOLD, 20);
        assertEquals(0, file.top());
        assertFalse(file.pending());
        write(EITHRESHOLD, 21);
        assertEquals(top(20), file.top());
        assertTrue(file.pending());
    }

    @Example
    void thresholdHoldsEveryIdentity() {
        InterruptFile odd = new InterruptFile(191, () -> {});
        for (int identity = 0; identity <= 191; identity++) {
            odd.exchange(EITHRESHOLD, -1, identity);
            assertEquals(identity, odd.read(EITHRESHOLD));
        }
    }

    @Example
    void oddArrayRegistersDoNotExistAndReservedOnesReadZero() {
        assertFalse(file.exists(0x6f));
        assertFalse(file.exists(0x81));
        assertFalse(file.exists(0xff));
        assertFalse(file.exists(0x100));
        assertFalse(file.exists(-1));
        for (int select = 0x70; select < 0x80; select++) {
            assertTrue(file.exists(select));
        }
        assertTrue(file.exists(0xbe));
        assertTrue(file.exists(0xfe));
        write(0x71, -1);
        write(0x7f, -1);
        assertEquals(0, file.read(0x71));
        assertEquals(0, file.read(0x7f));
    }

    @Example
    void exchangeAnswersTheValueBefore() {
        assertEquals(0, file.exchange(EIP0, 0, 0x30));
        assertEquals(0x30, file.exchange(EIP0, 0x10, 0));
        assertEquals(0x20, file.exchange(EIP0, -1, 0x6));
        assertEquals(0x6, file.read(EIP0));
    }

    @Example
    void memoryRegistersTakeAlignedWordsOfEitherByteOrder() {
        enableAll();
        file.store(0, 4, 3);
        assertEquals(top(3), file.claim());
        file.store(4, 4, Integer.reverseBytes(4) & 0xffffffffL);
        assertEquals(top(4), file.claim());
        file.store(0, 8, 3);
        file.store(0, 2, 3);
        file.store(8, 4, 3);
        file.store(0, 4, 0xffffffffL);
        assertEquals(0, file.top());
    }

    @Example
    void wakesOnlyForWhatWasNotPending() {
        file.deliver(3);
        file.deliver(3);
        assertEquals(1, wakes.get());
        file.exchange(EIP0, -1, 0);
        file.deliver(3);
        assertEquals(2, wakes.get());
    }

    @Example
    void resetForgetsEverything() {
        enableAll();
        write(EITHRESHOLD, 100);
        file.deliver(3);
        assertTrue(file.pending());
        file.reset();
        assertFalse(file.pending());
        for (int select : List.of(EIDELIVERY, EITHRESHOLD, EIP0, EIP2, EIE0, EIE2)) {
            assertEquals(0, file.read(select));
        }
    }

    @Example
    void refusesNumbersOfIdentitiesThatDoNotFillRegisters() {
        for (int identities : new int[] {0, 62, 64, 100, 2111}) {
            assertThrows(
                    IllegalArgumentException.class, () -> new InterruptFile(identities, () -> {}));
        }
    }

    /** Each step: an operation and an operand; a set of bits is the model. */
    @Property
    void behavesLikeTwoSetsOfIdentities(@ForAll("steps") List<Integer> steps) {
        BitSet pending = new BitSet();
        BitSet enabled = new BitSet();
        int threshold = 0;
        boolean delivery = false;
        InterruptFile checked = new InterruptFile(IDENTITIES, () -> {});
        for (int step : steps) {
            int identity = step >> 3;
            int word = identity >> 6;
            long bit = 1L << identity;
            switch (step & 7) {
                case 0:
                case 1:
                    checked.deliver(identity);
                    pending.set(identity);
                    break;
                case 2:
                    checked.exchange(EIE0 + 2 * word, 0, bit);
                    enabled.set(identity);
                    break;
                case 3:
                    checked.exchange(EIE0 + 2 * word, bit, 0);
                    enabled.clear(identity);
                    break;
                case 4:
                    checked.exchange(EIP0 + 2 * word, bit, 0);
                    pending.clear(identity);
                    break;
                case 5:
                    checked.exchange(EITHRESHOLD, -1, identity);
                    threshold = identity;
                    break;
                case 6:
                    delivery = !delivery;
                    checked.exchange(EIDELIVERY, -1, delivery ? 1 : 0);
                    break;
                default:
                    int claimed = checked.claim() >> 16;
                    assertEquals(expectedTop(pending, enabled, threshold), claimed);
                    pending.clear(claimed);
                    break;
            }
            pending.clear(0);
            enabled.clear(0);
            int expected = expectedTop(pending, enabled, threshold);
            assertEquals(top(expected), checked.top());
            assertEquals(delivery && expected != 0, checked.pending());
        }
    }

    private static int expectedTop(BitSet pending, BitSet enabled, int threshold) {
        BitSet both = (BitSet) pending.clone();
        both.and(enabled);
        int first = both.nextSetBit(0);
        return first < 0 || threshold != 0 && first >= threshold ? 0 : first;
    }

    @Provide
    Arbitrary<List<Integer>> steps() {
        // Few identities, at the edges of the registers: steps meet each other.
        Arbitrary<Integer> identity = Arbitraries.of(0, 1, 5, 63, 64, 65, IDENTITIES);
        Arbitrary<Integer> operation = Arbitraries.integers().between(0, 7);
        return Combinators.combine(identity, operation)
                .as((i, o) -> i << 3 | o)
                .list()
                .ofMaxSize(60);
    }

    @Example
    void losesNoInterruptDeliveredByOtherThreads() throws InterruptedException {
        int rounds = 20_000;
        Semaphore doorbell = new Semaphore(0);
        InterruptFile shared = new InterruptFile(IDENTITIES, doorbell::release);
        shared.exchange(EIDELIVERY, -1, 1);
        shared.exchange(EIE0, -1, -1);
        shared.exchange(EIE2, -1, -1);
        Semaphore[] taken = {new Semaphore(1), new Semaphore(1)};
        int[] identities = {3, 100};
        CountDownLatch failed = new CountDownLatch(1);
        Thread[] senders = new Thread[2];
        for (int i = 0; i < senders.length; i++) {
            int sender = i;
            senders[i] =
                    new Thread(
                            () -> {
                                for (int round = 0; round < rounds; round++) {
                                    taken[sender].acquireUninterruptibly();
                                    shared.deliver(identities[sender]);
                                }
                            });
            senders[i].start();
        }
        // Waits as a hart does: looks, and sleeps only if there was nothing to see.
        int received = 0;
        while (received < 2 * rounds && failed.getCount() > 0) {
            if (!shared.pending()) {
                if (!doorbell.tryAcquire(30, TimeUnit.SECONDS)) {
                    failed.countDown();
                }
                continue;
            }
            int identity = shared.claim() >> 16;
            received++;
            taken[identity == identities[0] ? 0 : 1].release();
        }
        if (failed.getCount() == 0) {
            taken[0].release(rounds);
            taken[1].release(rounds);
        }
        for (Thread sender : senders) {
            sender.join();
        }
        assertEquals(2 * rounds, received);
    }
}
