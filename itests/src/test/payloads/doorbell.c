/* Rings the disk's doorbell while there is nothing to do, at its first place and after its BAR was
 * moved; the host counts what came of it. */
#include "pattern.h"

#define RINGS 1000
#define FAR (16ul << 20)

static struct disk disk;
static u64 data[64] __attribute__((aligned(512)));

static void turn(const char *what)
{
    print("%s\n", what);
    if (!has_word("alone"))
        receive();
}

static void ring(void)
{
    for (u32 n = 0; n < RINGS; n++)
        queue_ring(&disk.q);
}

int main(void)
{
    disk_begin(&disk, NO_VECTOR);
    turn("before");
    ring();
    turn("rung");
    check(disk_do(&disk, DISK_READ, 0, data, SECTOR), "the disk reads");

    struct bar bar = pci_bar(disk.v.f, disk.v.notify_bar);
    /* Far from what firmware put beside it, but in the window of its port, which has 32 MiB. */
    u64 to = bar.address ^ FAR;
    if (bar.size > FAR)
        fail("the BAR has 0x%lx bytes", bar.size);
    u64 offset = (u64)disk.v.notify - (u64)map(bar.address, bar.size);
    volatile u8 *old = disk.q.doorbell;
    u64 in_bar = old - disk.v.notify;
    pci_bar_move(disk.v.f, disk.v.notify_bar, to);
    check(pci_bar(disk.v.f, disk.v.notify_bar).address == to, "the BAR with the doorbell moves");
    disk.v.notify = (volatile u8 *)map(to, bar.size) + (offset & (bar.size - 1));
    disk.q.doorbell = disk.v.notify + in_bar;
    turn("moved");
    ring();
    turn("rung again");
    check(disk_do(&disk, DISK_READ, 0, data, SECTOR), "the disk reads by its new doorbell");
    turn("at the old place");
    for (u32 n = 0; n < RINGS; n++)
        store16(old, 0);
    turn("nobody there");
    return 0;
}
