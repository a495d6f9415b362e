/*
 * What a payload costs under a loop in C: kvm-loop exits|rings PAYLOAD WARM COUNT prints nanoseconds for
 * each. exits: the payload loads from a device. rings: it rings a doorbell, a thread that waits for it
 * answers by an interrupt.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define SIZE (8 << 20)
#define CODE 0x100000
#define TABLES 0x10000
#define BELL 0xd0001000
#define MSI_ROUTE 24

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

static long warm, measured;
static int bell, interrupt;

/* Answers the bell, and ends the process once enough was counted. */
static void *worker(void *unused) {
    (void)unused;
    int epoll = epoll_create1(0);
    struct epoll_event event = {.events = EPOLLIN};
    must(epoll_ctl(epoll, EPOLL_CTL_ADD, bell, &event) == 0, "epoll_ctl");
    double start = 0;
    for (long made = 0;;) {
        uint64_t rung;
        must(epoll_wait(epoll, &event, 1, -1) == 1, "epoll_wait");
        must(read(bell, &rung, sizeof rung) == sizeof rung, "read of the bell");
        if (++made == warm)
            start = now();
        if (made == warm + measured) {
            printf("%.1f\n", (now() - start) / measured);
            fflush(stdout);
            _exit(0);
        }
        must(eventfd_write(interrupt, 1) == 0, "write of the interrupt");
    }
}

static void ring(int vm) {
    bell = eventfd(0, EFD_NONBLOCK);
    interrupt = eventfd(0, EFD_NONBLOCK);
    struct kvm_ioeventfd door = {.addr = BELL, .fd = bell};
    must(ioctl(vm, KVM_IOEVENTFD, &door) == 0, "KVM_IOEVENTFD");
    struct { struct kvm_irq_routing head; struct kvm_irq_routing_entry entry; } routes = {.head.nr = 1};
    routes.entry.gsi = MSI_ROUTE;
    routes.entry.type = KVM_IRQ_ROUTING_MSI;
    routes.entry.u.msi.address_lo = 0xfee00000;
    routes.entry.u.msi.data = 0x40;
    must(ioctl(vm, KVM_SET_GSI_ROUTING, &routes) == 0, "KVM_SET_GSI_ROUTING");
    struct kvm_irqfd irqfd = {.fd = interrupt, .gsi = MSI_ROUTE};
    must(ioctl(vm, KVM_IRQFD, &irqfd) == 0, "KVM_IRQFD");
    pthread_t thread;
    must(pthread_create(&thread, NULL, worker, NULL) == 0, "pthread_create");
}

int main(int count, char **arguments) {
    must(count == 5, "usage: kvm-loop exits|rings PAYLOAD WARM COUNT");
    int rings = strcmp(arguments[1], "rings") == 0;
    warm = atol(arguments[3]);
    measured = atol(arguments[4]);
    int kvm = open("/dev/kvm", O_RDWR), vm = ioctl(kvm, KVM_CREATE_VM, 0);
    must(vm >= 0, "KVM_CREATE_VM");
    ioctl(vm, KVM_SET_TSS_ADDR, 0xfffbc000);
    uint64_t map = 0xfffbf000;
    ioctl(vm, KVM_SET_IDENTITY_MAP_ADDR, &map);
    must(ioctl(vm, KVM_CREATE_IRQCHIP, 0) == 0, "KVM_CREATE_IRQCHIP");
    char *memory = mmap(0, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    struct kvm_userspace_memory_region region = {.memory_size = SIZE, .userspace_addr = (uintptr_t)memory};
    must(ioctl(vm, KVM_SET_USER_MEMORY_REGION, &region) == 0, "KVM_SET_USER_MEMORY_REGION");
    FILE *payload = fopen(arguments[2], "rb");
    must(payload && fread(memory + CODE, 1, 4096, payload) > 0, arguments[2]);
    uint64_t *tables = (uint64_t *)(memory + TABLES);
    tables[0] = (TABLES + 0x1000) | 3;
    for (int i = 0; i < 4; i++)
        tables[512 + i] = (TABLES + 0x2000 + 0x1000 * i) | 3;
    for (uint64_t i = 0; i < 2048; i++)
        tables[1024 + i] = (i << 21) | 0x83;
    int cpu = ioctl(vm, KVM_CREATE_VCPU, 0);
    must(cpu >= 0, "KVM_CREATE_VCPU");
    struct { struct kvm_cpuid2 head; struct kvm_cpuid_entry2 entries[256]; } cpuid = {.head.nent = 256};
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
    if (rings) {
        ring(vm);
        for (;;)
            must(ioctl(cpu, KVM_RUN, 0) == 0 || errno == EINTR, "KVM_RUN");
    }
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
