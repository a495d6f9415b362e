package org.backplane.launcher.tour;

import java.io.IOException;
import java.nio.file.Path;
import org.backplane.launcher.guest.Digest;

/** What a tour shows of a disk: that it keeps what it is given, also while its code is replaced. */
final class DiskSteps {
    static final String SLOT = "disk0";

    private static final int CHUNK = 256 << 10;
    private static final int CHUNKS = 16;

    /** Chunks that the guest has to write after a swap before it counts as survived. */
    private static final int CHUNKS_AFTER = 4;

    private final TourMachine machine;
    private final TourSlot slot;
    private final Path scratch;

    /**
     * @param scratch image of the slot, all of it free to be written
     * @param bundle jar of the bundle that fills the slot
     */
    DiskSteps(TourMachine machine, Path scratch, Path bundle) {
        this.machine = machine;
        this.slot = new TourSlot(machine, SLOT, "virtio-blk", bundle);
        this.scratch = scratch;
    }

    TourSlot slot() {
        return slot;
    }

    void use(Steps steps) throws InterruptedException {
        steps.step("writes the disk, syncs, reads the same back", this::writeAndReadBack);
        steps.step("makes, mounts, fills and checks an ext4 file system", this::ext4);
    }

    void replaceTheCode(Steps steps) throws InterruptedException {
        steps.step("the guest starts to write with checksums", this::startWriting);
        steps.step("swaps device-virtio-blk beside, while it writes", this::swapBeside);
        steps.step("swaps device-virtio-blk in place, while it writes", this::swapInPlace);
        steps.step("refuses a build that cannot take the state", this::refuseBroken);
        steps.step("takes a build back that fails once it serves", this::takeBroken);
        steps.step("every checksum is right, in the guest and on the host", this::checkWritten);
    }

    /** Digest of the beginning of the disk, as the guest reads it. */
    String beginning() throws TourException, IOException, InterruptedException {
        return TourMachine.digest(
                machine.guest("sync; head -c " + CHUNK + " /dev/vda | sha256sum"));
    }

    private String writeAndReadBack() throws TourException, IOException, InterruptedException {
        long size = Long.parseLong(machine.guest("wc -c < /bin/busybox"));
        String wanted = TourMachine.digest(machine.guest("sha256sum /bin/busybox"));
        machine.guest("dd if=/bin/busybox of=/dev/vda bs=64k conv=notrunc,fsync 2>&1");
        machine.guest("sync; echo 3 > /proc/sys/vm/drop_caches");
        String read =
                TourMachine.digest(machine.guest("head -c " + size + " /dev/vda | sha256sum"));
        TourMachine.same("what the guest reads back", wanted, read);
        TourMachine.same("the image on the host", wanted, Digest.of(scratch, size));
        return size + " bytes, SHA-256 " + wanted.substring(0, 8) + "..";
    }

    private String ext4() throws TourException, IOException, InterruptedException {
        machine.guest("mkfs.ext4 -q -F /dev/vda 2>&1");
        machine.guest("mount -t ext4 /dev/vda /mnt && cp /bin/busybox /mnt/copy && umount /mnt");
        machine.guest("echo 3 > /proc/sys/vm/drop_caches; mount -t ext4 /dev/vda /mnt");
        machine.guest("cmp /bin/busybox /mnt/copy && umount /mnt");
        machine.guest("e2fsck -fn /dev/vda 2>&1");
        return "";
    }

    private String startWriting() throws TourException, IOException, InterruptedException {
        machine.guest("backplane-writer /dev/vda " + CHUNKS + " > /dev/null 2>&1 < /dev/null &");
        return awaitWritten(1) + " chunks";
    }

    private String swapBeside() throws TourException, IOException, InterruptedException {
        Path jar = slot.build("1.0.1");
        int before = written();
        slot.swap(jar);
        return survived(before, "1.0.1");
    }

    private String swapInPlace() throws TourException, IOException, InterruptedException {
        Path jar = slot.build("1.0.2");
        int before = written();
        machine.shell("felix:update " + slot.bundleId() + " " + jar.toUri());
        return survived(before, "1.0.2");
    }

    /** A build without the class of its state: the guest is not let in to it. */
    private String refuseBroken() throws TourException, IOException, InterruptedException {
        Path jar = slot.build("1.0.3", NewBuild.without("BlkState"));
        int before = written();
        TourMachine.Answer answer = machine.ask("vm:swap " + slot.name() + " " + jar);
        if (answer.status() == 0 || !answer.text().contains("rolled back")) {
            throw new TourException("the swap was not rolled back: " + answer.text().strip());
        }
        return survived(before, "1.0.2");
    }

    /** A build whose disk calls a method that its queue has not: seen at the first request. */
    private String takeBroken() throws TourException, IOException, InterruptedException {
        Path jar = slot.build("1.0.4", NewBuild.renaming("BlkQueue", "serve", "sErve"));
        int before = written();
        slot.swap(jar);
        String told = survived(before, "1.0.2");
        if (!machine.shell("vm:history " + slot.name()).contains("fell back")) {
            throw new TourException(
                    "the history of " + slot.name() + " does not tell that it fell back");
        }
        return told;
    }

    private String survived(int before, String version)
            throws TourException, IOException, InterruptedException {
        int after = awaitWritten(before + CHUNKS_AFTER);
        slot.expectVersion(version);
        return "version " + version + ", " + (after - before) + " chunks during and after";
    }

    private int written() throws TourException, IOException, InterruptedException {
        return Integer.parseInt(machine.guest("cat /tmp/written"));
    }

    /** Waits in the guest until it has written so many chunks. */
    private int awaitWritten(int chunks) throws TourException, IOException, InterruptedException {
        machine.guest(
                "until [ -s /tmp/failed ] || [ \"$(cat /tmp/written 2> /dev/null)\" -ge "
                        + chunks
                        + " ] 2> /dev/null; do usleep 100000; done");
        String failed = machine.guest("cat /tmp/failed 2> /dev/null || true");
        if (!failed.isEmpty()) {
            throw new TourException("a write of the guest failed: " + failed);
        }
        return written();
    }

    private String checkWritten() throws TourException, IOException, InterruptedException {
        machine.guest(
                "touch /tmp/stop; wait; while pidof backplane-writer > /dev/null; do usleep 50000; done");
        int chunks = Math.min(CHUNKS, written());
        machine.guest("sync; echo 3 > /proc/sys/vm/drop_caches");
        machine.guest(
                "for i in $(seq 0 "
                        + (chunks - 1)
                        + "); do s=$(dd if=/dev/vda bs=256k skip=$i count=1 2> /dev/null | sha256sum"
                        + " | cut -c 1-64); [ \"$s\" = \"$(cat /tmp/sums/$i)\" ] || { echo chunk $i;"
                        + " exit 1; }; done");
        sameOnHost(chunks);
        return written() + " chunks written";
    }

    private void sameOnHost(int chunks) throws TourException, IOException, InterruptedException {
        long bytes = (long) chunks * CHUNK;
        String guest =
                TourMachine.digest(machine.guest("head -c " + bytes + " /dev/vda | sha256sum"));
        TourMachine.same("the image on the host", guest, Digest.of(scratch, bytes));
    }
}
