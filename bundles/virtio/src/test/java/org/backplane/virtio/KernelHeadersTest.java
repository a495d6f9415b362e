package org.backplane.virtio;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Our layouts against those of linux/virtio_ring.h, virtio_config.h and virtio_pci.h. */
class KernelHeadersTest {
    private static final int[] INDICES = {0, 1, 2, 0x7fff, 0x8000, 0xfffe, 0xffff};

    @Test
    void layoutsAreThoseOfTheKernelsHeaders(@TempDir Path folder) throws Exception {
        assertEquals(theirs(folder), ours());
    }

    private static Map<String, Long> theirs(Path folder) throws Exception {
        skipUnless(Files.exists(Path.of("/usr/include/linux/virtio_pci.h")), "linux/virtio_pci.h");
        skipUnless(onPath("gcc"), "gcc");
        Path source = folder.resolve("layout.c");
        try (InputStream in = KernelHeadersTest.class.getResourceAsStream("layout.c")) {
            Files.copy(in, source);
        }
        Path program = folder.resolve("layout");
        run("gcc", "-o", program.toString(), source.toString());
        Map<String, Long> numbers = new TreeMap<>();
        for (String line : run(program.toString()).split("\n")) {
            String[] words = line.split(" ");
            numbers.put(words[0], Long.parseLong(words[1]));
        }
        return numbers;
    }

    private static void skipUnless(boolean there, String what) {
        if (!there) {
            System.out.println(
                    "skipped: KernelHeadersTest, which needs %s (apt-get install gcc libc6-dev)"
                            .formatted(what));
        }
        assumeTrue(there, what + " is not here");
    }

    private static boolean onPath(String program) {
        for (String folder : System.getenv("PATH").split(":")) {
            if (Files.isExecutable(Path.of(folder, program))) {
                return true;
            }
        }
        return false;
    }

    private static String run(String... command) throws Exception {
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertEquals(0, process.waitFor(), output);
        return output;
    }

    private static Map<String, Long> ours() {
        Numbers numbers = new Numbers();
        rings(numbers);
        transport(numbers);
        return numbers.byName;
    }

    private static final class Numbers {
        private final Map<String, Long> byName = new TreeMap<>();

        void put(String name, long value) {
            byName.put(name, value);
        }
    }

    private static void rings(Numbers numbers) {
        numbers.put("desc.bytes", RingLayout.DESCRIPTOR_BYTES);
        numbers.put("desc.addr", RingLayout.DESCRIPTOR_ADDRESS);
        numbers.put("desc.len", RingLayout.DESCRIPTOR_LENGTH);
        numbers.put("desc.flags", RingLayout.DESCRIPTOR_FLAGS);
        numbers.put("desc.next", RingLayout.DESCRIPTOR_NEXT);
        numbers.put("desc.align", RingLayout.DESCRIPTOR_ALIGNMENT);
        numbers.put("flag.next", RingLayout.FLAG_NEXT);
        numbers.put("flag.write", RingLayout.FLAG_WRITE);
        numbers.put("flag.indirect", RingLayout.FLAG_INDIRECT);
        numbers.put("avail.flags", RingLayout.AVAIL_FLAGS);
        numbers.put("avail.idx", RingLayout.AVAIL_INDEX);
        numbers.put("avail.ring", RingLayout.AVAIL_ENTRIES);
        numbers.put("avail.align", RingLayout.AVAIL_ALIGNMENT);
        numbers.put("avail.no_interrupt", RingLayout.AVAIL_NO_INTERRUPT);
        numbers.put("used.flags", RingLayout.USED_FLAGS);
        numbers.put("used.idx", RingLayout.USED_INDEX);
        numbers.put("used.ring", RingLayout.USED_ENTRIES);
        numbers.put("used.align", RingLayout.USED_ALIGNMENT);
        numbers.put("used.elem", RingLayout.USED_ENTRY_BYTES);
        numbers.put("used.elem.id", RingLayout.USED_ENTRY_HEAD);
        numbers.put("used.elem.len", RingLayout.USED_ENTRY_LENGTH);
        numbers.put("used.no_notify", RingLayout.USED_NO_NOTIFY);
        numbers.put("used_event.32", RingLayout.usedEvent(32));
        numbers.put("avail_event.32", RingLayout.availEvent(32));
        for (int event : INDICES) {
            for (int now : INDICES) {
                for (int before : INDICES) {
                    numbers.put(
                            "need_event.%d.%d.%d".formatted(event, now, before),
                            RingLayout.crossed(event, now, before) ? 1 : 0);
                }
            }
        }
    }

    private static void transport(Numbers numbers) {
        numbers.put("feature.indirect", Long.numberOfTrailingZeros(VirtioPciLayout.INDIRECT_DESC));
        numbers.put("feature.event_idx", Long.numberOfTrailingZeros(VirtioPciLayout.EVENT_IDX));
        numbers.put("feature.version_1", Long.numberOfTrailingZeros(VirtioPciLayout.VERSION_1));
        numbers.put("status.acknowledge", VirtioPciLayout.ACKNOWLEDGE);
        numbers.put("status.driver", VirtioPciLayout.DRIVER);
        numbers.put("status.driver_ok", VirtioPciLayout.DRIVER_OK);
        numbers.put("status.features_ok", VirtioPciLayout.FEATURES_OK);
        numbers.put("status.needs_reset", VirtioPciLayout.NEEDS_RESET);
        numbers.put("status.failed", VirtioPciLayout.FAILED);
        numbers.put("cap.bytes", VirtioPciLayout.CAP_BYTES);
        numbers.put("cap.len", VirtioPciLayout.CAP_LENGTH);
        numbers.put("cap.type", VirtioPciLayout.CAP_TYPE);
        numbers.put("cap.bar", VirtioPciLayout.CAP_BAR);
        numbers.put("cap.offset", VirtioPciLayout.CAP_OFFSET);
        numbers.put("cap.length", VirtioPciLayout.CAP_STRUCTURE_LENGTH);
        numbers.put("cap.notify.bytes", VirtioPciLayout.CAP_NOTIFY_BYTES);
        numbers.put("cap.notify.multiplier", VirtioPciLayout.CAP_NOTIFY_MULTIPLIER);
        numbers.put("cap.cfg.bytes", VirtioPciLayout.CAP_PCI_CFG_BYTES);
        numbers.put("cap.cfg.data", VirtioPciLayout.CAP_PCI_CFG_DATA);
        numbers.put("type.common", VirtioPciLayout.TYPE_COMMON);
        numbers.put("type.notify", VirtioPciLayout.TYPE_NOTIFY);
        numbers.put("type.isr", VirtioPciLayout.TYPE_ISR);
        numbers.put("type.device", VirtioPciLayout.TYPE_DEVICE);
        numbers.put("type.pci_cfg", VirtioPciLayout.TYPE_PCI_CFG);
        numbers.put("common.bytes", VirtioPciLayout.COMMON_BYTES);
        numbers.put("common.device_feature_select", VirtioPciLayout.DEVICE_FEATURE_SELECT);
        numbers.put("common.device_feature", VirtioPciLayout.DEVICE_FEATURE);
        numbers.put("common.driver_feature_select", VirtioPciLayout.DRIVER_FEATURE_SELECT);
        numbers.put("common.driver_feature", VirtioPciLayout.DRIVER_FEATURE);
        numbers.put("common.config_msix_vector", VirtioPciLayout.CONFIG_MSIX_VECTOR);
        numbers.put("common.num_queues", VirtioPciLayout.NUM_QUEUES);
        numbers.put("common.device_status", VirtioPciLayout.DEVICE_STATUS);
        numbers.put("common.config_generation", VirtioPciLayout.CONFIG_GENERATION);
        numbers.put("common.queue_select", VirtioPciLayout.QUEUE_SELECT);
        numbers.put("common.queue_size", VirtioPciLayout.QUEUE_SIZE);
        numbers.put("common.queue_msix_vector", VirtioPciLayout.QUEUE_MSIX_VECTOR);
        numbers.put("common.queue_enable", VirtioPciLayout.QUEUE_ENABLE);
        numbers.put("common.queue_notify_off", VirtioPciLayout.QUEUE_NOTIFY_OFF);
        numbers.put("common.queue_desc", VirtioPciLayout.QUEUE_DESC);
        numbers.put("common.queue_desc.high", VirtioPciLayout.QUEUE_DESC + 4);
        numbers.put("common.queue_driver", VirtioPciLayout.QUEUE_DRIVER);
        numbers.put("common.queue_driver.high", VirtioPciLayout.QUEUE_DRIVER + 4);
        numbers.put("common.queue_device", VirtioPciLayout.QUEUE_DEVICE);
        numbers.put("common.queue_device.high", VirtioPciLayout.QUEUE_DEVICE + 4);
        numbers.put("no_vector", VirtioPciLayout.NO_VECTOR);
        numbers.put("isr.config", VirtioPciLayout.ISR_CONFIG);
    }
}
