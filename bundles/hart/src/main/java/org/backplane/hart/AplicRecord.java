package org.backplane.hart;

import java.util.BitSet;
import org.backplane.device.state.SavedState;
import org.backplane.hypervisor.HypervisorException;
import org.backplane.hypervisor.StateReader;

/**
 * An APLIC as it is saved.
 *
 * @param interruptEnable domaincfg.IE
 * @param genmsi what was last written
 * @param mode sourcecfg of source 1 and following
 * @param target of source 1 and following
 * @param wires levels by source, before sourcecfg's inversion
 * @param pending by source
 * @param enabled by source
 */
record AplicRecord(
        boolean interruptEnable,
        int genmsi,
        int[] mode,
        int[] target,
        BitSet wires,
        BitSet pending,
        BitSet enabled) {
    private static final String SCHEMA = "hart-aplic";
    private static final int VERSION = 1;

    SavedState state() {
        int sources = mode.length;
        return SavedState.of(SCHEMA, VERSION)
                .number("sources", sources)
                .number("interruptEnable", interruptEnable ? 1 : 0)
                .number("genmsi", genmsi & 0xffffffffL)
                .bytes("sourcecfg", LittleEndian.bytes(mode))
                .bytes("target", LittleEndian.bytes(target))
                .bytes("wires", LittleEndian.bytes(wires, sources + 1))
                .bytes("pending", LittleEndian.bytes(pending, sources + 1))
                .bytes("enabled", LittleEndian.bytes(enabled, sources + 1))
                .build();
    }

    static AplicRecord read(StateReader parent, String name, int sources)
            throws HypervisorException {
        StateReader state = parent.child(name, "the APLIC", SCHEMA, VERSION);
        state.requireSame("sources", sources);
        AplicRecord record =
                new AplicRecord(
                        state.flag("interruptEnable"),
                        (int) state.number("genmsi", 0, Aplic.TARGET_MASK & 0xffffffffL),
                        state.ints("sourcecfg", sources),
                        state.ints("target", sources),
                        state.bits("wires", sources + 1),
                        state.bits("pending", sources + 1),
                        state.bits("enabled", sources + 1));
        for (int source = 1; source <= sources; source++) {
            if (!record.possible(source)) {
                throw state.refusal(
                        "source %d cannot have sourcecfg 0x%x, target 0x%x, be %s, %s and %s",
                        source,
                        record.mode[source - 1],
                        record.target[source - 1],
                        record.pending.get(source) ? "pending" : "not pending",
                        record.enabled.get(source) ? "enabled" : "disabled",
                        record.wires.get(source) ? "high" : "low");
            }
        }
        return record;
    }

    /** Whether a source could be in this state between two accesses (AIA sections 4.5 to 4.9). */
    private boolean possible(int source) {
        int its = mode[source - 1];
        boolean waits = pending.get(source);
        if (!Aplic.isMode(its) || (target[source - 1] & ~Aplic.TARGET_MASK) != 0) {
            return false;
        }
        if (its == Aplic.INACTIVE) {
            return !waits && !enabled.get(source) && target[source - 1] == 0;
        }
        // What may be forwarded has been, and a level that is gone pends no more.
        boolean forwarded = !(interruptEnable && waits && enabled.get(source));
        boolean held = its < Aplic.LEVEL1 || !waits || Aplic.asserted(its, wires.get(source));
        return forwarded && held;
    }
}
