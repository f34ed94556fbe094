#include "eval/popularity.h"

#include "core/memory.h"

#include <stdlib.h>

typedef struct counted_item {
    int64_t count;
    int32_t item;
} counted_item;

static int compare(const void *left, const void *right) {
    const counted_item *a = left, *b = right;
    if (a->count != b->count)
        return a->count > b->count ? -1 : 1;
    return a->item < b->item ? -1 : 1;
}

alterrec_status ar_popularity_ranks(int32_t *ranks, const int64_t *counts, int64_t items) {
    counted_item *order;
    AR_NEW(order, items);
    for (int64_t i = 0; i < items; i++)
        order[i] = (counted_item){.count = counts[i], .item = (int32_t)i};
    qsort(order, (size_t)items, sizeof *order, compare);
    for (int64_t i = 0; i < items; i++)
        ranks[order[i].item] = (int32_t)i + 1;
    ar_free(order);
    return ALTERREC_OK;
}
