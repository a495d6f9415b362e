package org.backplane.virtio;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import org.backplane.device.GuestErrors;

/**
 * The common configuration: registers, negotiation and the life of a device as its driver drives it
 * (virtio 1.2, sections 2.1, 3.1 and 4.1.4.3), of a transitional device also through its legacy
 * interface (sections 3.1.2 and 4.1.4.10). The two have the same registers behind them; which of
 * them the driver uses is known from its first write after a reset, and the other one can only
 * reset the device from then on.
 *
 * <p>Threads: accesses come from several processors, resets and restores from the slot's control
 * thread; one lock, this object's, covers all registers. Nothing is called under it but the queues,
 * whose own locks are inside of it, and the wires. What the slot must hear is put down in {@link
 * OrderedCalls} under the lock, and called by the caller of this class without it.
 */
final class CommonConfig {
    private final List<QueueRegisters> queues;
    private final VirtioInterrupts interrupts;
    private final Doorbells doorbells;
    private final VirtioBackend backend;
    private final OrderedCalls calls;
    private final GuestErrors errors;

    private int deviceFeatureSelect;
    private int driverFeatureSelect;

    /** What the driver sees now. */
    private long offered;

    /** What it sees after its next reset. */
    private long offeredNext;

    /** What the driver accepts: nothing after each reset, whatever it accepted before. */
    private long driverFeatures;

    private int status;
    private boolean resetPending;
    private int generation;
    private int queueSelect;

    /** Whether the driver uses the legacy interface. */
    private boolean legacy;

    /** Whether a legacy driver has used a queue before DRIVER_OK, which it may (section 3.1.2). */
    private boolean usedEarly;

    CommonConfig(
            long features,
            List<QueuePort> ports,
            VirtioInterrupts interrupts,
            Doorbells doorbells,
            VirtioBackend backend,
            OrderedCalls calls,
            GuestErrors errors) {
        this.queues = ports.stream().map(QueueRegisters::new).toList();
        this.interrupts = interrupts;
        this.doorbells = doorbells;
        this.backend = backend;
        this.calls = calls;
        this.errors = errors;
        offer(features);
        offered = offeredNext;
    }

    synchronized long read(int offset, int width) {
        if (wholeAddress(offset, width)) {
            return field(offset) | field(offset + 4) << 32;
        }
        if (VirtioPciLayout.commonFieldWidth(offset) != width) {
            errors.add("read of %d bytes at 0x%x of the common configuration", width, offset);
            return 0;
        }
        return field(offset);
    }

    synchronized void write(int offset, int width, long value) {
        boolean whole = wholeAddress(offset, width);
        if (!whole && VirtioPciLayout.commonFieldWidth(offset) != width) {
            errors.add("write of %d bytes at 0x%x of the common configuration", width, offset);
            return;
        }
        if (resetPending) {
            // The driver has to wait until device_status reads 0 (section 4.1.4.3.2).
            errors.add("write at 0x%x of the common configuration during a reset", offset);
            return;
        }
        if (legacy && !(offset == VirtioPciLayout.DEVICE_STATUS && value == 0)) {
            if (status != 0 || offset != VirtioPciLayout.DEVICE_STATUS) {
                errors.add("write at 0x%x of the common configuration by a legacy driver", offset);
                return;
            }
            clear();
        }
        if (whole) {
            setField(offset, value & 0xffff_ffffL);
            setField(offset + 4, value >>> 32);
        } else {
            setField(offset, value);
        }
    }

    /** Drivers write addresses in halves; in one piece is right too where the machine can. */
    private static boolean wholeAddress(int offset, int width) {
        return width == 8
                && (offset == VirtioPciLayout.QUEUE_DESC
                        || offset == VirtioPciLayout.QUEUE_DRIVER
                        || offset == VirtioPciLayout.QUEUE_DEVICE);
    }

    private long field(int offset) {
        return switch (offset) {
            case VirtioPciLayout.DEVICE_FEATURE_SELECT -> deviceFeatureSelect & 0xffff_ffffL;
            case VirtioPciLayout.DEVICE_FEATURE -> Halves.get(offered, deviceFeatureSelect);
            case VirtioPciLayout.DRIVER_FEATURE_SELECT -> driverFeatureSelect & 0xffff_ffffL;
            case VirtioPciLayout.DRIVER_FEATURE -> Halves.get(driverFeatures, driverFeatureSelect);
            case VirtioPciLayout.CONFIG_MSIX_VECTOR ->
                    interrupts.vector(interrupts.configuration());
            case VirtioPciLayout.NUM_QUEUES -> queues.size();
            case VirtioPciLayout.DEVICE_STATUS -> status;
            case VirtioPciLayout.CONFIG_GENERATION -> generation;
            case VirtioPciLayout.QUEUE_SELECT -> queueSelect;
            // A queue that does not exist has the size 0 (section 4.1.5.1.3).
            default -> queueSelect < queues.size() ? queueField(offset) : 0;
        };
    }

    private long queueField(int offset) {
        return offset == VirtioPciLayout.QUEUE_MSIX_VECTOR
                ? interrupts.vector(queueSelect)
                : queues.get(queueSelect).read(offset);
    }

    private void setField(int offset, long value) {
        int low = (int) value;
        switch (offset) {
            case VirtioPciLayout.DEVICE_FEATURE_SELECT -> deviceFeatureSelect = low;
            case VirtioPciLayout.DRIVER_FEATURE_SELECT -> driverFeatureSelect = low;
            case VirtioPciLayout.DRIVER_FEATURE -> setDriverFeature(value);
            case VirtioPciLayout.CONFIG_MSIX_VECTOR ->
                    interrupts.setVector(interrupts.configuration(), low);
            case VirtioPciLayout.DEVICE_STATUS -> setStatus(low);
            case VirtioPciLayout.QUEUE_SELECT -> queueSelect = low;
            case VirtioPciLayout.DEVICE_FEATURE,
                    VirtioPciLayout.NUM_QUEUES,
                    VirtioPciLayout.CONFIG_GENERATION,
                    VirtioPciLayout.QUEUE_NOTIFY_OFF ->
                    errors.add("write to the read-only common register 0x%x", offset);
            default -> {
                if (queueSelect < queues.size()) {
                    setQueueField(queues.get(queueSelect), offset, value);
                } else {
                    errors.add("write at 0x%x for queue %d", offset, queueSelect);
                }
            }
        }
    }

    private void setQueueField(QueueRegisters queue, int offset, long value) {
        if (offset == VirtioPciLayout.QUEUE_MSIX_VECTOR) {
            interrupts.setVector(queueSelect, (int) value);
        } else if (queue.enabled()) {
            // The ring is in use; also queue_enable cannot be taken back (section 4.1.4.3.2).
            errors.add("write at 0x%x for the enabled queue %d", offset, queueSelect);
        } else if (offset == VirtioPciLayout.QUEUE_ENABLE) {
            enable(queue, value);
        } else if (!queue.write(offset, value)) {
            errors.add("0x%x written at 0x%x for queue %d", value, offset, queueSelect);
        }
    }

    /** A queue that cannot be enabled reads back as disabled. */
    private void enable(QueueRegisters queue, long value) {
        // The features decide how the ring is used, and the device hears of the queues with
        // DRIVER_OK: between the two is the time to enable (section 3.1.1).
        boolean inTime =
                (status & VirtioPciLayout.FEATURES_OK) != 0
                        && (status & VirtioPciLayout.DRIVER_OK) == 0;
        if (value != 1 || !inTime) {
            errors.add("queue_enable %d of queue %d, status 0x%x", value, queueSelect, status);
            return;
        }
        String problem = queue.enable(driverFeatures);
        enabled(queueSelect, problem);
    }

    private void setDriverFeature(long value) {
        if ((status & VirtioPciLayout.FEATURES_OK) != 0) {
            errors.add("features accepted after FEATURES_OK: 0x%x", value);
        } else if (driverFeatureSelect == 0 || driverFeatureSelect == 1) {
            driverFeatures = Halves.set(driverFeatures, driverFeatureSelect, value);
        } else if (value != 0) {
            errors.add("features 0x%x accepted in half %d", value, driverFeatureSelect);
        }
    }

    /**
     * Section 2.1: a driver sets bits one after the other, and takes them back only all at once.
     */
    private void setStatus(int value) {
        if (value == 0) {
            requestReset();
            return;
        }
        if ((status & VirtioPciLayout.DRIVER_STATUS & ~value) != 0) {
            errors.add("status 0x%x takes bits of 0x%x back", value, status);
        }
        int added = value & ~status & VirtioPciLayout.DRIVER_STATUS;
        status |= added & ~(VirtioPciLayout.FEATURES_OK | VirtioPciLayout.DRIVER_OK);
        if ((added & VirtioPciLayout.FEATURES_OK) != 0) {
            if (acceptable()) {
                status |= VirtioPciLayout.FEATURES_OK;
            } else {
                // It reads back clear, which tells the driver (section 3.1.1, step 6).
                errors.add("features 0x%x accepted of 0x%x offered", driverFeatures, offered);
            }
        }
        if ((added & VirtioPciLayout.DRIVER_OK) != 0) {
            if ((status & VirtioPciLayout.FEATURES_OK) != 0) {
                status |= VirtioPciLayout.DRIVER_OK;
                begin();
            } else {
                errors.add("DRIVER_OK without FEATURES_OK");
            }
        }
    }

    private void begin() {
        long features = driverFeatures;
        List<SplitQueue> list = queues();
        calls.add(() -> backend.driverOk(features, list));
    }

    private boolean acceptable() {
        return (driverFeatures & ~offered) == 0
                && (driverFeatures & VirtioPciLayout.VERSION_1) != 0;
    }

    /**
     * The device may have requests under way: the queues give out nothing new, the slot is asked to
     * drain, and until {@link #clear} the status reads as before, which makes the driver wait
     * (section 4.1.4.3.1).
     */
    private void requestReset() {
        if (status == 0) {
            // A driver that begins with a reset reads 0 at once and goes on: a clearing that
            // came later would hit what it has set meanwhile.
            clear();
            return;
        }
        resetPending = true;
        queues.forEach(queue -> queue.port().halt());
        calls.add(backend::resetRequested);
    }

    /** A register of the legacy interface but ISR. */
    synchronized long readLegacy(int offset) {
        QueueRegisters queue = queueSelect < queues.size() ? queues.get(queueSelect) : null;
        return switch (offset) {
            case LegacyLayout.DEVICE_FEATURES -> legacyFeatures();
            case LegacyLayout.DRIVER_FEATURES -> driverFeatures & LegacyLayout.FEATURES;
            case LegacyLayout.QUEUE_ADDRESS -> queue == null ? 0 : queue.legacyAddress();
            case LegacyLayout.QUEUE_SIZE -> queue == null ? 0 : queue.port().maxSize();
            case LegacyLayout.QUEUE_SELECT -> queueSelect;
            case LegacyLayout.DEVICE_STATUS -> status;
            case LegacyLayout.CONFIG_MSIX_VECTOR -> interrupts.vector(interrupts.configuration());
            case LegacyLayout.QUEUE_MSIX_VECTOR ->
                    queue == null ? VirtioPciLayout.NO_VECTOR : interrupts.vector(queueSelect);
            default -> 0;
        };
    }

    /** A register of the legacy interface but the notification. */
    synchronized void writeLegacy(int offset, long value) {
        int low = (int) value;
        if (offset == LegacyLayout.DEVICE_STATUS && low == 0) {
            if (!resetPending) {
                requestReset();
            }
            return;
        }
        if (resetPending || (!legacy && status != 0)) {
            errors.add("write at 0x%x of the legacy registers, status 0x%x", offset, status);
            return;
        }
        if (!legacy) {
            // What was set through the other interface before any status means nothing here.
            clear();
            legacy = true;
        }
        switch (offset) {
            case LegacyLayout.DRIVER_FEATURES -> setLegacyFeatures(value);
            case LegacyLayout.QUEUE_ADDRESS -> setLegacyAddress(value);
            case LegacyLayout.QUEUE_SELECT -> queueSelect = low;
            case LegacyLayout.DEVICE_STATUS -> setLegacyStatus(low);
            case LegacyLayout.CONFIG_MSIX_VECTOR ->
                    interrupts.setVector(interrupts.configuration(), low);
            case LegacyLayout.QUEUE_MSIX_VECTOR -> {
                if (queueSelect < queues.size()) {
                    interrupts.setVector(queueSelect, low);
                } else {
                    errors.add("a vector for queue %d", queueSelect);
                }
            }
            default -> errors.add("write to the read-only legacy register 0x%x", offset);
        }
    }

    /**
     * A legacy driver has notified of buffers. It may do so before DRIVER_OK, which is the time to
     * activate the device then.
     *
     * @return whether there is such a queue
     */
    synchronized boolean notifiedByLegacy(int queue) {
        boolean known = legacy && (status & VirtioPciLayout.DRIVER) != 0 && queue < queues.size();
        if (!known || resetPending) {
            errors.add("notification of queue %d, status 0x%x", queue, status);
            return false;
        }
        if (!inUse() && queues.get(queue).enabled()) {
            usedEarly = true;
            begin();
        }
        return true;
    }

    /** Whether the device acts, or is about to. */
    private boolean inUse() {
        return usedEarly || (status & VirtioPciLayout.DRIVER_OK) != 0;
    }

    private long legacyFeatures() {
        return offered & LegacyLayout.FEATURES | LegacyLayout.ANY_LAYOUT;
    }

    /** There is no bit that would tell the driver; what it cannot have, it has not. */
    private void setLegacyFeatures(long value) {
        if (inUse()) {
            errors.add("features accepted while the device is in use: 0x%x", value);
            return;
        }
        if ((value & ~legacyFeatures()) != 0) {
            errors.add("features 0x%x accepted of 0x%x offered", value, legacyFeatures());
        }
        driverFeatures = value & legacyFeatures();
        for (int i = 0; i < queues.size(); i++) {
            // They decide how a ring is used; a driver may have set it up before (section 3.1.2).
            if (queues.get(i).enabled()) {
                enabled(i, queues.get(i).enable(driverFeatures));
            }
        }
    }

    private void setLegacyAddress(long page) {
        if (queueSelect >= queues.size()) {
            errors.add("an address for queue %d", queueSelect);
            return;
        }
        QueueRegisters queue = queues.get(queueSelect);
        if (queue.enabled() && (page != 0 || inUse())) {
            // The device may be writing to its buffers: only a reset ends that.
            errors.add("address 0x%x for queue %d, which is in use", page, queueSelect);
        } else if (page != 0) {
            enabled(queueSelect, queue.enableLegacy(page, driverFeatures));
        } else if (queue.enabled()) {
            queue.clear();
            doorbells.enable(queueSelect, false);
        }
    }

    private void enabled(int queue, String problem) {
        doorbells.enable(queue, problem == null);
        if (problem != null) {
            errors.add("queue %d: %s", queue, problem);
        }
    }

    /** FEATURES_OK came with virtio 1.0: it reads back clear. */
    private void setLegacyStatus(int value) {
        if ((status & VirtioPciLayout.DRIVER_STATUS & ~value) != 0) {
            errors.add("status 0x%x takes bits of 0x%x back", value, status);
        }
        boolean before = inUse();
        status |= value & VirtioPciLayout.DRIVER_STATUS & ~VirtioPciLayout.FEATURES_OK;
        if (!before && inUse()) {
            begin();
        }
    }

    synchronized boolean resetPending() {
        return resetPending;
    }

    /** As after a reset; shows the features that were adopted meanwhile. */
    synchronized void clear() {
        for (int i = 0; i < queues.size(); i++) {
            queues.get(i).clear();
            doorbells.enable(i, false);
        }
        interrupts.clear();
        deviceFeatureSelect = 0;
        driverFeatureSelect = 0;
        driverFeatures = 0;
        queueSelect = 0;
        offered = offeredNext;
        status = 0;
        resetPending = false;
        legacy = false;
        usedEarly = false;
    }

    /** What to offer after the next reset; the transport's features are added. */
    synchronized void offer(long deviceFeatures) {
        offeredNext = deviceFeatures | VirtioPciLayout.TRANSPORT_FEATURES;
        if (status == 0) {
            offered = offeredNext;
        }
    }

    /** What the driver sees now, with the transport's features. */
    synchronized long offered() {
        return offered;
    }

    /** The device needs reset (section 2.1.2); a driver that is not running is not told. */
    synchronized void needsReset() {
        if (status == 0 || resetPending) {
            return;
        }
        status |= VirtioPciLayout.NEEDS_RESET;
        configurationChanged();
    }

    /** The device-specific configuration is another, or the status says so. */
    synchronized void configurationChanged() {
        generation = (generation + 1) & 0xff;
        if ((status & VirtioPciLayout.DRIVER_OK) != 0) {
            interrupts.configurationChanged();
        }
    }

    synchronized int status() {
        return status;
    }

    synchronized boolean active() {
        return inUse() && !resetPending;
    }

    synchronized long negotiated() {
        boolean agreed = (status & VirtioPciLayout.FEATURES_OK) != 0 || (legacy && inUse());
        return agreed ? driverFeatures : 0;
    }

    /** By index, null where disabled; of a legacy driver all, for it may set them up later. */
    synchronized List<SplitQueue> queues() {
        SplitQueue[] list = new SplitQueue[queues.size()];
        for (int i = 0; i < list.length; i++) {
            list[i] = legacy || queues.get(i).enabled() ? queues.get(i).port().queue() : null;
        }
        return Collections.unmodifiableList(Arrays.asList(list));
    }

    synchronized CommonState save() {
        List<CommonState.Queue> saved = new ArrayList<>();
        for (int i = 0; i < queues.size(); i++) {
            saved.add(queues.get(i).save(interrupts.vector(i)));
        }
        return new CommonState(
                deviceFeatureSelect,
                driverFeatureSelect,
                offered,
                driverFeatures,
                status,
                resetPending,
                generation,
                queueSelect,
                interrupts.vector(interrupts.configuration()),
                interrupts.isr(),
                legacy,
                usedEarly,
                saved);
    }

    /**
     * Takes a state that was checked.
     *
     * @return null, or what is wrong with the guest's rings: the device needs reset then
     */
    synchronized String restore(CommonState state) {
        clear();
        deviceFeatureSelect = state.deviceFeatureSelect();
        driverFeatureSelect = state.driverFeatureSelect();
        offered = state.offered();
        driverFeatures = state.driverFeatures();
        status = state.status();
        resetPending = state.resetPending();
        generation = state.generation();
        queueSelect = state.queueSelect();
        legacy = state.legacy();
        usedEarly = state.usedEarly();
        interrupts.setVector(interrupts.configuration(), state.configVector());
        String problem = null;
        for (int i = 0; i < queues.size(); i++) {
            CommonState.Queue saved = state.queues().get(i);
            interrupts.setVector(i, saved.vector());
            String wrong = queues.get(i).restore(saved, driverFeatures);
            problem = wrong == null ? problem : "queue %d: %s".formatted(i, wrong);
            doorbells.enable(i, queues.get(i).enabled());
        }
        interrupts.restoreIsr(state.isr());
        if (resetPending) {
            calls.add(backend::resetRequested);
        }
        if (problem != null) {
            needsReset();
        }
        return problem;
    }
}
