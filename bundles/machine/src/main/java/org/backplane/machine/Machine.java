package org.backplane.machine;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.osgi.annotation.versioning.ProviderType;

/**
 * The virtual machine of this process; a service. Thread-safe. Calls wait, bounded, for the slot or
 * the processors concerned; a {@link MachineException} says in one sentence what was wrong.
 */
@ProviderType
public interface Machine {
    MachineReport report();

    /** In the order they were made. */
    List<SlotReport> slots();

    SlotInspection inspect(String slot) throws MachineException;

    /** The latest entries, oldest first. */
    List<HistoryEntry> history(String slot) throws MachineException;

    /** What was counted so far; costs the guest nothing but a look at each queue. */
    MachineCounters counters();

    AddressMap map();

    /** By address. */
    List<FunctionReport> functions();

    /** The kinds that bundles offer now. */
    List<String> kinds();

    /**
     * Adds a slot; the guest is told if its board can.
     *
     * @param settings as on the command line, without name and kind
     * @param source where it was asked for, for messages
     */
    SlotReport plug(String name, String kind, Map<String, String> settings, String source)
            throws MachineException;

    /**
     * Changes which code may fill a slot. What runs there changes only by a swap; an empty slot is
     * filled if it can be.
     *
     * @param pin as the setting {@code pin}, or {@code none}
     */
    SlotReport pin(String slot, String pin) throws MachineException;

    /** Writes a slot into the folder of {@code --config}: it then lives as long as that file. */
    void save(String slot) throws MachineException;

    /** How long a guest is waited for that is asked to let go of a device: Linux takes 6 s. */
    Duration UNPLUG_BOUND = Duration.ofSeconds(30);

    /**
     * Removes a slot. A guest that runs is asked to let go of a device that is in a root port, and
     * waited for; of one on bus 0 it must have let go before.
     *
     * @param bound on the wait for the guest's consent; without it the device stays where it is
     * @param force without the guest's consent: for a guest that runs it is surprise removal
     * @throws MachineException also if the guest did not agree in time, or cannot be asked
     */
    UnplugReport unplug(String slot, Duration bound, boolean force) throws MachineException;

    /** As {@link #unplug(String, Duration, boolean)} with {@link #UNPLUG_BOUND}. */
    default UnplugReport unplug(String slot, boolean force) throws MachineException {
        return unplug(slot, UNPLUG_BOUND, force);
    }

    /**
     * Replaces the code of a slot's device under the guest, beside road. For a while after it, the
     * probation, the code before takes over again if the new one fails.
     *
     * @param version a bundle version, {@code latest}, or the path of a jar
     * @param force cuts off a device that does not come to rest or cannot tell its state; its
     *     requests are given to the new code again. Code that refuses the state begins without one
     */
    SwapReport swap(String slot, String version, boolean force) throws MachineException;

    /**
     * Unplugs a slot's device and plugs one of other code in its place: for code of another shape.
     * The guest is asked as in {@link #unplug(String, Duration, boolean)}; behind a root port it is
     * told of the new one, on bus 0 it has to look for it.
     *
     * @param version as in {@link #swap}
     * @param force without the guest's consent
     */
    SlotReport replug(String slot, String version, boolean force) throws MachineException;

    /**
     * Takes the link of a slot's device down, as if its cable were pulled, or up again. It stays so
     * over swaps, resets and snapshots; {@link #inspect} tells it as {@code link}.
     *
     * @throws MachineException the slot's device has no link
     */
    void link(String slot, boolean up) throws MachineException;

    /** Ends the probation of a slot's latest swap: the code before is let go of. */
    void accept(String slot) throws MachineException;

    /** Retired device code whose class loader the garbage collector has not taken yet. */
    List<String> stillLoaded();

    void pause() throws MachineException;

    void resume() throws MachineException;

    /** Ends the machine and the process, at once: for the guest it is a power cut. */
    void stop();

    /**
     * Asks the guest to shut itself down, by the power button of the first slot whose device has
     * one. What the guest makes of it is its own affair; {@link #awaitEnd} tells whether it ended.
     *
     * @return whether a button was pressed: there is none to press if the guest does not run, or no
     *     device has one
     * @throws MachineException the device failed
     */
    boolean powerButton() throws MachineException;

    /**
     * Waits for the end of the machine, whoever brings it about.
     *
     * @return whether it came within the bound
     */
    boolean awaitEnd(Duration bound) throws InterruptedException;

    /**
     * Writes the whole machine into a folder that is not there yet: memory, processors, slots.
     * Guest time stands still meanwhile, then the guest goes on, whether that succeeded or not.
     * Disk images are not part of it: docs/snapshot.md.
     *
     * @param folder its parent is there
     */
    void snapshot(Path folder) throws MachineException;

    /** Reboots the guest in this process, without asking it. */
    void reset() throws MachineException;
}
