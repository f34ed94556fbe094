/* The items: keys, texts, text features. Level: data. */
#ifndef AR_DATA_CATALOG_H
#define AR_DATA_CATALOG_H

#include "core/dictionary.h"
#include "core/file.h"
#include "core/reference.h"
#include "core/status.h"
#include "data/text_hash.h"

struct alterrec_catalog {
    ar_reference reference;
    ar_dictionary keys; /* item i's key is number i */
    ar_shared_map *map; /* where the arrays of keys and texts lie; NULL: they are its own */
    int64_t items;
    char *texts;          /* all texts, each with a 0 behind it; NULL without texts */
    int64_t *text_starts; /* [items] */
    int64_t texts_size;   /* bytes of `texts` */
    float *features;      /* [items, feature_dim]; NULL without features */
    int64_t feature_dim;
    int64_t hashed; /* the features are those of the first `hashed` texts; 0: not hashed */
    ar_text_hash_options hash; /* how, if hashed > 0 */
    atomic_int models;         /* that hold it, and whose shapes are those of the features */
};

/* Another holder; given back with alterrec_catalog_free. */
alterrec_catalog *ar_catalog_hold(const alterrec_catalog *catalog);

/* Whether both have the same keys in the same order: then an index means the same item in both. */
bool ar_catalog_same(const alterrec_catalog *a, const alterrec_catalog *b);

/* A catalog from a dictionary of keys (taken over: empty afterwards) and texts (NULL: none). */
alterrec_status ar_catalog_from_keys(alterrec_catalog **catalog, ar_dictionary *keys,
                                     const char *const *texts);

/* The keys and texts of a catalog as arrays, from a file. */
typedef struct ar_catalog_arrays {
    ar_dictionary keys;         /* as ar_dictionary_borrow takes them */
    const char *texts;          /* NULL: none */
    const int64_t *text_starts; /* [keys.count] */
    int64_t texts_size;
} ar_catalog_arrays;

/* A catalog without features whose arrays lie in the mapping, which it holds. Nothing is copied;
 * PARSE unless whatever is asked of the catalog will lie within the arrays. */
alterrec_status ar_catalog_borrow(alterrec_catalog **catalog, ar_shared_map *map,
                                  const ar_catalog_arrays *arrays);

/* Items to put behind those of a catalog. */
typedef struct ar_more_items {
    const char *const *keys;
    const char *const *texts; /* NULL: none; a NULL entry: "" */
    const float *features;    /* [count, the catalog's feature_dim]; NULL: hashed, or none */
    int64_t count;
} ar_more_items;

/* A copy of the catalog with more items behind its own. Everything is checked; the text of an error
 * names `function`. Features that are not given are hashed from the texts as the catalog's were:
 * MISMATCH if it has features that were not hashed. */
alterrec_status ar_catalog_enlarge(alterrec_catalog **enlarged, const alterrec_catalog *catalog,
                                   const ar_more_items *more, const char *function);

#endif
