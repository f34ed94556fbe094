/* The scores of given items. */
#include "core/limit.h"
#include "data/count.h"
#include "serve/call.h"

#include <math.h>
#include <string.h>

/* dst[i] = row[items[i]]. */
static void pick(float *dst, const float *row, const int32_t *items, int64_t count) {
    for (int64_t i = 0; i < count; i++)
        dst[i] = items[i] >= 0 ? row[items[i]] : -INFINITY;
}

/* The host's fusion sees whole rows, whatever is picked of them. */
static alterrec_status fuse(float *fused, ar_serving_call *call, const int32_t *items,
                            int64_t count) {
    int64_t all = call->recommender->items;
    AR_TRY(ar_serving_reserve_rows(call));
    for (int64_t session = 0; session < call->batch->count; session += call->whole_rows) {
        int64_t rows = ar_at_most(call->batch->count - session, call->whole_rows);
        AR_TRY(ar_serving_fuse_rows(call, session, rows));
        for (int64_t s = session; s < session + rows; s++)
            pick(fused + s * count, call->fused + (s - session) * all, items + s * count, count);
    }
    return ALTERREC_OK;
}

/* The part of an array [batch count, count] that is session's; NULL of NULL. */
static float *part_of(float *array, int64_t session, int64_t count) {
    return array != NULL ? array + session * count : NULL;
}

static alterrec_status score(float *fused, float *id, float *text, ar_serving_call *call,
                             const int32_t *items, int64_t count) {
    const ar_item_index *index = &call->recommender->index;
    bool host = ar_serving_host_fuses(call);
    if (host && fused != NULL)
        AR_TRY(fuse(fused, call, items, count));
    for (int64_t s = 0; s < call->batch->count; s++)
        AR_TRY(ar_search_score(host ? NULL : part_of(fused, s, count), part_of(id, s, count),
                               part_of(text, s, count), index, call->vectors + s * index->width,
                               items + s * count, count, &call->search_memory));
    return ALTERREC_OK;
}

static alterrec_status check_items(const alterrec_recommender *recommender, const int32_t *items,
                                   int64_t sessions, int64_t count, const char *function) {
    if (count < 1)
        return ar_fail(ALTERREC_ERROR_INVALID_ARGUMENT, "%s: count is %lld, at least 1", function,
                       (long long)count);
    AR_TRY(ar_count_check(sessions, count, "count", function));
    for (int64_t i = 0; i < sessions * count; i++)
        if (items[i] < -1 || items[i] >= recommender->items)
            return ar_fail(ALTERREC_ERROR_INVALID_ARGUMENT,
                           "%s: item %d, number %lld of session %lld, is outside -1..%lld",
                           function, items[i], (long long)(i % count), (long long)(i / count),
                           (long long)recommender->items - 1);
    return ALTERREC_OK;
}

alterrec_status ar_serving_score(float *fused, float *id, float *text,
                                 const alterrec_recommender *recommender, alterrec_batch *batch,
                                 const int32_t *items, int64_t count, const alterrec_search *search,
                                 const char *function) {
    alterrec_search known;
    AR_TRY(ar_serving_check(&known, search, recommender, function));
    if (text != NULL && recommender->tower_count < 2)
        return ar_fail(ALTERREC_ERROR_MISMATCH, "%s: text is wanted, the model has no text tower",
                       function);
    if (id != NULL && recommender->is_joint)
        return ar_fail(ALTERREC_ERROR_MISMATCH,
                       "%s: id is wanted, a joint model is served without its parts", function);
    AR_TRY(check_items(recommender, items, batch->count, count, function));
    ar_serving_call call;
    AR_TRY(ar_serving_call_begin(&call, recommender, batch, &known, function));
    alterrec_status status = score(fused, id, text, &call, items, count);
    ar_serving_call_end(&call);
    return status;
}

alterrec_status alterrec_recommender_score(float *fused, float *id, float *text,
                                           const alterrec_recommender *recommender,
                                           alterrec_batch *batch, const int32_t *items,
                                           int64_t count, const alterrec_search *search) {
    AR_NOT_NULL(recommender);
    AR_NOT_NULL(batch);
    AR_NOT_NULL(items);
    return ar_serving_score(fused, id, text, recommender, batch, items, count, search, __func__);
}
