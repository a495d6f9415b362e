package org.backplane.vfio.kernel;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.reflect.Field;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import org.backplane.vfio.HostHeaders;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The compiler itself compares: a number that is wrong is a static assertion that fails. */
class VfioAbiTest {
    /** Names that are none of the header's; every other is compared under its own name. */
    private static final Map<String, String> VFIO =
            Map.ofEntries(
                    Map.entry("GROUP_STATUS_BYTES", "sizeof(struct vfio_group_status)"),
                    Map.entry("GROUP_STATUS_ARGSZ", "offsetof(struct vfio_group_status, argsz)"),
                    Map.entry("GROUP_STATUS_FLAGS", "offsetof(struct vfio_group_status, flags)"),
                    Map.entry("DEVICE_INFO_BYTES", "offsetof(struct vfio_device_info, cap_offset)"),
                    Map.entry("DEVICE_INFO_ARGSZ", "offsetof(struct vfio_device_info, argsz)"),
                    Map.entry("DEVICE_INFO_FLAGS", "offsetof(struct vfio_device_info, flags)"),
                    Map.entry(
                            "DEVICE_INFO_REGIONS",
                            "offsetof(struct vfio_device_info, num_regions)"),
                    Map.entry("DEVICE_INFO_IRQS", "offsetof(struct vfio_device_info, num_irqs)"),
                    Map.entry("REGION_INFO_BYTES", "sizeof(struct vfio_region_info)"),
                    Map.entry("REGION_INFO_ARGSZ", "offsetof(struct vfio_region_info, argsz)"),
                    Map.entry("REGION_INFO_FLAGS", "offsetof(struct vfio_region_info, flags)"),
                    Map.entry("REGION_INFO_INDEX", "offsetof(struct vfio_region_info, index)"),
                    Map.entry(
                            "REGION_INFO_CAP_OFFSET",
                            "offsetof(struct vfio_region_info, cap_offset)"),
                    Map.entry("REGION_INFO_SIZE", "offsetof(struct vfio_region_info, size)"),
                    Map.entry("REGION_INFO_OFFSET", "offsetof(struct vfio_region_info, offset)"),
                    Map.entry("CAP_HEADER_BYTES", "sizeof(struct vfio_info_cap_header)"),
                    Map.entry("CAP_HEADER_ID", "offsetof(struct vfio_info_cap_header, id)"),
                    Map.entry("CAP_HEADER_NEXT", "offsetof(struct vfio_info_cap_header, next)"),
                    Map.entry(
                            "SPARSE_COUNT",
                            "offsetof(struct vfio_region_info_cap_sparse_mmap, nr_areas)"),
                    Map.entry(
                            "SPARSE_AREAS",
                            "offsetof(struct vfio_region_info_cap_sparse_mmap, areas)"),
                    Map.entry("SPARSE_AREA_BYTES", "sizeof(struct vfio_region_sparse_mmap_area)"),
                    Map.entry(
                            "SPARSE_AREA_OFFSET",
                            "offsetof(struct vfio_region_sparse_mmap_area, offset)"),
                    Map.entry(
                            "SPARSE_AREA_SIZE",
                            "offsetof(struct vfio_region_sparse_mmap_area, size)"),
                    Map.entry("IRQ_INFO_BYTES", "sizeof(struct vfio_irq_info)"),
                    Map.entry("IRQ_INFO_ARGSZ", "offsetof(struct vfio_irq_info, argsz)"),
                    Map.entry("IRQ_INFO_FLAGS", "offsetof(struct vfio_irq_info, flags)"),
                    Map.entry("IRQ_INFO_INDEX", "offsetof(struct vfio_irq_info, index)"),
                    Map.entry("IRQ_INFO_COUNT", "offsetof(struct vfio_irq_info, count)"),
                    Map.entry("IRQ_SET_ARGSZ", "offsetof(struct vfio_irq_set, argsz)"),
                    Map.entry("IRQ_SET_FLAGS", "offsetof(struct vfio_irq_set, flags)"),
                    Map.entry("IRQ_SET_INDEX", "offsetof(struct vfio_irq_set, index)"),
                    Map.entry("IRQ_SET_START", "offsetof(struct vfio_irq_set, start)"),
                    Map.entry("IRQ_SET_COUNT", "offsetof(struct vfio_irq_set, count)"),
                    Map.entry("IRQ_SET_DATA", "offsetof(struct vfio_irq_set, data)"),
                    Map.entry("IOMMU_INFO_BYTES", "sizeof(struct vfio_iommu_type1_info)"),
                    Map.entry("IOMMU_INFO_ARGSZ", "offsetof(struct vfio_iommu_type1_info, argsz)"),
                    Map.entry("IOMMU_INFO_FLAGS", "offsetof(struct vfio_iommu_type1_info, flags)"),
                    Map.entry(
                            "IOMMU_INFO_CAP_OFFSET",
                            "offsetof(struct vfio_iommu_type1_info, cap_offset)"),
                    Map.entry(
                            "IOVA_CAP_COUNT",
                            "offsetof(struct vfio_iommu_type1_info_cap_iova_range, nr_iovas)"),
                    Map.entry(
                            "IOVA_CAP_RANGES",
                            "offsetof(struct vfio_iommu_type1_info_cap_iova_range, iova_ranges)"),
                    Map.entry("IOVA_RANGE_BYTES", "sizeof(struct vfio_iova_range)"),
                    Map.entry("IOVA_RANGE_START", "offsetof(struct vfio_iova_range, start)"),
                    Map.entry("IOVA_RANGE_END", "offsetof(struct vfio_iova_range, end)"),
                    Map.entry("DMA_MAP_BYTES", "sizeof(struct vfio_iommu_type1_dma_map)"),
                    Map.entry("DMA_MAP_ARGSZ", "offsetof(struct vfio_iommu_type1_dma_map, argsz)"),
                    Map.entry("DMA_MAP_FLAGS", "offsetof(struct vfio_iommu_type1_dma_map, flags)"),
                    Map.entry("DMA_MAP_VADDR", "offsetof(struct vfio_iommu_type1_dma_map, vaddr)"),
                    Map.entry("DMA_MAP_IOVA", "offsetof(struct vfio_iommu_type1_dma_map, iova)"),
                    Map.entry("DMA_MAP_SIZE", "offsetof(struct vfio_iommu_type1_dma_map, size)"),
                    Map.entry("DMA_UNMAP_BYTES", "sizeof(struct vfio_iommu_type1_dma_unmap)"),
                    Map.entry(
                            "DMA_UNMAP_ARGSZ",
                            "offsetof(struct vfio_iommu_type1_dma_unmap, argsz)"),
                    Map.entry(
                            "DMA_UNMAP_FLAGS",
                            "offsetof(struct vfio_iommu_type1_dma_unmap, flags)"),
                    Map.entry(
                            "DMA_UNMAP_IOVA", "offsetof(struct vfio_iommu_type1_dma_unmap, iova)"),
                    Map.entry(
                            "DMA_UNMAP_SIZE", "offsetof(struct vfio_iommu_type1_dma_unmap, size)"));

    private static final Map<String, String> IOMMUFD =
            Map.ofEntries(
                    Map.entry(
                            "BIND_BYTES",
                            "offsetof(struct vfio_device_bind_iommufd, out_devid) + sizeof(__u32)"),
                    Map.entry("BIND_ARGSZ", "offsetof(struct vfio_device_bind_iommufd, argsz)"),
                    Map.entry("BIND_FLAGS", "offsetof(struct vfio_device_bind_iommufd, flags)"),
                    Map.entry("BIND_IOMMUFD", "offsetof(struct vfio_device_bind_iommufd, iommufd)"),
                    Map.entry(
                            "BIND_DEVICE", "offsetof(struct vfio_device_bind_iommufd, out_devid)"),
                    Map.entry(
                            "ATTACH_BYTES",
                            "offsetof(struct vfio_device_attach_iommufd_pt, pt_id) + sizeof(__u32)"),
                    Map.entry(
                            "ATTACH_ARGSZ",
                            "offsetof(struct vfio_device_attach_iommufd_pt, argsz)"),
                    Map.entry(
                            "ATTACH_FLAGS",
                            "offsetof(struct vfio_device_attach_iommufd_pt, flags)"),
                    Map.entry(
                            "ATTACH_SPACE",
                            "offsetof(struct vfio_device_attach_iommufd_pt, pt_id)"),
                    Map.entry(
                            "DETACH_BYTES",
                            "offsetof(struct vfio_device_detach_iommufd_pt, flags) + sizeof(__u32)"),
                    Map.entry(
                            "DETACH_ARGSZ",
                            "offsetof(struct vfio_device_detach_iommufd_pt, argsz)"),
                    Map.entry(
                            "DETACH_FLAGS",
                            "offsetof(struct vfio_device_detach_iommufd_pt, flags)"),
                    Map.entry("DESTROY_BYTES", "sizeof(struct iommu_destroy)"),
                    Map.entry("DESTROY_SIZE", "offsetof(struct iommu_destroy, size)"),
                    Map.entry("DESTROY_ID", "offsetof(struct iommu_destroy, id)"),
                    Map.entry("IOAS_ALLOC_BYTES", "sizeof(struct iommu_ioas_alloc)"),
                    Map.entry("IOAS_ALLOC_SIZE", "offsetof(struct iommu_ioas_alloc, size)"),
                    Map.entry("IOAS_ALLOC_FLAGS", "offsetof(struct iommu_ioas_alloc, flags)"),
                    Map.entry("IOAS_ALLOC_ID", "offsetof(struct iommu_ioas_alloc, out_ioas_id)"),
                    Map.entry("IOVA_RANGES_BYTES", "sizeof(struct iommu_ioas_iova_ranges)"),
                    Map.entry("IOVA_RANGES_SIZE", "offsetof(struct iommu_ioas_iova_ranges, size)"),
                    Map.entry("IOVA_RANGES_ID", "offsetof(struct iommu_ioas_iova_ranges, ioas_id)"),
                    Map.entry(
                            "IOVA_RANGES_COUNT",
                            "offsetof(struct iommu_ioas_iova_ranges, num_iovas)"),
                    Map.entry(
                            "IOVA_RANGES_ALLOWED",
                            "offsetof(struct iommu_ioas_iova_ranges, allowed_iovas)"),
                    Map.entry(
                            "IOVA_RANGES_ALIGNMENT",
                            "offsetof(struct iommu_ioas_iova_ranges, out_iova_alignment)"),
                    Map.entry("IOVA_RANGE_BYTES", "sizeof(struct iommu_iova_range)"),
                    Map.entry("IOVA_RANGE_START", "offsetof(struct iommu_iova_range, start)"),
                    Map.entry("IOVA_RANGE_LAST", "offsetof(struct iommu_iova_range, last)"),
                    Map.entry("IOAS_MAP_BYTES", "sizeof(struct iommu_ioas_map)"),
                    Map.entry("IOAS_MAP_SIZE", "offsetof(struct iommu_ioas_map, size)"),
                    Map.entry("IOAS_MAP_FLAGS", "offsetof(struct iommu_ioas_map, flags)"),
                    Map.entry("IOAS_MAP_ID", "offsetof(struct iommu_ioas_map, ioas_id)"),
                    Map.entry("IOAS_MAP_ADDRESS", "offsetof(struct iommu_ioas_map, user_va)"),
                    Map.entry("IOAS_MAP_LENGTH", "offsetof(struct iommu_ioas_map, length)"),
                    Map.entry("IOAS_MAP_IOVA", "offsetof(struct iommu_ioas_map, iova)"),
                    Map.entry("IOAS_UNMAP_BYTES", "sizeof(struct iommu_ioas_unmap)"),
                    Map.entry("IOAS_UNMAP_SIZE", "offsetof(struct iommu_ioas_unmap, size)"),
                    Map.entry("IOAS_UNMAP_ID", "offsetof(struct iommu_ioas_unmap, ioas_id)"),
                    Map.entry("IOAS_UNMAP_IOVA", "offsetof(struct iommu_ioas_unmap, iova)"),
                    Map.entry("IOAS_UNMAP_LENGTH", "offsetof(struct iommu_ioas_unmap, length)"));

    @TempDir Path folder;

    @Test
    void everyNumberOfVfioIsWhatTheHostsHeadersSay() throws Exception {
        compare(VfioAbi.class, VFIO, 70, "linux/vfio.h");
    }

    /** The headers of the kernel's own user interface, Linux 6.6 or newer, have these. */
    @Test
    void everyNumberOfIommufdIsWhatTheHostsHeadersSay() throws Exception {
        compare(IommufdAbi.class, IOMMUFD, 40, "linux/vfio.h", "linux/iommufd.h");
    }

    private void compare(
            Class<?> ours, Map<String, String> expressions, int atLeast, String... headers)
            throws Exception {
        HostHeaders host = HostHeaders.require(folder, headers);
        Map<String, Long> numbers = new HashMap<>();
        int count = 0;
        for (Field field : ours.getDeclaredFields()) {
            // Coverage tools add fields of their own.
            if (!field.isSynthetic()) {
                String name = field.getName();
                long number = ((Number) field.get(null)).longValue();
                Long other = numbers.put(expressions.getOrDefault(name, name), number);
                assertTrue(other == null || other == number, name);
                count++;
            }
        }
        assertTrue(count > atLeast, "found only " + count);
        host.assertWorth(numbers);
    }
}
