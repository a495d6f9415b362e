/* COM1, looked at and not interrupted by: 8250 registers as PC16550D's data sheet, section 8. */
#include "runtime.h"

#define LINE_STATUS (COM1 + 5)
#define DATA_READY 0x01
#define TRANSMITTER_EMPTY 0x20

static void put(char c)
{
    while (!(in8(LINE_STATUS) & TRANSMITTER_EMPTY))
        relax();
    out8(COM1, c);
}

bool received(void) { return in8(LINE_STATUS) & DATA_READY; }

char receive(void)
{
    while (!received())
        relax();
    return in8(COM1);
}

static void put_number(u64 value, u32 base, int width)
{
    char digits[24];
    int n = 0;
    do {
        digits[n++] = "0123456789abcdef"[value % base];
        value /= base;
    } while (value);
    for (; width > n; width--)
        put('0');
    while (n)
        put(digits[--n]);
}

void print_list(const char *format, __builtin_va_list values)
{
    for (; *format; format++) {
        if (*format != '%') {
            put(*format);
            continue;
        }
        int width = 0;
        bool wide = false;
        for (format++; *format >= '0' && *format <= '9'; format++)
            width = width * 10 + *format - '0';
        if (*format == 'l') {
            wide = true;
            format++;
        }
        if (*format == 's') {
            for (const char *s = __builtin_va_arg(values, const char *); *s; s++)
                put(*s);
        } else if (*format == 'c') {
            put(__builtin_va_arg(values, int));
        } else {
            u64 value = wide ? __builtin_va_arg(values, u64) : __builtin_va_arg(values, u32);
            put_number(value, *format == 'x' ? 16 : 10, width);
        }
    }
}

void print(const char *format, ...)
{
    __builtin_va_list values;
    __builtin_va_start(values, format);
    print_list(format, values);
    __builtin_va_end(values);
}
