#include "data/key_cache.h"

#include "core/memory.h"

enum { BITS_FIRST = 8, BITS_MOST = 20 };

alterrec_status ar_key_cache_create(ar_key_cache *cache) {
    *cache = (ar_key_cache){.bits = BITS_FIRST};
    AR_NEW(cache->buckets, (int64_t)1 << BITS_FIRST);
    return ALTERREC_OK;
}

void ar_key_cache_free(ar_key_cache *cache) {
    ar_free(cache->buckets);
    *cache = (ar_key_cache){0};
}

/* Puts the key into its bucket; in a full one it takes the last place. */
static void put(ar_key_cache *cache, const ar_cached_key *key, int32_t number) {
    ar_key_bucket *bucket = ar_key_cache_bucket(cache, key);
    int i = 0;
    while (i < AR_KEY_CACHE_WAYS - 1 && bucket->low[i] != 0)
        i++;
    cache->held += bucket->low[i] == 0;
    bucket->low[i] = key->low;
    bucket->high[i] = key->high;
    bucket->number[i] = number;
}

static alterrec_status grow(ar_key_cache *cache) {
    ar_key_cache larger = {.bits = cache->bits + 1};
    AR_NEW(larger.buckets, (int64_t)1 << larger.bits);
    for (int64_t b = 0; b < (int64_t)1 << cache->bits; b++) {
        const ar_key_bucket *bucket = &cache->buckets[b];
        for (int i = 0; i < AR_KEY_CACHE_WAYS && bucket->low[i] != 0; i++)
            put(&larger, &(ar_cached_key){bucket->low[i], bucket->high[i]}, bucket->number[i]);
    }
    ar_free(cache->buckets);
    *cache = larger;
    return ALTERREC_OK;
}

alterrec_status ar_key_cache_insert(ar_key_cache *cache, const ar_cached_key *key, int32_t number) {
    /* At most two keys a bucket, so that few buckets overflow. */
    if (cache->bits < BITS_MOST && cache->held >= (int64_t)2 << cache->bits)
        AR_TRY(grow(cache));
    put(cache, key, number);
    return ALTERREC_OK;
}
