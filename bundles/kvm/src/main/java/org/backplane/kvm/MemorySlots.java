package org.backplane.kvm;

import static org.backplane.kvm.KvmAbi.*;

import java.util.BitSet;
import java.util.HashMap;
import java.util.Map;
import org.backplane.hypervisor.DirtyLog;
import org.backplane.hypervisor.HypervisorException;
import org.backplane.hypervisor.Vm;
import org.backplane.memory.MemoryListener;
import org.backplane.memory.MemoryRange;

/**
 * The guest's memory as KVM knows it: one memory slot a range of the layout. Stores to a read-only
 * range leave the processor as any other store to what is no memory. Thread-safe.
 */
final class MemorySlots implements MemoryListener, DirtyLog {
    /** Of the pages that KVM logs; x86 has no other for that. */
    private static final int PAGE = 4096;

    private final KvmFd vm;
    private final Map<MemoryRange, Integer> slots = new HashMap<>();
    private final BitSet taken = new BitSet();
    private boolean logging;

    MemorySlots(KvmFd vm) {
        this.vm = vm;
    }

    @Override
    public synchronized void added(MemoryRange range) {
        int slot = taken.nextClearBit(0);
        try {
            set(slot, range, range.length());
        } catch (HypervisorException e) {
            throw new IllegalStateException(e.getMessage(), e);
        }
        taken.set(slot);
        slots.put(range, slot);
    }

    /** KVM returns once no processor can reach it. */
    @Override
    public synchronized void removed(MemoryRange range) {
        Integer slot = slots.remove(range);
        if (slot == null) {
            return;
        }
        try {
            set(slot, range, 0);
            taken.clear(slot);
        } catch (HypervisorException e) {
            throw new IllegalStateException(e.getMessage(), e);
        }
    }

    /**
     * @param length in bytes; 0 removes the slot
     */
    private void set(int slot, MemoryRange range, long length) throws HypervisorException {
        int flags = range.writable() ? 0 : KVM_MEM_READONLY;
        if (logging && logged(range)) {
            flags |= KVM_MEM_LOG_DIRTY_PAGES;
        }
        try (Struct region = Struct.of(REGION_BYTES)) {
            region.u32(REGION_SLOT, slot)
                    .u32(REGION_FLAGS, flags)
                    .u64(REGION_GUEST_ADDRESS, range.guestAddress())
                    .u64(REGION_LENGTH, length)
                    .u64(REGION_HOST_ADDRESS, range.hostAddress());
            vm.call(
                    KVM_SET_USER_MEMORY_REGION,
                    region,
                    "slot %d, flags %d, %s, length 0x%x".formatted(slot, flags, range, length));
        }
    }

    private static boolean logged(MemoryRange range) {
        return range.writable() && range.kind() == MemoryRange.Kind.RAM;
    }

    @Override
    public synchronized Vm.Lease start() throws HypervisorException {
        if (logging) {
            throw new IllegalStateException("stores are logged already");
        }
        logging = true;
        try {
            setAll();
        } catch (HypervisorException e) {
            logging = false;
            throw e;
        }
        return this::stop;
    }

    private synchronized void stop() {
        if (logging) {
            logging = false;
            try {
                setAll();
            } catch (HypervisorException e) {
                throw new IllegalStateException(e.getMessage(), e);
            }
        }
    }

    private void setAll() throws HypervisorException {
        for (Map.Entry<MemoryRange, Integer> each : slots.entrySet()) {
            if (logged(each.getKey())) {
                set(each.getValue(), each.getKey(), each.getKey().length());
            }
        }
    }

    @Override
    public synchronized long[] take(MemoryRange range) throws HypervisorException {
        Integer slot = slots.get(range);
        if (!logging || slot == null || !logged(range)) {
            throw new HypervisorException(
                    "Stores to %s are not logged; start the log, and ask for writable RAM of the current layout."
                            .formatted(range));
        }
        long[] pages = new long[(int) ((range.length() / PAGE + Long.SIZE - 1) / Long.SIZE)];
        try (Struct bitmap = Struct.of(pages.length * Long.BYTES);
                Struct log = Struct.of(DIRTY_LOG_BYTES)) {
            log.u32(DIRTY_LOG_SLOT, slot).u64(DIRTY_LOG_BITMAP, bitmap.address());
            vm.call(KVM_GET_DIRTY_LOG, log, "slot %d, %s".formatted(slot, range));
            for (int i = 0; i < pages.length; i++) {
                pages[i] = bitmap.u64(i * Long.BYTES);
            }
        }
        return pages;
    }
}
