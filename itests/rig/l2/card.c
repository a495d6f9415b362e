/* A PCI function of a guest of the rig, used from user space through sysfs: what no driver is for.
 *   card edu BDF                         QEMU's edu: identity, factorial, DMA both ways and an MSI for each
 *   card read BDF BAR OFFSET COUNT       32-bit loads of a register; prints nanoseconds of one
 *   card vectors BDF COUNT               gives MSI-X vectors an address and unmasks them, one by one, the
 *                                        first at first; prints nanoseconds of the first, and of one of the others
 * The function has no driver meanwhile.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

/* PCI Local Bus Specification 3.0, sections 6.2 and 6.8. */
enum {
    COMMAND = 4, MEMORY = 2, MASTER = 4, INTX_DISABLE = 0x400, CAPABILITIES = 0x34,
    MSI = 5, MSIX = 17, MSI_64 = 0x80, MSI_ENABLE = 1, MSIX_MASK_ALL = 0x4000, MSIX_ENABLE = 0x8000
};
/* QEMU's docs/specs/edu. */
enum {
    ID = 0, LIVENESS = 4, FACTORIAL = 8, STATUS = 0x20, BUSY = 1, RAISE = 0x60, ACKNOWLEDGE = 0x64,
    DMA_SOURCE = 0x80, DMA_TARGET = 0x88, DMA_COUNT = 0x90, DMA_COMMAND = 0x98,
    DMA_START = 1, DMA_TO_MEMORY = 2, DMA_INTERRUPT = 4, BUFFER = 0x40000,
    LENGTH = 2048, /* QEMU 7.2 ends when a transfer reaches the end of the buffer */
    PAGE = 4096
};
/* A message for local APIC 0 with a vector that is the kernel's own: Linux's RESCHEDULE_VECTOR, which
 * nobody sends where there is one processor, and which /proc/interrupts counts. */
enum { MESSAGE_ADDRESS = 0xfee00000, MESSAGE_DATA = 0xfd };

static void die(const char *what) {
    fprintf(stderr, "card: %s: %s\n", what, strerror(errno));
    exit(1);
}

static void wrong(const char *what, uint64_t found, uint64_t wanted) {
    fprintf(stderr, "card: %s: %#llx and not %#llx\n", what, (unsigned long long)found, (unsigned long long)wanted);
    exit(1);
}

static uint64_t now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000000ull + t.tv_nsec;
}

static const char *bdf;
static int config;

static int open_file(const char *name) {
    char path[256];
    snprintf(path, sizeof path, "/sys/bus/pci/devices/%s/%s", bdf, name);
    int fd = open(path, O_RDWR | O_SYNC);
    if (fd < 0) fd = open(path, O_RDONLY);
    if (fd < 0) die(path);
    return fd;
}

static uint32_t get(int offset, int width) {
    uint32_t value = 0;
    if (pread(config, &value, width, offset) != width) die("configuration space");
    return value;
}

static void set(int offset, int width, uint32_t value) {
    if (pwrite(config, &value, width, offset) != width) die("configuration space");
}

static void open_card(const char *address) {
    bdf = address;
    config = open_file("config");
    int enable = open_file("enable");
    if (write(enable, "1", 1) != 1) die("enable");
    close(enable);
    set(COMMAND, 2, get(COMMAND, 2) | MEMORY | MASTER | INTX_DISABLE);
}

static int capability(int id) {
    for (int at = get(CAPABILITIES, 1) & ~3; at; at = get(at + 1, 1) & ~3)
        if (get(at, 1) == id) return at;
    wrong("capability", 0, id);
    return 0;
}

struct range {
    unsigned long long first, last;
};

static struct range place(int bar) {
    char line[128];
    struct range at = {0, 0};
    FILE *resources = fdopen(open_file("resource"), "r");
    for (int i = 0; i <= bar; i++)
        if (!fgets(line, sizeof line, resources) || sscanf(line, "%llx %llx", &at.first, &at.last) != 2) die("resource");
    fclose(resources);
    return at;
}

/* The BAR's first byte; its page may hold more than the BAR. */
static volatile void *map(int bar) {
    char name[32];
    struct range at = place(bar);
    snprintf(name, sizeof name, "resource%d", bar);
    int fd = open_file(name);
    size_t length = (at.last - at.first + PAGE) & ~(uint64_t)(PAGE - 1);
    char *page = mmap(0, length, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (page == MAP_FAILED) die(name);
    close(fd);
    return page + at.first % PAGE;
}

static void message(void) {
    int at = capability(MSI), wide = get(at + 2, 2) & MSI_64;
    set(at + 4, 4, MESSAGE_ADDRESS);
    if (wide) set(at + 8, 4, 0);
    set(at + (wide ? 12 : 8), 2, MESSAGE_DATA);
    set(at + 2, 2, get(at + 2, 2) | MSI_ENABLE);
}

static uint64_t messages(void) {
    char line[512];
    unsigned long long count = 0;
    FILE *file = fopen("/proc/interrupts", "r");
    if (!file) die("/proc/interrupts");
    while (fgets(line, sizeof line, file)) sscanf(line, " RES: %llu", &count);
    fclose(file);
    return count;
}

static void await_messages(const char *what, uint64_t wanted) {
    for (int i = 0; i < 1000 && messages() < wanted; i++) usleep(10000);
    if (messages() != wanted) wrong(what, messages(), wanted);
}

static uint64_t physical(void *address) {
    uint64_t entry;
    int fd = open("/proc/self/pagemap", O_RDONLY);
    if (fd < 0 || pread(fd, &entry, 8, (uintptr_t)address / PAGE * 8) != 8) die("pagemap");
    close(fd);
    return (entry & ((1ull << 55) - 1)) * PAGE;
}

static uint32_t load(volatile void *bar, int offset) { return *(volatile uint32_t *)((volatile char *)bar + offset); }
static void store(volatile void *bar, int offset, uint32_t value) { *(volatile uint32_t *)((volatile char *)bar + offset) = value; }
static void store_long(volatile void *bar, int offset, uint64_t value) { *(volatile uint64_t *)((volatile char *)bar + offset) = value; }

static void transfer(volatile void *bar, const char *what, uint64_t from, uint64_t to, int command, uint64_t wanted) {
    store_long(bar, DMA_SOURCE, from);
    store_long(bar, DMA_TARGET, to);
    store_long(bar, DMA_COUNT, LENGTH);
    store_long(bar, DMA_COMMAND, DMA_START | DMA_INTERRUPT | command);
    await_messages(what, wanted);
    store(bar, ACKNOWLEDGE, 0x100);
}

static int edu(void) {
    volatile void *bar = map(0);
    uint64_t count = messages();
    if ((load(bar, ID) & 0xff) != 0xed) wrong("identity", load(bar, ID), 0x010000ed);
    store(bar, LIVENESS, 0x12345678);
    if (load(bar, LIVENESS) != ~0x12345678u) wrong("liveness", load(bar, LIVENESS), ~0x12345678u);
    store(bar, FACTORIAL, 10);
    for (int i = 0; i < 1000 && load(bar, STATUS) & BUSY; i++) usleep(10000);
    if (load(bar, FACTORIAL) != 3628800) wrong("10!", load(bar, FACTORIAL), 3628800);

    message();
    for (int i = 1; i <= 10; i++) {
        store(bar, RAISE, 1);
        await_messages("messages of 10", count + i);
        store(bar, ACKNOWLEDGE, 1);
    }
    uint8_t *pages = mmap(0, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_POPULATE | MAP_LOCKED, -1, 0);
    if (pages == MAP_FAILED) die("memory");
    for (int i = 0; i < LENGTH; i++) pages[i] = i * 7 + (i >> 8);
    transfer(bar, "message of the DMA to the card", physical(pages), BUFFER, 0, count + 11);
    transfer(bar, "message of the DMA to memory", BUFFER, physical(pages + PAGE), DMA_TO_MEMORY, count + 12);
    if (memcmp(pages, pages + PAGE, LENGTH)) wrong("what came back, first byte", pages[PAGE], pages[0]);

    /* With MSI off, and INTx disabled, nothing comes. */
    int at = capability(MSI);
    set(at + 2, 2, get(at + 2, 2) & ~MSI_ENABLE);
    store(bar, RAISE, 1);
    usleep(300000);
    store(bar, ACKNOWLEDGE, 1);
    if (messages() != count + 12) wrong("messages while MSI is off", messages(), count + 12);
    puts("12 messages, 2 transfers");
    return 0;
}

static int read_register(char **argv) {
    volatile uint32_t *at = (volatile uint32_t *)((volatile char *)map(atoi(argv[3])) + strtoul(argv[4], 0, 0));
    long n = atol(argv[5]);
    uint32_t value = *at;
    uint64_t begin = now();
    for (long i = 0; i < n; i++) value = *at;
    uint64_t took = now() - begin;
    printf("%llu %#x\n", (unsigned long long)(took / n), value);
    return 0;
}

static int vectors(char **argv) {
    int at = capability(MSIX), wanted = atoi(argv[3]), count = (get(at + 2, 2) & 0x7ff) + 1;
    uint32_t table = get(at + 4, 4);
    volatile uint32_t *entry = (volatile uint32_t *)((volatile char *)map(table & 7) + (table & ~7u));
    if (count < wanted) wrong("vectors", count, wanted);
    set(at + 2, 2, (get(at + 2, 2) & ~MSIX_MASK_ALL) | MSIX_ENABLE);
    uint64_t first = 0, others = 0;
    for (int i = 0; i < wanted; i++, entry += 4) {
        uint64_t begin = now();
        entry[0] = MESSAGE_ADDRESS;
        entry[1] = 0;
        entry[2] = MESSAGE_DATA;
        entry[3] = 0;
        *(i ? &others : &first) += now() - begin;
    }
    set(at + 2, 2, get(at + 2, 2) & ~MSIX_ENABLE);
    printf("%llu %llu\n", (unsigned long long)first, (unsigned long long)(others / (wanted > 1 ? wanted - 1 : 1)));
    return 0;
}

int main(int argc, char **argv) {
    if (argc >= 3) open_card(argv[2]);
    if (argc == 3 && !strcmp(argv[1], "edu")) return edu();
    if (argc == 6 && !strcmp(argv[1], "read")) return read_register(argv);
    if (argc == 4 && !strcmp(argv[1], "vectors")) return vectors(argv);
    fprintf(stderr, "card: see its source for usage\n");
    return 2;
}
