/* A cache before a dictionary: the numbers of short keys, for files of millions of them. Level:
 * data. */
#ifndef AR_DATA_KEY_CACHE_H
#define AR_DATA_KEY_CACHE_H

#include "core/status.h"

#include <string.h>

enum { AR_KEY_CACHE_READ = 16, AR_KEY_CACHE_LONGEST = 12, AR_KEY_CACHE_WAYS = 4 };

/* A key of at most AR_KEY_CACHE_LONGEST bytes, none of them 0. */
typedef struct ar_cached_key {
    uint64_t low;  /* its first eight bytes; never 0 */
    uint32_t high; /* the other four */
} ar_cached_key;

/* One cache line. A place whose `low` is 0 is free, and all of it is 0. */
typedef struct ar_key_bucket {
    uint64_t low[AR_KEY_CACHE_WAYS];
    uint32_t high[AR_KEY_CACHE_WAYS];
    int32_t number[AR_KEY_CACHE_WAYS];
} ar_key_bucket;

/* A zeroed ar_key_cache keeps nothing. It grows with the keys that it meets, so that the lookup of
 * one of them touches one cache line; past some millions of keys later ones take the places of
 * earlier ones. */
typedef struct ar_key_cache {
    ar_key_bucket *buckets; /* [2^bits] */
    int bits;
    int64_t held;
} ar_key_cache;

/* Makes room for the first keys. */
alterrec_status ar_key_cache_create(ar_key_cache *cache);
void ar_key_cache_free(ar_key_cache *cache);

/* Keeps a key that the cache does not hold. */
alterrec_status ar_key_cache_insert(ar_key_cache *cache, const ar_cached_key *key, int32_t number);

/* Eight bytes, the first one lowest. */
static inline uint64_t ar_key_cache_word(const char *bytes) {
    uint64_t word;
    memcpy(&word, bytes, sizeof word);
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

/* The key of `length` bytes at `key`, of which AR_KEY_CACHE_READ must be readable; 0 < length <=
 * AR_KEY_CACHE_LONGEST. */
static inline ar_cached_key ar_key_cache_key(const char *key, size_t length) {
    const uint64_t all = ~(uint64_t)0;
    uint64_t low = ar_key_cache_word(key);
    if (length < 8)
        return (ar_cached_key){.low = low & ~(all << (8 * length))};
    uint64_t high = ar_key_cache_word(key + 8) & ~(all << (8 * (length - 8)));
    return (ar_cached_key){.low = low, .high = (uint32_t)high};
}

/* Takes the key at `key` up to the next space or control character; false, and then *wanted says
 * nothing, if it is too long. AR_KEY_CACHE_READ bytes must be readable. */
static inline bool ar_key_cache_take(ar_cached_key *wanted, size_t *length, const char *key) {
    *length = ar_key_cache_length(ar_key_cache_word(key));
    if (*length == 8)
        *length += ar_key_cache_length(ar_key_cache_word(key + 8));
    if (*length > AR_KEY_CACHE_LONGEST)
        return false;
    *wanted = ar_key_cache_key(key, *length);
    return true;
}

/* The bucket of a key. */
static inline ar_key_bucket *ar_key_cache_bucket(const ar_key_cache *cache,
                                                 const ar_cached_key *wanted) {
    uint64_t hash = wanted->low ^ (uint64_t)wanted->high << 31;
    hash = (hash ^ hash >> 29) * 0x9E3779B97F4A7C15u;
    return &cache->buckets[hash >> (64 - cache->bits)];
}

/* The bucket that takes what does not fit into `bucket`. */
static inline ar_key_bucket *ar_key_cache_next(const ar_key_cache *cache,
                                               const ar_key_bucket *bucket) {
    int64_t next = bucket - cache->buckets + 1;
    return &cache->buckets[next & (((int64_t)1 << cache->bits) - 1)];
}

/* The number of a key, -1 if the bucket does not hold it. Looks at the whole bucket without a
 * branch: where in it a key stands is as good as random. */
static inline int32_t ar_key_bucket_find(const ar_key_bucket *bucket, const ar_cached_key *wanted) {
    uint32_t found = 0; /* the number, plus 1 */
    for (int i = 0; i < AR_KEY_CACHE_WAYS; i++) {
        uint64_t other = (bucket->low[i] ^ wanted->low) | (bucket->high[i] ^ wanted->high);
        found |= ((uint32_t)bucket->number[i] + 1) & (0u - (uint32_t)(other == 0));
    }
    return (int32_t)(found - 1);
}

/* The number of a key, -1 if the cache does not hold it. */
int32_t ar_key_cache_find(const ar_key_cache *cache, const ar_cached_key *wanted);

#endif
