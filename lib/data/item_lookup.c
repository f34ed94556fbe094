#include "data/item_lookup.h"

#include "core/threads.h"
#include "data/text_bits.h"

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

static const ar_cached_key too_long = {.low = 0, .high = 1, .value = AR_KEY_NO_VALUE};

static const ar_dictionary *dictionary_of(const ar_item_lookup *lookup) {
    return lookup->known != NULL ? lookup->known : lookup->keys;
}

void ar_key_batch_add(ar_key_batch *all, const ar_item_lookup *lookup, const char *key,
                      size_t length, const char *end) {
    ar_cached_key wanted = too_long;
    if (lookup->cache.buckets != NULL && length <= AR_KEY_CACHE_LONGEST &&
        end - key >= AR_KEY_CACHE_READ) {
        wanted = ar_key_cache_key(key, length);
        ar_key_cache_prefetch(&lookup->cache, &wanted);
    } else {
        ar_dictionary_prefetch(dictionary_of(lookup), key, length);
    }
    all->wanted[all->count] = wanted;
    all->keys[all->count] = key;
    all->lengths[all->count++] = length;
}

/* items[i] = the number of key i, -1 if the cache does not hold it where it looks first; returns
 * whether one is missing. */
AR_CLONES static bool find_cached(int32_t *items, const ar_key_cache *cache,
                                  const ar_key_batch *all) {
    int32_t any = 0;
    for (int i = 0; i < all->count; i++) {
        items[i] = ar_key_cache_look(cache, &all->wanted[i]);
        any |= items[i];
    }
    return any < 0;
}

alterrec_status ar_item_lookup_batch(int32_t *items, ar_item_lookup *lookup,
                                     const ar_key_batch *all) {
    if (lookup->cache.buckets == NULL)
        memset(items, 0xFF, (size_t)all->count * sizeof *items); /* -1 */
    else if (!find_cached(items, &lookup->cache, all))
        return ALTERREC_OK;
    for (int i = 0; i < all->count; i++)
        if (items[i] < 0)
            ar_dictionary_prefetch(dictionary_of(lookup), all->keys[i], all->lengths[i]);
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

/* Lists while they are read. */
typedef struct list_scan {
    const char *at, *to;                                 /* what has not been looked at */
    uint64_t inside;                                     /* 1: a word goes on at `at`, else 0 */
    const char *edges[2 * AR_KEY_BATCH + AR_TEXT_BLOCK]; /* words: begin, end, begin, ... */
    int edge_count;
    int64_t keys, line_begin; /* words that have begun, and before the current line */
    int64_t *ends, lines;
} list_scan;

/* Goes on until a batch of keys has been found, or all. */
AR_CLONES static void find_keys(list_scan *scan) {
    while (scan->at < scan->to && scan->edge_count <= 2 * AR_KEY_BATCH) {
        char rest[AR_TEXT_BLOCK];
        const char *bytes = scan->at;
        if (scan->to - bytes < AR_TEXT_BLOCK) {
            memset(rest, ' ', sizeof rest);
            bytes = memcpy(rest, bytes, (size_t)(scan->to - bytes));
        }
        uint64_t inside = ~ar_text_bits_up_to(bytes, ' ');
        uint64_t edges = inside ^ (inside << 1 | scan->inside), begins = edges & inside;
        for (uint64_t lines = ar_text_bits_equal(bytes, '\n'); lines != 0; lines &= lines - 1) {
            uint64_t before = (lines & -lines) - 1;
            int64_t end = scan->keys + __builtin_popcountll(begins & before);
            scan->ends[scan->lines] = end;
            scan->lines += end > scan->line_begin;
            scan->line_begin = end;
        }
        scan->keys += __builtin_popcountll(begins);
        for (; edges != 0; edges &= edges - 1)
            scan->edges[scan->edge_count++] = scan->at + __builtin_ctzll(edges);
        scan->inside = inside >> (AR_TEXT_BLOCK - 1);
        scan->at += AR_TEXT_BLOCK;
    }
}

alterrec_status ar_item_lookup_lists(ar_item_lists *lists, ar_item_lookup *lookup, const char *from,
                                     const char *to) {
    ar_key_batch all;
    list_scan scan;
    scan.at = from;
    scan.to = to;
    scan.inside = 0;
    scan.edge_count = 0;
    scan.keys = scan.line_begin = scan.lines = 0;
    scan.ends = lists->ends;
    int64_t keys = 0;
    for (;;) {
        find_keys(&scan);
        bool last = scan.at >= to;
        if (last && scan.inside)
            scan.edges[scan.edge_count++] = to;
        int taken = 0;
        while (scan.edge_count - taken > 2 * AR_KEY_BATCH || (last && taken < scan.edge_count)) {
            all.count = 0;
            for (; all.count < AR_KEY_BATCH && taken < scan.edge_count; taken += 2)
                ar_key_batch_add(&all, lookup, scan.edges[taken],
                                 (size_t)(scan.edges[taken + 1] - scan.edges[taken]),
                                 lookup->file->end);
            AR_TRY(ar_item_lookup_batch(lists->items + keys, lookup, &all));
            keys += all.count;
        }
        scan.edge_count -= taken;
        memmove(scan.edges, scan.edges + taken, (size_t)scan.edge_count * sizeof *scan.edges);
        if (last)
            break;
    }
    if (keys > scan.line_begin) /* the last line may lack its end */
        scan.ends[scan.lines++] = keys;
    lists->keys = keys;
    lists->lines = scan.lines;
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
