/* What the loader said: Multiboot Specification 0.6.96, section 3.3, or PVH's hvm_start_info. */
#include "runtime.h"

#define MULTIBOOT 0x2badb002
#define PVH 0x336ec578

struct multiboot {
    u32 flags, mem_lower, mem_upper, boot_device, cmdline, mods_count, mods_addr, syms[4];
    u32 mmap_length, mmap_addr;
};
struct multiboot_range { u32 size; u64 base, length; u32 type; } __attribute__((packed));
struct pvh {
    u32 magic, version, flags, nr_modules;
    u64 modlist, cmdline, rsdp, memmap;
    u32 memmap_entries;
};
struct pvh_range { u64 base, length; u32 type, reserved; };

static const struct multiboot *multiboot(void) { return (void *)(u64)boot_information; }
static const struct pvh *pvh(void) { return (void *)(u64)boot_information; }

/* What PVH leaves in EAX is not said; its information begins with a number. */
bool from_multiboot(void) { return boot_magic == MULTIBOOT && pvh()->magic != PVH; }

const char *command_line(void)
{
    u64 at = from_multiboot() ? (multiboot()->flags & 4 ? multiboot()->cmdline : 0) : pvh()->cmdline;
    return at ? (const char *)at : "";
}

/* What follows a word that begins as told, or NULL. */
static const char *word(const char *name)
{
    for (const char *c = command_line(); *c; c++) {
        const char *n = name, *s = c;
        while (*n && *n == *s)
            n++, s++;
        if (!*n && (c == command_line() || c[-1] == ' '))
            return s;
    }
    return NULL;
}

bool has_word(const char *name)
{
    const char *end = word(name);
    return end && (!*end || *end == ' ');
}

u64 option(const char *name, u64 otherwise)
{
    const char *c = word(name);
    if (!c || *c++ != '=')
        return otherwise;
    u64 value = 0;
    while (*c >= '0' && *c <= '9')
        value = value * 10 + *c++ - '0';
    return value;
}

u32 silence(void) { return has_word("zeroes") ? 0 : ALL_ONES; }

bool memory_range(u32 n, struct memory_range *range)
{
    if (from_multiboot()) {
        u64 at = multiboot()->mmap_addr, end = at + multiboot()->mmap_length;
        for (; multiboot()->flags & 0x40 && at < end; at += ((struct multiboot_range *)at)->size + 4) {
            const struct multiboot_range *r = (void *)at;
            if (!n--) {
                *range = (struct memory_range){r->base, r->length, r->type};
                return true;
            }
        }
        return false;
    }
    const struct pvh_range *r = (void *)pvh()->memmap;
    if (n >= pvh()->memmap_entries)
        return false;
    *range = (struct memory_range){r[n].base, r[n].length, r[n].type};
    return true;
}

/* The second entry of the root: 512 GiB from 0x8000000000, given out in pages of 2 MiB. */
#define WINDOW 0x8000000000ul
#define LARGE (1ul << 21)
static u64 third[512] __attribute__((aligned(4096)));
static u64 second[512] __attribute__((aligned(4096)));
static u32 given;
extern u64 pages4[];

volatile void *map(u64 address, u64 length)
{
    if (address + length <= 1ul << 32)
        return (void *)address;
    u64 from = address & -LARGE, at = WINDOW + given * LARGE;
    pages4[1] = (u64)third | 3;
    third[0] = (u64)second | 3;
    for (; from < address + length; from += LARGE) {
        if (given == 512)
            fail("no room to map 0x%lx", address);
        second[given++] = from | 0x83;
    }
    return (void *)(at + (address & (LARGE - 1)));
}
