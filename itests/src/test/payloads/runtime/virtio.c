/* Virtio 1.2: sections 2.7 (split virtqueues), 4.1 (PCI), 5.2 (block device); MSI-X as PCI Local Bus
 * 3.0, section 6.8.2. */
#include "runtime.h"

#define VENDOR_CAPABILITY 9
#define MSIX_CAPABILITY 17
#define VERSION_1 (1ul << 32)

/* Common configuration, section 4.1.4.3. */
enum {
    DEVICE_FEATURE_SELECT = 0, DEVICE_FEATURE = 4, DRIVER_FEATURE_SELECT = 8, DRIVER_FEATURE = 12,
    CONFIG_VECTOR = 16, STATUS = 20, QUEUE_SELECT = 22, QUEUE_LENGTH = 24, QUEUE_VECTOR = 26,
    QUEUE_ENABLE = 28, QUEUE_NOTIFY_OFF = 30, QUEUE_DESC = 32, QUEUE_DRIVER = 40, QUEUE_DEVICE = 48,
};
enum { ACKNOWLEDGE = 1, DRIVER = 2, DRIVER_OK = 4, FEATURES_OK = 8 };

void virtio_begin(struct virtio *v, function f, u64 features)
{
    *v = (struct virtio){.f = f};
    pci_write(f, PCI_COMMAND, 2, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER | PCI_COMMAND_NO_INTX);
    volatile u8 *bars[6] = {0};
    for (u32 at = 0; (at = pci_capability(f, VENDOR_CAPABILITY, at));) {
        u32 type = pci_read(f, at + 3, 1), bar = pci_read(f, at + 4, 1);
        if (type < 1 || type > 4)
            continue;
        if (!bars[bar])
            bars[bar] = pci_bar_map(f, bar);
        volatile u8 *place = bars[bar] + pci_read(f, at + 8, 4);
        if (type == 1) {
            v->common = place;
        } else if (type == 2) {
            v->notify = place;
            v->notify_bar = bar;
            v->notify_multiplier = pci_read(f, at + 16, 4);
        } else if (type == 3) {
            v->isr = place;
        } else {
            v->device = place;
        }
    }
    if (!v->common || !v->notify)
        fail("function %04x has no virtio capabilities", f);
    store8(v->common + STATUS, 0);
    while (load8(v->common + STATUS))
        relax();
    store8(v->common + STATUS, ACKNOWLEDGE);
    store8(v->common + STATUS, ACKNOWLEDGE | DRIVER);
    for (u32 half = 0; half < 2; half++) {
        store32(v->common + DEVICE_FEATURE_SELECT, half);
        v->features |= (u64)load32(v->common + DEVICE_FEATURE) << 32 * half;
    }
    v->features &= features | VERSION_1;
    for (u32 half = 0; half < 2; half++) {
        store32(v->common + DRIVER_FEATURE_SELECT, half);
        store32(v->common + DRIVER_FEATURE, v->features >> 32 * half);
    }
    store8(v->common + STATUS, ACKNOWLEDGE | DRIVER | FEATURES_OK);
    if (!(load8(v->common + STATUS) & FEATURES_OK))
        fail("the device refuses features 0x%lx", v->features);
}

/* As two stores: 64-bit fields may be written so (section 4.1.3.1). */
static void store_address(volatile u8 *to, const void *address)
{
    store32(to, (u64)address);
    store32(to + 4, (u64)address >> 32);
}

void virtio_queue(struct virtio *v, struct queue *q, u16 number, u16 vector)
{
    store16(v->common + QUEUE_SELECT, number);
    if (load16(v->common + QUEUE_LENGTH) < QUEUE_SIZE)
        fail("queue %u is shorter than %u", number, QUEUE_SIZE);
    store16(v->common + QUEUE_LENGTH, QUEUE_SIZE);
    store16(v->common + QUEUE_VECTOR, vector);
    if (load16(v->common + QUEUE_VECTOR) != vector)
        fail("the device has no room for vector %u", vector);
    store_address(v->common + QUEUE_DESC, q->descriptors);
    store_address(v->common + QUEUE_DRIVER, &q->available);
    store_address(v->common + QUEUE_DEVICE, &q->used);
    store16(v->common + QUEUE_ENABLE, 1);
    q->number = number;
    q->seen = 0;
    q->doorbell = v->notify + load16(v->common + QUEUE_NOTIFY_OFF) * v->notify_multiplier;
}

void virtio_ready(struct virtio *v)
{
    store8(v->common + STATUS, ACKNOWLEDGE | DRIVER | FEATURES_OK | DRIVER_OK);
}

void queue_add(struct queue *q, u16 head)
{
    q->available.ring[q->available.index % QUEUE_SIZE] = head;
    fence();
    store16(&q->available.index, q->available.index + 1);
}

void queue_ring(struct queue *q)
{
    fence();
    store16(q->doorbell, q->number);
}

int queue_used(struct queue *q)
{
    if (load16(&q->used.index) == q->seen)
        return -1;
    fence();
    return load32(&q->used.ring[q->seen++ % QUEUE_SIZE].id);
}

void disk_begin(struct disk *d, u16 vector)
{
    function f = pci_find(0x1af4, 0x1042, 0x1001);
    if (f == NO_FUNCTION)
        fail("there is no virtio-blk");
    virtio_begin(&d->v, f, 1 << 9);
    d->sectors = load32(d->v.device) | (u64)load32(d->v.device + 4) << 32;
    virtio_queue(&d->v, &d->q, 0, vector);
    virtio_ready(&d->v);
}

void disk_submit(struct disk *d, u32 n, u32 type, u64 sector, void *data, u32 length)
{
    struct descriptor *chain = d->q.descriptors + 3 * n;
    u16 next = 3 * n + 1;
    d->requests[n].header.type = type;
    d->requests[n].header.sector = sector;
    d->requests[n].status = 0xff;
    chain[0] = (struct descriptor){(u64)&d->requests[n].header, 16, DESCRIPTOR_NEXT, next};
    if (length) {
        u16 write = type == DISK_READ ? DESCRIPTOR_WRITE : 0;
        chain[1] = (struct descriptor){(u64)data, length, write | DESCRIPTOR_NEXT, next + 1};
        next++;
    }
    d->q.descriptors[next] = (struct descriptor){(u64)&d->requests[n].status, 1, DESCRIPTOR_WRITE, 0};
    queue_add(&d->q, 3 * n);
}

void disk_complete(struct disk *d, u32 count)
{
    queue_ring(&d->q);
    while (count) {
        if (queue_used(&d->q) >= 0)
            count--;
        else
            relax();
    }
}

bool disk_do(struct disk *d, u32 type, u64 sector, void *data, u32 length)
{
    disk_submit(d, 0, type, sector, data, length);
    disk_complete(d, 1);
    return load8(&d->requests[0].status) == 0;
}

void msix_begin(struct msix *m, function f)
{
    m->f = f;
    m->capability = pci_capability(f, MSIX_CAPABILITY, 0);
    pci_write(f, PCI_COMMAND, 2, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER | PCI_COMMAND_NO_INTX);
    if (!m->capability)
        fail("function %04x has no MSI-X", f);
    m->count = (pci_read(f, m->capability + 2, 2) & 0x7ff) + 1;
    u32 table = pci_read(f, m->capability + 4, 4), pending = pci_read(f, m->capability + 8, 4);
    m->table = (volatile u8 *)pci_bar_map(f, table & 7) + (table & ~7u);
    m->pending = (volatile u8 *)pci_bar_map(f, pending & 7) + (pending & ~7u);
    pci_write(f, m->capability + 2, 2, 0x8000);
}

void msix_set(struct msix *m, u32 entry, u32 vector, bool masked)
{
    volatile u8 *at = m->table + 16 * entry;
    store32(at, 0xfee00000 | apic_id() << 12);
    store32(at + 4, 0);
    store32(at + 8, vector);
    store32(at + 12, masked);
}

bool msix_pending(struct msix *m, u32 entry)
{
    return load32(m->pending + entry / 32 * 4) >> entry % 32 & 1;
}
