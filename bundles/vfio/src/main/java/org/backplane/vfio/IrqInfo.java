package org.backplane.vfio;

/**
 * A kind of interrupt of a device (linux/vfio.h, {@code struct vfio_irq_info}).
 *
 * @param index {@link VfioDevice#INTX} and its like
 * @param count vectors; 0 if the device has none of the kind
 * @param eventfd whether they can be signalled by eventfds
 * @param maskable whether they can be masked one by one
 * @param automasked whether one that is signalled is masked until it is unmasked
 * @param resizable whether vectors can be added while others are on
 */
public record IrqInfo(
        int index,
        int count,
        boolean eventfd,
        boolean maskable,
        boolean automasked,
        boolean resizable) {}
