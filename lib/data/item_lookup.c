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

static const ar_cached_key too_long = {.low = 0, .high = 1};

/* Puts the key that begins at `key` into the batch and returns where it ends. */
static inline const char *take_key(ar_key_batch *all, const ar_item_lookup *lookup, const char *key,
                                   const char *to) {
    ar_cached_key wanted;
    size_t length;
    if (lookup->cache.buckets != NULL && lookup->file->end - key >= AR_KEY_CACHE_READ &&
        ar_key_cache_take(&wanted, &length, key)) {
        __builtin_prefetch(ar_key_cache_bucket(&lookup->cache, &wanted));
        all->wanted[all->count] = wanted;
        all->keys[all->count] = key;
        all->lengths[all->count++] = length;
        return key + length;
    }
    const char *end = key;
    while (end < to && !ar_parts_keys(*end))
        end++;
    ar_key_batch_add(all, lookup, key, (size_t)(end - key));
    return end;
}

void ar_key_batch_add(ar_key_batch *all, const ar_item_lookup *lookup, const char *key,
                      size_t length) {
    ar_cached_key wanted = too_long;
    if (lookup->cache.buckets != NULL && length <= AR_KEY_CACHE_LONGEST &&
        lookup->file->end - key >= AR_KEY_CACHE_READ) {
        wanted = ar_key_cache_key(key, length);
        __builtin_prefetch(ar_key_cache_bucket(&lookup->cache, &wanted));
    } else {
        ar_dictionary_prefetch(lookup->known != NULL ? lookup->known : lookup->keys, key, length);
    }
    all->wanted[all->count] = wanted;
    all->keys[all->count] = key;
    all->lengths[all->count++] = length;
}

/* items[i] = the number of key i, -1 if its first bucket does not hold it. */
AR_CLONES static void find_cached(int32_t *items, const ar_key_cache *cache,
                                  const ar_key_batch *all) {
    for (int i = 0; i < all->count; i++)
        items[i] = ar_key_bucket_find(ar_key_cache_bucket(cache, &all->wanted[i]), &all->wanted[i]);
}

alterrec_status ar_item_lookup_batch(int32_t *items, ar_item_lookup *lookup,
                                     const ar_key_batch *all) {
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
    ar_key_batch all;
    all.count = 0;
    int64_t keys = 0, lines = 0, line_begin = 0, *ends = lists->ends;
    int32_t *items = lists->items;
    for (const char *at = from; at < to; at++) {
        if (!ar_parts_keys(*at)) {
            at = take_key(&all, lookup, at, to);
            keys++;
            if (all.count == AR_KEY_BATCH) {
                AR_TRY(ar_item_lookup_batch(items + keys - AR_KEY_BATCH, lookup, &all));
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
    AR_TRY(ar_item_lookup_batch(items + keys - all.count, lookup, &all));
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
