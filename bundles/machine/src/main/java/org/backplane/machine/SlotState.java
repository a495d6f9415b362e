package org.backplane.machine;

/** What a slot is doing. */
public enum SlotState {
    /** No bundle offers the slot's kind yet. */
    WAITING,
    /** A device answers. */
    RUNNING,
    /** A swap is under way; the guest's accesses to the device park. */
    SWAPPING,
    /** The device's bundle went away; accesses park until another comes or the bound passes. */
    VACANT,
    /** The device failed; accesses read all ones until a swap repairs the slot. */
    FAILED,
    /** Unplugged. */
    CLOSED
}
