package org.backplane.device.context;

import java.time.Clock;
import java.util.Map;
import org.backplane.bus.ClaimException;
import org.backplane.bus.IoHandler;
import org.backplane.bus.Placement;
import org.backplane.bus.RegionLease;
import org.backplane.bus.Space;
import org.backplane.device.DeviceException;
import org.backplane.linux.Fd;
import org.backplane.memory.MemoryChanges;
import org.backplane.memory.MemoryView;
import org.osgi.annotation.versioning.ProviderType;

/**
 * What a slot gives its device. Every lease lies on the slot's stack and is closed backwards with
 * the device, whatever the device does. Callbacks and handlers enter the slot's gate first. Leases
 * are taken in create and start.
 */
@ProviderType
public interface DeviceContext {
    /** The machine's name, of which a host runs one at a time. */
    String machine();

    /** The slot's name: {@code disk0}. */
    String slot();

    /** The slot's kind: {@code virtio-blk}. */
    String kind();

    /** The slot's settings without name and kind; the device validates them. */
    Map<String, String> settings();

    /** The guest's memory; refuses everything once the device is gone. */
    MemoryView memory();

    /**
     * Claims addresses for a device that is not on PCI. The region is the slot's: it keeps its
     * place over a swap, and the new device's request of equal size takes it over.
     *
     * @param size in bytes
     */
    RegionLease region(Space space, long size, Placement placement, IoHandler handler)
            throws ClaimException;

    /** One input of a wired interrupt of the board, level-high; the slot keeps its number. */
    InterruptLine line() throws DeviceException;

    /**
     * One input of the wired interrupt of that number, level-high, which nobody else of the machine
     * has; the slot keeps it. On x86-64 the number is the global system interrupt (ACPI 6.5,
     * 5.2.13), for one that the board has by its name: 4 for COM1.
     *
     * @throws DeviceException the board has no such line for devices, or another slot has it
     */
    InterruptLine line(int source) throws DeviceException;

    /** What the slot's {@code console} setting names; kept over a swap. */
    Console console() throws DeviceException;

    /** The host's wall clock. */
    Clock wallClock();

    /** Guest time in nanoseconds: stands still while the machine is paused. */
    long guestTime();

    /** A timer on guest time; the callback runs on a worker. */
    TimerLease timer(Runnable expired);

    /**
     * Something the slot keeps for the versions of a device that follow each other: opened by the
     * first that asks, closed with the slot. Only classes of the bundles {@code linux} and {@code
     * vfio}, which are there for the life of the process: one of the device's would hold its code.
     */
    <T extends AutoCloseable> T kept(String name, Class<T> type, Opener<T> opener)
            throws DeviceException;

    /**
     * As {@link #kept}, one for all slots of the machine that ask for the name: opened by the
     * first, closed with the last.
     */
    <T extends AutoCloseable> T shared(String name, Class<T> type, Opener<T> opener)
            throws DeviceException;

    /**
     * Tells the engine that a device of the host serves this machine: its group's or its own VFIO
     * descriptor.
     *
     * @param device stays the device's, open until the lease is closed
     */
    Lease assignHostDevice(Fd device) throws DeviceException;

    /**
     * Tells what the guest's memory consists of: for a device that does DMA on its own. Whoever
     * listens must stop before the slot closes.
     */
    MemoryChanges memoryChanges();

    /** Runs the work on a worker whenever the descriptor is readable; active from the start. */
    Watch onReadable(Fd descriptor, Runnable work);

    /**
     * Runs the work on the same worker whenever the descriptor has room to write; suspended at
     * first.
     */
    Watch onWritable(Fd descriptor, Runnable work);

    /**
     * Adds a line to the slot's history, for the operator: something that happened to the device,
     * not what a guest does with it all day. Thread-safe, does not wait.
     *
     * @param what a word or two: {@code gone}
     * @param detail a clause
     */
    void tell(String what, String detail);

    /** Asks the machine to power off or reboot; posted, returns at once. */
    void power(PowerRequest request);

    /**
     * Asks the machine to end with that exit status of its process; posted, returns at once.
     *
     * @param status 0 to 255, of which a host's shell sees all
     */
    void exit(int status);

    /**
     * Describes a device that the guest cannot discover; the board adds addresses and interrupts.
     */
    void describe(FirmwareNode node);

    /** What a device can ask of the machine as a whole. */
    enum PowerRequest {
        POWER_OFF,
        REBOOT
    }

    /** Opens a kept resource. */
    @FunctionalInterface
    interface Opener<T> {
        T open() throws DeviceException;
    }
}
