package org.backplane.vfio.user;

import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import org.backplane.vfio.HostHeaders;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What vfio-user's messages have from linux/vfio.h. */
class WireTest {
    @TempDir Path folder;

    private final Map<String, Long> numbers = new HashMap<>();

    private void structure(String name, int bytes) {
        numbers.put("sizeof(struct " + name + ")", (long) bytes);
    }

    private void field(String structure, String name, int offset) {
        numbers.put("offsetof(struct %s, %s)".formatted(structure, name), (long) offset);
    }

    private void constant(String name, int value) {
        numbers.put(name, (long) value);
    }

    @Test
    void structuresThatAreTheKernelsAreLaidOutAsItHasThem() throws Exception {
        HostHeaders headers = HostHeaders.require(folder, "linux/vfio.h");
        String device = "vfio_device_info";
        field(device, "argsz", Wire.ARGSZ);
        field(device, "flags", Wire.INFO_FLAGS);
        field(device, "num_regions", Wire.INFO_REGIONS);
        field(device, "num_irqs", Wire.INFO_IRQS);
        constant("VFIO_DEVICE_FLAGS_RESET", Wire.INFO_RESET);
        constant("VFIO_DEVICE_FLAGS_PCI", Wire.INFO_PCI);
        String region = "vfio_region_info";
        structure(region, Wire.REGION_BYTES);
        field(region, "flags", Wire.REGION_FLAGS);
        field(region, "index", Wire.REGION_INDEX);
        field(region, "cap_offset", Wire.REGION_CAP_OFFSET);
        field(region, "size", Wire.REGION_SIZE);
        field(region, "offset", Wire.REGION_OFFSET);
        constant("VFIO_REGION_INFO_FLAG_READ", Wire.REGION_READABLE);
        constant("VFIO_REGION_INFO_FLAG_WRITE", Wire.REGION_WRITABLE);
        constant("VFIO_REGION_INFO_FLAG_MMAP", Wire.REGION_MMAP);
        constant("VFIO_REGION_INFO_FLAG_CAPS", Wire.REGION_CAPS);
        String capability = "vfio_info_cap_header";
        structure(capability, Wire.CAP_BYTES);
        field(capability, "id", Wire.CAP_ID);
        field(capability, "version", Wire.CAP_VERSION);
        field(capability, "next", Wire.CAP_NEXT);
        constant("VFIO_REGION_INFO_CAP_SPARSE_MMAP", Wire.CAP_SPARSE_MMAP);
        constant("VFIO_REGION_INFO_CAP_MSIX_MAPPABLE", Wire.CAP_MSIX_MAPPABLE);
        field("vfio_region_info_cap_sparse_mmap", "nr_areas", Wire.SPARSE_COUNT);
        field("vfio_region_info_cap_sparse_mmap", "areas", Wire.SPARSE_AREAS);
        structure("vfio_region_sparse_mmap_area", Wire.AREA_BYTES);
        field("vfio_region_sparse_mmap_area", "size", Wire.AREA_SIZE);
        String irq = "vfio_irq_info";
        structure(irq, Wire.IRQ_BYTES);
        field(irq, "flags", Wire.IRQ_FLAGS);
        field(irq, "index", Wire.IRQ_INDEX);
        field(irq, "count", Wire.IRQ_COUNT);
        constant("VFIO_IRQ_INFO_EVENTFD", Wire.IRQ_EVENTFD);
        constant("VFIO_IRQ_INFO_MASKABLE", Wire.IRQ_MASKABLE);
        constant("VFIO_IRQ_INFO_AUTOMASKED", Wire.IRQ_AUTOMASKED);
        constant("VFIO_IRQ_INFO_NORESIZE", Wire.IRQ_NORESIZE);
        String set = "vfio_irq_set";
        structure(set, Wire.SET_BYTES);
        field(set, "flags", Wire.SET_FLAGS);
        field(set, "index", Wire.SET_INDEX);
        field(set, "start", Wire.SET_START);
        field(set, "count", Wire.SET_COUNT);
        constant("VFIO_IRQ_SET_DATA_NONE", Wire.SET_DATA_NONE);
        constant("VFIO_IRQ_SET_DATA_BOOL", Wire.SET_DATA_BOOL);
        constant("VFIO_IRQ_SET_DATA_EVENTFD", Wire.SET_DATA_EVENTFD);
        constant("VFIO_IRQ_SET_DATA_TYPE_MASK", Wire.SET_DATA_MASK);
        constant("VFIO_IRQ_SET_ACTION_MASK", Wire.SET_MASK);
        constant("VFIO_IRQ_SET_ACTION_UNMASK", Wire.SET_UNMASK);
        constant("VFIO_IRQ_SET_ACTION_TRIGGER", Wire.SET_TRIGGER);
        constant("VFIO_IRQ_SET_ACTION_TYPE_MASK", Wire.SET_ACTION_MASK);
        constant("VFIO_PCI_NUM_REGIONS", Wire.REGIONS);
        constant("VFIO_PCI_NUM_IRQS", Wire.IRQS);
        constant("VFIO_DMA_MAP_FLAG_READ", Wire.MAP_READABLE);
        constant("VFIO_DMA_MAP_FLAG_WRITE", Wire.MAP_WRITABLE);
        constant("VFIO_DMA_UNMAP_FLAG_ALL", Wire.UNMAP_ALL);
        headers.assertWorth(numbers);
    }

    @Test
    void errorNumbersAreTheHosts() throws Exception {
        HostHeaders headers = HostHeaders.require(folder, "errno.h");
        constant("ENOENT", Wire.ENOENT);
        constant("EIO", Wire.EIO);
        constant("EFAULT", Wire.EFAULT);
        constant("EEXIST", Wire.EEXIST);
        constant("EINVAL", Wire.EINVAL);
        constant("ENOSPC", Wire.ENOSPC);
        constant("EOPNOTSUPP", Wire.EOPNOTSUPP);
        headers.assertWorth(numbers);
    }
}
