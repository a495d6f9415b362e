package org.backplane.shell.command;

import java.util.List;
import java.util.Locale;
import java.util.function.ToLongFunction;
import org.backplane.machine.MachineCounters;
import org.backplane.machine.SlotCounters;
import org.backplane.machine.VcpuCounters;
import org.backplane.shell.format.Quantity;
import org.backplane.shell.format.Table;

/**
 * What was counted between two readings, per second, beside the totals of the later one.
 *
 * @param seconds between the readings
 */
record Rates(double seconds, List<SlotRates> slots, List<VcpuRates> vcpus) {
    /** Of a slot, each per second. */
    record PerSecond(
            double exits,
            double doorbells,
            double interrupts,
            double requests,
            double bytesRead,
            double bytesWritten,
            double guestErrors) {}

    /**
     * A slot.
     *
     * @param total since the slot was made
     */
    record SlotRates(String slot, SlotCounters total, PerSecond perSecond) {}

    /** A processor: instructions and exits per second. */
    record VcpuRates(
            int index, VcpuCounters total, double instructionsPerSecond, double exitsPerSecond) {}

    static Rates between(MachineCounters before, MachineCounters after) {
        double seconds = (after.time() - before.time()) / 1e9;
        return new Rates(
                seconds,
                after.slots().stream().map(slot -> of(slot, before, seconds)).toList(),
                after.vcpus().stream().map(vcpu -> of(vcpu, before, seconds)).toList());
    }

    private static SlotRates of(SlotCounters now, MachineCounters before, double seconds) {
        SlotCounters then =
                before.slots().stream()
                        .filter(slot -> slot.slot().equals(now.slot()))
                        .findFirst()
                        .orElse(SlotCounters.none(now.slot()));
        return new SlotRates(
                now.slot(),
                now,
                new PerSecond(
                        rate(now, then, SlotCounters::exits, seconds),
                        rate(now, then, SlotCounters::doorbells, seconds),
                        rate(now, then, SlotCounters::interrupts, seconds),
                        rate(now, then, SlotCounters::requests, seconds),
                        rate(now, then, SlotCounters::bytesRead, seconds),
                        rate(now, then, SlotCounters::bytesWritten, seconds),
                        rate(now, then, SlotCounters::guestErrors, seconds)));
    }

    private static VcpuRates of(VcpuCounters now, MachineCounters before, double seconds) {
        VcpuCounters then =
                before.vcpus().stream()
                        .filter(vcpu -> vcpu.index() == now.index())
                        .findFirst()
                        .orElse(new VcpuCounters(now.index(), 0, 0));
        return new VcpuRates(
                now.index(),
                now,
                rate(now, then, VcpuCounters::instructions, seconds),
                rate(now, then, VcpuCounters::exits, seconds));
    }

    /** A slot that was taken out and put in again between the readings begins anew. */
    private static <T> double rate(T now, T then, ToLongFunction<T> counter, double seconds) {
        long counted = counter.applyAsLong(now) - counter.applyAsLong(then);
        return seconds <= 0 ? 0 : Math.max(0, counted) / seconds;
    }

    /** For a person, each per second. */
    @Override
    public String toString() {
        Table slotTable =
                new Table(
                        "PER SECOND",
                        "EXITS",
                        "DOORBELLS",
                        "INTERRUPTS",
                        "REQUESTS",
                        "FROM GUEST",
                        "TO GUEST",
                        "MISTAKES");
        for (SlotRates slot : slots) {
            PerSecond rates = slot.perSecond();
            slotTable.row(
                    slot.slot(),
                    number(rates.exits()),
                    number(rates.doorbells()),
                    number(rates.interrupts()),
                    number(rates.requests()),
                    Quantity.bytes(Math.round(rates.bytesRead())),
                    Quantity.bytes(Math.round(rates.bytesWritten())),
                    number(rates.guestErrors()));
        }
        Table vcpuTable = new Table("PROCESSOR", "EXITS", "INSTRUCTIONS");
        for (VcpuRates vcpu : vcpus) {
            vcpuTable.row(
                    vcpu.index(),
                    number(vcpu.exitsPerSecond()),
                    number(vcpu.instructionsPerSecond()));
        }
        return slotTable + "\n" + vcpuTable;
    }

    /** Three digits say enough of a rate: {@code 12.3 M}. */
    private static String number(double rate) {
        if (rate >= 1e6) {
            return String.format(Locale.ROOT, "%.1f M", rate / 1e6);
        }
        if (rate >= 1e4) {
            return String.format(Locale.ROOT, "%.1f k", rate / 1e3);
        }
        return String.format(Locale.ROOT, rate > 0 && rate < 10 ? "%.1f" : "%.0f", rate);
    }
}
