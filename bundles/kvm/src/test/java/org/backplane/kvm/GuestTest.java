package org.backplane.kvm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.backplane.hypervisor.ExitHandler.SystemEvent;
import org.backplane.hypervisor.HypervisorException;
import org.backplane.hypervisor.X86Entry;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What guests see: payloads on this host's KVM, of whatever kind that is. */
@Timeout(60)
class GuestTest {
    /** What a guest's watchdogs look at: time passed that the guest did not have. */
    private static final int GUEST_STOPPED = 2;

    private KvmRig rig;

    private KvmRig rig(int processors) throws Exception {
        rig = KvmRig.open(processors);
        return rig;
    }

    @AfterEach
    void tearDown() {
        if (rig != null) {
            rig.close();
        }
    }

    private static KvmRig.Store memory(long offset, int width, long value) {
        return new KvmRig.Store(false, KvmRig.DEVICE + offset, width, value);
    }

    private static KvmRig.Store port(int width, long value) {
        return new KvmRig.Store(true, 0x1234, width, value);
    }

    @Test
    void makesAccessesOfEveryWidthWithTheirValues() throws Exception {
        rig(1).load("access");
        rig.device = address -> address == KvmRig.DEVICE + 0x10 ? -2 : 0x18e7;
        rig.port = number -> ~(long) number;
        assertEquals(42, rig.run());
        assertEquals(
                List.of(
                        memory(0, 1, 0x88),
                        memory(2, 2, 0x7788),
                        memory(4, 4, 0x5566_7788),
                        memory(8, 8, 0x1122_3344_5566_7788L),
                        port(1, 0x88),
                        port(2, 0x7788),
                        port(4, 0x5566_7788)),
                new ArrayList<>(rig.stores));
    }

    @Test
    void makesStringsOneElementAfterTheOther() throws Exception {
        rig(1).load("string");
        AtomicInteger next = new AtomicInteger(100);
        rig.port = number -> next.incrementAndGet();
        assertEquals(KvmRig.FLAGS + 20, rig.run());
        StringBuilder text = new StringBuilder();
        rig.stores.forEach(store -> text.append((char) store.value()));
        assertEquals("strings", text.toString());
        assertEquals(101, rig.getInt(KvmRig.FLAGS));
        assertEquals(105, rig.getInt(KvmRig.FLAGS + 16));
    }

    @Test
    void beginsInProtectedModeWithItsArguments() throws Exception {
        rig(1).load("protected");
        rig.processor(0)
                .enter(
                        new X86Entry.ProtectedMode(
                                (int) KvmRig.CODE, 0x1000_0000, 0x200, 3, 0, KvmRig.gdt()));
        assertEquals(0x1000_0203, rig.run());
    }

    @Test
    void beginsInRealMode() throws Exception {
        rig(1).load(Payload.build("real", 0), 0x1_0000 - 0x8000);
        rig.processor(0).enter(new X86Entry.RealMode(0x800, 0, 0x7ffe));
        assertEquals(0x0800_7ffeL, rig.run());
    }

    @Test
    void startsTheSecondProcessorByItsApic() throws Exception {
        rig(2).load("processors");
        rig.runAll();
        assertEquals(0x1111, rig.result(0));
        assertEquals(0x3333, rig.result(1));
    }

    @Test
    void timerTicksThroughTheIoApic() throws Exception {
        rig(1).load("timer");
        assertEquals(3, rig.run());
    }

    @Test
    void shutsDownOnATripleFaultUntilReset() throws Exception {
        rig(1).load("fault");
        rig.processor(0).run();
        assertEquals(List.of(SystemEvent.REBOOT), new ArrayList<>(rig.events));
        KvmRig.Runner runner = rig.start(0);
        assertTrue(rig.processor(0).idle());
        rig.processor(0).kick();
        runner.join();
        assertEquals(1, rig.events.size());
        rig.vm.reset();
        rig.load("access");
        rig.device = address -> address == KvmRig.DEVICE + 0x10 ? -2 : 0xe7;
        rig.port = number -> ~(long) number;
        assertEquals(42, rig.run());
    }

    @Test
    void handlersFailureEndsTheRunWithASentence() throws Exception {
        rig(1).load("access");
        rig.exit =
                () -> {
                    throw new IllegalStateException("broken");
                };
        try {
            rig.run();
            throw new AssertionError("the run went on");
        } catch (HypervisorException e) {
            assertTrue(e.getMessage().contains("VM 'test' processor 0"), e.getMessage());
            assertTrue(e.getMessage().contains("broken"), e.getMessage());
        }
    }

    private int leaf(int number, int register) {
        return rig.getInt(KvmRig.FLAGS + 16 * number + 4 * register);
    }

    @Test
    void processorsSayThatKvmRunsThemAndHowManyThereAre() throws Exception {
        rig(3).load("cpuid");
        assertEquals(5, rig.run());
        assertEquals("KVMKVMKVM", rig.text(KvmRig.FLAGS + 4, 9));
        assertEquals(0, leaf(1, 1) >>> 24, "identity");
        assertEquals(1, leaf(1, 2) >>> 31, "a hypervisor is there");
        assertEquals(1, leaf(2, 1) & 0xffff, "threads of a core");
        assertEquals(3, leaf(3, 1) & 0xffff, "processors of the package");
        int told = leaf(4, 0) & 0xff;
        int reached = new KvmHypervisor(Path.of("/dev/kvm"), null).physicalAddressBits();
        assertTrue(reached <= told && reached >= 36, reached + " of " + told);
    }

    /** {@code struct pvclock_vcpu_time_info} (Linux, Documentation/virt/kvm/x86/msr.rst). */
    @Test
    void clockTellsTheGuestOfAPauseOnce() throws Exception {
        rig(1).load("clock");
        assertEquals(1, rig.run());
        assertEquals(2, rig.run());
        long version = rig.getInt(KvmRig.FLAGS);
        assertTrue(version != 0 && version % 2 == 0, "version " + version);
        assertEquals(0, flags() & GUEST_STOPPED);
        rig.vm.stopTime();
        rig.vm.startTime();
        assertEquals(3, rig.run());
        assertEquals(GUEST_STOPPED, flags() & GUEST_STOPPED);
        assertTrue(rig.getInt(KvmRig.FLAGS) != version, "the clock was written anew");
    }

    private int flags() {
        return rig.getInt(KvmRig.FLAGS + 28) >>> 8 & 0xff;
    }
}
