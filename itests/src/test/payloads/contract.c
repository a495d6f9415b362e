/* What kvm-unit-tests' flat files take for granted, under the same contract: multiboot header flags of
 * 0, linked at 4 MiB, the first word of the command line is the program's name, one module with the
 * environment, mem_upper, COM1 at 115200 set up anew, and 32 bits of status to port 0xf4. */
#include "runtime.h"

struct information {
    u32 flags, mem_lower, mem_upper, boot_device, cmdline, mods_count, mods_addr;
};
struct module { u32 start, end, string, reserved; };

static bool begins(const char *text, const char *with)
{
    while (*with)
        if (*text++ != *with++)
            return false;
    return true;
}

static void serial_begin(void)
{
    out8(COM1 + 3, in8(COM1 + 3) | 0x80);
    out8(COM1, 1);
    out8(COM1 + 1, 0);
    out8(COM1 + 3, in8(COM1 + 3) & ~0x80);
    out8(COM1 + 1, 0);
    out8(COM1 + 3, 3);
    out8(COM1 + 2, 0);
    out8(COM1 + 4, 3);
}

int main(void)
{
    serial_begin();
    check(from_multiboot(), "EAX has multiboot's number");
    const struct information *information = (void *)(u64)boot_information;
    check(information->flags & 1, "the size of memory is told");
    /* mem_upper: KiB from 1 MiB to the first hole. */
    u64 upper = information->mem_upper * 1024ul;
    u64 memory = option("memory", 0) << 20;
    check(upper >= 4 << 20 && (!memory || upper <= memory), "mem_upper is %lu KiB", upper / 1024);
    u64 last = (1 << 20) + upper - 8;
    store64((void *)last, 0x1122334455667788);
    check(load64((void *)last) == 0x1122334455667788, "memory goes on to there");

    const char *words = command_line();
    print("command line: %s\n", words);
    check(*words && *words != '-' && !begins(words, "memory="), "the first word is the program's name");
    check(option("answer", 0) == 42, "the arguments follow");

    check(information->flags & 8 && information->mods_count == 1, "there is one module");
    const struct module *module = (void *)(u64)information->mods_addr;
    check(module->end > module->start && !(module->start & 4095), "it is on pages: 0x%x-0x%x", module->start, module->end);
    check(begins((char *)(u64)module->start, "NR_CPUS=1\n"), "it holds what the host gave");

    end(option("status", 0));
}
