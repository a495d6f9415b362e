package org.backplane.itests.hotswap;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import org.backplane.device.state.SavedState;
import org.backplane.hypervisor.ExitHandler;
import org.backplane.hypervisor.Hypervisor;
import org.backplane.hypervisor.HypervisorException;
import org.backplane.hypervisor.Vcpu;
import org.backplane.hypervisor.Vm;
import org.backplane.hypervisor.VmSpec;
import org.backplane.itests.DrivenEngine;
import org.backplane.linux.EventFd;
import org.backplane.memory.Access;
import org.backplane.memory.GuestMemory;
import org.backplane.memory.OffHeap;

/**
 * The project's processor with a guest of some thirty instructions, which makes the loads and
 * stores that the test asks for through a mailbox in its memory, and waits for an interrupt in
 * between. So accesses come from real processor threads, which the machine pauses, halts and
 * replaces.
 */
final class DrivenGuest implements DrivenEngine, AutoCloseable {
    private static final long RAM = 0x8000_0000L;
    private static final long MAILBOX = RAM + 0x1_0000;
    private static final long INTERRUPT_FILE = 0x2800_0000L;
    private static final int DOORBELL_IDENTITY = 1;

    private static final int COMMAND = 0;
    private static final int ADDRESS = 8;
    private static final int VALUE = 16;
    private static final int MAILBOX_SIZE = 24;
    private static final long LOAD = 1;
    private static final long STORE = 2;

    /** Of the boot image's header. */
    private static final int IMAGE_SIZE = 0x10;

    private static final int MAGIC2 = 0x38;
    private static final int MAGIC2_VALUE = 0x05435352;
    private static final int HEADER_SIZE = 0x40;
    private static final int JUMP_OVER_HEADER = 0x0400006f;

    private static final int[] CODE = {
        0x00100413, // li    s0, 1
        0x01f41413, // slli  s0, s0, 31
        0x000102b7, // lui   t0, 0x10
        0x00540433, // add   s0, s0, t0       the mailbox
        0x07000293, // li    t0, 0x70
        0x15029073, // csrw  siselect, t0     eidelivery
        0x00100293, // li    t0, 1
        0x15129073, // csrw  sireg, t0
        0x0c000293, // li    t0, 0xc0
        0x15029073, // csrw  siselect, t0     eie0
        0x00200293, // li    t0, 2
        0x15129073, // csrw  sireg, t0        identity 1
        0x20000293, // li    t0, 0x200
        0x1042a073, // csrs  sie, t0          SEIE
        0x15c01373, // loop: csrrw t1, stopei, zero
        0x0330000f, // fence rw, rw
        0x00043283, // ld    t0, 0(s0)
        0x00029663, // bnez  t0, go
        0x10500073, // wfi
        0xfedff06f, // j     loop
        0x00843303, // go: ld t1, 8(s0)
        0x00100393, // li    t2, 1
        0x00728863, // beq   t0, t2, load
        0x01043e03, // ld    t3, 16(s0)
        0x01c32023, // sw    t3, 0(t1)
        0x00c0006f, // j     done
        0x00036e03, // load: lwu t3, 0(t1)
        0x01c43823, // sd    t3, 16(s0)
        0x0330000f, // done: fence rw, rw
        0x00043023, // sd    zero, 0(s0)
        0xfc1ff06f, // j     loop
    };

    private final Hypervisor hart;
    private final Set<Integer> high = ConcurrentHashMap.newKeySet();

    /** Only so that a hanging test ends. */
    private static final long PATIENCE_SECONDS = 60;

    /** Asks the guest, one access at a time. */
    private final ExecutorService asking =
            Executors.newSingleThreadExecutor(work -> new Thread(work, "guest's mailbox"));

    private ExitHandler exits;
    private GuestMemory memory;
    private Vm vm;
    private long mailbox;

    DrivenGuest(Hypervisor hart) {
        this.hart = hart;
    }

    /** Writes the guest's image. */
    static Path image(Path folder) throws IOException {
        var image =
                ByteBuffer.allocate(HEADER_SIZE + 4 * CODE.length).order(ByteOrder.LITTLE_ENDIAN);
        image.putInt(0, JUMP_OVER_HEADER);
        image.putLong(IMAGE_SIZE, image.capacity());
        image.putInt(MAGIC2, MAGIC2_VALUE);
        image.position(HEADER_SIZE);
        for (int instruction : CODE) {
            image.putInt(instruction);
        }
        return Files.write(Files.createTempFile(folder, "guest", ".image"), image.array());
    }

    @Override
    public String name() {
        return hart.name();
    }

    @Override
    public String architecture() {
        return hart.architecture();
    }

    @Override
    public Vm create(VmSpec spec, GuestMemory ram, ExitHandler handler) throws HypervisorException {
        exits = handler;
        memory = ram;
        mailbox = ram.view("mailbox").translate(MAILBOX, MAILBOX_SIZE, Access.WRITE);
        vm = hart.create(spec, ram, handler);
        return new SeenVm();
    }

    GuestMemory memory() {
        return memory;
    }

    /** A load that the guest's processor makes; complete when it has. */
    CompletableFuture<Long> loadByGuest(long address) {
        return CompletableFuture.supplyAsync(() -> ask(LOAD, address, 0), asking);
    }

    CompletableFuture<Long> storeByGuest(long address, long value) {
        return CompletableFuture.supplyAsync(() -> ask(STORE, address, value), asking);
    }

    private long ask(long command, long address, long value) {
        OffHeap.putLong(mailbox + ADDRESS, address);
        OffHeap.putLong(mailbox + VALUE, value);
        OffHeap.putLongVolatile(mailbox + COMMAND, command);
        vm.signalMsi(INTERRUPT_FILE, DOORBELL_IDENTITY);
        while (OffHeap.getLongAcquire(mailbox + COMMAND) != 0) {
            if (asking.isShutdown()) {
                throw new AssertionError("the guest was not done when the test was");
            }
            Thread.onSpinWait();
        }
        return OffHeap.getLong(mailbox + VALUE);
    }

    /** As another processor would, on the test's own thread. */
    @Override
    public long load(long address, int width) {
        return exits.mmioRead(0, address, width);
    }

    @Override
    public void store(long address, int width, long value) {
        exits.mmioWrite(0, address, width, value);
    }

    @Override
    public long in(int port, int width) {
        return exits.ioRead(0, port, width);
    }

    @Override
    public Set<Integer> high() {
        return Set.copyOf(high);
    }

    /** Gives up an access that the guest does not come to make. */
    @Override
    public void close() {
        asking.shutdown();
        try {
            if (!asking.awaitTermination(PATIENCE_SECONDS, TimeUnit.SECONDS)) {
                throw new AssertionError("an access is under way still");
            }
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    /** The processor's VM, with its lines seen on the way. */
    private final class SeenVm implements Vm {
        @Override
        public List<Vcpu> vcpus() {
            return vm.vcpus();
        }

        @Override
        public void setLine(int source, boolean level) {
            if (level) {
                high.add(source);
            } else {
                high.remove(source);
            }
            vm.setLine(source, level);
        }

        @Override
        public Lease onResample(int source, Runnable listener) {
            return vm.onResample(source, listener);
        }

        @Override
        public void signalMsi(long address, int data) {
            vm.signalMsi(address, data);
        }

        @Override
        public Lease doorbell(long address, int width, EventFd event) throws HypervisorException {
            return vm.doorbell(address, width, event);
        }

        @Override
        public void stopTime() {
            vm.stopTime();
        }

        @Override
        public void startTime() {
            vm.startTime();
        }

        @Override
        public long guestTime() {
            return vm.guestTime();
        }

        @Override
        public void reset() {
            vm.reset();
        }

        @Override
        public SavedState save() throws HypervisorException {
            return vm.save();
        }

        @Override
        public void restore(SavedState state) throws HypervisorException {
            vm.restore(state);
        }

        @Override
        public void close() {
            vm.close();
        }
    }
}
