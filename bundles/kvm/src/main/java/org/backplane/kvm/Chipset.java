package org.backplane.kvm;

import static org.backplane.kvm.KvmAbi.*;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.backplane.hypervisor.HypervisorException;
import org.backplane.hypervisor.InterruptControllers.X86;

/** The interrupt controllers and the timer that KVM has in the kernel: their registers. */
final class Chipset {
    /** Where KVM has the I/O APIC and the local APICs; it has them nowhere else. */
    private static final long IO_APIC = 0xfec0_0000L;

    private static final long LOCAL_APIC = 0xfee0_0000L;

    /** The task state takes 12 KiB from the engine's base on, the page tables the page after it. */
    private static final int TASK_STATE = 0x3000;

    private static final int PIT_CHANNELS = 3;

    private final KvmFd vm;

    /** Makes them, before any processor is made. */
    Chipset(KvmFd vm, X86 where) throws HypervisorException {
        this.vm = vm;
        if (where.ioApicBase() != IO_APIC || where.localApicBase() != LOCAL_APIC) {
            throw new HypervisorException(
                    "KVM has the I/O APIC at 0x%x and local APICs at 0x%x, and this board wants them at 0x%x and 0x%x; choose another board or engine."
                            .formatted(
                                    IO_APIC,
                                    LOCAL_APIC,
                                    where.ioApicBase(),
                                    where.localApicBase()));
        }
        long base = where.engineBase();
        vm.call(KVM_SET_TSS_ADDR, base, "address 0x%x".formatted(base));
        try (Struct address = Struct.of(Long.BYTES).u64(0, base + TASK_STATE)) {
            vm.call(
                    KVM_SET_IDENTITY_MAP_ADDR,
                    address,
                    "address 0x%x".formatted(base + TASK_STATE));
        }
        vm.call(KVM_CREATE_IRQCHIP, 0, "no arguments");
        try (Struct timer = Struct.of(PIT_CONFIG_BYTES)) {
            // The gate and output at port 0x61 are the kernel's too: a kernel that measures its
            // clock against the timer waits there.
            timer.u32(PIT_CONFIG_FLAGS, KVM_PIT_SPEAKER_DUMMY);
            vm.call(KVM_CREATE_PIT2, timer, "with port 0x61");
        }
    }

    ChipsetRecord save() throws HypervisorException {
        return new ChipsetRecord(
                chip(KVM_IRQCHIP_PIC_MASTER, PIC_BYTES),
                chip(KVM_IRQCHIP_PIC_SLAVE, PIC_BYTES),
                chip(KVM_IRQCHIP_IOAPIC, IOAPIC_BYTES),
                timer());
    }

    private byte[] chip(int id, int bytes) throws HypervisorException {
        try (Struct chip = Struct.of(IRQCHIP_BYTES).u32(IRQCHIP_ID, id)) {
            vm.call(KVM_GET_IRQCHIP, chip, "controller " + id);
            return chip.bytes(IRQCHIP_STATE, bytes);
        }
    }

    private void chip(int id, byte[] state) throws HypervisorException {
        try (Struct chip = Struct.of(IRQCHIP_BYTES).u32(IRQCHIP_ID, id)) {
            chip.put(IRQCHIP_STATE, state);
            vm.call(KVM_SET_IRQCHIP, chip, "controller " + id);
        }
    }

    /** KVM tells when a channel was loaded in the host's time: saved is how long that is ago. */
    private byte[] timer() throws HypervisorException {
        try (Struct timer = Struct.of(PIT_BYTES)) {
            vm.call(KVM_GET_PIT2, timer, PIT_BYTES + " bytes");
            return mirrored(timer.bytes());
        }
    }

    void restore(ChipsetRecord saved) throws HypervisorException {
        chip(KVM_IRQCHIP_PIC_MASTER, saved.picMaster());
        chip(KVM_IRQCHIP_PIC_SLAVE, saved.picSlave());
        chip(KVM_IRQCHIP_IOAPIC, saved.ioApic());
        try (Struct timer = Struct.of(mirrored(saved.timer()))) {
            vm.call(KVM_SET_PIT2, timer, PIT_BYTES + " bytes");
        }
    }

    /** Makes moments of the host's monotonic time ages, and ages moments. */
    private static byte[] mirrored(byte[] timer) {
        ByteBuffer fields = ByteBuffer.wrap(timer).order(ByteOrder.LITTLE_ENDIAN);
        long now = System.nanoTime();
        for (int i = 0; i < PIT_CHANNELS; i++) {
            int at = PIT_LOAD_TIME + i * PIT_CHANNEL_BYTES;
            fields.putLong(at, now - fields.getLong(at));
        }
        return timer;
    }
}
