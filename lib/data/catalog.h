/* The items: keys, texts, text features. Level: data. */
#ifndef AR_DATA_CATALOG_H
#define AR_DATA_CATALOG_H

#include "core/dictionary.h"
#include "core/reference.h"
#include "core/status.h"

struct alterrec_catalog {
    ar_reference reference;
    ar_dictionary keys; /* item i's key is number i */
    int64_t items;
    char *texts;          /* all texts, each with a 0 behind it; NULL without texts */
    int64_t *text_starts; /* [items] */
    int64_t texts_size;   /* bytes of `texts` */
    float *features;      /* [items, feature_dim]; NULL without features */
    int64_t feature_dim;
    atomic_int models; /* that hold it, and whose shapes are those of the features */
};

/* Another holder; given back with alterrec_catalog_free. */
alterrec_catalog *ar_catalog_hold(const alterrec_catalog *catalog);

/* Whether both have the same keys in the same order: then an index means the same item in both. */
bool ar_catalog_same(const alterrec_catalog *a, const alterrec_catalog *b);

/* A catalog from a dictionary of keys (taken over: empty afterwards) and texts (NULL: none). */
alterrec_status ar_catalog_from_keys(alterrec_catalog **catalog, ar_dictionary *keys,
                                     const char *const *texts);

#endif
