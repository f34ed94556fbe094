#include "serve/filter.h"

#include "core/limit.h"
#include "core/memory.h"
#include "data/count.h"

#include <math.h>
#include <string.h>

alterrec_status alterrec_filter_create(alterrec_filter **filter, int64_t items) {
    AR_NOT_NULL(filter);
    *filter = NULL;
    if (items < 1 || items > INT32_MAX - 1)
        return ar_fail(ALTERREC_ERROR_INVALID_ARGUMENT, "%s: items %lld is outside 1..%d", __func__,
                       (long long)items, INT32_MAX - 1);
    alterrec_filter *made;
    AR_NEW(made, 1);
    made->items = items;
    made->allowed_count = items;
    made->allowed = ar_new(ar_filter_words(items), sizeof *made->allowed);
    if (made->allowed == NULL) {
        alterrec_filter_free(made);
        return ALTERREC_ERROR_OUT_OF_MEMORY;
    }
    for (int64_t i = 0; i < items; i++)
        made->allowed[i / 64] |= (uint64_t)1 << (i % 64);
    *filter = made;
    return ALTERREC_OK;
}

void alterrec_filter_free(alterrec_filter *filter) {
    if (filter == NULL)
        return;
    ar_free(filter->allowed);
    ar_free(filter->list);
    ar_free(filter->categories);
    ar_free(filter);
}

/* Lists the items whose bits are set, if they are few; *list is NULL if they are not. */
static alterrec_status list_allowed(int32_t **list, const uint64_t *allowed, int64_t items,
                                    int64_t count) {
    *list = NULL;
    if (count > items / AR_FILTER_LIST_SHARE)
        return ALTERREC_OK;
    AR_NEW(*list, count);
    int64_t used = 0;
    for (int64_t word = 0; word < ar_filter_words(items); word++)
        for (uint64_t left = allowed[word]; left != 0; left &= left - 1)
            (*list)[used++] = (int32_t)(word * 64 + __builtin_ctzll(left));
    return ALTERREC_OK;
}

/* Takes over `allowed`, words of which no bit is set that the filter's own have not. */
static alterrec_status replace(alterrec_filter *filter, uint64_t *allowed) {
    int64_t count = 0;
    for (int64_t word = 0; word < ar_filter_words(filter->items); word++)
        count += __builtin_popcountll(allowed[word]);
    int32_t *list;
    alterrec_status status = list_allowed(&list, allowed, filter->items, count);
    if (status != ALTERREC_OK) {
        ar_free(allowed);
        return status;
    }
    ar_free(filter->allowed);
    ar_free(filter->list);
    filter->allowed = allowed;
    filter->allowed_count = count;
    filter->list = list;
    return ALTERREC_OK;
}

static alterrec_status check_count(const alterrec_filter *filter, int64_t items,
                                   const char *function) {
    return items == filter->items
               ? ALTERREC_OK
               : ar_fail(ALTERREC_ERROR_MISMATCH, "%s: items is %lld, the filter has %lld",
                         function, (long long)items, (long long)filter->items);
}

alterrec_status alterrec_filter_allow_bitmap(alterrec_filter *filter, const uint8_t *bits,
                                             int64_t items) {
    AR_NOT_NULL(filter);
    AR_NOT_NULL(bits);
    AR_TRY(check_count(filter, items, __func__));
    int64_t words = ar_filter_words(items);
    uint64_t *allowed;
    AR_NEW(allowed, words);
    memcpy(allowed, bits, (size_t)((items + 7) / 8));
    for (int64_t word = 0; word < words; word++)
        allowed[word] &= filter->allowed[word];
    return replace(filter, allowed);
}

/* Words in which the bits of the listed items are set. */
static alterrec_status mark(uint64_t **marks, const alterrec_filter *filter, const int32_t *items,
                            int64_t count, const char *function) {
    AR_TRY(ar_count_check(1, count, "count", function));
    for (int64_t i = 0; i < count; i++)
        if (items[i] < 0 || items[i] >= filter->items)
            return ar_fail(ALTERREC_ERROR_INVALID_ARGUMENT,
                           "%s: item %d at position %lld is outside 0..%lld", function, items[i],
                           (long long)i, (long long)filter->items - 1);
    AR_NEW(*marks, ar_filter_words(filter->items));
    for (int64_t i = 0; i < count; i++)
        (*marks)[items[i] / 64] |= (uint64_t)1 << (items[i] % 64);
    return ALTERREC_OK;
}

alterrec_status alterrec_filter_allow_only(alterrec_filter *filter, const int32_t *items,
                                           int64_t count) {
    AR_NOT_NULL(filter);
    if (count != 0)
        AR_NOT_NULL(items);
    uint64_t *allowed;
    AR_TRY(mark(&allowed, filter, items, count, __func__));
    for (int64_t word = 0; word < ar_filter_words(filter->items); word++)
        allowed[word] &= filter->allowed[word];
    return replace(filter, allowed);
}

alterrec_status alterrec_filter_exclude(alterrec_filter *filter, const int32_t *items,
                                        int64_t count) {
    AR_NOT_NULL(filter);
    if (count != 0)
        AR_NOT_NULL(items);
    uint64_t *allowed;
    AR_TRY(mark(&allowed, filter, items, count, __func__));
    for (int64_t word = 0; word < ar_filter_words(filter->items); word++)
        allowed[word] = filter->allowed[word] & ~allowed[word];
    return replace(filter, allowed);
}

alterrec_status alterrec_filter_cap(alterrec_filter *filter, const int32_t *categories,
                                    int64_t items, int64_t per_list) {
    AR_NOT_NULL(filter);
    AR_NOT_NULL(categories);
    AR_TRY(check_count(filter, items, __func__));
    if (per_list < 1)
        return ar_fail(ALTERREC_ERROR_INVALID_ARGUMENT, "%s: per_list is %lld, at least 1",
                       __func__, (long long)per_list);
    int32_t *copy;
    AR_NEW(copy, items);
    memcpy(copy, categories, (size_t)items * sizeof *copy);
    ar_free(filter->categories);
    filter->categories = copy;
    /* As good as no limit, and small enough to be multiplied. */
    filter->per_list = ar_at_most(per_list, items);
    return ALTERREC_OK;
}

void ar_filter_apply(float *scores, const alterrec_filter *filter, int64_t first, int64_t count) {
    for (int64_t i = 0; i < count; i++)
        if (!ar_filter_allows(filter, (int32_t)(first + i)))
            scores[i] = -INFINITY;
}
