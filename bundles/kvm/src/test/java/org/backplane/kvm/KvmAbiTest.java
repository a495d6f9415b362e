package org.backplane.kvm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.lang.reflect.Field;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class KvmAbiTest {
    /** Names that are none of the headers'; every other is compared under its own name. */
    private static final Map<String, String> EXPRESSIONS =
            Map.ofEntries(
                    Map.entry("RUN_BYTES", "sizeof(struct kvm_run)"),
                    Map.entry("RUN_IMMEDIATE_EXIT", "offsetof(struct kvm_run, immediate_exit)"),
                    Map.entry("RUN_EXIT_REASON", "offsetof(struct kvm_run, exit_reason)"),
                    Map.entry("RUN_IO_DIRECTION", "offsetof(struct kvm_run, io.direction)"),
                    Map.entry("RUN_IO_SIZE", "offsetof(struct kvm_run, io.size)"),
                    Map.entry("RUN_IO_PORT", "offsetof(struct kvm_run, io.port)"),
                    Map.entry("RUN_IO_COUNT", "offsetof(struct kvm_run, io.count)"),
                    Map.entry("RUN_IO_DATA_OFFSET", "offsetof(struct kvm_run, io.data_offset)"),
                    Map.entry("RUN_MMIO_ADDRESS", "offsetof(struct kvm_run, mmio.phys_addr)"),
                    Map.entry("RUN_MMIO_DATA", "offsetof(struct kvm_run, mmio.data)"),
                    Map.entry("RUN_MMIO_LENGTH", "offsetof(struct kvm_run, mmio.len)"),
                    Map.entry("RUN_MMIO_IS_WRITE", "offsetof(struct kvm_run, mmio.is_write)"),
                    Map.entry(
                            "RUN_SYSTEM_EVENT_TYPE", "offsetof(struct kvm_run, system_event.type)"),
                    Map.entry(
                            "RUN_HARDWARE_EXIT_REASON",
                            "offsetof(struct kvm_run, hw.hardware_exit_reason)"),
                    Map.entry(
                            "RUN_FAIL_ENTRY_REASON",
                            "offsetof(struct kvm_run, fail_entry.hardware_entry_failure_reason)"),
                    Map.entry("RUN_FAIL_ENTRY_CPU", "offsetof(struct kvm_run, fail_entry.cpu)"),
                    Map.entry(
                            "RUN_INTERNAL_SUBERROR", "offsetof(struct kvm_run, internal.suberror)"),
                    Map.entry("RUN_INTERNAL_COUNT", "offsetof(struct kvm_run, internal.ndata)"),
                    Map.entry("RUN_INTERNAL_DATA", "offsetof(struct kvm_run, internal.data)"),
                    Map.entry(
                            "RUN_EMULATION_FLAGS",
                            "offsetof(struct kvm_run, emulation_failure.flags)"),
                    Map.entry(
                            "RUN_EMULATION_SIZE",
                            "offsetof(struct kvm_run, emulation_failure.insn_size)"),
                    Map.entry(
                            "RUN_EMULATION_INSTRUCTION",
                            "offsetof(struct kvm_run, emulation_failure.insn_bytes)"),
                    Map.entry("REGION_BYTES", "sizeof(struct kvm_userspace_memory_region)"),
                    Map.entry("REGION_SLOT", "offsetof(struct kvm_userspace_memory_region, slot)"),
                    Map.entry(
                            "REGION_FLAGS", "offsetof(struct kvm_userspace_memory_region, flags)"),
                    Map.entry(
                            "REGION_GUEST_ADDRESS",
                            "offsetof(struct kvm_userspace_memory_region, guest_phys_addr)"),
                    Map.entry(
                            "REGION_LENGTH",
                            "offsetof(struct kvm_userspace_memory_region, memory_size)"),
                    Map.entry(
                            "REGION_HOST_ADDRESS",
                            "offsetof(struct kvm_userspace_memory_region, userspace_addr)"),
                    Map.entry("DIRTY_LOG_BYTES", "sizeof(struct kvm_dirty_log)"),
                    Map.entry("DIRTY_LOG_SLOT", "offsetof(struct kvm_dirty_log, slot)"),
                    Map.entry("DIRTY_LOG_BITMAP", "offsetof(struct kvm_dirty_log, dirty_bitmap)"),
                    Map.entry("IRQ_LEVEL_BYTES", "sizeof(struct kvm_irq_level)"),
                    Map.entry("IRQ_LEVEL_IRQ", "offsetof(struct kvm_irq_level, irq)"),
                    Map.entry("IRQ_LEVEL_LEVEL", "offsetof(struct kvm_irq_level, level)"),
                    Map.entry("ROUTING_COUNT", "offsetof(struct kvm_irq_routing, nr)"),
                    Map.entry("ROUTING_ENTRIES", "offsetof(struct kvm_irq_routing, entries)"),
                    Map.entry("ROUTE_BYTES", "sizeof(struct kvm_irq_routing_entry)"),
                    Map.entry("ROUTE_GSI", "offsetof(struct kvm_irq_routing_entry, gsi)"),
                    Map.entry("ROUTE_TYPE", "offsetof(struct kvm_irq_routing_entry, type)"),
                    Map.entry(
                            "ROUTE_CHIP",
                            "offsetof(struct kvm_irq_routing_entry, u.irqchip.irqchip)"),
                    Map.entry("ROUTE_PIN", "offsetof(struct kvm_irq_routing_entry, u.irqchip.pin)"),
                    Map.entry(
                            "ROUTE_MSI_ADDRESS_LOW",
                            "offsetof(struct kvm_irq_routing_entry, u.msi.address_lo)"),
                    Map.entry(
                            "ROUTE_MSI_ADDRESS_HIGH",
                            "offsetof(struct kvm_irq_routing_entry, u.msi.address_hi)"),
                    Map.entry(
                            "ROUTE_MSI_DATA", "offsetof(struct kvm_irq_routing_entry, u.msi.data)"),
                    Map.entry("IRQFD_BYTES", "sizeof(struct kvm_irqfd)"),
                    Map.entry("IRQFD_FD", "offsetof(struct kvm_irqfd, fd)"),
                    Map.entry("IRQFD_GSI", "offsetof(struct kvm_irqfd, gsi)"),
                    Map.entry("IRQFD_FLAGS", "offsetof(struct kvm_irqfd, flags)"),
                    Map.entry("IRQFD_RESAMPLE_FD", "offsetof(struct kvm_irqfd, resamplefd)"),
                    Map.entry("MSI_BYTES", "sizeof(struct kvm_msi)"),
                    Map.entry("MSI_ADDRESS_LOW", "offsetof(struct kvm_msi, address_lo)"),
                    Map.entry("MSI_ADDRESS_HIGH", "offsetof(struct kvm_msi, address_hi)"),
                    Map.entry("MSI_DATA", "offsetof(struct kvm_msi, data)"),
                    Map.entry("IOEVENTFD_BYTES", "sizeof(struct kvm_ioeventfd)"),
                    Map.entry("IOEVENTFD_ADDRESS", "offsetof(struct kvm_ioeventfd, addr)"),
                    Map.entry("IOEVENTFD_LENGTH", "offsetof(struct kvm_ioeventfd, len)"),
                    Map.entry("IOEVENTFD_FD", "offsetof(struct kvm_ioeventfd, fd)"),
                    Map.entry("IOEVENTFD_FLAGS", "offsetof(struct kvm_ioeventfd, flags)"),
                    Map.entry("IRQCHIP_BYTES", "sizeof(struct kvm_irqchip)"),
                    Map.entry("IRQCHIP_ID", "offsetof(struct kvm_irqchip, chip_id)"),
                    Map.entry("IRQCHIP_STATE", "offsetof(struct kvm_irqchip, chip)"),
                    Map.entry("IRQCHIP_STATE_BYTES", "sizeof(((struct kvm_irqchip *)0)->chip)"),
                    Map.entry("PIC_BYTES", "sizeof(struct kvm_pic_state)"),
                    Map.entry("IOAPIC_BYTES", "sizeof(struct kvm_ioapic_state)"),
                    Map.entry("IOAPIC_BASE", "offsetof(struct kvm_ioapic_state, base_address)"),
                    Map.entry("PIT_BYTES", "sizeof(struct kvm_pit_state2)"),
                    Map.entry(
                            "PIT_LOAD_TIME",
                            "offsetof(struct kvm_pit_state2, channels[0].count_load_time)"),
                    Map.entry("PIT_CHANNEL_BYTES", "sizeof(struct kvm_pit_channel_state)"),
                    Map.entry("PIT_CONFIG_BYTES", "sizeof(struct kvm_pit_config)"),
                    Map.entry("PIT_CONFIG_FLAGS", "offsetof(struct kvm_pit_config, flags)"),
                    Map.entry("CLOCK_BYTES", "sizeof(struct kvm_clock_data)"),
                    Map.entry("CLOCK_NANOS", "offsetof(struct kvm_clock_data, clock)"),
                    Map.entry("CLOCK_FLAGS", "offsetof(struct kvm_clock_data, flags)"),
                    Map.entry("REGS_BYTES", "sizeof(struct kvm_regs)"),
                    Map.entry("REGS_RAX", "offsetof(struct kvm_regs, rax)"),
                    Map.entry("REGS_RBX", "offsetof(struct kvm_regs, rbx)"),
                    Map.entry("REGS_RCX", "offsetof(struct kvm_regs, rcx)"),
                    Map.entry("REGS_RDX", "offsetof(struct kvm_regs, rdx)"),
                    Map.entry("REGS_RSI", "offsetof(struct kvm_regs, rsi)"),
                    Map.entry("REGS_RDI", "offsetof(struct kvm_regs, rdi)"),
                    Map.entry("REGS_RSP", "offsetof(struct kvm_regs, rsp)"),
                    Map.entry("REGS_RBP", "offsetof(struct kvm_regs, rbp)"),
                    Map.entry("REGS_R8", "offsetof(struct kvm_regs, r8)"),
                    Map.entry("REGS_R9", "offsetof(struct kvm_regs, r9)"),
                    Map.entry("REGS_R10", "offsetof(struct kvm_regs, r10)"),
                    Map.entry("REGS_R11", "offsetof(struct kvm_regs, r11)"),
                    Map.entry("REGS_R12", "offsetof(struct kvm_regs, r12)"),
                    Map.entry("REGS_R13", "offsetof(struct kvm_regs, r13)"),
                    Map.entry("REGS_R14", "offsetof(struct kvm_regs, r14)"),
                    Map.entry("REGS_R15", "offsetof(struct kvm_regs, r15)"),
                    Map.entry("REGS_RIP", "offsetof(struct kvm_regs, rip)"),
                    Map.entry("REGS_RFLAGS", "offsetof(struct kvm_regs, rflags)"),
                    Map.entry("SREGS_BYTES", "sizeof(struct kvm_sregs)"),
                    Map.entry("SREGS_CS", "offsetof(struct kvm_sregs, cs)"),
                    Map.entry("SREGS_DS", "offsetof(struct kvm_sregs, ds)"),
                    Map.entry("SREGS_ES", "offsetof(struct kvm_sregs, es)"),
                    Map.entry("SREGS_FS", "offsetof(struct kvm_sregs, fs)"),
                    Map.entry("SREGS_GS", "offsetof(struct kvm_sregs, gs)"),
                    Map.entry("SREGS_SS", "offsetof(struct kvm_sregs, ss)"),
                    Map.entry("SREGS_TR", "offsetof(struct kvm_sregs, tr)"),
                    Map.entry("SREGS_LDT", "offsetof(struct kvm_sregs, ldt)"),
                    Map.entry("SREGS_GDT", "offsetof(struct kvm_sregs, gdt)"),
                    Map.entry("SREGS_IDT", "offsetof(struct kvm_sregs, idt)"),
                    Map.entry("SREGS_CR0", "offsetof(struct kvm_sregs, cr0)"),
                    Map.entry("SREGS_CR2", "offsetof(struct kvm_sregs, cr2)"),
                    Map.entry("SREGS_CR3", "offsetof(struct kvm_sregs, cr3)"),
                    Map.entry("SREGS_CR4", "offsetof(struct kvm_sregs, cr4)"),
                    Map.entry("SREGS_CR8", "offsetof(struct kvm_sregs, cr8)"),
                    Map.entry("SREGS_EFER", "offsetof(struct kvm_sregs, efer)"),
                    Map.entry("SREGS_APIC_BASE", "offsetof(struct kvm_sregs, apic_base)"),
                    Map.entry(
                            "SREGS_INTERRUPT_BITMAP",
                            "offsetof(struct kvm_sregs, interrupt_bitmap)"),
                    Map.entry("SEGMENT_BYTES", "sizeof(struct kvm_segment)"),
                    Map.entry("SEGMENT_BASE", "offsetof(struct kvm_segment, base)"),
                    Map.entry("SEGMENT_LIMIT", "offsetof(struct kvm_segment, limit)"),
                    Map.entry("SEGMENT_SELECTOR", "offsetof(struct kvm_segment, selector)"),
                    Map.entry("SEGMENT_TYPE", "offsetof(struct kvm_segment, type)"),
                    Map.entry("SEGMENT_PRESENT", "offsetof(struct kvm_segment, present)"),
                    Map.entry("SEGMENT_DPL", "offsetof(struct kvm_segment, dpl)"),
                    Map.entry("SEGMENT_DB", "offsetof(struct kvm_segment, db)"),
                    Map.entry("SEGMENT_S", "offsetof(struct kvm_segment, s)"),
                    Map.entry("SEGMENT_L", "offsetof(struct kvm_segment, l)"),
                    Map.entry("SEGMENT_G", "offsetof(struct kvm_segment, g)"),
                    Map.entry("SEGMENT_AVL", "offsetof(struct kvm_segment, avl)"),
                    Map.entry("SEGMENT_UNUSABLE", "offsetof(struct kvm_segment, unusable)"),
                    Map.entry("DTABLE_BYTES", "sizeof(struct kvm_dtable)"),
                    Map.entry("DTABLE_BASE", "offsetof(struct kvm_dtable, base)"),
                    Map.entry("DTABLE_LIMIT", "offsetof(struct kvm_dtable, limit)"),
                    Map.entry("MSRS_COUNT", "offsetof(struct kvm_msrs, nmsrs)"),
                    Map.entry("MSRS_ENTRIES", "offsetof(struct kvm_msrs, entries)"),
                    Map.entry("MSR_BYTES", "sizeof(struct kvm_msr_entry)"),
                    Map.entry("MSR_INDEX", "offsetof(struct kvm_msr_entry, index)"),
                    Map.entry("MSR_DATA", "offsetof(struct kvm_msr_entry, data)"),
                    Map.entry("MSR_LIST_COUNT", "offsetof(struct kvm_msr_list, nmsrs)"),
                    Map.entry("MSR_LIST_INDICES", "offsetof(struct kvm_msr_list, indices)"),
                    Map.entry("SIGNAL_MASK_LENGTH", "offsetof(struct kvm_signal_mask, len)"),
                    Map.entry("SIGNAL_MASK_SET", "offsetof(struct kvm_signal_mask, sigset)"),
                    Map.entry("CPUID_COUNT", "offsetof(struct kvm_cpuid2, nent)"),
                    Map.entry("CPUID_ENTRIES", "offsetof(struct kvm_cpuid2, entries)"),
                    Map.entry("CPUID_ENTRY_BYTES", "sizeof(struct kvm_cpuid_entry2)"),
                    Map.entry(
                            "CPUID_ENTRY_FUNCTION", "offsetof(struct kvm_cpuid_entry2, function)"),
                    Map.entry("CPUID_ENTRY_INDEX", "offsetof(struct kvm_cpuid_entry2, index)"),
                    Map.entry("CPUID_ENTRY_FLAGS", "offsetof(struct kvm_cpuid_entry2, flags)"),
                    Map.entry("CPUID_ENTRY_EAX", "offsetof(struct kvm_cpuid_entry2, eax)"),
                    Map.entry("CPUID_ENTRY_EBX", "offsetof(struct kvm_cpuid_entry2, ebx)"),
                    Map.entry("CPUID_ENTRY_ECX", "offsetof(struct kvm_cpuid_entry2, ecx)"),
                    Map.entry("CPUID_ENTRY_EDX", "offsetof(struct kvm_cpuid_entry2, edx)"),
                    Map.entry("LAPIC_BYTES", "sizeof(struct kvm_lapic_state)"),
                    Map.entry("MP_STATE_BYTES", "sizeof(struct kvm_mp_state)"),
                    Map.entry("VCPU_EVENTS_BYTES", "sizeof(struct kvm_vcpu_events)"),
                    Map.entry("VCPU_EVENTS_FLAGS", "offsetof(struct kvm_vcpu_events, flags)"),
                    Map.entry("DEBUGREGS_BYTES", "sizeof(struct kvm_debugregs)"),
                    Map.entry("XSAVE_BYTES", "sizeof(struct kvm_xsave)"),
                    Map.entry("XCRS_BYTES", "sizeof(struct kvm_xcrs)"),
                    Map.entry("CREATE_DEVICE_BYTES", "sizeof(struct kvm_create_device)"),
                    Map.entry("CREATE_DEVICE_TYPE", "offsetof(struct kvm_create_device, type)"),
                    Map.entry("CREATE_DEVICE_FD", "offsetof(struct kvm_create_device, fd)"),
                    Map.entry("CREATE_DEVICE_FLAGS", "offsetof(struct kvm_create_device, flags)"),
                    Map.entry("DEVICE_ATTR_BYTES", "sizeof(struct kvm_device_attr)"),
                    Map.entry("DEVICE_ATTR_GROUP", "offsetof(struct kvm_device_attr, group)"),
                    Map.entry("DEVICE_ATTR_NUMBER", "offsetof(struct kvm_device_attr, attr)"),
                    Map.entry("DEVICE_ATTR_ADDRESS", "offsetof(struct kvm_device_attr, addr)"),
                    Map.entry("STATS_BYTES", "sizeof(struct kvm_stats_header)"),
                    Map.entry("STATS_NAME_SIZE", "offsetof(struct kvm_stats_header, name_size)"),
                    Map.entry("STATS_NUM_DESC", "offsetof(struct kvm_stats_header, num_desc)"),
                    Map.entry(
                            "STATS_DESC_OFFSET", "offsetof(struct kvm_stats_header, desc_offset)"),
                    Map.entry(
                            "STATS_DATA_OFFSET", "offsetof(struct kvm_stats_header, data_offset)"),
                    Map.entry("STATS_DESC_BYTES", "sizeof(struct kvm_stats_desc)"),
                    Map.entry(
                            "STATS_DESC_OFFSET_OF_DATA", "offsetof(struct kvm_stats_desc, offset)"),
                    Map.entry("STATS_DESC_NAME", "offsetof(struct kvm_stats_desc, name)"));

    private static final String HEADERS =
            """
            #include <linux/kvm.h>
            #include <stddef.h>
            #include <stdio.h>
            """;

    @TempDir Path folder;

    private static Map<String, Long> ours() throws IllegalAccessException {
        Map<String, Long> ours = new TreeMap<>();
        for (Field field : KvmAbi.class.getDeclaredFields()) {
            // Coverage tools add fields of their own.
            if (!field.isSynthetic()) {
                ours.put(field.getName(), ((Number) field.get(null)).longValue());
            }
        }
        return ours;
    }

    @Test
    void everyNumberIsWhatTheHostsHeadersSay() throws Exception {
        boolean there = Files.exists(Path.of("/usr/include/linux/kvm.h"));
        if (!there) {
            System.out.println("KvmAbiTest: skipped, there is no linux/kvm.h");
        }
        Assumptions.assumeTrue(there, "needs linux-libc-dev");
        Map<String, Long> ours = ours();
        assertTrue(ours.size() > 200, "found only " + ours.keySet());
        assertEquals(headers(ours.keySet()), ours);
    }

    private Map<String, Long> headers(Set<String> names) throws IOException, InterruptedException {
        StringBuilder source = new StringBuilder(HEADERS).append("int main(void) {\n");
        for (String name : names) {
            source.append(
                    "printf(\"%s %%lld\\n\", (long long)(%s));\n"
                            .formatted(name, EXPRESSIONS.getOrDefault(name, name)));
        }
        Files.writeString(folder.resolve("table.c"), source.append("return 0; }\n"));
        Compiler.run(folder, Compiler.require(), "-o", "table", "table.c");
        Map<String, Long> values = new TreeMap<>();
        Compiler.run(folder, "./table")
                .lines()
                .map(line -> line.split(" "))
                .forEach(words -> values.put(words[0], Long.parseLong(words[1])));
        return values;
    }

    @Test
    void requestsAreToldApartByTheirNumbers() throws Exception {
        Set<Long> requests = new HashSet<>();
        for (Field field : KvmAbi.class.getDeclaredFields()) {
            if (field.getType() == long.class) {
                assertTrue(requests.add(field.getLong(null)), field.getName());
                assertEquals(field.getName(), KvmAbi.requestName(field.getLong(null)));
            }
        }
        assertEquals("request 0x1234", KvmAbi.requestName(0x1234));
    }
}
