package org.backplane.launcher.option;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** The plan of a machine that goes on from a snapshot. */
class RestorePlanTest extends PlanReading {
    @Test
    void takesEverythingButTheEndsFromASnapshot() throws IOException {
        Path snapshot = snapshot();
        options.put("name", "later");
        options.put("console", "none");
        Plan plan = plan();
        assertEquals(Optional.of(snapshot), plan.restore());
        assertEquals(Optional.empty(), plan.kernel());
        assertEquals(64L << 20, plan.memory());
        assertEquals(2, plan.cpus());
        Map<String, Object> map = plan.toMap(folder);
        assertEquals(snapshot.toString(), map.get("restore"));
        assertEquals("later", map.get("name"));
        assertNull(map.get("kernel"));
    }

    @Test
    void refusesEveryOptionThatTheSnapshotDecides() throws IOException {
        snapshot();
        for (String option :
                List.of("kernel", "initrd", "append", "memory", "mmio32", "mmio64", "cpus")) {
            options.put(option, "1");
            refused("--" + option + " 1: the snapshot of --restore brings its own");
            options.remove(option);
        }
        disks.add("a.img");
        refused("--disk a.img: the snapshot of --restore brings its own disks; leave this out");
        disks.clear();
        nets.add("none");
        refused("--net none: the snapshot of --restore brings its own networks; leave this out");
        nets.clear();
        vfios.add("01:00.0");
        refused("--vfio 01:00.0: the snapshot of --restore brings its own devices; leave this out");
        vfios.clear();
        options.put("format", "pvh");
        refused("--format pvh: the snapshot of --restore brings its own kernel");
        options.remove("format");
        options.put("engine", "hart");
        assertEquals("hart", plan().engine().name());
        devices.add("virtio-rng");
        devices.add("teapot");
        Problems problems = new Problems();
        assertTrue(read(problems).isEmpty());
        assertEquals(2, problems.count());
    }

    @Test
    void refusesWhatIsNoSnapshot() throws IOException {
        Path snapshot = snapshot();
        options.put("restore", folder.resolve("absent").toString());
        refused("--restore", "there is no such folder", "vm:snapshot");
        options.put("restore", folder.toString());
        refused("this is no snapshot, there is no file 'manifest' in it");
        options.put("restore", "");
        refused("--restore ''", "give a path");
        options.put("restore", snapshot.toString());
        manifest(snapshot, 2, 64L << 20);
        refused("it is of format 2, and this version reads format 1");
        Files.writeString(snapshot.resolve("manifest"), "backplane-snapshot 1\nmemory 5x\n");
        refused("its file 'manifest' is damaged; take another snapshot");
        manifest(snapshot, 1, 64L << 30);
        refused("its guest's memory of 64G does not fit this host");
        manifest(snapshot, 1, 64L << 20);
        Files.writeString(snapshot.resolve("memory"), "memor");
        refused("its file 'memory' is damaged");
        Files.delete(snapshot.resolve("memory"));
        refused("its file 'memory' is not there");
    }

    @Test
    void checksTheOtherOptionsOfARestoreToo() throws IOException {
        snapshot();
        options.put("name", "busy");
        options.put("config", folder.resolve("absent").toString());
        options.put("memory", "1G");
        Problems problems = new Problems();
        assertTrue(read(problems).isEmpty());
        assertEquals(3, problems.count(), () -> "sentences: " + problems.sentences());
    }
}
