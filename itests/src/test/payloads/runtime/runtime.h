/* What payloads stand on: console, checks, interrupts, time, ACPI, PCI, virtio, further processors.
 * One processor calls it at a time unless it says otherwise; nothing allocates. */
#ifndef RUNTIME_H
#define RUNTIME_H

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long u64;
typedef _Bool bool;
#define true 1
#define false 0
#define NULL ((void *)0)
#define ALL_ONES 0xffffffffu

/* --- Processor ------------------------------------------------------------------------------ */

static inline void out8(u16 port, u8 value) { asm volatile("outb %0, %1" : : "a"(value), "Nd"(port)); }
static inline void out16(u16 port, u16 value) { asm volatile("outw %0, %1" : : "a"(value), "Nd"(port)); }
static inline void out32(u16 port, u32 value) { asm volatile("outl %0, %1" : : "a"(value), "Nd"(port)); }
static inline u8 in8(u16 port) { u8 v; asm volatile("inb %1, %0" : "=a"(v) : "Nd"(port)); return v; }
static inline u16 in16(u16 port) { u16 v; asm volatile("inw %1, %0" : "=a"(v) : "Nd"(port)); return v; }
static inline u32 in32(u16 port) { u32 v; asm volatile("inl %1, %0" : "=a"(v) : "Nd"(port)); return v; }

/* Accesses of exactly this width: the compiler may neither join nor split them. */
static inline u8 load8(const volatile void *p) { u8 v; asm volatile("movb %1, %0" : "=q"(v) : "m"(*(const volatile u8 *)p)); return v; }
static inline u16 load16(const volatile void *p) { u16 v; asm volatile("movw %1, %0" : "=r"(v) : "m"(*(const volatile u16 *)p)); return v; }
static inline u32 load32(const volatile void *p) { u32 v; asm volatile("movl %1, %0" : "=r"(v) : "m"(*(const volatile u32 *)p)); return v; }
static inline u64 load64(const volatile void *p) { u64 v; asm volatile("movq %1, %0" : "=r"(v) : "m"(*(const volatile u64 *)p)); return v; }
static inline void store8(volatile void *p, u8 v) { asm volatile("movb %1, %0" : "=m"(*(volatile u8 *)p) : "q"(v)); }
static inline void store16(volatile void *p, u16 v) { asm volatile("movw %1, %0" : "=m"(*(volatile u16 *)p) : "r"(v)); }
static inline void store32(volatile void *p, u32 v) { asm volatile("movl %1, %0" : "=m"(*(volatile u32 *)p) : "r"(v)); }
static inline void store64(volatile void *p, u64 v) { asm volatile("movq %1, %0" : "=m"(*(volatile u64 *)p) : "r"(v)); }

struct cpuid { u32 eax, ebx, ecx, edx; };
static inline struct cpuid cpuid(u32 leaf, u32 subleaf)
{
    struct cpuid r;
    asm volatile("cpuid" : "=a"(r.eax), "=b"(r.ebx), "=c"(r.ecx), "=d"(r.edx) : "a"(leaf), "c"(subleaf));
    return r;
}
static inline u64 rdmsr(u32 msr)
{
    u32 low, high;
    asm volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(msr));
    return (u64)high << 32 | low;
}
static inline void wrmsr(u32 msr, u64 value)
{
    asm volatile("wrmsr" : : "a"((u32)value), "d"((u32)(value >> 32)), "c"(msr) : "memory");
}
static inline u64 rdtsc(void)
{
    u32 low, high;
    asm volatile("rdtsc" : "=a"(low), "=d"(high));
    return (u64)high << 32 | low;
}
/* All earlier accesses before all later ones. No mfence: that is SSE2. */
static inline void fence(void) { asm volatile("lock addl $0, (%%rsp)" : : : "memory", "cc"); }
static inline void enable_interrupts(void) { asm volatile("sti" : : : "memory"); }
static inline void disable_interrupts(void) { asm volatile("cli" : : : "memory"); }
/* With interrupts disabled: waits for one, and is there with interrupts disabled again. */
static inline void halt(void) { asm volatile("sti; hlt; cli" : : : "memory"); }
static inline void relax(void) { asm volatile("pause" : : : "memory"); }

/* --- Console (console.c): COM1 -------------------------------------------------------------- */

#define COM1 0x3f8
/* %s, %c, %u, %x (32 bits), %lu, %lx, and a width with leading zeroes, as %04x. */
void print(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* Waits for the host to send a byte. */
char receive(void);
bool received(void);

/* --- Ends and checks (check.c) -------------------------------------------------------------- */

/* Prints "ok: .." or "FAILED: ..". */
void check(bool holds, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Whether a check did not hold. */
bool failed(void);
/* Prints "FAILED: .." and ends. */
void fail(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));
/* Prints "passed" or "failed" and ends the machine through port 0xf4, with the status or, if a check
 * failed, with 1. */
void end(u32 status) __attribute__((noreturn));
/* With status 0; so does a main() that returns. */
void finish(void) __attribute__((noreturn));
#define DEBUG_EXIT 0xf4

/* --- What the loader said (boot.c) ---------------------------------------------------------- */

extern u32 boot_magic, boot_information;
bool from_multiboot(void);
const char *command_line(void);
/* The number behind NAME= on the command line. */
u64 option(const char *name, u64 otherwise);
/* Whether the command line has the word. */
bool has_word(const char *name);
/* What memory that nobody claims reads as: ones, but zeroes on another monitor, which the word `zeroes`
 * tells. */
u32 silence(void);
struct memory_range { u64 base, length; u32 type; };
#define TYPE_RAM 1
/* The n-th range of the memory map. */
bool memory_range(u32 n, struct memory_range *range);
/* Has `length` bytes at a guest address be reached at the address that is returned. */
volatile void *map(u64 address, u64 length);

/* --- Interrupts (interrupts.c) -------------------------------------------------------------- */

struct frame {
    u64 r11, r10, r9, r8, rdi, rsi, rbp, rbx, rdx, rcx, rax;
    u64 vector, error, rip, cs, rflags, rsp, ss;
};
/* Vectors below 64. An exception without a handler ends the payload with a line that tells it. */
void handle(u32 vector, void (*handler)(struct frame *));
u32 apic_id(void);
bool x2apic_mode(void);
/* Has the processor that calls use its local APIC as the first does. */
void apic_enable(void);
void apic_use_x2apic(void);
void apic_eoi(void);
void apic_write(u32 reg, u32 value);
u32 apic_read(u32 reg);
/* The interrupt command register: sends to the processor of that APIC id. */
void apic_send(u32 id, u32 command);
#define APIC_TPR 0x80
#define APIC_LVT_TIMER 0x320
#define APIC_TIMER_COUNT 0x380
#define APIC_TIMER_NOW 0x390
#define APIC_TIMER_DIVIDE 0x3e0
#define APIC_TIMER_PERIODIC (1u << 17)
#define APIC_TIMER_DEADLINE (2u << 17)
#define APIC_INIT 0x4500
#define APIC_STARTUP 0x4600
/* An input of the I/O APIC, to the first processor. */
void ioapic_route(u32 gsi, u32 vector, bool level);
void ioapic_mask(u32 gsi);
/* The 8254's channel 0. */
#define PIT_HZ 1193182
void pit_start(u32 hz);
void pit_stop(void);
/* Waits with hlt until *what is at least that. */
void wait_for(volatile u32 *what, u32 least);

/* --- Further processors (processors.c) ------------------------------------------------------ */

/* Starts the processor of that APIC id at begin(); it halts for good when that returns. */
void processor_start(u32 id, void (*begin)(void));

/* --- ACPI (acpi.c) -------------------------------------------------------------------------- */

struct acpi_table { char signature[4]; u32 length; u8 revision, checksum; char oem[26]; } __attribute__((packed));
/* The table of that signature, its checksum checked; NULL if there is none. */
const struct acpi_table *acpi_table(const char *signature);
bool acpi_sum(const void *from, u64 length);
u64 acpi_ecam(void);
u32 acpi_ioapic(void);
/* The input of the I/O APIC that an ISA interrupt leads to. */
u32 acpi_gsi(u32 isa);
/* APIC id of the n-th processor that is enabled. */
bool acpi_processor(u32 n, u32 *id);
struct acpi_power { u16 pm1_event, pm1_control, pm_timer, sci, smi_command; u8 enable; u8 s5; };
void acpi_power(struct acpi_power *power);

/* --- PCI (pci.c) ---------------------------------------------------------------------------- */

typedef u32 function;           /* bus << 8 | device << 3 | function */
#define FUNCTION(bus, device, number) ((bus) << 8 | (device) << 3 | (number))
#define NO_FUNCTION ALL_ONES
#define PCI_COMMAND 0x04
#define PCI_COMMAND_IO 1
#define PCI_COMMAND_MEMORY 2
#define PCI_COMMAND_MASTER 4
#define PCI_COMMAND_NO_INTX 0x400
#define PCI_HEADER 0x0e
#define PCI_BAR0 0x10
#define PCI_SECONDARY 0x19
#define PCI_CAPABILITIES 0x34
/* By ports 0xcf8 and 0xcfc. */
u32 pci_read(function f, u32 offset, u32 width);
void pci_write(function f, u32 offset, u32 width, u32 value);
/* By memory; registers to 4095. */
u32 ecam_read(function f, u32 offset, u32 width);
void ecam_write(function f, u32 offset, u32 width, u32 value);
/* Calls for every function that is there, those behind bridges after their bridge. */
void pci_each(void (*found)(function f));
/* The first with one of two device ids. */
function pci_find(u16 vendor, u16 device, u16 or_device);
/* Offset of a capability after `after` (0: the first); 0 if there is none. */
u32 pci_capability(function f, u8 id, u32 after);
struct bar { u64 address, size; bool io, wide, prefetchable; };
/* Sizes one (PCI Local Bus 3.0, section 6.2.5.1), with decoding off meanwhile. size 0: there is none. */
struct bar pci_bar(function f, u32 number);
/* With decoding off meanwhile. */
void pci_bar_move(function f, u32 number, u64 address);
/* Maps a BAR in memory. */
volatile void *pci_bar_map(function f, u32 number);

/* --- Virtio over PCI (virtio.c) ------------------------------------------------------------- */

struct virtio {
    function f;
    volatile u8 *common, *isr, *device, *notify;
    u32 notify_multiplier;
    u32 notify_bar;
    u64 features;
};
#define QUEUE_SIZE 16
#define NO_VECTOR 0xffff
struct descriptor { u64 address; u32 length; u16 flags, next; };
#define DESCRIPTOR_NEXT 1
#define DESCRIPTOR_WRITE 2
struct queue {
    struct descriptor descriptors[QUEUE_SIZE] __attribute__((aligned(16)));
    struct { u16 flags, index, ring[QUEUE_SIZE]; } available;
    struct { u16 flags, index; struct { u32 id, length; } ring[QUEUE_SIZE]; } used __attribute__((aligned(4)));
    u16 seen;
    volatile void *doorbell;
    u16 number;
};
/* Resets the device and negotiates VERSION_1 and, of these features, those that it offers. */
void virtio_begin(struct virtio *v, function f, u64 features);
void virtio_queue(struct virtio *v, struct queue *q, u16 number, u16 vector);
void virtio_ready(struct virtio *v);
/* Makes the chain that begins at a descriptor available, without a notification. */
void queue_add(struct queue *q, u16 head);
void queue_ring(struct queue *q);
/* The head of a chain that was used; -1 if none was since. */
int queue_used(struct queue *q);

struct disk {
    struct virtio v;
    struct queue q;
    u64 sectors;
    struct { struct { u32 type, reserved; u64 sector; } header; u8 status; } requests[QUEUE_SIZE / 3];
};
#define SECTOR 512
#define DISK_READ 0
#define DISK_WRITE 1
#define DISK_FLUSH 4
/* The first virtio-blk; its queue signals that entry of the MSI-X table, or none with NO_VECTOR. */
void disk_begin(struct disk *d, u16 vector);
/* The n-th request that is under way (0 to 4), made available without a notification. */
void disk_submit(struct disk *d, u32 n, u32 type, u64 sector, void *data, u32 length);
/* Rings, and waits by looking until all requests of the ring are back. */
void disk_complete(struct disk *d, u32 count);
/* One request from beginning to end; false if the device says it failed. */
bool disk_do(struct disk *d, u32 type, u64 sector, void *data, u32 length);

/* The MSI-X table. */
struct msix { function f; volatile u8 *table, *pending; u32 capability, count; };
void msix_begin(struct msix *m, function f);
void msix_set(struct msix *m, u32 entry, u32 vector, bool masked);
bool msix_pending(struct msix *m, u32 entry);

void *memcpy(void *to, const void *from, u64 length);
void *memset(void *to, int value, u64 length);

#endif
