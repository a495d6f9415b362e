/* Load for a guest of the rig: what busybox has no program for.
 *   load write DEVICE FIRST COUNT SUMS   fills 64 KiB blocks, each with numbers of its own, O_DIRECT
 *   load check DEVICE FIRST COUNT        every block has to hold its numbers
 *   load random read|write DEVICE MIB OPERATIONS   4 KiB each at random places; prints nanoseconds
 *   load gap DEVICE STOP    writes, and opens it anew when that fails, until there is a file STOP; prints the
 *                           milliseconds of the longest time between two writes that were done
 *   load echo ADDRESS PORT ROUNDS        a byte each way over TCP; prints nanoseconds
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { BLOCK = 65536, PAGE = 4096 };

static void die(const char *what) {
    fprintf(stderr, "load: %s: %s\n", what, strerror(errno));
    exit(1);
}

static uint64_t now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000000ull + t.tv_nsec;
}

static uint64_t next(uint64_t *x) { /* xorshift */
    *x ^= *x << 13;
    *x ^= *x >> 7;
    *x ^= *x << 17;
    return *x;
}

static void fill(uint64_t *words, uint64_t block) {
    uint64_t x = block * 0x9e3779b97f4a7c15ull + 1;
    for (int i = 0; i < BLOCK / 8; i++) words[i] = next(&x);
}

static void *buffer(void) {
    void *p;
    if (posix_memalign(&p, PAGE, BLOCK)) die("memory");
    return p;
}

static int open_device(const char *path, int flags) {
    int fd = open(path, flags | O_DIRECT);
    if (fd < 0) die(path);
    return fd;
}

/* Tells after each block how many are written, so that others can wait for progress. */
static void tell(const char *path, long done) {
    char part[256];
    snprintf(part, sizeof part, "%s.part", path);
    FILE *f = fopen(part, "w");
    if (!f) die(part);
    fprintf(f, "%ld\n", done);
    if (fclose(f) || rename(part, path)) die(path);
}

static volatile sig_atomic_t stopped;
static void stop(int signal) { (void)signal, stopped = 1; }

static int blocks(int check, char **argv) {
    long first = atol(argv[3]), count = atol(argv[4]), done = 0;
    uint64_t *wanted = buffer(), *found = buffer();
    int fd = open_device(argv[2], check ? O_RDONLY : O_WRONLY);
    signal(SIGTERM, stop);
    /* The writer goes round and round until it is told to stop. */
    for (; check ? done < count : !stopped || done < count; done++) {
        long block = first + done % count;
        fill(wanted, block);
        if (!check) {
            if (pwrite(fd, wanted, BLOCK, block * (off_t)BLOCK) != BLOCK) die("write");
            tell(argv[5], done + 1);
            continue;
        }
        if (pread(fd, found, BLOCK, block * (off_t)BLOCK) != BLOCK) die("read");
        if (memcmp(wanted, found, BLOCK)) {
            fprintf(stderr, "load: block %ld is not what was written\n", block);
            return 1;
        }
    }
    if (!check && fsync(fd)) die("fsync");
    printf("%ld\n", done);
    return 0;
}

static int random_pages(char **argv) {
    int write = !strcmp(argv[2], "write");
    uint64_t pages = strtoull(argv[4], 0, 10) << 8, x = 88172645463325252ull;
    long n = atol(argv[5]);
    char *page = buffer();
    int fd = open_device(argv[3], write ? O_WRONLY : O_RDONLY);
    uint64_t begin = now();
    for (long i = 0; i < n; i++) {
        off_t at = next(&x) % pages * PAGE;
        if ((write ? pwrite(fd, page, PAGE, at) : pread(fd, page, PAGE, at)) != PAGE) die("access");
    }
    printf("%llu\n", (unsigned long long)(now() - begin) / n);
    return 0;
}

static int gap(char **argv) {
    char *block = buffer();
    int fd = -1;
    uint64_t last = now(), longest = 0;
    while (access(argv[3], F_OK)) {
        if (fd < 0) fd = open(argv[2], O_WRONLY | O_DIRECT);
        if (fd >= 0 && pwrite(fd, block, BLOCK, 0) == BLOCK) {
            uint64_t t = now();
            if (t - last > longest) longest = t - last;
            last = t;
            continue;
        }
        if (fd >= 0) close(fd);
        fd = -1;
        usleep(2000);
    }
    printf("%.1f\n", longest / 1e6);
    return 0;
}

static int echo(char **argv) {
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(atoi(argv[3]))};
    int fd = socket(AF_INET, SOCK_STREAM, 0), one = 1;
    long n = atol(argv[4]);
    char byte = 'x';
    if (fd < 0 || !inet_aton(argv[2], &to.sin_addr)) die(argv[2]);
    if (connect(fd, (void *)&to, sizeof to)) die("connect");
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    uint64_t begin = now();
    for (long i = 0; i < n; i++)
        if (write(fd, &byte, 1) != 1 || read(fd, &byte, 1) != 1) die("echo");
    printf("%llu\n", (unsigned long long)(now() - begin) / n);
    return 0;
}

int main(int argc, char **argv) {
    if (argc == 6 && !strcmp(argv[1], "write")) return blocks(0, argv);
    if (argc == 5 && !strcmp(argv[1], "check")) return blocks(1, argv);
    if (argc == 6 && !strcmp(argv[1], "random")) return random_pages(argv);
    if (argc == 4 && !strcmp(argv[1], "gap")) return gap(argv);
    if (argc == 5 && !strcmp(argv[1], "echo")) return echo(argv);
    fprintf(stderr, "load: see its source for usage\n");
    return 2;
}
