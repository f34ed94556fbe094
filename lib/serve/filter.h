/* A filter: which items may be recommended, and how many of a category in one list. Level: serve.
 */
#ifndef AR_SERVE_FILTER_H
#define AR_SERVE_FILTER_H

#include "core/status.h"

/* A list is kept if it is this many times shorter than the catalog: then its items are scored one
 * by one, where else the whole table is read. */
enum { AR_FILTER_LIST_SHARE = 16 };

struct alterrec_filter {
    int64_t items;
    uint64_t *allowed; /* [ar_filter_words(items)]: item i is bit i % 64 of word i / 64 */
    int64_t allowed_count;
    int32_t *list;       /* [allowed_count] ascending: the allowed items; NULL if they are many */
    int32_t *categories; /* [items], negative: in none; NULL without a cap */
    int64_t per_list;    /* of a category, at most */
};

static inline int64_t ar_filter_words(int64_t items) {
    return (items + 63) / 64;
}

static inline bool ar_filter_allows(const alterrec_filter *filter, int32_t item) {
    return (filter->allowed[item / 64] >> (item % 64) & 1) != 0;
}

/* scores [count] are those of items first, first + 1, ...: -INFINITY for what is not allowed. */
void ar_filter_apply(float *scores, const alterrec_filter *filter, int64_t first, int64_t count);

#endif
