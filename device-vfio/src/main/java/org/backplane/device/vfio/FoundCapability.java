package org.backplane.device.vfio;

import java.util.ArrayList;
import java.util.BitSet;
import java.util.Comparator;
import java.util.List;
import org.backplane.device.DeviceException;
import org.backplane.pci.Type0Header;
import org.backplane.vfio.VfioException;

/**
 * A capability that a device has.
 *
 * @param id of its header
 * @param version of an extended one, else 0
 * @param length in bytes, of what is treated by the rule
 */
record FoundCapability(CapabilityRule rule, int id, int version, int offset, int length) {
    /** The pointers have two bits that are reserved. */
    private static final int POINTER = ~0b11;

    int end() {
        return offset + length;
    }

    boolean is(CapabilityRule.Treatment treatment) {
        return rule.treatment() == treatment;
    }

    /** What an emulated one cannot be without; the rest of PCI Express is of later versions. */
    private int least() {
        return id == CapabilityTable.PCI_EXPRESS ? ConfigLayout.EXPRESS_LENGTH_1 : length;
    }

    /** The list that the header points to (PCI 3.0, section 6.7), by rising offset. */
    static List<FoundCapability> standard(Function function) throws DeviceException, VfioException {
        List<FoundCapability> found = new ArrayList<>();
        ConfigRegisters config = function.config();
        if ((config.u16(Type0Header.STATUS) & Type0Header.STATUS_CAPABILITIES) == 0) {
            return found;
        }
        BitSet seen = new BitSet();
        int at = config.u8(Type0Header.CAPABILITIES_POINTER) & POINTER;
        while (at != 0) {
            function.require(
                    at >= Type0Header.END && !seen.get(at),
                    "has a list of capabilities that leads to 0x%x, which is no place for one",
                    at);
            seen.set(at);
            int id = config.u8(at + Type0Header.CAPABILITY_ID);
            CapabilityRule rule = CapabilityTable.standard(id);
            found.add(new FoundCapability(rule, id, 0, at, standardLength(config, rule, at)));
            at = config.u8(at + Type0Header.CAPABILITY_NEXT) & POINTER;
        }
        return bounded(function, found, Type0Header.SPACE_SIZE);
    }

    private static int standardLength(ConfigRegisters config, CapabilityRule rule, int at)
            throws VfioException {
        return switch (rule.id()) {
            case CapabilityTable.MSI ->
                    ConfigLayout.msiLength(config.u16(at + ConfigLayout.MSI_CONTROL));
            case CapabilityTable.PCI_EXPRESS ->
                    ConfigLayout.expressLength(config.u16(at + ConfigLayout.EXPRESS_FLAGS));
            case CapabilityTable.VENDOR_SPECIFIC -> config.u8(at + ConfigLayout.VENDOR_LENGTH);
            default -> rule.length();
        };
    }

    /** Those behind the first 256 bytes (PCI Express 5.0, section 7.6.3), by rising offset. */
    static List<FoundCapability> extended(Function function) throws DeviceException, VfioException {
        List<FoundCapability> found = new ArrayList<>();
        ConfigRegisters config = function.config();
        if (config.size() < Type0Header.EXTENDED_SIZE) {
            return found;
        }
        BitSet seen = new BitSet();
        int at = Type0Header.SPACE_SIZE;
        int header = config.u32(at);
        while (at != 0 && header != 0 && header != -1) {
            function.require(
                    at >= Type0Header.SPACE_SIZE && !seen.get(at),
                    "has a list of extended capabilities that leads to 0x%x, which is no place for one",
                    at);
            seen.set(at);
            int id = header & ConfigLayout.EXTENDED_ID_MASK;
            if (id != 0) {
                CapabilityRule rule = CapabilityTable.extended(id);
                int version =
                        header >>> ConfigLayout.EXTENDED_VERSION_SHIFT
                                & ConfigLayout.EXTENDED_VERSION_MASK;
                found.add(
                        new FoundCapability(
                                rule, id, version, at, extendedLength(config, rule, at)));
            }
            at = header >>> ConfigLayout.EXTENDED_NEXT_SHIFT & POINTER;
            header = at == 0 ? 0 : config.u32(at);
        }
        return bounded(function, found, Type0Header.EXTENDED_SIZE);
    }

    private static int extendedLength(ConfigRegisters config, CapabilityRule rule, int at)
            throws VfioException {
        return switch (rule.id()) {
            case CapabilityTable.EXTENDED_VENDOR_SPECIFIC,
                    CapabilityTable.DESIGNATED_VENDOR_SPECIFIC ->
                    config.u32(at + ConfigLayout.EXTENDED_VENDOR_HEADER)
                            >>> ConfigLayout.EXTENDED_VENDOR_LENGTH_SHIFT;
            default -> rule.length();
        };
    }

    /** Ends each where the next begins, at the latest. */
    private static List<FoundCapability> bounded(
            Function function, List<FoundCapability> found, int end) throws DeviceException {
        List<FoundCapability> rising = new ArrayList<>(found);
        rising.sort(Comparator.comparingInt(FoundCapability::offset));
        List<FoundCapability> bounded = new ArrayList<>();
        for (int i = 0; i < rising.size(); i++) {
            FoundCapability each = rising.get(i);
            int next = i + 1 < rising.size() ? rising.get(i + 1).offset : end;
            int room = next - each.offset;
            function.require(
                    !each.is(CapabilityRule.Treatment.EMULATED) || each.least() <= room,
                    "has the capability '%s' of %d bytes at 0x%x, which ends at 0x%x",
                    each.rule.name(),
                    each.length,
                    each.offset,
                    next);
            // A length that cannot be is the device's mistake; its registers are where they are.
            int least = Type0Header.CAPABILITY_BODY;
            int length = each.length < least ? room : Math.min(each.length, room);
            bounded.add(new FoundCapability(each.rule, each.id, each.version, each.offset, length));
        }
        return bounded;
    }

    /**
     * Whose they are, for the sentences of refusals.
     *
     * @param slot the slot's name
     */
    record Function(String slot, String name, ConfigRegisters config) {
        void require(boolean held, String refusal, Object... values) throws DeviceException {
            if (!held) {
                throw refused(refusal, values);
            }
        }

        /**
         * @param refusal a clause of which the device is the subject
         */
        DeviceException refused(String refusal, Object... values) {
            return new DeviceException(
                    "Slot '%s': %s %s; give another device, or mend the server of this one."
                            .formatted(slot, name, refusal.formatted(values)));
        }
    }
}
