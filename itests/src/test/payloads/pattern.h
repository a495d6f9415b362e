/* What the host and the payload agree that a sector holds: 64 numbers of 64 bits, each told by where
 * it is and by a key. */
#ifndef PATTERN_H
#define PATTERN_H
#include "runtime.h"

#define HOST_KEY 0x686f7374
#define GUEST_KEY 0x6775657374

static inline u64 pattern(u64 key, u64 sector, u32 word)
{
    return (key << 24 ^ (sector * 64 + word)) * 0x9e3779b97f4a7c15;
}

static inline void fill_pattern(u64 *to, u64 key, u64 sector, u32 sectors)
{
    for (u32 s = 0; s < sectors; s++)
        for (u32 w = 0; w < 64; w++)
            *to++ = pattern(key, sector + s, w);
}

static inline bool has_pattern(const u64 *from, u64 key, u64 sector, u32 sectors)
{
    for (u32 s = 0; s < sectors; s++)
        for (u32 w = 0; w < 64; w++)
            if (*from++ != pattern(key, sector + s, w))
                return false;
    return true;
}
#endif
