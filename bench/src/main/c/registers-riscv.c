/* A kernel for riscv64 that measures what loads and stores in a BAR of pci-testdev (membar=1M, memory=on) take:
 * where it is memory of the host, and where each access comes to the device. It says so on the console. */
typedef unsigned char u8;
typedef unsigned int u32;
typedef unsigned long u64;

/* The header of an Image (Linux, Documentation/arch/riscv/boot-image-header.rst). */
asm(".section .head, \"ax\"\n"
    ".globl _start\n"
    "_start: .option push; .option norvc; j 1f; .option pop; .word 0\n"
    ".quad 0, 0x100000, 0\n"
    ".word 0, 0; .quad 0; .ascii \"RISCV\\0\\0\\0\"; .word 0x05435352, 0\n"
    "1: la sp, stack_end; j run\n");

u8 stack[16384] __attribute__((aligned(16)));
asm(".globl stack_end; .set stack_end, stack + 16384");

#define ECAM 0x30000000ul
#define UART ((volatile u8 *)0x10000000ul)
#define NS_OF_TICK 100
#define ROUNDS ROUNDS_WANTED
#define TURNS 10

static u64 ticks(void)
{
    u64 now;
    asm volatile("fence; rdtime %0" : "=r"(now) : : "memory");
    return now;
}

static void put(const char *text)
{
    while (*text)
        *UART = *text++;
}

static void put_number(u64 n)
{
    if (n > 9)
        put_number(n / 10);
    *UART = '0' + n % 10;
}

static void tell(const char *what, u64 took, u64 count)
{
    put(what);
    put_number(took * NS_OF_TICK / count);
    *UART = '.';
    put_number(took * NS_OF_TICK * 10 / count % 10);
    put(" ns\n");
}

static void end(void)
{
    register u64 a0 asm("a0") = 0, a1 asm("a1") = 0, a6 asm("a6") = 0, a7 asm("a7") = 0x53525354;
    asm volatile("ecall" : : "r"(a0), "r"(a1), "r"(a6), "r"(a7) : "memory");
    for (;;) {}
}

static void measure(const char *load, const char *store, volatile u32 *at, u64 count)
{
    u64 loads = -1, stores = -1;
    /* The fastest of several turns: in the first the processor compiles the loop, and others share the host. */
    for (int turn = 0; turn < TURNS; turn++) {
        u64 began = ticks();
        for (u64 i = 0; i < count; i += 4) {
            (void)at[0]; (void)at[0]; (void)at[0]; (void)at[0];
        }
        u64 middle = ticks();
        for (u64 i = 0; i < count; i += 4) {
            at[0] = i; at[0] = i; at[0] = i; at[0] = i;
        }
        u64 ended = ticks();
        loads = middle - began < loads ? middle - began : loads;
        stores = ended - middle < stores ? ended - middle : stores;
    }
    tell(load, loads, count);
    tell(store, stores, count);
}

__attribute__((used)) void run(void)
{
    for (u64 device = 1; device < 32; device++) {
        volatile u32 *config = (volatile u32 *)(ECAM | device << 15);
        if (config[0] != 0x00051b36)
            continue;
        config[1] = 2;
        u64 bar = (u64)config[7] << 32 | (config[6] & ~15u);
        measure("mapped load ", "mapped store ", (volatile u32 *)bar, ROUNDS);
        measure("trapped load ", "trapped store ", (volatile u32 *)(bar + 0x1000), ROUNDS / 10);
        end();
    }
    put("there is no pci-testdev\n");
    end();
}
