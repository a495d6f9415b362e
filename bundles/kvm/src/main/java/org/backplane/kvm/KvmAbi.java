package org.backplane.kvm;

import java.lang.reflect.Field;

/**
 * Numbers and layouts of KVM's interface on x86-64, as {@code linux/kvm.h} and {@code asm/kvm.h}
 * have them: offsets and sizes in bytes. The only place that holds them; a test compares every one
 * with what the host's C compiler says of the installed headers.
 */
final class KvmAbi {
    private KvmAbi() {}

    // ioctl requests
    static final long KVM_GET_API_VERSION = 0xae00L;
    static final long KVM_CREATE_VM = 0xae01L;
    static final long KVM_CHECK_EXTENSION = 0xae03L;
    static final long KVM_GET_VCPU_MMAP_SIZE = 0xae04L;
    static final long KVM_GET_SUPPORTED_CPUID = 0xc008ae05L;
    static final long KVM_GET_MSR_INDEX_LIST = 0xc004ae02L;
    static final long KVM_CREATE_VCPU = 0xae41L;
    static final long KVM_GET_DIRTY_LOG = 0x4010ae42L;
    static final long KVM_SET_USER_MEMORY_REGION = 0x4020ae46L;
    static final long KVM_SET_TSS_ADDR = 0xae47L;
    static final long KVM_SET_IDENTITY_MAP_ADDR = 0x4008ae48L;
    static final long KVM_CREATE_IRQCHIP = 0xae60L;
    static final long KVM_IRQ_LINE = 0x4008ae61L;
    static final long KVM_GET_IRQCHIP = 0xc208ae62L;
    static final long KVM_SET_IRQCHIP = 0x8208ae63L;
    static final long KVM_SET_GSI_ROUTING = 0x4008ae6aL;
    static final long KVM_IRQFD = 0x4020ae76L;
    static final long KVM_CREATE_PIT2 = 0x4040ae77L;
    static final long KVM_IOEVENTFD = 0x4040ae79L;
    static final long KVM_SET_CLOCK = 0x4030ae7bL;
    static final long KVM_GET_CLOCK = 0x8030ae7cL;
    static final long KVM_GET_PIT2 = 0x8070ae9fL;
    static final long KVM_SET_PIT2 = 0x4070aea0L;
    static final long KVM_SIGNAL_MSI = 0x4020aea5L;
    static final long KVM_RUN = 0xae80L;
    static final long KVM_GET_REGS = 0x8090ae81L;
    static final long KVM_SET_REGS = 0x4090ae82L;
    static final long KVM_GET_SREGS = 0x8138ae83L;
    static final long KVM_SET_SREGS = 0x4138ae84L;
    static final long KVM_GET_MSRS = 0xc008ae88L;
    static final long KVM_SET_MSRS = 0x4008ae89L;
    static final long KVM_SET_SIGNAL_MASK = 0x4004ae8bL;
    static final long KVM_GET_LAPIC = 0x8400ae8eL;
    static final long KVM_SET_LAPIC = 0x4400ae8fL;
    static final long KVM_SET_CPUID2 = 0x4008ae90L;
    static final long KVM_GET_MP_STATE = 0x8004ae98L;
    static final long KVM_SET_MP_STATE = 0x4004ae99L;
    static final long KVM_GET_VCPU_EVENTS = 0x8040ae9fL;
    static final long KVM_SET_VCPU_EVENTS = 0x4040aea0L;
    static final long KVM_GET_DEBUGREGS = 0x8080aea1L;
    static final long KVM_SET_DEBUGREGS = 0x4080aea2L;
    static final long KVM_GET_XSAVE = 0x9000aea4L;
    static final long KVM_SET_XSAVE = 0x5000aea5L;
    static final long KVM_GET_XSAVE2 = 0x9000aecfL;
    static final long KVM_GET_XCRS = 0x8188aea6L;
    static final long KVM_SET_XCRS = 0x4188aea7L;
    static final long KVM_KVMCLOCK_CTRL = 0xaeadL;
    static final long KVM_GET_STATS_FD = 0xaeceL;
    static final long KVM_CREATE_DEVICE = 0xc00caee0L;
    static final long KVM_HAS_DEVICE_ATTR = 0x4018aee3L;
    static final long KVM_GET_DEVICE_ATTR = 0x4018aee2L;
    static final long KVM_SET_DEVICE_ATTR = 0x4018aee1L;

    // KVM_CHECK_EXTENSION
    static final int KVM_API_VERSION = 12;
    static final int KVM_CAP_IRQCHIP = 0;
    static final int KVM_CAP_USER_MEMORY = 3;
    static final int KVM_CAP_SET_TSS_ADDR = 4;
    static final int KVM_CAP_EXT_CPUID = 7;
    static final int KVM_CAP_NR_MEMSLOTS = 10;
    static final int KVM_CAP_MP_STATE = 14;
    static final int KVM_CAP_IRQ_ROUTING = 25;
    static final int KVM_CAP_IRQFD = 32;
    static final int KVM_CAP_PIT2 = 33;
    static final int KVM_CAP_PIT_STATE2 = 35;
    static final int KVM_CAP_IOEVENTFD = 36;
    static final int KVM_CAP_SET_IDENTITY_MAP_ADDR = 37;
    static final int KVM_CAP_ADJUST_CLOCK = 39;
    static final int KVM_CAP_VCPU_EVENTS = 41;
    static final int KVM_CAP_DEBUGREGS = 50;
    static final int KVM_CAP_XSAVE = 55;
    static final int KVM_CAP_XCRS = 56;
    static final int KVM_CAP_TSC_DEADLINE_TIMER = 72;
    static final int KVM_CAP_MAX_VCPUS = 66;
    static final int KVM_CAP_KVMCLOCK_CTRL = 76;
    static final int KVM_CAP_SIGNAL_MSI = 77;
    static final int KVM_CAP_READONLY_MEM = 81;
    static final int KVM_CAP_IRQFD_RESAMPLE = 82;
    static final int KVM_CAP_IOEVENTFD_ANY_LENGTH = 122;
    static final int KVM_CAP_IMMEDIATE_EXIT = 136;
    static final int KVM_CAP_BINARY_STATS_FD = 203;
    static final int KVM_CAP_XSAVE2 = 208;

    // struct kvm_run
    static final int RUN_BYTES = 0x930;
    static final int RUN_IMMEDIATE_EXIT = 1;
    static final int RUN_EXIT_REASON = 8;
    static final int RUN_IO_DIRECTION = 32;
    static final int RUN_IO_SIZE = 33;
    static final int RUN_IO_PORT = 34;
    static final int RUN_IO_COUNT = 36;
    static final int RUN_IO_DATA_OFFSET = 40;
    static final int RUN_MMIO_ADDRESS = 32;
    static final int RUN_MMIO_DATA = 40;
    static final int RUN_MMIO_LENGTH = 48;
    static final int RUN_MMIO_IS_WRITE = 52;
    static final int RUN_SYSTEM_EVENT_TYPE = 32;
    static final int RUN_HARDWARE_EXIT_REASON = 32;
    static final int RUN_FAIL_ENTRY_REASON = 32;
    static final int RUN_FAIL_ENTRY_CPU = 40;
    static final int RUN_INTERNAL_SUBERROR = 32;
    static final int RUN_INTERNAL_COUNT = 36;
    static final int RUN_INTERNAL_DATA = 40;
    static final int RUN_EMULATION_FLAGS = 40;
    static final int RUN_EMULATION_SIZE = 48;
    static final int RUN_EMULATION_INSTRUCTION = 49;

    // exit reasons
    static final int KVM_EXIT_UNKNOWN = 0;
    static final int KVM_EXIT_IO = 2;
    static final int KVM_EXIT_HLT = 5;
    static final int KVM_EXIT_MMIO = 6;
    static final int KVM_EXIT_IRQ_WINDOW_OPEN = 7;
    static final int KVM_EXIT_SHUTDOWN = 8;
    static final int KVM_EXIT_FAIL_ENTRY = 9;
    static final int KVM_EXIT_INTR = 10;
    static final int KVM_EXIT_INTERNAL_ERROR = 17;
    static final int KVM_EXIT_SYSTEM_EVENT = 24;
    static final int KVM_EXIT_IO_OUT = 1;
    static final int KVM_SYSTEM_EVENT_SHUTDOWN = 1;
    static final int KVM_SYSTEM_EVENT_RESET = 2;
    static final int KVM_SYSTEM_EVENT_CRASH = 3;
    static final int KVM_INTERNAL_ERROR_EMULATION = 1;
    static final int KVM_INTERNAL_ERROR_EMULATION_FLAG_INSTRUCTION_BYTES = 1;

    // struct kvm_userspace_memory_region
    static final int REGION_BYTES = 32;
    static final int REGION_SLOT = 0;
    static final int REGION_FLAGS = 4;
    static final int REGION_GUEST_ADDRESS = 8;
    static final int REGION_LENGTH = 16;
    static final int REGION_HOST_ADDRESS = 24;
    static final int KVM_MEM_LOG_DIRTY_PAGES = 1;
    static final int KVM_MEM_READONLY = 2;

    // struct kvm_dirty_log
    static final int DIRTY_LOG_BYTES = 16;
    static final int DIRTY_LOG_SLOT = 0;
    static final int DIRTY_LOG_BITMAP = 8;

    // struct kvm_irq_level
    static final int IRQ_LEVEL_BYTES = 8;
    static final int IRQ_LEVEL_IRQ = 0;
    static final int IRQ_LEVEL_LEVEL = 4;

    // struct kvm_irq_routing
    static final int ROUTING_COUNT = 0;
    static final int ROUTING_ENTRIES = 8;
    static final int ROUTE_BYTES = 48;
    static final int ROUTE_GSI = 0;
    static final int ROUTE_TYPE = 4;
    static final int ROUTE_CHIP = 16;
    static final int ROUTE_PIN = 20;
    static final int ROUTE_MSI_ADDRESS_LOW = 16;
    static final int ROUTE_MSI_ADDRESS_HIGH = 20;
    static final int ROUTE_MSI_DATA = 24;
    static final int KVM_IRQ_ROUTING_IRQCHIP = 1;
    static final int KVM_IRQ_ROUTING_MSI = 2;
    static final int KVM_IRQCHIP_PIC_MASTER = 0;
    static final int KVM_IRQCHIP_PIC_SLAVE = 1;
    static final int KVM_IRQCHIP_IOAPIC = 2;
    static final int KVM_IOAPIC_NUM_PINS = 24;

    // struct kvm_irqfd
    static final int IRQFD_BYTES = 32;
    static final int IRQFD_FD = 0;
    static final int IRQFD_GSI = 4;
    static final int IRQFD_FLAGS = 8;
    static final int IRQFD_RESAMPLE_FD = 12;
    static final int KVM_IRQFD_FLAG_DEASSIGN = 1;
    static final int KVM_IRQFD_FLAG_RESAMPLE = 2;

    // struct kvm_msi
    static final int MSI_BYTES = 32;
    static final int MSI_ADDRESS_LOW = 0;
    static final int MSI_ADDRESS_HIGH = 4;
    static final int MSI_DATA = 8;

    // struct kvm_ioeventfd
    static final int IOEVENTFD_BYTES = 64;
    static final int IOEVENTFD_ADDRESS = 8;
    static final int IOEVENTFD_LENGTH = 16;
    static final int IOEVENTFD_FD = 20;
    static final int IOEVENTFD_FLAGS = 24;
    static final int KVM_IOEVENTFD_FLAG_DEASSIGN = 4;

    // struct kvm_irqchip and struct kvm_pit_state2
    static final int IRQCHIP_BYTES = 0x208;
    static final int IRQCHIP_ID = 0;
    static final int IRQCHIP_STATE = 8;
    static final int IRQCHIP_STATE_BYTES = 0x200;
    static final int PIC_BYTES = 16;
    static final int IOAPIC_BYTES = 216;
    static final int IOAPIC_BASE = 0;
    static final int PIT_BYTES = 112;
    static final int PIT_LOAD_TIME = 16;
    static final int PIT_CHANNEL_BYTES = 24;
    static final int PIT_CONFIG_BYTES = 64;
    static final int PIT_CONFIG_FLAGS = 0;
    static final int KVM_PIT_SPEAKER_DUMMY = 1;

    // struct kvm_clock_data
    static final int CLOCK_BYTES = 48;
    static final int CLOCK_NANOS = 0;
    static final int CLOCK_FLAGS = 8;

    // struct kvm_regs
    static final int REGS_BYTES = 144;
    static final int REGS_RAX = 0;
    static final int REGS_RBX = 8;
    static final int REGS_RCX = 16;
    static final int REGS_RDX = 24;
    static final int REGS_RSI = 32;
    static final int REGS_RDI = 40;
    static final int REGS_RSP = 48;
    static final int REGS_RBP = 56;
    static final int REGS_R8 = 64;
    static final int REGS_R9 = 72;
    static final int REGS_R10 = 80;
    static final int REGS_R11 = 88;
    static final int REGS_R12 = 96;
    static final int REGS_R13 = 104;
    static final int REGS_R14 = 112;
    static final int REGS_R15 = 120;
    static final int REGS_RIP = 128;
    static final int REGS_RFLAGS = 136;

    // struct kvm_sregs, with struct kvm_segment and struct kvm_dtable
    static final int SREGS_BYTES = 0x138;
    static final int SREGS_CS = 0;
    static final int SREGS_DS = 24;
    static final int SREGS_ES = 48;
    static final int SREGS_FS = 72;
    static final int SREGS_GS = 96;
    static final int SREGS_SS = 120;
    static final int SREGS_TR = 144;
    static final int SREGS_LDT = 168;
    static final int SREGS_GDT = 192;
    static final int SREGS_IDT = 208;
    static final int SREGS_CR0 = 224;
    static final int SREGS_CR2 = 232;
    static final int SREGS_CR3 = 240;
    static final int SREGS_CR4 = 248;
    static final int SREGS_CR8 = 0x100;
    static final int SREGS_EFER = 0x108;
    static final int SREGS_APIC_BASE = 0x110;
    static final int SREGS_INTERRUPT_BITMAP = 0x118;
    static final int SEGMENT_BYTES = 24;
    static final int SEGMENT_BASE = 0;
    static final int SEGMENT_LIMIT = 8;
    static final int SEGMENT_SELECTOR = 12;
    static final int SEGMENT_TYPE = 14;
    static final int SEGMENT_PRESENT = 15;
    static final int SEGMENT_DPL = 16;
    static final int SEGMENT_DB = 17;
    static final int SEGMENT_S = 18;
    static final int SEGMENT_L = 19;
    static final int SEGMENT_G = 20;
    static final int SEGMENT_AVL = 21;
    static final int SEGMENT_UNUSABLE = 22;
    static final int DTABLE_BYTES = 16;
    static final int DTABLE_BASE = 0;
    static final int DTABLE_LIMIT = 8;

    // struct kvm_msrs and struct kvm_msr_list
    static final int MSRS_COUNT = 0;
    static final int MSRS_ENTRIES = 8;
    static final int MSR_BYTES = 16;
    static final int MSR_INDEX = 0;
    static final int MSR_DATA = 8;
    static final int MSR_LIST_COUNT = 0;
    static final int MSR_LIST_INDICES = 4;

    // struct kvm_signal_mask
    static final int SIGNAL_MASK_LENGTH = 0;
    static final int SIGNAL_MASK_SET = 4;

    // struct kvm_cpuid2
    static final int CPUID_COUNT = 0;
    static final int CPUID_ENTRIES = 8;
    static final int CPUID_ENTRY_BYTES = 40;
    static final int CPUID_ENTRY_FUNCTION = 0;
    static final int CPUID_ENTRY_INDEX = 4;
    static final int CPUID_ENTRY_FLAGS = 8;
    static final int CPUID_ENTRY_EAX = 12;
    static final int CPUID_ENTRY_EBX = 16;
    static final int CPUID_ENTRY_ECX = 20;
    static final int CPUID_ENTRY_EDX = 24;
    static final int KVM_CPUID_FLAG_SIGNIFCANT_INDEX = 1;

    // other state of a processor
    static final int LAPIC_BYTES = 0x400;
    static final int MP_STATE_BYTES = 4;
    static final int VCPU_EVENTS_BYTES = 64;
    static final int VCPU_EVENTS_FLAGS = 20;
    static final int DEBUGREGS_BYTES = 128;
    static final int XSAVE_BYTES = 0x1000;
    static final int XCRS_BYTES = 0x188;
    static final int KVM_MP_STATE_RUNNABLE = 0;
    static final int KVM_MP_STATE_UNINITIALIZED = 1;
    static final int KVM_MP_STATE_INIT_RECEIVED = 2;
    static final int KVM_MP_STATE_HALTED = 3;
    static final int KVM_MP_STATE_SIPI_RECEIVED = 4;

    // struct kvm_device_attr
    static final int CREATE_DEVICE_BYTES = 12;
    static final int CREATE_DEVICE_TYPE = 0;
    static final int CREATE_DEVICE_FD = 4;
    static final int CREATE_DEVICE_FLAGS = 8;
    static final int KVM_DEV_TYPE_VFIO = 4;

    // attributes of the VFIO device; newer headers call what is added a file
    static final int KVM_DEV_VFIO_GROUP = 1;
    static final int KVM_DEV_VFIO_GROUP_ADD = 1;
    static final int KVM_DEV_VFIO_GROUP_DEL = 2;

    static final int DEVICE_ATTR_BYTES = 24;
    static final int DEVICE_ATTR_GROUP = 4;
    static final int DEVICE_ATTR_NUMBER = 8;
    static final int DEVICE_ATTR_ADDRESS = 16;
    static final int KVM_VCPU_TSC_CTRL = 0;
    static final int KVM_VCPU_TSC_OFFSET = 0;

    // struct kvm_stats_header and struct kvm_stats_desc
    static final int STATS_BYTES = 24;
    static final int STATS_NAME_SIZE = 4;
    static final int STATS_NUM_DESC = 8;
    static final int STATS_DESC_OFFSET = 16;
    static final int STATS_DATA_OFFSET = 20;
    static final int STATS_DESC_BYTES = 16;
    static final int STATS_DESC_OFFSET_OF_DATA = 8;
    static final int STATS_DESC_NAME = 16;

    /** The name of a request, for messages. */
    static String requestName(long request) {
        for (Field field : KvmAbi.class.getDeclaredFields()) {
            try {
                if (field.getType() == long.class && field.getLong(null) == request) {
                    return field.getName();
                }
            } catch (IllegalAccessException e) {
                throw new AssertionError("a field of this class", e);
            }
        }
        return "request 0x" + Long.toHexString(request);
    }
}
