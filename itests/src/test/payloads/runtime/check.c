#include "runtime.h"

void print_list(const char *format, __builtin_va_list values);

static u32 failures;

void check(bool holds, const char *format, ...)
{
    __builtin_va_list values;
    __builtin_va_start(values, format);
    print(holds ? "ok: " : "FAILED: ");
    print_list(format, values);
    print("\n");
    __builtin_va_end(values);
    failures += !holds;
}

bool failed(void) { return failures; }

void end(u32 status)
{
    print(failures ? "failed\n" : "passed\n");
    out32(DEBUG_EXIT, failures ? 1 : status);
    for (;;)
        asm volatile("cli; hlt");
}

void finish(void) { end(0); }

void fail(const char *format, ...)
{
    __builtin_va_list values;
    __builtin_va_start(values, format);
    print("FAILED: ");
    print_list(format, values);
    print("\n");
    __builtin_va_end(values);
    failures++;
    finish();
}

void *memcpy(void *to, const void *from, u64 length)
{
    u8 *t = to;
    const u8 *f = from;
    while (length--)
        *t++ = *f++;
    return to;
}

void *memset(void *to, int value, u64 length)
{
    u8 *t = to;
    while (length--)
        *t++ = value;
    return to;
}
