/* ACPI 6.4, chapter 5: RSDP, XSDT or RSDT, and the fields of tables that payloads use. */
#include "runtime.h"

struct rsdp { char signature[8]; u8 checksum; char oem[6]; u8 revision; u32 rsdt, length; u64 xsdt; } __attribute__((packed));
struct fadt {
    struct acpi_table header;
    u32 facs, dsdt;
    u8 reserved, profile;
    u16 sci;
    u32 smi_command;
    u8 acpi_enable, acpi_disable, s4bios, pstate;
    u32 pm1a_event, pm1b_event, pm1a_control, pm1b_control, pm2_control, pm_timer;
} __attribute__((packed));

bool acpi_sum(const void *from, u64 length)
{
    u8 sum = 0;
    for (const u8 *p = from; length--; p++)
        sum += *p;
    return !sum;
}

static const struct rsdp *rsdp(void)
{
    static const struct rsdp *found;
    if (found)
        return found;
    if (!from_multiboot()) {
        u64 address = load64((void *)((u64)boot_information + 32));
        return found = (void *)address;
    }
    for (u64 at = 0xe0000; at < 0x100000; at += 16)
        if (load64((void *)at) == 0x2052545020445352 && acpi_sum((void *)at, 20))
            return found = (void *)at;
    fail("no RSDP in 0xe0000-0xfffff");
}

const struct acpi_table *acpi_table(const char *signature)
{
    const struct rsdp *root = rsdp();
    bool wide = root->revision >= 2 && root->xsdt;
    const struct acpi_table *list = (void *)(wide ? root->xsdt : root->rsdt);
    u32 width = wide ? 8 : 4, count = (list->length - sizeof *list) / width;
    for (u32 i = 0; i < count; i++) {
        const u8 *entry = (const u8 *)(list + 1) + i * width;
        const struct acpi_table *table = (void *)(wide ? load64(entry) : load32(entry));
        if (load32(table->signature) != load32(signature))
            continue;
        if (!acpi_sum(table, table->length))
            fail("the checksum of ACPI's table %s is wrong", signature);
        return table;
    }
    return NULL;
}

static const struct acpi_table *need(const char *signature)
{
    const struct acpi_table *table = acpi_table(signature);
    if (!table)
        fail("there is no ACPI table %s", signature);
    return table;
}

u64 acpi_ecam(void)
{
    static u64 base;
    if (!base)
        base = load64((const u8 *)need("MCFG") + 44);
    return base;
}

/* The n-th structure of a type in the MADT (section 5.2.12). */
static const u8 *madt(u8 type, u32 n)
{
    static const struct acpi_table *table;
    if (!table)
        table = need("APIC");
    const u8 *at = (const u8 *)table + 44, *end = (const u8 *)table + table->length;
    for (; at < end; at += at[1])
        if (at[0] == type && !n--)
            return at;
    return NULL;
}

u32 acpi_ioapic(void)
{
    static u32 base;
    if (!base)
        base = load32(madt(1, 0) + 4);
    return base;
}

u32 acpi_gsi(u32 isa)
{
    const u8 *override;
    for (u32 n = 0; (override = madt(2, n)); n++)
        if (override[3] == isa)
            return load32(override + 4);
    return isa;
}

bool acpi_processor(u32 n, u32 *id)
{
    const u8 *local;
    for (u32 i = 0; (local = madt(0, i)); i++) {
        if (load32(local + 4) & 1 && !n--) {
            *id = local[3];
            return true;
        }
    }
    return false;
}

/* The DSDT's \_S5 (section 7.4.2): its name, then a package whose first element is SLP_TYPa. */
static u8 s5(const struct acpi_table *dsdt)
{
    const u8 *at = (const u8 *)dsdt, *end = at + dsdt->length - 8;
    for (; at < end; at++) {
        if (load32(at) != 0x5f35535f || at[4] != 0x12)
            continue;
        at += 5;
        at += (at[0] >> 6) + 2;
        return at[0] == 0x0a ? at[1] : at[0];
    }
    fail("the DSDT has no _S5");
}

void acpi_power(struct acpi_power *power)
{
    const struct fadt *fadt = (void *)need("FACP");
    const struct acpi_table *dsdt = (void *)(u64)fadt->dsdt;
    check(acpi_sum(dsdt, dsdt->length), "the DSDT's checksum is right");
    *power = (struct acpi_power){fadt->pm1a_event, fadt->pm1a_control, fadt->pm_timer, fadt->sci,
                                 fadt->smi_command, fadt->acpi_enable, s5(dsdt)};
}
