#include "data/item_lookup.h"

#include "core/threads.h"

#include <string.h>

alterrec_status ar_item_lookup_find(int32_t *item, ar_item_lookup *lookup, const char *key,
                                    size_t length, const char *place) {
    int64_t number;
    if (lookup->known == NULL) {
        AR_TRY(ar_dictionary_insert(lookup->keys, &number, key, length));
    } else {
        number = ar_dictionary_find(lookup->known, key, length);
        if (number < 0 && lookup->unknown_is_error)
            return ar_text_file_at(lookup->file, place,
                                   ar_fail(ALTERREC_ERROR_NOT_FOUND,
                                           "item `%.*s` is not in the catalog",
                                           (int)(length < 100 ? length : 100), key));
        lookup->unknown += number < 0;
    }
    *item = (int32_t)number;
    return ALTERREC_OK;
}

alterrec_status ar_item_lookup_cached(int32_t *item, ar_item_lookup *lookup, const char *key,
                                      size_t length, const char *place) {
    const ar_text_file *file = lookup->file;
    /* A value whose quotes were doubled does not stand in the file. */
    uintptr_t begin = (uintptr_t)file->begin, end = (uintptr_t)file->end, at = (uintptr_t)key;
    bool fits = lookup->cache.buckets != NULL && length > 0 && length <= AR_KEY_CACHE_LONGEST &&
                at >= begin && at < end && end - at >= AR_KEY_CACHE_READ;
    if (!fits)
        return ar_item_lookup_find(item, lookup, key, length, place);
    ar_cached_key wanted = ar_key_cache_key(key, length);
    *item = ar_key_cache_find(&lookup->cache, &wanted);
    if (*item >= 0)
        return ALTERREC_OK;
    AR_TRY(ar_item_lookup_find(item, lookup, key, length, place));
    return *item >= 0 ? ar_key_cache_insert(&lookup->cache, &wanted, *item) : ALTERREC_OK;
}

/* Keys that have been found in the text and are looked up together: while the processor waits for
 * the place of one in the cache, it can already fetch those of others. */
enum { BATCH = 64 };

typedef struct batch {
    ar_cached_key wanted[BATCH]; /* of a key too long for the cache: what the cache never holds */
    const char *keys[BATCH];
    size_t lengths[BATCH];
    int count;
} batch;

static const ar_cached_key too_long = {.low = 0, .high = 1};

/* Puts the key that begins at `key` into the batch and returns where it ends. */
static inline const char *take_key(batch *all, const ar_item_lookup *lookup, const char *key,
                                   const char *to) {
    ar_cached_key wanted;
    size_t length;
    if (lookup->cache.buckets != NULL && lookup->file->end - key >= AR_KEY_CACHE_READ &&
        ar_key_cache_take(&wanted, &length, key)) {
        __builtin_prefetch(ar_key_cache_bucket(&lookup->cache, &wanted));
    } else {
        const char *end = key;
        while (end < to && !ar_parts_keys(*end))
            end++;
        length = (size_t)(end - key);
        wanted = too_long;
        ar_dictionary_prefetch(lookup->known != NULL ? lookup->known : lookup->keys, key, length);
    }
    all->wanted[all->count] = wanted;
    all->keys[all->count] = key;
    all->lengths[all->count++] = length;
    return key + length;
}

/* items[i] = the number of key i, -1 if its first bucket does not hold it. */
AR_CLONES static void find_cached(int32_t *items, const ar_key_cache *cache, const batch *all) {
    for (int i = 0; i < all->count; i++)
        items[i] = ar_key_bucket_find(ar_key_cache_bucket(cache, &all->wanted[i]), &all->wanted[i]);
}

static alterrec_status look_up(int32_t *items, ar_item_lookup *lookup, const batch *all) {
    if (lookup->cache.buckets != NULL)
        find_cached(items, &lookup->cache, all);
    else
        memset(items, 0xFF, (size_t)all->count * sizeof *items); /* -1 */
    for (int i = 0; i < all->count; i++) {
        if (items[i] >= 0)
            continue;
        const ar_cached_key wanted = all->wanted[i];
        bool fits = wanted.low != 0;
        if (fits) /* the batch may hold it twice */
            items[i] = ar_key_cache_find(&lookup->cache, &wanted);
        if (items[i] >= 0)
            continue;
        AR_TRY(ar_item_lookup_find(&items[i], lookup, all->keys[i], all->lengths[i], all->keys[i]));
        if (fits && items[i] >= 0)
            AR_TRY(ar_key_cache_insert(&lookup->cache, &wanted, items[i]));
    }
    return ALTERREC_OK;
}

alterrec_status ar_item_lookup_lists(ar_item_lists *lists, ar_item_lookup *lookup, const char *from,
                                     const char *to) {
    batch all;
    all.count = 0;
    int64_t keys = 0, lines = 0, line_begin = 0, *ends = lists->ends;
    int32_t *items = lists->items;
    for (const char *at = from; at < to; at++) {
        if (!ar_parts_keys(*at)) {
            at = take_key(&all, lookup, at, to);
            keys++;
            if (all.count == BATCH) {
                AR_TRY(look_up(items + keys - BATCH, lookup, &all));
                all.count = 0;
            }
            if (at == to)
                break;
        }
        /* Without a branch: how long a list is can't be foretold. */
        bool ends_line = *at == '\n';
        ends[lines] = keys;
        lines += ends_line & (keys > line_begin);
        line_begin = ends_line ? keys : line_begin;
    }
    AR_TRY(look_up(items + keys - all.count, lookup, &all));
    if (keys > line_begin) /* the last line may lack its end */
        ends[lines++] = keys;
    lists->keys = keys;
    lists->lines = lines;
    return ALTERREC_OK;
}

void ar_item_lists_drop_unknown(ar_item_lists *lists) {
    int64_t kept = 0, key = 0;
    for (int64_t line = 0; line < lists->lines; line++) {
        for (; key < lists->ends[line]; key++) {
            lists->items[kept] = lists->items[key];
            kept += lists->items[key] >= 0;
        }
        lists->ends[line] = kept;
    }
    lists->keys = kept;
}
