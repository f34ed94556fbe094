#include "data/batch.h"

#include "core/memory.h"
#include "data/count.h"

#include <string.h>

alterrec_status alterrec_batch_create(alterrec_batch **batch) {
    AR_NOT_NULL(batch);
    *batch = NULL;
    alterrec_batch *made;
    AR_NEW(made, 1);
    void *offsets = NULL;
    alterrec_status status = ar_grow(&offsets, &made->offsets_capacity, 1, sizeof *made->offsets);
    made->offsets = offsets;
    if (status != ALTERREC_OK) {
        alterrec_batch_free(made);
        return status;
    }
    *batch = made;
    return ALTERREC_OK;
}

void alterrec_batch_free(alterrec_batch *batch) {
    if (batch == NULL)
        return;
    if (batch->workspace != NULL)
        batch->workspace_free(batch->workspace);
    ar_free(batch->items);
    ar_free(batch->offsets);
    ar_free(batch->labels);
    ar_free(batch->negatives);
    ar_free(batch->shared_exclusions);
    ar_free(batch->exclusions);
    ar_free(batch->excluded_items);
    ar_free(batch->excluded_offsets);
    ar_free(batch);
}

static alterrec_status busy_error(const char *caller) {
    return ar_fail(ALTERREC_ERROR_BUSY, "%s: the batch is inside a call", caller);
}

alterrec_status ar_batch_check_idle(const alterrec_batch *batch, const char *caller) {
    return atomic_load(&batch->busy) ? busy_error(caller) : ALTERREC_OK;
}

alterrec_status ar_batch_enter(alterrec_batch *batch, const char *caller) {
    return atomic_exchange(&batch->busy, true) ? busy_error(caller) : ALTERREC_OK;
}

void ar_batch_leave(alterrec_batch *batch) {
    atomic_store(&batch->busy, false);
}

alterrec_status alterrec_batch_clear(alterrec_batch *batch) {
    AR_NOT_NULL(batch);
    AR_TRY(ar_batch_check_idle(batch, __func__));
    batch->count = 0;
    batch->examples = 0;
    batch->negative_count = 0;
    batch->shared_exclusion_count = 0;
    batch->vectors = NULL;
    batch->exclusion_count = 0;
    batch->excluded_indexed = false;
    return ALTERREC_OK;
}

static alterrec_status grow_items(int32_t **items, int64_t *capacity, int64_t used, int64_t more) {
    int64_t needed;
    if (__builtin_add_overflow(used, more, &needed))
        return ar_fail(ALTERREC_ERROR_OUT_OF_MEMORY, "out of memory: %lld more items",
                       (long long)more);
    void *grown = *items;
    AR_TRY(ar_grow(&grown, capacity, needed, sizeof **items));
    *items = grown;
    return ALTERREC_OK;
}

static alterrec_status check_not_negative(const int32_t *items, int64_t count, const char *caller) {
    for (int64_t i = 0; i < count; i++)
        if (items[i] < 0)
            return ar_fail(ALTERREC_ERROR_INVALID_ARGUMENT,
                           "%s: item %d at position %lld is negative", caller, items[i],
                           (long long)i);
    return ALTERREC_OK;
}

/* `labels` NULL: none. */
static alterrec_status add(alterrec_batch *batch, const int32_t *items, const int32_t *labels,
                           int64_t length, const char *caller) {
    AR_TRY(ar_batch_check_idle(batch, caller));
    if (length < 1)
        return ar_fail(ALTERREC_ERROR_INVALID_ARGUMENT,
                       "%s: length is %lld, a session has at least 1 item", caller,
                       (long long)length);
    AR_TRY(ar_count_check(1, length, "length", caller));
    AR_TRY(check_not_negative(items, length, caller));
    int64_t used = batch->offsets[batch->count], examples = 0;
    for (int64_t i = 0; labels != NULL && i < length; i++) {
        if (labels[i] < -1)
            return ar_fail(ALTERREC_ERROR_INVALID_ARGUMENT,
                           "%s: label %d at position %lld is below -1", caller, labels[i],
                           (long long)i);
        examples += labels[i] >= 0 ? 1 : 0;
    }
    AR_TRY(grow_items(&batch->items, &batch->items_capacity, used, length));
    AR_TRY(grow_items(&batch->labels, &batch->labels_capacity, used, length));
    void *offsets = batch->offsets;
    AR_TRY(ar_grow(&offsets, &batch->offsets_capacity, batch->count + 2, sizeof *batch->offsets));
    batch->offsets = offsets;
    memcpy(batch->items + used, items, (size_t)length * sizeof *items);
    for (int64_t i = 0; i < length; i++)
        batch->labels[used + i] = labels != NULL ? labels[i] : -1;
    batch->offsets[++batch->count] = used + length;
    batch->examples += examples;
    batch->excluded_indexed = false;
    /* Negatives were named for other examples. */
    batch->negative_count = examples > 0 ? 0 : batch->negative_count;
    return ALTERREC_OK;
}

alterrec_status alterrec_batch_add(alterrec_batch *batch, const int32_t *items, int64_t length) {
    AR_NOT_NULL(batch);
    AR_NOT_NULL(items);
    return add(batch, items, NULL, length, __func__);
}

alterrec_status alterrec_batch_add_labelled(alterrec_batch *batch, const int32_t *items,
                                            const int32_t *labels, int64_t length) {
    AR_NOT_NULL(batch);
    AR_NOT_NULL(items);
    AR_NOT_NULL(labels);
    return add(batch, items, labels, length, __func__);
}

int64_t alterrec_batch_examples(const alterrec_batch *batch) {
    return batch == NULL ? 0 : batch->examples;
}

alterrec_status alterrec_batch_set_negatives(alterrec_batch *batch, const int32_t *negatives,
                                             int64_t examples, int64_t count) {
    AR_NOT_NULL(batch);
    if (examples != 0)
        AR_NOT_NULL(negatives);
    AR_TRY(ar_batch_check_idle(batch, __func__));
    if (examples != batch->examples)
        return ar_fail(ALTERREC_ERROR_MISMATCH,
                       "%s: negatives of %lld examples, the batch has %lld", __func__,
                       (long long)examples, (long long)batch->examples);
    if (count < 1)
        return ar_fail(ALTERREC_ERROR_INVALID_ARGUMENT,
                       "%s: count is %lld, an example has at least 1 negative", __func__,
                       (long long)count);
    AR_TRY(ar_count_check(examples, count, "count", __func__));
    int64_t size = examples * count;
    for (int64_t i = 0; i < size; i++)
        if (negatives[i] < -1)
            return ar_fail(ALTERREC_ERROR_INVALID_ARGUMENT,
                           "%s: negative %d of example %lld is below -1", __func__, negatives[i],
                           (long long)(i / count));
    AR_TRY(grow_items(&batch->negatives, &batch->negatives_capacity, 0, size));
    if (size > 0)
        memcpy(batch->negatives, negatives, (size_t)size * sizeof *negatives);
    batch->negative_count = count;
    return ALTERREC_OK;
}

int64_t alterrec_batch_count(const alterrec_batch *batch) {
    return batch == NULL ? 0 : batch->count;
}

static alterrec_status exclude_from_all(alterrec_batch *batch, const int32_t *items,
                                        int64_t count) {
    int64_t used = batch->shared_exclusion_count;
    AR_TRY(grow_items(&batch->shared_exclusions, &batch->shared_exclusion_capacity, used, count));
    if (count > 0)
        memcpy(batch->shared_exclusions + used, items, (size_t)count * sizeof *items);
    batch->shared_exclusion_count = used + count;
    return ALTERREC_OK;
}

static alterrec_status exclude_from_one(alterrec_batch *batch, int64_t session,
                                        const int32_t *items, int64_t count) {
    int64_t needed;
    if (__builtin_add_overflow(batch->exclusion_count, count, &needed))
        return ar_fail(ALTERREC_ERROR_OUT_OF_MEMORY, "out of memory: %lld more items",
                       (long long)count);
    void *grown = batch->exclusions;
    AR_TRY(ar_grow(&grown, &batch->exclusion_capacity, needed, sizeof *batch->exclusions));
    batch->exclusions = grown;
    for (int64_t i = 0; i < count; i++)
        batch->exclusions[batch->exclusion_count++] =
            (ar_exclusion){.session = session, .item = items[i]};
    batch->excluded_indexed = false;
    return ALTERREC_OK;
}

alterrec_status alterrec_batch_exclude(alterrec_batch *batch, int64_t session, const int32_t *items,
                                       int64_t count) {
    AR_NOT_NULL(batch);
    if (count != 0)
        AR_NOT_NULL(items);
    AR_TRY(ar_batch_check_idle(batch, __func__));
    if (session < -1 || session >= batch->count)
        return ar_fail(ALTERREC_ERROR_INVALID_ARGUMENT,
                       "%s: session is %lld, the batch has %lld (-1: of every session)", __func__,
                       (long long)session, (long long)batch->count);
    AR_TRY(ar_count_check(1, count, "count", __func__));
    AR_TRY(check_not_negative(items, count, __func__));
    if (session == -1)
        return exclude_from_all(batch, items, count);
    return exclude_from_one(batch, session, items, count);
}

alterrec_status alterrec_batch_exclude_own(alterrec_batch *batch, int32_t exclude) {
    AR_NOT_NULL(batch);
    AR_TRY(ar_batch_check_idle(batch, __func__));
    batch->exclude_own = exclude != 0;
    return ALTERREC_OK;
}

static alterrec_status outside(const char *caller, const char *what, int32_t item, int64_t items) {
    return ar_fail(ALTERREC_ERROR_INVALID_ARGUMENT,
                   "%s: %s %d is outside the catalog, which has items 0..%lld", caller, what, item,
                   (long long)items - 1);
}

alterrec_status ar_batch_check(const alterrec_batch *batch, int64_t items, const char *caller) {
    if (batch->count == 0)
        return ar_fail(ALTERREC_ERROR_INVALID_ARGUMENT, "%s: the batch has no session", caller);
    for (int64_t s = 0; s < batch->count; s++)
        for (int64_t i = batch->offsets[s]; i < batch->offsets[s + 1]; i++)
            if (batch->items[i] >= items)
                return ar_fail(ALTERREC_ERROR_INVALID_ARGUMENT,
                               "%s: session %lld: item %d at position %lld is outside the catalog, "
                               "which has items 0..%lld",
                               caller, (long long)s, batch->items[i],
                               (long long)(i - batch->offsets[s]), (long long)items - 1);
    for (int64_t i = 0; i < batch->shared_exclusion_count; i++)
        if (batch->shared_exclusions[i] >= items)
            return outside(caller, "excluded item", batch->shared_exclusions[i], items);
    for (int64_t i = 0; i < batch->exclusion_count; i++)
        if (batch->exclusions[i].item >= items)
            return outside(caller, "excluded item", batch->exclusions[i].item, items);
    return ALTERREC_OK;
}

alterrec_status ar_batch_index_exclusions(alterrec_batch *batch) {
    if (batch->excluded_indexed)
        return ALTERREC_OK;
    void *grown = batch->excluded_offsets;
    AR_TRY(ar_grow(&grown, &batch->excluded_offsets_capacity, batch->count + 2,
                   sizeof *batch->excluded_offsets));
    batch->excluded_offsets = grown;
    AR_TRY(grow_items(&batch->excluded_items, &batch->excluded_items_capacity, 0,
                      batch->exclusion_count));
    /* A counting sort, one place ahead: after filling, offsets[s + 1] has moved to its end. */
    int64_t *offsets = batch->excluded_offsets;
    memset(offsets, 0, (size_t)(batch->count + 2) * sizeof *offsets);
    for (int64_t i = 0; i < batch->exclusion_count; i++)
        offsets[batch->exclusions[i].session + 2]++;
    for (int64_t s = 0; s < batch->count; s++)
        offsets[s + 2] += offsets[s + 1];
    for (int64_t i = 0; i < batch->exclusion_count; i++)
        batch->excluded_items[offsets[batch->exclusions[i].session + 1]++] =
            batch->exclusions[i].item;
    batch->excluded_indexed = true;
    return ALTERREC_OK;
}
