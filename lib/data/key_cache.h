/* A cache before a dictionary: the numbers of short keys, for files of millions of them. Level:
 * data. */
#ifndef AR_DATA_KEY_CACHE_H
#define AR_DATA_KEY_CACHE_H

#include "core/status.h"

#include <string.h>

enum { AR_KEY_CACHE_READ = 16, AR_KEY_CACHE_LONGEST = 12, AR_KEY_CACHE_WAYS = 4 };

#define AR_KEY_NO_VALUE UINT32_MAX

/* A key of at most AR_KEY_CACHE_LONGEST bytes, none of them 0. */
typedef struct ar_cached_key {
    uint64_t low;   /* its first eight bytes; never 0 */
    uint32_t high;  /* the other four */
    uint32_t value; /* of a whole number of at most eight digits, the first not 0; or NO_VALUE */
} ar_cached_key;

/* One cache line. A place whose `low` is 0 is free, and all of it is 0. */
typedef struct ar_key_bucket {
    uint64_t low[AR_KEY_CACHE_WAYS];
    uint32_t high[AR_KEY_CACHE_WAYS];
    int32_t number[AR_KEY_CACHE_WAYS];
} ar_key_bucket;

/* A zeroed ar_key_cache keeps nothing. It grows with the keys that it meets, so that the lookup of
 * one of them touches one cache line; past some millions of keys later ones take the places of
 * earlier ones. Keys that are numbers, as most shops have, are not even compared: the key's value
 * is its place. */
typedef struct ar_key_cache {
    int32_t *by_value; /* [values] the number of the key with this value, plus 1; 0: none */
    int64_t values, values_most;
    ar_key_bucket *buckets; /* [2^bits] of the other keys */
    int bits;
    int64_t held;
} ar_key_cache;

/* Makes room for the first keys of a text of `size` bytes. */
alterrec_status ar_key_cache_create(ar_key_cache *cache, int64_t size);
void ar_key_cache_free(ar_key_cache *cache);

/* Keeps a key that the cache does not hold. */
alterrec_status ar_key_cache_insert(ar_key_cache *cache, const ar_cached_key *key, int32_t number);

/* Eight bytes, the first one lowest. */
static inline uint64_t ar_key_cache_word(const char *bytes) {
    uint64_t word;
    memcpy(&word, bytes, sizeof word);
    return word;
}

/* The value of the key whose bytes fill the upper ones of `word`, from bit `from` on; the others
 * are 0. */
static inline uint32_t ar_key_cache_value(uint64_t word, unsigned from) {
    const uint64_t ones = 0x0101010101010101u;
    uint64_t digits = word ^ (ones * '0') << from;
    uint64_t others = ((digits + ones * (0x7F - 9)) | digits) & (ones << 7);
    bool leading_zero = (word >> from & 0xFF) == '0';
    digits = digits * 10 + (digits >> 8);
    digits = (digits & 0x00FF00FF00FF00FFu) * 100 + ((digits >> 16) & 0x00FF00FF00FF00FFu);
    digits = (digits & 0x0000FFFF0000FFFFu) * 10000 + ((digits >> 32) & 0x0000FFFF0000FFFFu);
    return others != 0 || leading_zero ? AR_KEY_NO_VALUE : (uint32_t)digits;
}

/* The key of `length` bytes at `key`, of which AR_KEY_CACHE_READ must be readable; 0 < length <=
 * AR_KEY_CACHE_LONGEST. */
static inline ar_cached_key ar_key_cache_key(const char *key, size_t length) {
    uint64_t low = ar_key_cache_word(key);
    if (length <= 8) {
        unsigned unused = 64 - 8 * (unsigned)length;
        low <<= unused;
        return (ar_cached_key){.low = low >> unused, .value = ar_key_cache_value(low, unused)};
    }
    uint64_t high = ar_key_cache_word(key + 8) & ~(~(uint64_t)0 << (8 * (length - 8)));
    return (ar_cached_key){.low = low, .high = (uint32_t)high, .value = AR_KEY_NO_VALUE};
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

/* The number of a key, -1 if neither its value's place nor its bucket holds it. */
static inline int32_t ar_key_cache_look(const ar_key_cache *cache, const ar_cached_key *wanted) {
    return wanted->value < cache->values
               ? cache->by_value[wanted->value] - 1
               : ar_key_bucket_find(ar_key_cache_bucket(cache, wanted), wanted);
}

/* Fetches ahead where ar_key_cache_look will look. */
static inline void ar_key_cache_prefetch(const ar_key_cache *cache, const ar_cached_key *wanted) {
    if (wanted->value < cache->values)
        __builtin_prefetch(&cache->by_value[wanted->value]);
    else
        __builtin_prefetch(ar_key_cache_bucket(cache, wanted));
}

/* The number of a key, -1 if the cache does not hold it. */
int32_t ar_key_cache_find(const ar_key_cache *cache, const ar_cached_key *wanted);

#endif
