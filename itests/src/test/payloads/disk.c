/* Reads what the host wrote on the disk, sectors 0 to 31, and writes sectors 32 to 63. */
#include "pattern.h"

#define PART 32

static struct disk disk;
static u64 data[PART * 64] __attribute__((aligned(4096)));

int main(void)
{
    disk_begin(&disk, NO_VECTOR);
    print("disk: %lu sectors, features 0x%lx\n", disk.sectors, disk.v.features);
    check(disk.sectors == option("sectors", disk.sectors), "the disk has its image's sectors");
    check(disk_do(&disk, DISK_READ, 0, data, sizeof data), "32 sectors are read");
    if (!has_word("alone"))
        check(has_pattern(data, HOST_KEY, 0, PART), "they hold what the host wrote");
    fill_pattern(data, GUEST_KEY, PART, PART);
    check(disk_do(&disk, DISK_WRITE, PART, data, sizeof data), "32 sectors are written");
    check(!(disk.v.features & 1 << 9) || disk_do(&disk, DISK_FLUSH, 0, NULL, 0), "the disk flushes");

    /* Five single sectors under way at once, in an order of their own. */
    memset(data, 0, sizeof data);
    for (u32 n = 0; n < 5; n++)
        disk_submit(&disk, n, DISK_READ, PART + (n * 7) % PART, data + n * 64, SECTOR);
    disk_complete(&disk, 5);
    bool right = true;
    for (u32 n = 0; n < 5; n++)
        right &= !disk.requests[n].status && has_pattern(data + n * 64, GUEST_KEY, PART + (n * 7) % PART, 1);
    check(right, "five requests at once read what was written");
    check(!disk_do(&disk, DISK_READ, disk.sectors, data, SECTOR), "a read behind the end is refused");
    check(!disk_do(&disk, 0x77, 0, data, SECTOR), "a request of no known type is refused");
    check(disk_do(&disk, DISK_READ, disk.sectors - 1, data, SECTOR), "the last sector is read");
    return 0;
}
