/* The numbers of the items whose keys stand in a file. Level: data. */
#ifndef AR_DATA_ITEM_LOOKUP_H
#define AR_DATA_ITEM_LOOKUP_H

#include "core/dictionary.h"
#include "data/item_texts.h"
#include "data/key_cache.h"
#include "data/text_file.h"

/* Where the items of a file get their numbers: from a catalog, whose other items are dropped or an
 * error, or from a dictionary that takes in every key. */
typedef struct ar_item_source {
    const alterrec_catalog *catalog; /* NULL: `keys` */
    ar_dictionary *keys;
    ar_item_texts *texts; /* NULL: data.text_column is not read */
} ar_item_source;

typedef struct ar_item_lookup {
    const ar_dictionary *known; /* the catalog's keys; NULL: `keys` takes in all */
    ar_dictionary *keys;
    bool unknown_is_error;
    const ar_text_file *file;
    ar_key_cache cache; /* made for files with many keys */
    int64_t unknown;    /* keys that have been met and are none of an item */
} ar_item_lookup;

/* The item with this key, which stands at `place` in the file; -1 if it is to be dropped. */
alterrec_status ar_item_lookup_find(int32_t *item, ar_item_lookup *lookup, const char *key,
                                    size_t length, const char *place);

/* Keys that stand in the file and are looked up together: while the processor waits for the place
 * of one, it can already fetch those of others. */
enum { AR_KEY_BATCH = 64 };

typedef struct ar_key_batch {
    ar_cached_key wanted[AR_KEY_BATCH]; /* too long for the cache: what it never holds */
    const char *keys[AR_KEY_BATCH];
    size_t lengths[AR_KEY_BATCH];
    int count;
} ar_key_batch;

/* Adds a key, for which there must be room; what follows it may be read up to `end`. */
void ar_key_batch_add(ar_key_batch *batch, const ar_item_lookup *lookup, const char *key,
                      size_t length, const char *end);

/* items [batch->count] = the items with these keys, in order as ar_item_lookup_find. */
alterrec_status ar_item_lookup_batch(int32_t *items, ar_item_lookup *lookup,
                                     const ar_key_batch *batch);

/* Whether the byte parts keys of a list; no key holds a control character either. */
static inline bool ar_parts_keys(char c) {
    return (unsigned char)c <= ' ';
}

/* Lists of keys, one a line. */
typedef struct ar_item_lists {
    int32_t *items; /* [keys] -1: to be dropped */
    int64_t *ends;  /* [lines] of each line that has keys: how many there are up to its end */
    int64_t keys, lines;
} ar_item_lists;

/* Numbers the keys that stand in the file from `from` up to `to`, parted by spaces and control
 * characters. There must be room for (to - from) / 2 + 1 items, and for one end more than there are
 * lines. */
alterrec_status ar_item_lookup_lists(ar_item_lists *lists, ar_item_lookup *lookup, const char *from,
                                     const char *to);

/* Takes the items that are to be dropped out of the lists. */
void ar_item_lists_drop_unknown(ar_item_lists *lists);

#endif
