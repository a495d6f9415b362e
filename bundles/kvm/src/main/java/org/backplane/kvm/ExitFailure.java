package org.backplane.kvm;

import static org.backplane.kvm.KvmAbi.*;

import java.util.HexFormat;
import org.backplane.hypervisor.HypervisorException;

/** Says why a processor cannot go on after an exit. */
final class ExitFailure {
    private ExitFailure() {}

    static HypervisorException of(String processor, long pc, RunPage page, Kind kind) {
        String where = "%s cannot go on at 0x%x: ".formatted(processor, pc);
        return new HypervisorException(where + reason(page, kind));
    }

    private static String reason(RunPage page, Kind kind) {
        return switch (page.reason()) {
            case KVM_EXIT_INTERNAL_ERROR -> internal(page, kind);
            case KVM_EXIT_FAIL_ENTRY ->
                    "the host's processor %d refuses the guest's state (reason 0x%x); see 'dmesg', and update the kernel."
                            .formatted(
                                    page.u32(RUN_FAIL_ENTRY_CPU), page.u64(RUN_FAIL_ENTRY_REASON));
            case KVM_EXIT_UNKNOWN ->
                    "the host's processor came out for a reason that KVM does not know (0x%x); update the kernel."
                            .formatted(page.u64(RUN_HARDWARE_EXIT_REASON));
            default ->
                    "KVM came out with exit %d, which it was not asked for; please report this as a defect of Backplane."
                            .formatted(page.reason());
        };
    }

    private static String internal(RunPage page, Kind kind) {
        int suberror = page.u32(RUN_INTERNAL_SUBERROR);
        if (suberror != KVM_INTERNAL_ERROR_EMULATION) {
            StringBuilder data = new StringBuilder();
            for (int i = 0; i < Math.min(page.u32(RUN_INTERNAL_COUNT), 16); i++) {
                data.append(" 0x").append(Long.toHexString(page.u64(RUN_INTERNAL_DATA + 8 * i)));
            }
            return "KVM failed inside (suberror %d%s); see 'dmesg'.".formatted(suberror, data);
        }
        String instruction = "an instruction";
        if (page.u32(RUN_INTERNAL_COUNT) > 0
                && (page.u64(RUN_EMULATION_FLAGS)
                                & KVM_INTERNAL_ERROR_EMULATION_FLAG_INSTRUCTION_BYTES)
                        != 0) {
            byte[] bytes = new byte[Math.min(page.u8(RUN_EMULATION_SIZE), 15)];
            for (int i = 0; i < bytes.length; i++) {
                bytes[i] = (byte) page.u8(RUN_EMULATION_INSTRUCTION + i);
            }
            instruction =
                    "the instruction that begins " + HexFormat.ofDelimiter(" ").formatHex(bytes);
        }
        return kind == Kind.PVM
                ? "KVM cannot interpret %s; this host's KVM is a page-table VM (PVM), which interprets privileged code: use a host with hardware virtualization."
                        .formatted(instruction)
                : "KVM cannot interpret %s on device memory; this is the guest's, or update the kernel."
                        .formatted(instruction);
    }
}
