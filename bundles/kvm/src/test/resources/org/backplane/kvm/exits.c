/* The exits of a payload, counted by a loop in C: exits PAYLOAD WARM COUNT prints nanoseconds for each. */
#include <fcntl.h>
#include <linux/kvm.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>

#define SIZE (8 << 20)
#define CODE 0x100000
#define TABLES 0x10000

static void must(int good, const char *what) {
    if (!good) {
        perror(what);
        exit(1);
    }
}

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1e9 + t.tv_nsec;
}

static struct kvm_segment flat(int selector, int type, int l) {
    struct kvm_segment s = {.limit = ~0u, .selector = selector, .type = type, .present = 1, .s = 1, .g = 1, .l = l, .db = !l};
    return s;
}

int main(int count, char **arguments) {
    must(count == 4, "usage: exits PAYLOAD WARM COUNT");
    long warm = atol(arguments[2]), measured = atol(arguments[3]);
    int kvm = open("/dev/kvm", O_RDWR), vm = ioctl(kvm, KVM_CREATE_VM, 0);
    must(vm >= 0, "KVM_CREATE_VM");
    ioctl(vm, KVM_SET_TSS_ADDR, 0xfffbc000);
    uint64_t map = 0xfffbf000;
    ioctl(vm, KVM_SET_IDENTITY_MAP_ADDR, &map);
    must(ioctl(vm, KVM_CREATE_IRQCHIP, 0) == 0, "KVM_CREATE_IRQCHIP");
    char *memory = mmap(0, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    struct kvm_userspace_memory_region region = {.memory_size = SIZE, .userspace_addr = (uintptr_t)memory};
    must(ioctl(vm, KVM_SET_USER_MEMORY_REGION, &region) == 0, "KVM_SET_USER_MEMORY_REGION");
    FILE *payload = fopen(arguments[1], "rb");
    must(payload && fread(memory + CODE, 1, 4096, payload) > 0, arguments[1]);
    uint64_t *tables = (uint64_t *)(memory + TABLES);
    tables[0] = TABLES + 0x1000 | 3;
    for (int i = 0; i < 4; i++)
        tables[512 + i] = TABLES + 0x2000 + 0x1000 * i | 3;
    for (uint64_t i = 0; i < 2048; i++)
        tables[1024 + i] = i << 21 | 0x83;
    int cpu = ioctl(vm, KVM_CREATE_VCPU, 0);
    must(cpu >= 0, "KVM_CREATE_VCPU");
    struct { struct kvm_cpuid2 head; struct kvm_cpuid_entry2 entries[256]; } cpuid = {{256}};
    ioctl(kvm, KVM_GET_SUPPORTED_CPUID, &cpuid);
    ioctl(cpu, KVM_SET_CPUID2, &cpuid);
    struct kvm_run *run =
        mmap(0, ioctl(kvm, KVM_GET_VCPU_MMAP_SIZE, 0), PROT_READ | PROT_WRITE, MAP_SHARED, cpu, 0);
    struct kvm_sregs system;
    ioctl(cpu, KVM_GET_SREGS, &system);
    system.cs = flat(0x10, 11, 1);
    system.ds = system.es = system.fs = system.gs = system.ss = flat(0x18, 3, 0);
    system.cr0 = 0x80000031;
    system.cr3 = TABLES;
    system.cr4 = 0x20;
    system.efer = 0x500;
    must(ioctl(cpu, KVM_SET_SREGS, &system) == 0, "KVM_SET_SREGS");
    struct kvm_regs registers = {.rip = CODE, .rflags = 2};
    must(ioctl(cpu, KVM_SET_REGS, &registers) == 0, "KVM_SET_REGS");
    double start = 0;
    for (long made = 0; made < warm + measured;) {
        if (made == warm && start == 0)
            start = now();
        must(ioctl(cpu, KVM_RUN, 0) == 0, "KVM_RUN");
        if (run->exit_reason == KVM_EXIT_MMIO && !run->mmio.is_write) {
            memset(run->mmio.data, 0, 8);
            made++;
        }
    }
    printf("%.1f\n", (now() - start) / measured);
    return 0;
}
