package org.backplane.device.vfio;

/**
 * What becomes of one kind of capability.
 *
 * @param id PCI 3.0, appendix H; of an extended one PCI Express 5.0, section 7.9
 * @param length in bytes, the header included; 0 if it follows from the registers, or is not known:
 *     then it goes up to the next capability
 * @param reason a clause
 */
record CapabilityRule(int id, String name, Treatment treatment, int length, String reason) {
    /** Who answers the registers of a capability that the device has. */
    enum Treatment {
        /** The device. */
        PASSED("passed"),

        /** The slot; the device never hears of what the guest does there. */
        EMULATED("emulated"),

        /** Nobody: it is not in the guest's list, and its registers read as zeros. */
        HIDDEN("hidden");

        private final String word;

        Treatment(String word) {
            this.word = word;
        }

        String word() {
            return word;
        }
    }
}
