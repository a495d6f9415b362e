package org.backplane.kvm;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.function.LongUnaryOperator;
import org.backplane.device.state.SavedState;
import org.backplane.hypervisor.ExitHandler;
import org.backplane.hypervisor.Fitness;
import org.backplane.hypervisor.HypervisorException;
import org.backplane.hypervisor.InterruptControllers.X86;
import org.backplane.hypervisor.Vcpu;
import org.backplane.hypervisor.VmSpec;
import org.backplane.hypervisor.X86Entry;
import org.backplane.memory.Access;
import org.backplane.memory.GuestMemory;
import org.backplane.memory.OffHeap;
import org.junit.jupiter.api.Assumptions;

/**
 * A VM of KVM's with 8 MiB of memory whose guests are payloads. A store to {@link #REPORT} ends the
 * run of the processor that stores, and its value is the run's result.
 */
final class KvmRig implements AutoCloseable, ExitHandler {
    static final long CODE = 0x10_0000;
    static final long FLAGS = 0x20_0000;
    static final long DEVICE = 0xd000_0000L;
    static final long BELL = 0xd000_1000L;
    static final long MSI = 0xfee0_0000L;
    static final int REPORT = 0xf4;
    static final long SIZE = 8 << 20;

    private static final Path KVM = Path.of("/dev/kvm");
    private static final long PAGE_TABLES = 0x1_0000;
    private static final long GDT = 0x4000;
    private static final X86 CONTROLLERS = new X86(0xfec0_0000L, 0xfee0_0000L, 0xfffb_c000L);

    /** What a payload did to a device. */
    record Store(boolean port, long address, int width, long value) {}

    final GuestMemory memory;
    final KvmVm vm;
    final ConcurrentLinkedQueue<Store> stores = new ConcurrentLinkedQueue<>();
    final ConcurrentLinkedQueue<SystemEvent> events = new ConcurrentLinkedQueue<>();
    volatile LongUnaryOperator device = address -> 0;
    volatile LongUnaryOperator port = number -> 0;

    /** Runs inside each exit but a report, before it has an effect. */
    volatile Runnable exit = () -> {};

    /** Whether {@link #stores} has what payloads store. */
    volatile boolean keeping = true;

    private final long[] results;
    private final CountDownLatch closed = new CountDownLatch(1);

    /** Set when nothing was heard of the test for so long that it cannot be well. */
    private volatile boolean overdue;

    /** Skips the test where there is no KVM. */
    static KvmRig open(int processors) throws IOException, HypervisorException {
        Fitness fitness = new KvmHypervisor(KVM, null).fitness();
        boolean there = fitness.grade() != Fitness.Grade.NONE;
        if (!there) {
            System.out.println("KvmRig: skipped, " + fitness.reason());
        }
        Assumptions.assumeTrue(there, fitness.reason());
        return new KvmRig(processors);
    }

    static KvmRig open() throws IOException, HypervisorException {
        return open(1);
    }

    private KvmRig(int processors) throws IOException, HypervisorException {
        memory = new GuestMemory("test", List.of(new GuestMemory.RamBank(0, SIZE)));
        VmSpec spec = new VmSpec("test", processors, CONTROLLERS);
        vm = (KvmVm) new KvmHypervisor(KVM, null).create(spec, memory, this);
        results = new long[processors];
        mapLowMemory();
        put(GDT + X86Entry.CODE_SELECTOR, 0x00af_9b00_0000_ffffL);
        put(GDT + X86Entry.DATA_SELECTOR, 0x00cf_9300_0000_ffffL);
        Thread net = new Thread(this::endWhatHangs, "safety net");
        net.setDaemon(true);
        net.start();
    }

    /** A guest that hangs has to fail its test, and interrupts do not reach it. */
    private void endWhatHangs() {
        try {
            overdue = !closed.await(30, TimeUnit.SECONDS);
            if (overdue) {
                vm.vcpus().forEach(Vcpu::kick);
            }
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    /** Spins until something is so. */
    void await(BooleanSupplier condition) {
        while (!condition.getAsBoolean()) {
            if (overdue) {
                throw new AssertionError("it did not come to that");
            }
            Thread.onSpinWait();
        }
    }

    /** The first 4 GiB where they are, by pages of 2 MiB. */
    private void mapLowMemory() {
        long directories = PAGE_TABLES + 0x2000;
        put(PAGE_TABLES, PAGE_TABLES + 0x1000 | 3);
        for (int gib = 0; gib < 4; gib++) {
            put(PAGE_TABLES + 0x1000 + 8 * gib, directories + 0x1000L * gib | 3);
        }
        for (long page = 0; page < 2048; page++) {
            put(directories + 8 * page, page << 21 | 0x83);
        }
    }

    KvmVcpu processor(int index) {
        return (KvmVcpu) vm.vcpus().get(index);
    }

    private long host(long address, long length) {
        long host = memory.layout().translate(address, length, Access.WRITE);
        if (host == 0) {
            throw new IllegalArgumentException("no memory at 0x" + Long.toHexString(address));
        }
        return host;
    }

    void put(long address, long value) {
        OffHeap.putLongVolatile(host(address, Long.BYTES), value);
    }

    long get(long address) {
        return OffHeap.getLongVolatile(host(address, Long.BYTES));
    }

    int getInt(long address) {
        return OffHeap.getIntVolatile(host(address, Integer.BYTES));
    }

    String text(long address, int length) {
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < length; i++) {
            text.append((char) OffHeap.getByte(host(address + i, 1)));
        }
        return text.toString();
    }

    void load(byte[] content, long at) {
        OffHeap.copy(content, 0, host(at, content.length), content.length);
    }

    /** Loads a payload and has the first processor begin with it. */
    KvmRig load(String payload) {
        load(Payload.build(payload, CODE), CODE);
        processor(0)
                .enter(new X86Entry.LongMode(CODE, 0, 0, PAGE_TABLES, new X86Entry.Table(GDT, 32)));
        return this;
    }

    static X86Entry.Table gdt() {
        return new X86Entry.Table(GDT, 32);
    }

    /** Runs the first processor until it reports. */
    long run() throws HypervisorException {
        return run(0);
    }

    long run(int index) throws HypervisorException {
        processor(index).run();
        return results[index];
    }

    long result(int index) {
        return results[index];
    }

    /** Stops time and saves. */
    SavedState save() throws HypervisorException {
        vm.stopTime();
        return vm.save();
    }

    /** A VM with a copy of this one's memory and a state; its time runs. */
    KvmRig restored(SavedState state) throws IOException, HypervisorException {
        KvmRig other = new KvmRig(results.length);
        OffHeap.copy(host(0, SIZE), other.host(0, SIZE), SIZE);
        other.vm.restore(state);
        other.vm.startTime();
        return other;
    }

    /** A processor's thread, that runs until the processor is kicked once. */
    final class Runner {
        private final Thread thread;
        private volatile Throwable failure;

        Runner(int index) {
            thread = new Thread(() -> run(index), "processor " + index);
            thread.start();
        }

        private void run(int index) {
            try {
                processor(index).run();
            } catch (HypervisorException | Error e) {
                failure = e;
            }
        }

        /** Waits for the end of the run, and gives what ended it, or null. */
        Throwable end() throws InterruptedException {
            thread.join();
            return failure;
        }

        void join() throws InterruptedException, HypervisorException {
            if (end() instanceof HypervisorException e) {
                throw e;
            }
        }
    }

    Runner start(int index) {
        return new Runner(index);
    }

    /** Runs several processors at once, each until it is kicked. */
    void runAll() throws InterruptedException, HypervisorException {
        List<Runner> runners = new ArrayList<>();
        for (int i = 0; i < results.length; i++) {
            runners.add(start(i));
        }
        for (Runner runner : runners) {
            runner.join();
        }
    }

    @Override
    public long mmioRead(int vcpu, long address, int width) {
        exit.run();
        return device.applyAsLong(address);
    }

    @Override
    public void mmioWrite(int vcpu, long address, int width, long value) {
        exit.run();
        keep(false, address, width, value);
    }

    @Override
    public long ioRead(int vcpu, int number, int width) {
        exit.run();
        return port.applyAsLong(number);
    }

    @Override
    public void ioWrite(int vcpu, int number, int width, long value) {
        if (number == REPORT) {
            results[vcpu] = value;
            processor(vcpu).kick();
        } else {
            exit.run();
            keep(true, number, width, value);
        }
    }

    private void keep(boolean toPort, long address, int width, long value) {
        if (keeping) {
            stores.add(new Store(toPort, address, width, value));
        }
    }

    @Override
    public void systemEvent(int vcpu, SystemEvent event) {
        exit.run();
        events.add(event);
        processor(vcpu).kick();
    }

    @Override
    public void debugConsole(int octet) {
        throw new AssertionError("x86 has no firmware console");
    }

    @Override
    public void close() {
        closed.countDown();
        vm.close();
        memory.close();
    }
}
