package org.backplane.machine.slot;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import org.backplane.device.state.SavedState;
import org.backplane.machine.MachineException;

/**
 * Every slot of a machine drained, behind its closed gate and saved, until this is closed. Each
 * slot's control thread waits for that, so that whatever else is asked of a slot meanwhile comes
 * after. The processors are paused.
 */
public final class Standstill implements AutoCloseable {
    private final CountDownLatch end = new CountDownLatch(1);
    private final List<CompletableFuture<Void>> going = new ArrayList<>();

    private Standstill() {}

    /**
     * Brings all slots to rest, side by side; waits, bounded, for the slowest.
     *
     * @param saved takes the state of each, in the order of the slots
     * @throws MachineException a slot could not be saved; all go on
     */
    static Standstill of(List<Slot> slots, List<SavedState> saved) throws MachineException {
        var standstill = new Standstill();
        List<CompletableFuture<SavedSlot>> resting = new ArrayList<>();
        for (Slot slot : slots) {
            var rest = new CompletableFuture<SavedSlot>();
            resting.add(rest);
            standstill.going.add(slot.standStill(rest, standstill.end));
        }
        boolean whole = false;
        try {
            for (CompletableFuture<SavedSlot> rest : resting) {
                SavedSlot slot = rest.get();
                if (slot != null) {
                    saved.add(slot.toSaved());
                }
            }
            whole = true;
            return standstill;
        } catch (ExecutionException e) {
            throw new MachineException(Occupant.sentence(e.getCause()), e.getCause());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new MachineException("Interrupted while the slots came to rest.", e);
        } finally {
            if (!whole) {
                standstill.close();
            }
        }
    }

    /** Lets every slot go on, and returns when all do. */
    @Override
    public void close() {
        end.countDown();
        CompletableFuture.allOf(going.toArray(CompletableFuture[]::new)).join();
    }
}
