package org.backplane.hart;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.function.LongUnaryOperator;
import org.backplane.device.state.SavedState;
import org.backplane.hypervisor.ExitHandler;
import org.backplane.hypervisor.HypervisorException;
import org.backplane.hypervisor.InterruptControllers.RiscvAia;
import org.backplane.hypervisor.VmSpec;
import org.backplane.memory.Access;
import org.backplane.memory.GuestMemory;
import org.backplane.memory.OffHeap;

/**
 * A VM with 16 MiB of memory whose guests are small programs. A store to {@link #DONE} ends the run
 * of the hart that stores, and its value is the run's result.
 */
final class Rig implements AutoCloseable, ExitHandler {
    static final long RAM = 0x8000_0000L;
    static final long SIZE = 16L << 20;

    /** Where page tables go, from the root on. */
    static final long TABLES = RAM + (8L << 20);

    static final long DONE = 0x1000_0000L;

    /** Device registers that do nothing but be seen. */
    static final long DEVICE = 0x1000_1000L;

    static final long IMSIC = 0x2800_0000L;
    static final long APLIC = 0x0d00_0000L;
    static final long FREQUENCY = 10_000_000;
    static final int SOURCES = 31;

    /** What a program did to a device. */
    record Store(int hart, long address, int width, long value) {}

    final GuestMemory memory;
    final HartVm vm;
    final ConcurrentLinkedQueue<Store> stores = new ConcurrentLinkedQueue<>();
    final ConcurrentLinkedQueue<SystemEvent> events = new ConcurrentLinkedQueue<>();
    final StringBuffer console = new StringBuffer();
    volatile LongUnaryOperator device = address -> -1;

    /** Runs inside each exit, before it has an effect. */
    volatile Runnable exit = () -> {};

    private final long[] results;
    private long nextTable = TABLES + CodePage.SIZE;

    Rig() throws IOException, HypervisorException {
        this(1);
    }

    Rig(int harts) throws IOException, HypervisorException {
        memory = new GuestMemory("test", List.of(new GuestMemory.RamBank(RAM, SIZE)));
        RiscvAia aia = new RiscvAia(IMSIC, 255, APLIC, 0x5000, SOURCES, FREQUENCY);
        vm = (HartVm) new HartHypervisor().create(new VmSpec("test", harts, aia), memory, this);
        results = new long[harts];
    }

    Hart hart(int index) {
        return (Hart) vm.vcpus().get(index);
    }

    private long host(long address, long length) {
        long host = memory.layout().translate(address, length, Access.WRITE);
        if (host == 0) {
            throw new IllegalArgumentException("no memory at 0x" + Long.toHexString(address));
        }
        return host;
    }

    void write(long address, byte[] bytes) {
        OffHeap.copy(bytes, 0, host(address, bytes.length), bytes.length);
    }

    void put(long address, long value) {
        OffHeap.putLongVolatile(host(address, Long.BYTES), value);
    }

    /**
     * A VM with a copy of this one's memory and a state; its time runs. This one's harts are out of
     * their run loops, or wait in an exit.
     */
    Rig restored(SavedState state) throws IOException, HypervisorException {
        Rig other = new Rig(results.length);
        OffHeap.copy(host(RAM, SIZE), other.host(RAM, SIZE), SIZE);
        other.nextTable = nextTable;
        other.vm.restore(state);
        other.vm.startTime();
        return other;
    }

    /** Stops time and saves. */
    SavedState save() {
        vm.stopTime();
        return vm.save();
    }

    long get(long address) {
        return OffHeap.getLongVolatile(host(address, Long.BYTES));
    }

    void put(Program program) {
        write(program.base(), program.bytes());
    }

    /** Runs a program on hart 0 until it is done, and returns its result. */
    long run(Program program) throws HypervisorException {
        put(program);
        return run(0, program.base());
    }

    long run(int index, long pc, long... arguments) throws HypervisorException {
        hart(index).enterAt(pc, arguments);
        return resume(index);
    }

    /** Goes on where a hart stopped, until it is done. */
    long resume(int index) throws HypervisorException {
        hart(index).run();
        return results[index];
    }

    /** A processor's thread, that runs until the hart is done once. */
    final class Runner {
        private final Thread thread;
        private volatile HypervisorException failure;

        Runner(int index) {
            thread = new Thread(() -> run(index), "hart " + index);
            thread.start();
        }

        private void run(int index) {
            try {
                hart(index).run();
            } catch (HypervisorException e) {
                failure = e;
            }
        }

        void join() throws InterruptedException, HypervisorException {
            thread.join();
            if (failure != null) {
                throw failure;
            }
        }

        /** Whether the run is over. */
        boolean ended() {
            return thread.getState() == Thread.State.TERMINATED;
        }

        /** Whether the thread waits in the kernel; it may not do so yet. */
        boolean parked() {
            Thread.State state = thread.getState();
            return state == Thread.State.WAITING || state == Thread.State.TIMED_WAITING;
        }
    }

    long result(int index) {
        return results[index];
    }

    Runner start(int index) {
        return new Runner(index);
    }

    /** Runs programs that lie in memory on several harts at once, each until it is done. */
    void runAll(long... pcs) throws InterruptedException, HypervisorException {
        List<Runner> runners = new ArrayList<>();
        for (int i = 0; i < pcs.length; i++) {
            hart(i).enterAt(pcs[i], i);
        }
        for (int i = 0; i < pcs.length; i++) {
            runners.add(start(i));
        }
        for (Runner runner : runners) {
            runner.join();
        }
    }

    /** The satp value for the tables that {@link #map} fills. */
    static long satp(int asid) {
        return (long) Sv39.MODE_SV39 << 60 | (long) asid << 44 | TABLES >>> Tlb.PAGE_BITS;
    }

    /** Where the entry of a level is, its upper tables made as needed. */
    long entry(long virtual, int level) {
        long table = TABLES;
        for (int i = Sv39.LEVELS - 1; i > level; i--) {
            long at = table + Sv39.offset(virtual, i);
            if (get(at) == 0) {
                put(at, nextTable >>> 2 | Sv39.VALID);
                nextTable += CodePage.SIZE;
            }
            table = Sv39.target(get(at));
        }
        return table + Sv39.offset(virtual, level);
    }

    void map(long virtual, long physical, long flags) {
        map(virtual, physical, flags, 0);
    }

    void map(long virtual, long physical, long flags, int level) {
        put(entry(virtual, level), physical >>> 2 | flags);
    }

    /** Maps the whole of memory and the devices where they are, for S-mode. */
    void mapIdentity() {
        long all = Sv39.VALID | Sv39.READ | Sv39.WRITE | Sv39.EXECUTE;
        map(RAM, RAM, all | Sv39.ACCESSED | Sv39.DIRTY | Sv39.GLOBAL, 2);
        map(0, 0, all & ~Sv39.EXECUTE | Sv39.ACCESSED | Sv39.DIRTY | Sv39.GLOBAL, 2);
    }

    @Override
    public long mmioRead(int vcpu, long address, int width) {
        exit.run();
        return device.applyAsLong(address);
    }

    @Override
    public void mmioWrite(int vcpu, long address, int width, long value) {
        if (address == DONE) {
            results[vcpu] = value;
            hart(vcpu).kick();
        } else {
            exit.run();
            stores.add(new Store(vcpu, address, width, value));
        }
    }

    @Override
    public long ioRead(int vcpu, int port, int width) {
        throw new AssertionError("RISC-V has no port I/O");
    }

    @Override
    public void ioWrite(int vcpu, int port, int width, long value) {
        throw new AssertionError("RISC-V has no port I/O");
    }

    @Override
    public void systemEvent(int vcpu, SystemEvent event) {
        exit.run();
        events.add(event);
        hart(vcpu).kick();
    }

    @Override
    public void debugConsole(int octet) {
        exit.run();
        console.append((char) octet);
    }

    @Override
    public void close() {
        vm.close();
        memory.close();
    }
}
