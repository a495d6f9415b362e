package org.backplane.memory;

import org.osgi.annotation.versioning.ConsumerType;

/**
 * Told of layout changes: added before the guest can see a range, removed after it cannot.
 *
 * <p>Calls come one at a time, on the thread that makes the change, or that registers the listener,
 * and must not change the memory themselves. What there is when it registers the guest may see
 * already. An addition goes to the listeners latest registered first, a removal earliest first: the
 * engine, which registers when the VM is made, opens a range to the guest after everybody else
 * knows it, and shuts it before anybody else lets go.
 */
@ConsumerType
public interface MemoryListener {
    /** The range is mapped in this process; devices and guest cannot reach it yet. */
    void added(MemoryRange range);

    /**
     * The range is no longer in the layout; its host mapping stays at least until this returns. An
     * engine returns once no processor can reach it any more.
     */
    void removed(MemoryRange range);
}
