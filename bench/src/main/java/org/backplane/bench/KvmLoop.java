package org.backplane.bench;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.backplane.hypervisor.EventRoutes;
import org.backplane.hypervisor.ExitHandler;
import org.backplane.hypervisor.HypervisorException;
import org.backplane.hypervisor.InterruptControllers;
import org.backplane.hypervisor.Vcpu;
import org.backplane.hypervisor.Vm;
import org.backplane.hypervisor.VmSpec;
import org.backplane.hypervisor.X86Entry;
import org.backplane.kvm.KvmHypervisor;
import org.backplane.linux.Epoll;
import org.backplane.linux.EventFd;
import org.backplane.linux.LinuxException;
import org.backplane.memory.Access;
import org.backplane.memory.GuestMemory;
import org.backplane.memory.OffHeap;

/**
 * A VM of the engine {@code kvm} whose payload makes round trips, and what each takes. The
 * counterpart of {@code kvm-loop.c}, and like it without a bus or devices.
 */
final class KvmLoop implements ExitHandler, AutoCloseable {
    private static final long SIZE = 8 << 20;
    private static final long CODE = 0x10_0000;
    private static final long TABLES = 0x1_0000;
    private static final long BELL = 0xd000_1000L;
    private static final long MESSAGE = 0xfee0_0000L;
    private static final int VECTOR = 0x40;

    private final int warm;
    private final int last;
    private final GuestMemory memory;
    private final Vm vm;
    private final Vcpu processor;
    private int made;
    private long start;
    private long end;

    /**
     * @param warm round trips that do not count
     * @param counted round trips after them that do
     */
    KvmLoop(byte[] payload, int warm, int counted) throws IOException, HypervisorException {
        this.warm = warm;
        last = warm + counted;
        memory = new GuestMemory("bench", List.of(new GuestMemory.RamBank(0, SIZE)));
        var controllers = new InterruptControllers.X86(0xfec0_0000L, 0xfee0_0000L, 0xfffb_c000L);
        vm =
                new KvmHypervisor(Path.of("/dev/kvm"), null)
                        .create(new VmSpec("bench", 1, controllers), memory, this);
        processor = vm.vcpus().get(0);
        long ram = memory.layout().translate(0, SIZE, Access.WRITE);
        OffHeap.copy(payload, 0, ram + CODE, payload.length);
        mapLowMemory(ram);
        processor.enter(new X86Entry.LongMode(CODE, 0, 0, TABLES, X86Entry.Table.NONE));
    }

    /** The first 4 GiB where they are, by pages of 2 MiB. */
    private static void mapLowMemory(long ram) {
        OffHeap.putLong(ram + TABLES, TABLES + 0x1000 | 3);
        for (int gib = 0; gib < 4; gib++) {
            OffHeap.putLong(ram + TABLES + 0x1000 + 8 * gib, TABLES + 0x2000 + 0x1000L * gib | 3);
        }
        for (long page = 0; page < 2048; page++) {
            OffHeap.putLong(ram + TABLES + 0x2000 + 8 * page, page << 21 | 0x83);
        }
    }

    /** Nanoseconds of an exit. */
    double exits() throws HypervisorException {
        processor.run();
        return each();
    }

    /** Nanoseconds from one doorbell to the next: a worker's waking, an interrupt, a halt's end. */
    double rings() throws HypervisorException, IOException, InterruptedException {
        EventRoutes routes = vm.eventRoutes().orElseThrow();
        try (EventFd bell = EventFd.open();
                EventFd interrupt = EventFd.open();
                Epoll epoll = Epoll.open();
                Vm.Lease door = vm.doorbell(BELL, 0, bell);
                EventRoutes.MessageRoute route = routes.message(interrupt)) {
            route.set(MESSAGE, VECTOR);
            epoll.add(bell, Epoll.READABLE, 0);
            Thread worker = new Thread(() -> answer(epoll, bell, interrupt), "worker");
            worker.start();
            processor.run();
            worker.join();
            door.close();
            return each();
        }
    }

    private void answer(Epoll epoll, EventFd bell, EventFd interrupt) {
        try {
            while (made < last) {
                epoll.await(-1);
                bell.drain();
                count();
                interrupt.signal();
            }
        } catch (LinuxException e) {
            throw new IllegalStateException(e);
        }
    }

    private double each() {
        return (end - start) / (double) (last - warm);
    }

    private void count() {
        if (++made == warm) {
            start = System.nanoTime();
        } else if (made == last) {
            end = System.nanoTime();
            processor.kick();
        }
    }

    @Override
    public long mmioRead(int vcpu, long address, int width) {
        count();
        return 0;
    }

    @Override
    public void mmioWrite(int vcpu, long address, int width, long value) {
        throw unexpected();
    }

    @Override
    public long ioRead(int vcpu, int port, int width) {
        throw unexpected();
    }

    /** To the 8259As, whose ports are the kernel's; a store to others is none of the payloads'. */
    @Override
    public void ioWrite(int vcpu, int port, int width, long value) {
        throw unexpected();
    }

    @Override
    public void systemEvent(int vcpu, SystemEvent event) {
        throw unexpected();
    }

    @Override
    public void debugConsole(int octet) {
        throw unexpected();
    }

    private static IllegalStateException unexpected() {
        return new IllegalStateException("the payload does not do that");
    }

    @Override
    public void close() {
        vm.close();
        memory.close();
    }
}
