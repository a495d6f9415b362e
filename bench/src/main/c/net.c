/*
 * net: both ends of the network figures, the same program in the guest and on the host.
 *
 *   net serve PORT                     serves one connection after the other
 *   net send ADDRESS PORT BYTES       sends so many and waits until the other end has read them
 *   net receive ADDRESS PORT BYTES    asks for so many and reads them
 *   net ask ADDRESS PORT COUNT        sends one byte and waits for one, so often
 *
 * The asking end prints a line with nanoseconds: of the whole transfer, or of each request, the
 * median and the 99th percentile of nearest rank. A connection begins with a letter and a number.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { PIECE = 1 << 16, MAX_REQUESTS = 1000000 };

struct order {
    uint64_t what;
    uint64_t count;
};

static char buffer[PIECE];

static void fail(const char *what) {
    fprintf(stderr, "net: %s: %s\n", what, strerror(errno));
    exit(1);
}

static uint64_t now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t) time.tv_sec * 1000000000u + (uint64_t) time.tv_nsec;
}

/* False if the other end has closed. */
static int take(int peer, void *into, uint64_t bytes) {
    for (char *at = into; bytes > 0;) {
        ssize_t n = read(peer, at, bytes);
        if (n < 0) {
            fail("read");
        }
        if (n == 0) {
            return 0;
        }
        at += n;
        bytes -= (uint64_t) n;
    }
    return 1;
}

static void give(int peer, const void *from, uint64_t bytes) {
    for (const char *at = from; bytes > 0;) {
        ssize_t n = write(peer, at, bytes);
        if (n < 0) {
            fail("write");
        }
        at += n;
        bytes -= (uint64_t) n;
    }
}

static void pour(int peer, uint64_t bytes) {
    while (bytes > 0) {
        uint64_t piece = bytes < PIECE ? bytes : PIECE;
        give(peer, buffer, piece);
        bytes -= piece;
    }
}

/* Reads as much as comes at a time. */
static void drain(int peer, uint64_t bytes) {
    while (bytes > 0) {
        ssize_t n = read(peer, buffer, bytes < PIECE ? bytes : PIECE);
        if (n <= 0) {
            fail("the transfer ended early");
        }
        bytes -= (uint64_t) n;
    }
}

static struct sockaddr_in place(const char *address, const char *port) {
    struct sockaddr_in place = {.sin_family = AF_INET, .sin_port = htons((uint16_t) atoi(port))};
    if (inet_pton(AF_INET, address, &place.sin_addr) != 1) {
        fail("address");
    }
    return place;
}

static void at_once(int peer) {
    int on = 1;
    if (setsockopt(peer, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) < 0) {
        fail("TCP_NODELAY");
    }
}

static void serve(const char *port) {
    struct sockaddr_in here = place("0.0.0.0", port);
    int on = 1, listener = socket(AF_INET, SOCK_STREAM, 0);
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(listener, (struct sockaddr *) &here, sizeof here) < 0 || listen(listener, 4) < 0) {
        fail("listen");
    }
    puts("listening");
    fflush(stdout);
    for (;;) {
        int peer = accept(listener, NULL, NULL);
        if (peer < 0) {
            fail("accept");
        }
        at_once(peer);
        struct order order;
        if (take(peer, &order, sizeof order)) {
            if (order.what == 's') {
                drain(peer, order.count);
                give(peer, buffer, 1);
            } else if (order.what == 'r') {
                pour(peer, order.count);
            } else {
                while (take(peer, buffer, 1)) {
                    give(peer, buffer, 1);
                }
            }
        }
        close(peer);
    }
}

static int up(const void *a, const void *b) {
    uint64_t x = *(const uint64_t *) a, y = *(const uint64_t *) b;
    return (x > y) - (x < y);
}

static void ask(int peer, uint64_t count) {
    uint64_t *times = calloc(count, sizeof *times);
    for (uint64_t i = 0; i < count; i++) {
        uint64_t start = now();
        give(peer, buffer, 1);
        drain(peer, 1);
        times[i] = now() - start;
    }
    qsort(times, count, sizeof *times, up);
    printf("%llu %llu\n", (unsigned long long) times[(count - 1) / 2],
           (unsigned long long) times[(count * 99 - 1) / 100]);
}

int main(int count, char **words) {
    if (count == 3 && strcmp(words[1], "serve") == 0) {
        serve(words[2]);
    }
    if (count != 5) {
        fputs("net: serve PORT, or send|receive|ask ADDRESS PORT COUNT\n", stderr);
        return 2;
    }
    struct sockaddr_in there = place(words[2], words[3]);
    struct order order = {(uint64_t) words[1][0], strtoull(words[4], NULL, 10)};
    int peer = socket(AF_INET, SOCK_STREAM, 0);
    if (connect(peer, (struct sockaddr *) &there, sizeof there) < 0) {
        fail("connect");
    }
    at_once(peer);
    uint64_t start = now();
    give(peer, &order, sizeof order);
    if (order.what == 's') {
        pour(peer, order.count);
        drain(peer, 1);
    } else if (order.what == 'r') {
        drain(peer, order.count);
    } else if (order.count > 0 && order.count <= MAX_REQUESTS) {
        ask(peer, order.count);
        return 0;
    }
    printf("%llu\n", (unsigned long long) (now() - start));
    return 0;
}
