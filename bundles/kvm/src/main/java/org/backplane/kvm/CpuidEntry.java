package org.backplane.kvm;

import static org.backplane.kvm.KvmAbi.*;

import java.util.ArrayList;
import java.util.List;
import org.backplane.hypervisor.HypervisorException;

/**
 * One leaf, or subleaf, of what the CPUID instruction gives (Intel SDM, volume 2A, "CPUID").
 *
 * @param flags KVM's, whether the index matters
 */
record CpuidEntry(int function, int index, int flags, int eax, int ebx, int ecx, int edx) {
    static List<CpuidEntry> read(Struct table) {
        List<CpuidEntry> entries = new ArrayList<>();
        for (int i = 0; i < table.u32(CPUID_COUNT); i++) {
            int at = CPUID_ENTRIES + i * CPUID_ENTRY_BYTES;
            entries.add(
                    new CpuidEntry(
                            table.u32(at + CPUID_ENTRY_FUNCTION),
                            table.u32(at + CPUID_ENTRY_INDEX),
                            table.u32(at + CPUID_ENTRY_FLAGS),
                            table.u32(at + CPUID_ENTRY_EAX),
                            table.u32(at + CPUID_ENTRY_EBX),
                            table.u32(at + CPUID_ENTRY_ECX),
                            table.u32(at + CPUID_ENTRY_EDX)));
        }
        return entries;
    }

    static Struct write(List<CpuidEntry> entries) throws HypervisorException {
        Struct table = Struct.of(CPUID_ENTRIES + entries.size() * CPUID_ENTRY_BYTES);
        table.u32(CPUID_COUNT, entries.size());
        for (int i = 0; i < entries.size(); i++) {
            CpuidEntry entry = entries.get(i);
            int at = CPUID_ENTRIES + i * CPUID_ENTRY_BYTES;
            table.u32(at + CPUID_ENTRY_FUNCTION, entry.function)
                    .u32(at + CPUID_ENTRY_INDEX, entry.index)
                    .u32(at + CPUID_ENTRY_FLAGS, entry.flags)
                    .u32(at + CPUID_ENTRY_EAX, entry.eax)
                    .u32(at + CPUID_ENTRY_EBX, entry.ebx)
                    .u32(at + CPUID_ENTRY_ECX, entry.ecx)
                    .u32(at + CPUID_ENTRY_EDX, entry.edx);
        }
        return table;
    }

    CpuidEntry with(int newEax, int newEbx, int newEcx, int newEdx) {
        return new CpuidEntry(function, index, flags, newEax, newEbx, newEcx, newEdx);
    }
}
