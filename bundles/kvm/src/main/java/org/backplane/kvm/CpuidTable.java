package org.backplane.kvm;

import static org.backplane.kvm.KvmAbi.KVM_CPUID_FLAG_SIGNIFCANT_INDEX;

import java.util.ArrayList;
import java.util.List;

/**
 * What each processor of a VM says it is: what the host's KVM supports, in one package of as many
 * cores as there are processors, one thread each, and the local APIC's identity is the processor's
 * number (Intel SDM, volume 2A, "CPUID"; AMD APM, volume 3, appendix E).
 */
final class CpuidTable {
    private static final int FEATURES = 1;
    private static final int INTEL_CACHES = 4;
    private static final int TOPOLOGY = 0xb;
    private static final int TOPOLOGY_V2 = 0x1f;
    private static final int POWER_MANAGEMENT = 0x8000_0007;
    private static final int AMD_SIZES = 0x8000_0008;
    private static final int AMD_CACHES = 0x8000_001d;
    private static final int AMD_TOPOLOGY = 0x8000_001e;

    /** Bits of physical addresses of a processor without the leaf that tells them. */
    private static final int WITHOUT_SIZES = 36;

    private static final int TSC_DEADLINE = 1 << 24;
    private static final int HYPERVISOR = 1 << 31;
    private static final int HYPER_THREADING = 1 << 28;

    private static final int INVARIANT_TSC = 1 << 8;

    private static final int LEVEL_THREAD = 1 << 8;
    private static final int LEVEL_CORE = 2 << 8;

    private final List<CpuidEntry> supported;
    private final int processors;
    private final boolean tscDeadline;

    /**
     * @param supported what KVM says it supports, with its own hypervisor leaves
     * @param tscDeadline whether KVM's local APIC has the timer's TSC-deadline mode, which kernels
     *     before 6.14 do not say in the table
     */
    CpuidTable(List<CpuidEntry> supported, int processors, boolean tscDeadline) {
        this.supported = List.copyOf(supported);
        this.processors = processors;
        this.tscDeadline = tscDeadline;
    }

    /**
     * Width of the guest-physical addresses that processors reach: what they tell the guest, or
     * less where KVM says that its second stage of page tables is narrower (EAX 23:16 of leaf
     * 0x80000008; Linux, Documentation/virt/kvm/api.rst, KVM_GET_SUPPORTED_CPUID).
     */
    static int physicalAddressBits(List<CpuidEntry> supported) {
        for (CpuidEntry entry : supported) {
            if (entry.function() == AMD_SIZES && (entry.eax() & 0xff) != 0) {
                int told = entry.eax() & 0xff;
                int mapped = entry.eax() >>> 16 & 0xff;
                return mapped == 0 ? told : Math.min(told, mapped);
            }
        }
        return WITHOUT_SIZES;
    }

    /** Bits of an identity that number the cores of a package. */
    private int coreBits() {
        return Integer.SIZE - Integer.numberOfLeadingZeros(processors - 1);
    }

    List<CpuidEntry> of(int processor) {
        List<CpuidEntry> entries = new ArrayList<>();
        for (CpuidEntry entry : supported) {
            switch (entry.function()) {
                // Written whole below, and never in its second version: one is enough.
                case TOPOLOGY, TOPOLOGY_V2 -> {}
                default -> entries.add(adapted(entry, processor));
            }
        }
        if (supported.stream().anyMatch(entry -> entry.function() == TOPOLOGY)) {
            entries.add(level(0, 0, 1, LEVEL_THREAD, processor));
            entries.add(level(1, coreBits(), processors, LEVEL_CORE, processor));
            entries.add(level(2, 0, 0, 0, processor));
        }
        return entries;
    }

    private static CpuidEntry level(int index, int shift, int count, int kind, int identity) {
        return new CpuidEntry(
                TOPOLOGY,
                index,
                KVM_CPUID_FLAG_SIGNIFCANT_INDEX,
                shift,
                count,
                kind | index,
                identity);
    }

    private CpuidEntry adapted(CpuidEntry entry, int processor) {
        int eax = entry.eax();
        int ebx = entry.ebx();
        int ecx = entry.ecx();
        int edx = entry.edx();
        switch (entry.function()) {
            case FEATURES -> {
                // Identity, and how many identities a package has; the line size stays.
                int identities = Math.min(1 << coreBits(), 255);
                ebx = processor << 24 | identities << 16 | ebx & 0xffff;
                ecx = (ecx | HYPERVISOR) & ~TSC_DEADLINE | (tscDeadline ? TSC_DEADLINE : 0);
                edx = edx & ~HYPER_THREADING | (processors > 1 ? HYPER_THREADING : 0);
            }
            case INTEL_CACHES -> {
                if ((eax & 0x1f) != 0) {
                    int cores = Math.min((1 << coreBits()) - 1, 0x3f);
                    eax = eax & 0x3fff | sharing(eax) << 14 | cores << 26;
                }
            }
            // A promise that the next host of a snapshot may not keep, and which Linux on AMD only
            // believes with a bit of HWCR that no firmware has set here. Guests have KVM's clock.
            case POWER_MANAGEMENT -> edx &= ~INVARIANT_TSC;
            case AMD_SIZES -> ecx = ecx & ~0xf0ff | coreBits() << 12 | processors - 1 & 0xff;
            case AMD_CACHES -> {
                if ((eax & 0x1f) != 0) {
                    eax = eax & 0x3fff | sharing(eax) << 14;
                }
            }
            case AMD_TOPOLOGY -> {
                eax = processor;
                ebx = processor & 0xff;
                ecx = 0;
            }
            default -> {}
        }
        return entry.with(eax, ebx, ecx, edx);
    }

    /** Identities, less one, that share a cache: all of them from the third level on. */
    private int sharing(int eax) {
        return (eax >> 5 & 7) >= 3 ? (1 << coreBits()) - 1 : 0;
    }
}
