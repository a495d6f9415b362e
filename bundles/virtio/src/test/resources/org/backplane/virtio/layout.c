/* Prints what the host's kernel headers say of virtio's layouts: a name and a number a line. */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <linux/virtio_config.h>
#include <linux/virtio_pci.h>
#include <linux/virtio_ring.h>

#define NUMBER(name, value) printf("%s %lld\n", name, (long long)(value))

int main(void)
{
    static const uint16_t indices[] = {0, 1, 2, 0x7fff, 0x8000, 0xfffe, 0xffff};
    const unsigned count = sizeof indices / sizeof indices[0];
    struct vring ring;
    void *memory = aligned_alloc(4096, 8 * 4096);

    NUMBER("desc.bytes", sizeof(struct vring_desc));
    NUMBER("desc.addr", offsetof(struct vring_desc, addr));
    NUMBER("desc.len", offsetof(struct vring_desc, len));
    NUMBER("desc.flags", offsetof(struct vring_desc, flags));
    NUMBER("desc.next", offsetof(struct vring_desc, next));
    NUMBER("desc.align", VRING_DESC_ALIGN_SIZE);
    NUMBER("flag.next", VRING_DESC_F_NEXT);
    NUMBER("flag.write", VRING_DESC_F_WRITE);
    NUMBER("flag.indirect", VRING_DESC_F_INDIRECT);
    NUMBER("avail.flags", offsetof(struct vring_avail, flags));
    NUMBER("avail.idx", offsetof(struct vring_avail, idx));
    NUMBER("avail.ring", offsetof(struct vring_avail, ring));
    NUMBER("avail.align", VRING_AVAIL_ALIGN_SIZE);
    NUMBER("avail.no_interrupt", VRING_AVAIL_F_NO_INTERRUPT);
    NUMBER("used.flags", offsetof(struct vring_used, flags));
    NUMBER("used.idx", offsetof(struct vring_used, idx));
    NUMBER("used.ring", offsetof(struct vring_used, ring));
    NUMBER("used.align", VRING_USED_ALIGN_SIZE);
    NUMBER("used.elem", sizeof(struct vring_used_elem));
    NUMBER("used.elem.id", offsetof(struct vring_used_elem, id));
    NUMBER("used.elem.len", offsetof(struct vring_used_elem, len));
    NUMBER("used.no_notify", VRING_USED_F_NO_NOTIFY);
    vring_init(&ring, 32, memory, 4096);
    NUMBER("used_event.32", (char *)&vring_used_event(&ring) - (char *)ring.avail);
    NUMBER("avail_event.32", (char *)&vring_avail_event(&ring) - (char *)ring.used);
    NUMBER("feature.indirect", VIRTIO_RING_F_INDIRECT_DESC);
    NUMBER("feature.event_idx", VIRTIO_RING_F_EVENT_IDX);
    NUMBER("feature.version_1", VIRTIO_F_VERSION_1);
    for (unsigned a = 0; a < count; a++)
        for (unsigned b = 0; b < count; b++)
            for (unsigned c = 0; c < count; c++)
                printf("need_event.%u.%u.%u %d\n", indices[a], indices[b], indices[c],
                       vring_need_event(indices[a], indices[b], indices[c]));

    NUMBER("status.acknowledge", VIRTIO_CONFIG_S_ACKNOWLEDGE);
    NUMBER("status.driver", VIRTIO_CONFIG_S_DRIVER);
    NUMBER("status.driver_ok", VIRTIO_CONFIG_S_DRIVER_OK);
    NUMBER("status.features_ok", VIRTIO_CONFIG_S_FEATURES_OK);
    NUMBER("status.needs_reset", VIRTIO_CONFIG_S_NEEDS_RESET);
    NUMBER("status.failed", VIRTIO_CONFIG_S_FAILED);

    NUMBER("cap.bytes", sizeof(struct virtio_pci_cap));
    NUMBER("cap.len", VIRTIO_PCI_CAP_LEN);
    NUMBER("cap.type", VIRTIO_PCI_CAP_CFG_TYPE);
    NUMBER("cap.bar", VIRTIO_PCI_CAP_BAR);
    NUMBER("cap.offset", VIRTIO_PCI_CAP_OFFSET);
    NUMBER("cap.length", VIRTIO_PCI_CAP_LENGTH);
    NUMBER("cap.notify.bytes", sizeof(struct virtio_pci_notify_cap));
    NUMBER("cap.notify.multiplier", VIRTIO_PCI_NOTIFY_CAP_MULT);
    NUMBER("cap.cfg.bytes", sizeof(struct virtio_pci_cfg_cap));
    NUMBER("cap.cfg.data", offsetof(struct virtio_pci_cfg_cap, pci_cfg_data));
    NUMBER("type.common", VIRTIO_PCI_CAP_COMMON_CFG);
    NUMBER("type.notify", VIRTIO_PCI_CAP_NOTIFY_CFG);
    NUMBER("type.isr", VIRTIO_PCI_CAP_ISR_CFG);
    NUMBER("type.device", VIRTIO_PCI_CAP_DEVICE_CFG);
    NUMBER("type.pci_cfg", VIRTIO_PCI_CAP_PCI_CFG);
    NUMBER("common.bytes", sizeof(struct virtio_pci_common_cfg));
    NUMBER("common.device_feature_select", VIRTIO_PCI_COMMON_DFSELECT);
    NUMBER("common.device_feature", VIRTIO_PCI_COMMON_DF);
    NUMBER("common.driver_feature_select", VIRTIO_PCI_COMMON_GFSELECT);
    NUMBER("common.driver_feature", VIRTIO_PCI_COMMON_GF);
    NUMBER("common.config_msix_vector", VIRTIO_PCI_COMMON_MSIX);
    NUMBER("common.num_queues", VIRTIO_PCI_COMMON_NUMQ);
    NUMBER("common.device_status", VIRTIO_PCI_COMMON_STATUS);
    NUMBER("common.config_generation", VIRTIO_PCI_COMMON_CFGGENERATION);
    NUMBER("common.queue_select", VIRTIO_PCI_COMMON_Q_SELECT);
    NUMBER("common.queue_size", VIRTIO_PCI_COMMON_Q_SIZE);
    NUMBER("common.queue_msix_vector", VIRTIO_PCI_COMMON_Q_MSIX);
    NUMBER("common.queue_enable", VIRTIO_PCI_COMMON_Q_ENABLE);
    NUMBER("common.queue_notify_off", VIRTIO_PCI_COMMON_Q_NOFF);
    NUMBER("common.queue_desc", VIRTIO_PCI_COMMON_Q_DESCLO);
    NUMBER("common.queue_desc.high", VIRTIO_PCI_COMMON_Q_DESCHI);
    NUMBER("common.queue_driver", VIRTIO_PCI_COMMON_Q_AVAILLO);
    NUMBER("common.queue_driver.high", VIRTIO_PCI_COMMON_Q_AVAILHI);
    NUMBER("common.queue_device", VIRTIO_PCI_COMMON_Q_USEDLO);
    NUMBER("common.queue_device.high", VIRTIO_PCI_COMMON_Q_USEDHI);
    NUMBER("no_vector", VIRTIO_MSI_NO_VECTOR);
    NUMBER("isr.config", VIRTIO_PCI_ISR_CONFIG);
    free(memory);
    return 0;
}
