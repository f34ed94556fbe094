/* A cache before a dictionary: the numbers of short keys, for files of millions of them. Level:
 * data. */
#ifndef AR_DATA_KEY_CACHE_H
#define AR_DATA_KEY_CACHE_H

#include "core/memory.h"

#include <string.h>

enum { AR_KEY_CACHE_BITS = 15, AR_KEY_CACHE_READ = 16, AR_KEY_CACHE_LONGEST = 12 };

/* A key of at most AR_KEY_CACHE_LONGEST bytes, none of them 0. Sixteen bytes, so that four of them
 * share a cache line. */
typedef struct ar_cached_key {
    uint64_t low;  /* its first eight bytes; 0: nothing is kept here */
    uint32_t high; /* the other four */
    int32_t number;
} ar_cached_key;

/* A zeroed ar_key_cache keeps nothing. */
typedef struct ar_key_cache {
    ar_cached_key *keys; /* [2^AR_KEY_CACHE_BITS], each in the one place that its bytes give */
} ar_key_cache;

/* Eight bytes, the first one lowest. */
static inline uint64_t ar_key_cache_word(const char *bytes) {
    uint64_t word;
    memcpy(&word, bytes, sizeof word);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    word = __builtin_bswap64(word);
#endif
    return word;
}

/* How many of the word's bytes stand before the first one that is a space or a control character.
 */
static inline size_t ar_key_cache_length(uint64_t word) {
    const uint64_t ones = 0x0101010101010101u;
    uint64_t inside = (((word & (ones * 0x7F)) + ones * (0x7F - ' ')) | word) & (ones << 7);
    uint64_t outside = inside ^ (ones << 7);
    return outside == 0 ? 8 : (size_t)__builtin_ctzll(outside) / 8;
}

/* Takes the key at `key` up to the next space or control character; false, and then *wanted says
 * nothing, if it is too long. AR_KEY_CACHE_READ bytes must be readable. */
static inline bool ar_key_cache_take(ar_cached_key *wanted, size_t *length, const char *key) {
    uint64_t all = ~(uint64_t)0, low = ar_key_cache_word(key), high = 0;
    *length = ar_key_cache_length(low);
    if (*length < 8) {
        low &= ~(all << (8 * *length));
    } else {
        high = ar_key_cache_word(key + 8);
        size_t more = ar_key_cache_length(high);
        if (more > AR_KEY_CACHE_LONGEST - 8)
            return false;
        *length += more;
        high &= ~(all << (8 * more));
    }
    *wanted = (ar_cached_key){.low = low, .high = (uint32_t)high};
    return true;
}

/* The place of a key; it holds the key if its words are the key's. */
static inline ar_cached_key *ar_key_cache_place(const ar_key_cache *cache,
                                                const ar_cached_key *wanted) {
    uint64_t hash = wanted->low ^ (uint64_t)wanted->high << 31;
    hash = (hash ^ hash >> 29) * 0x9E3779B97F4A7C15u;
    return &cache->keys[hash >> (64 - AR_KEY_CACHE_BITS)];
}

#endif
