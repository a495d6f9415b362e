/* 64-bit mode, exceptions, what the loader says of memory, and addresses that nobody answers. */
#include "runtime.h"

#define UNDEFINED 6
#define PAGE_FAULT 14
#define NOWHERE 0xcafe000000ul          /* in an entry of the root that is empty */

static volatile u32 undefined, faults;
static u64 fault_address;

static void on_undefined(struct frame *frame)
{
    undefined++;
    frame->rip += 2;
}

static void on_fault(struct frame *frame)
{
    asm volatile("mov %%cr2, %0" : "=r"(fault_address));
    faults++;
    frame->rip = frame->rbx;
}

static void exceptions(void)
{
    handle(UNDEFINED, on_undefined);
    handle(PAGE_FAULT, on_fault);
    asm volatile("ud2");
    check(undefined == 1, "an undefined opcode is an exception");
    /* The handler goes on at RBX. */
    asm volatile("lea 1f(%%rip), %%rbx\n\tmovl (%0), %%eax\n1:" : : "r"(NOWHERE) : "rax", "rbx", "memory");
    check(faults == 1 && fault_address == NOWHERE, "a page fault tells its address");
    u64 high = 0x123456789abcdef0;
    asm volatile("rol $32, %0" : "+r"(high));
    check(high == 0x9abcdef012345678, "registers have 64 bits");
}

static void identity(void)
{
    struct cpuid leaf = cpuid(0x40000000, 0);
    u32 name[4] = {leaf.ebx, leaf.ecx, leaf.edx, 0};
    print("hypervisor: %s\n", cpuid(1, 0).ecx >> 31 ? (char *)name : "none");
    check(cpuid(0x80000001, 0).edx >> 29 & 1, "CPUID tells of 64-bit mode");
    check(cpuid(1, 0).ebx >> 24 == apic_id(), "CPUID and the local APIC agree on its id");
}

static void memory(void)
{
    struct memory_range range, other;
    u64 ram = 0;
    bool overlap = false, holds = true;
    for (u32 n = 0; memory_range(n, &range); n++) {
        print("memory: 0x%lx-0x%lx type %u\n", range.base, range.base + range.length, range.type);
        for (u32 m = 0; m < n && memory_range(m, &other); m++)
            overlap |= range.base < other.base + other.length && other.base < range.base + range.length;
        if (range.type != TYPE_RAM)
            continue;
        ram += range.length;
        volatile u64 *last = map((range.base + range.length - 8) & ~7ul, 8);
        u64 was = load64(last);
        store64(last, 0x5a5aa5a50f0ff0f0);
        holds &= load64(last) == 0x5a5aa5a50f0ff0f0;
        store64(last, was);
    }
    check(!overlap, "ranges of the memory map are disjoint");
    check(holds, "the last bytes of every range of RAM hold what is stored");
    u64 wanted = option("memory", 0) << 20;
    /* What firmware keeps for itself is at most the first MiB and a few pages. */
    check(wanted ? (ram <= wanted && ram + (2 << 20) > wanted) : ram > 0, "the memory map has the machine's RAM");
}

int main(void)
{
    print("processor: loaded by %s\n", from_multiboot() ? "multiboot" : "PVH");
    identity();
    exceptions();
    memory();
    check(load32((void *)0xfbfff000) == silence(), "memory that nobody claims reads as 0x%x", silence());
    store32((void *)0xfbfff000, 1);
    check(in32(0x7ff0) == ALL_ONES && in8(0x7ff1) == 0xff, "ports that nobody claims read as ones");
    return 0;
}
