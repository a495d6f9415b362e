/*
 * load: keeps writes of 4 KiB in flight at random blocks of a disk, until a line comes on standard
 * input, and then reads everything back. It runs in the guest, which has no C library: Linux is
 * asked directly (riscv64: number in a7, arguments from a0 on, result in a0).
 *
 *   load DEVICE BLOCKS WINDOW_MS DEPTH
 *
 * Time is cut into windows of equal length, one after the other. At the end of each a line
 *   <load> window N gap NS writes COUNT
 * tells the longest time without a completion that began in it; the next window begins with it.
 * After the line on standard input
 *   <load> done writes W errors E duplicates D lost L blocks B wrong X
 * where W writes were submitted, E of them failed or were short, D completions came for a write
 * that was not in flight, L writes never completed, B blocks were written at least once, and X
 * blocks do not read as what was last written there.
 */
typedef unsigned long u64;
typedef unsigned int u32;
typedef unsigned short u16;
typedef long s64;

#define AT_FDCWD (-100)
#define O_RDWR 02
#define O_DIRECT 040000
#define POLLIN 1

enum {
    SYS_IO_SETUP = 0,
    SYS_IO_SUBMIT = 2,
    SYS_IO_GETEVENTS = 4,
    SYS_OPENAT = 56,
    SYS_READ = 63,
    SYS_WRITE = 64,
    SYS_PREAD64 = 67,
    SYS_PPOLL = 73,
    SYS_FDATASYNC = 83,
    SYS_EXIT_GROUP = 94
};

static s64 ask(long number, s64 a, s64 b, s64 c, s64 d, s64 e) {
    register s64 a0 asm("a0") = a;
    register s64 a1 asm("a1") = b;
    register s64 a2 asm("a2") = c;
    register s64 a3 asm("a3") = d;
    register s64 a4 asm("a4") = e;
    register long a7 asm("a7") = number;
    asm volatile("ecall" : "+r"(a0) : "r"(a1), "r"(a2), "r"(a3), "r"(a4), "r"(a7) : "memory");
    return a0;
}

/* Linux, include/uapi/linux/aio_abi.h, little-endian. */
struct iocb {
    u64 data;
    u32 key;
    u32 rw_flags;
    u16 opcode;
    u16 priority;
    u32 file;
    u64 buffer;
    u64 bytes;
    s64 offset;
    u64 reserved;
    u32 flags;
    u32 event;
};
struct io_event {
    u64 data;
    u64 iocb;
    s64 result;
    s64 result2;
};
struct timespec {
    s64 seconds;
    s64 nanoseconds;
};
struct pollfd {
    int file;
    short events;
    short found;
};

#define IOCB_CMD_PWRITE 1

#define BLOCK 4096
#define WORDS (BLOCK / 8)
#define MAX_DEPTH 64
#define MAX_BLOCKS 65536
#define READ_BLOCKS 16

/* A write that has not completed after so long never will. */
#define LOST_SECONDS 60

static char buffers[MAX_DEPTH][BLOCK] __attribute__((aligned(BLOCK)));
static char read_back[READ_BLOCKS * BLOCK] __attribute__((aligned(BLOCK)));
static struct iocb requests[MAX_DEPTH];
static struct iocb *batch[MAX_DEPTH];
static struct io_event events[MAX_DEPTH];

/* By request: the sequence number of the write in flight, 0 if there is none, and its block. */
static u64 flying[MAX_DEPTH];
static u64 target[MAX_DEPTH];

/* By block: the sequence number of what was written last, and whether a write is in flight. */
static u64 written[MAX_BLOCKS];
static char busy[MAX_BLOCKS];

static u64 sequence;
static u64 randomness = 88172645463325252UL;

/* --- Text ---------------------------------------------------------------------------------- */

static char line[256];
static int line_length;

static void text(const char *words) {
    while (*words) {
        line[line_length++] = *words++;
    }
}

static void number(u64 value) {
    char digits[20];
    int count = 0;
    do {
        digits[count++] = '0' + value % 10;
        value /= 10;
    } while (value);
    while (count) {
        line[line_length++] = digits[--count];
    }
}

static void field(const char *name, u64 value) {
    text(name);
    number(value);
}

static void say(void) {
    int told = 0;
    line[line_length++] = '\n';
    while (told < line_length) {
        s64 n = ask(SYS_WRITE, 1, (s64) (line + told), line_length - told, 0, 0);
        if (n <= 0) {
            ask(SYS_EXIT_GROUP, 2, 0, 0, 0, 0);
        }
        told += n;
    }
    line_length = 0;
}

static void die(const char *what, s64 error) {
    text("<load> failed: ");
    text(what);
    field(", error ", error < 0 ? -error : error);
    say();
    ask(SYS_EXIT_GROUP, 1, 0, 0, 0, 0);
}

static u64 parsed(const char *digits) {
    u64 value = 0;
    while (*digits >= '0' && *digits <= '9') {
        value = value * 10 + (*digits++ - '0');
    }
    return value;
}

/* --- Time ---------------------------------------------------------------------------------- */

static u64 frequency;

static u64 now(void) {
    u64 time;
    asm volatile("rdtime %0" : "=r"(time) : : "memory");
    return time;
}

static void read_frequency(void) {
    unsigned char cell[4] = {0};
    s64 file = ask(SYS_OPENAT, AT_FDCWD,
                   (s64) "/sys/firmware/devicetree/base/cpus/timebase-frequency", 0, 0, 0);
    if (file < 0 || ask(SYS_READ, file, (s64) cell, 4, 0, 0) != 4) {
        die("the device tree's timebase-frequency", file);
    }
    frequency = (u64) cell[0] << 24 | cell[1] << 16 | cell[2] << 8 | cell[3];
}

/* --- Contents: every word of a block depends on its number and on its sequence number ------- */

static u64 key(u64 block, u64 seq) {
    u64 k = (block << 32 ^ seq) * 0x9e3779b97f4a7c15UL;
    return k ^ k >> 29;
}

static void fill(u64 *words, u64 block, u64 seq) {
    u64 value = key(block, seq), sum = block + seq;
    words[0] = block;
    words[1] = seq;
    for (int i = 2; i < WORDS - 1; i++) {
        value += 0xd1342543de82ef95UL;
        words[i] = value;
        sum += value;
    }
    words[WORDS - 1] = sum;
}

static int is_right(const u64 *words, u64 block, u64 seq) {
    u64 value = key(block, seq), sum = block + seq;
    if (seq == 0) {
        for (int i = 0; i < WORDS; i++) {
            if (words[i]) {
                return 0;
            }
        }
        return 1;
    }
    if (words[0] != block || words[1] != seq) {
        return 0;
    }
    for (int i = 2; i < WORDS - 1; i++) {
        value += 0xd1342543de82ef95UL;
        if (words[i] != value) {
            return 0;
        }
        sum += value;
    }
    return words[WORDS - 1] == sum;
}

/* --- The load ------------------------------------------------------------------------------ */

static u64 next_random(void) {
    randomness ^= randomness << 13;
    randomness ^= randomness >> 7;
    randomness ^= randomness << 17;
    return randomness;
}

/* The order of two writes to one block means nothing: one at a time. */
static u64 free_block(u64 blocks) {
    u64 block;
    do {
        block = (next_random() >> 16) % blocks;
    } while (busy[block]);
    return block;
}

static void prepare(int slot, int file, u64 blocks) {
    struct iocb *request = &requests[slot];
    u64 block = free_block(blocks);
    busy[block] = 1;
    target[slot] = block;
    flying[slot] = ++sequence;
    fill((u64 *) buffers[slot], block, sequence);
    /* The request is told apart by its sequence number too: a second completion of an earlier one
       is no completion of this one. */
    request->data = sequence * MAX_DEPTH + slot;
    request->opcode = IOCB_CMD_PWRITE;
    request->file = file;
    request->buffer = (u64) buffers[slot];
    request->bytes = BLOCK;
    request->offset = block * BLOCK;
}

static void submit(u64 context, int count) {
    int done = 0;
    while (done < count) {
        s64 n = ask(SYS_IO_SUBMIT, context, count - done, (s64) (batch + done), 0, 0);
        if (n <= 0) {
            die("io_submit", n);
        }
        done += n;
    }
}

static int told_to_stop(void) {
    struct pollfd input = {0, POLLIN, 0};
    struct timespec none = {0, 0};
    char ignored[64];
    if (ask(SYS_PPOLL, (s64) &input, 1, (s64) &none, 0, 0) != 1) {
        return 0;
    }
    ask(SYS_READ, 0, (s64) ignored, sizeof ignored, 0, 0);
    return 1;
}

static u64 wrong_blocks(int file, u64 blocks, u64 *touched) {
    u64 wrong = 0;
    for (u64 block = 0; block < blocks; block += READ_BLOCKS) {
        u64 count = blocks - block < READ_BLOCKS ? blocks - block : READ_BLOCKS;
        s64 n = ask(SYS_PREAD64, file, (s64) read_back, count * BLOCK, block * BLOCK, 0);
        if (n != (s64) (count * BLOCK)) {
            die("reading back", n);
        }
        for (u64 i = 0; i < count; i++) {
            *touched += written[block + i] != 0;
            wrong += !is_right((u64 *) (read_back + i * BLOCK), block + i, written[block + i]);
        }
    }
    return wrong;
}

static int run(long count, char **arguments) {
    u64 blocks = count > 2 ? parsed(arguments[2]) : 0;
    u64 milliseconds = count > 3 ? parsed(arguments[3]) : 0;
    u64 depth = count > 4 ? parsed(arguments[4]) : 0;
    u64 context = 0, window = 0, completed = 0, errors = 0, duplicates = 0, in_window = 0, gap = 0;
    u64 length, end, last, wrong, touched = 0, in_flight = 0;
    int stopping = 0;
    if (depth == 0 || depth > MAX_DEPTH || blocks <= depth || blocks > MAX_BLOCKS || !milliseconds) {
        die("usage: load DEVICE BLOCKS WINDOW_MS DEPTH", 22);
    }
    s64 file = ask(SYS_OPENAT, AT_FDCWD, (s64) arguments[1], O_RDWR | O_DIRECT, 0, 0);
    if (file < 0) {
        die(arguments[1], file);
    }
    s64 setup = ask(SYS_IO_SETUP, MAX_DEPTH, (s64) &context, 0, 0, 0);
    if (setup < 0) {
        die("io_setup", setup);
    }
    read_frequency();
    length = frequency * milliseconds / 1000;
    for (u64 slot = 0; slot < depth; slot++) {
        prepare(slot, file, blocks);
        batch[slot] = &requests[slot];
    }
    in_flight = depth;
    last = now();
    end = last + length;
    submit(context, depth);
    while (in_flight) {
        struct timespec bound = {LOST_SECONDS, 0};
        s64 n = ask(SYS_IO_GETEVENTS, context, 1, MAX_DEPTH, (s64) events, (s64) &bound);
        u64 time = now();
        int again = 0;
        if (n <= 0) {
            break;
        }
        if (time - last > gap) {
            gap = time - last;
        }
        last = time;
        in_window += n;
        if (time >= end) {
            field("<load> window ", window++);
            field(" gap ", gap * 1000000000 / frequency);
            field(" writes ", in_window);
            say();
            gap = in_window = 0;
            end = time + length;
            stopping |= told_to_stop();
        }
        for (int i = 0; i < n; i++) {
            u64 slot = events[i].data % MAX_DEPTH;
            u64 seq = events[i].data / MAX_DEPTH;
            if (seq == 0 || flying[slot] != seq) {
                duplicates++;
                continue;
            }
            completed++;
            errors += events[i].result != BLOCK;
            written[target[slot]] = seq;
            busy[target[slot]] = 0;
            flying[slot] = 0;
            in_flight--;
            if (!stopping) {
                prepare(slot, file, blocks);
                batch[again++] = &requests[slot];
            }
        }
        in_flight += again;
        submit(context, again);
    }
    ask(SYS_FDATASYNC, file, 0, 0, 0, 0);
    wrong = wrong_blocks(file, blocks, &touched);
    field("<load> done writes ", sequence);
    field(" errors ", errors);
    field(" duplicates ", duplicates);
    field(" lost ", sequence - completed);
    field(" blocks ", touched);
    field(" wrong ", wrong);
    say();
    return errors || duplicates || wrong || sequence != completed;
}

__attribute__((used)) static void enter(long *stack) {
    ask(SYS_EXIT_GROUP, run(stack[0], (char **) (stack + 1)), 0, 0, 0, 0);
}

/* Linux enters with the count of arguments and their addresses at the top of the stack. */
asm(".globl _start\n_start:\n  mv a0, sp\n  andi sp, sp, -16\n  call enter\n");
