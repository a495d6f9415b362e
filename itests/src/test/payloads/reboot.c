/* Counts its boots in the disk's first sector, and asks the keyboard's controller for another one
 * until there were two. RAM does not survive; the disk does. */
#include "pattern.h"

#define KEYBOARD 0x64
#define RESET 0xfe

static struct disk disk;
static u64 data[64] __attribute__((aligned(512)));
static u32 trace = 0x1234;              /* as loaded; changed before the reboot */

int main(void)
{
    disk_begin(&disk, NO_VECTOR);
    check(disk_do(&disk, DISK_READ, 0, data, SECTOR), "the disk reads");
    print("boot %lu\n", data[0] + 1);
    check(trace == 0x1234, "the payload is as it was loaded");
    trace++;
    if (++data[0] >= 2)
        return 0;
    check(disk_do(&disk, DISK_WRITE, 0, data, SECTOR), "the disk writes");
    check(!(disk.v.features & 1 << 9) || disk_do(&disk, DISK_FLUSH, 0, NULL, 0), "the disk flushes");
    while (in8(KEYBOARD) & 2)
        relax();
    out8(KEYBOARD, RESET);
    for (;;)
        relax();
}
