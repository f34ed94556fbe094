#include "data/key_cache.h"

#include "core/limit.h"
#include "core/memory.h"

enum { BITS_FIRST = 8, BITS_MOST = 20, VALUES_MOST = 1 << 24 };

alterrec_status ar_key_cache_create(ar_key_cache *cache, int64_t size) {
    /* What is cleared for values is less than is read, however sparse they are. */
    *cache = (ar_key_cache){.bits = BITS_FIRST, .values_most = ar_at_most(size / 16, VALUES_MOST)};
    AR_NEW(cache->buckets, (int64_t)1 << BITS_FIRST);
    return ALTERREC_OK;
}

void ar_key_cache_free(ar_key_cache *cache) {
    ar_free(cache->by_value);
    ar_free(cache->buckets);
    *cache = (ar_key_cache){0};
}

static int places_taken(const ar_key_bucket *bucket) {
    int taken = 0;
    while (taken < AR_KEY_CACHE_WAYS && bucket->low[taken] != 0)
        taken++;
    return taken;
}

/* Puts the key into its bucket or, that being full, into the next one; in two full ones it takes
 * the last place of its own. */
static void put(ar_key_cache *cache, const ar_cached_key *key, int32_t number) {
    ar_key_bucket *bucket = ar_key_cache_bucket(cache, key);
    int place = places_taken(bucket);
    if (place == AR_KEY_CACHE_WAYS) {
        ar_key_bucket *next = ar_key_cache_next(cache, bucket);
        place = places_taken(next);
        if (place < AR_KEY_CACHE_WAYS)
            bucket = next;
        else
            place = AR_KEY_CACHE_WAYS - 1;
    }
    cache->held += bucket->low[place] == 0;
    bucket->low[place] = key->low;
    bucket->high[place] = key->high;
    bucket->number[place] = number;
}

static alterrec_status grow(ar_key_cache *cache) {
    ar_key_cache larger = {.bits = cache->bits + 1};
    AR_NEW(larger.buckets, (int64_t)1 << larger.bits);
    for (int64_t b = 0; b < (int64_t)1 << cache->bits; b++) {
        const ar_key_bucket *bucket = &cache->buckets[b];
        for (int i = 0; i < AR_KEY_CACHE_WAYS && bucket->low[i] != 0; i++)
            put(&larger, &(ar_cached_key){.low = bucket->low[i], .high = bucket->high[i]},
                bucket->number[i]);
    }
    ar_free(cache->buckets);
    cache->buckets = larger.buckets;
    cache->bits = larger.bits;
    cache->held = larger.held;
    return ALTERREC_OK;
}

alterrec_status ar_key_cache_insert(ar_key_cache *cache, const ar_cached_key *key, int32_t number) {
    if (key->value < ar_at_least(cache->values_most, cache->values)) {
        void *by_value = cache->by_value;
        AR_TRY(
            ar_grow(&by_value, &cache->values, (int64_t)key->value + 1, sizeof *cache->by_value));
        cache->by_value = by_value;
        cache->by_value[key->value] = number + 1;
        return ALTERREC_OK;
    }
    /* At most two keys a bucket, so that few buckets overflow, and hardly any into a full one. */
    if (cache->bits < BITS_MOST && cache->held >= (int64_t)2 << cache->bits)
        AR_TRY(grow(cache));
    put(cache, key, number);
    return ALTERREC_OK;
}

int32_t ar_key_cache_find(const ar_key_cache *cache, const ar_cached_key *wanted) {
    int32_t number = ar_key_cache_look(cache, wanted);
    const ar_key_bucket *bucket = ar_key_cache_bucket(cache, wanted);
    if (number >= 0 || bucket->low[AR_KEY_CACHE_WAYS - 1] == 0)
        return number;
    return ar_key_bucket_find(ar_key_cache_next(cache, bucket), wanted);
}
