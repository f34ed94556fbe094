/* Top k: alterrec_recommender_top_k. */
#include "core/threads.h"
#include "serve/call.h"
#include "serve/exclusions.h"
#include "serve/filter.h"
#include "serve/topk.h"

/* One call of top_k. */
typedef struct top_k_scan {
    ar_serving_call call;
    ar_exclusions exclusions;
    const alterrec_filter *filter; /* NULL: none */
    int32_t *best_items;           /* [batch count, k] */
    float *best_scores;            /* [batch count, k] */
    int64_t k;
} top_k_scan;

static int64_t at_most(int64_t value, int64_t most) {
    return value < most ? value : most;
}

static ar_topk best_of(const top_k_scan *scan, int64_t session) {
    return (ar_topk){scan->best_items + session * scan->k, scan->best_scores + session * scan->k,
                     scan->k};
}

/* Takes the best of one session's fused scores of items first .. first + items - 1. */
static void take_best(const top_k_scan *scan, int64_t session, float *scores, int64_t first,
                      int64_t items) {
    const alterrec_filter *filter = scan->filter;
    ar_topk best = best_of(scan, session);
    ar_exclusions_apply(scores, &scan->exclusions, session, first, items);
    if (filter != NULL)
        ar_filter_apply(scores, filter, first, items);
    if (filter != NULL && filter->categories != NULL)
        ar_topk_add_capped(&best, scores, (int32_t)first, items, filter->categories,
                           filter->per_list);
    else
        ar_topk_add(&best, scores, (int32_t)first, items);
}

/* Fuses one session's scores of a tile in place, and takes the best. */
static void scan_row(const top_k_scan *scan, int64_t session, int64_t row, int64_t first,
                     int64_t items) {
    const alterrec_recommender *recommender = scan->call.recommender;
    float *scores = scan->call.scores[0] + row * items;
    if (recommender->tower_count == 2) {
        float *text = scan->call.scores[1] + row * items;
        ar_scores_scale(text, items, recommender->towers[1].scale);
        ar_scores_fuse(scores, text, items, scan->call.fusion.alpha);
    }
    take_best(scan, session, scores, first, items);
}

static alterrec_status scan_tile(const top_k_scan *scan, int64_t session, int64_t rows,
                                 int64_t first, int64_t items) {
    AR_TRY(ar_serving_score_tile(&scan->call, session, rows, first, items));
#pragma omp parallel for schedule(static) if (rows * items > AR_PARALLEL_LEAST)
    for (int64_t row = 0; row < rows; row++)
        scan_row(scan, session + row, row, first, items);
    return ALTERREC_OK;
}

/* Tile by tile of the items, so that a tile of the tables is read once for the whole batch. */
static alterrec_status scan_items(const top_k_scan *scan) {
    const ar_serving_call *call = &scan->call;
    int64_t count = call->batch->count, items = call->recommender->items;
    for (int64_t first = 0; first < items; first += call->most_items)
        for (int64_t session = 0; session < count; session += call->most_rows)
            AR_TRY(scan_tile(scan, session, at_most(count - session, call->most_rows), first,
                             at_most(items - first, call->most_items)));
    return ALTERREC_OK;
}

/* With the host's fusion: session by session, each with all items. */
static alterrec_status scan_rows(const top_k_scan *scan) {
    const ar_serving_call *call = &scan->call;
    int64_t count = call->batch->count, items = call->recommender->items;
    for (int64_t session = 0; session < count; session += call->whole_rows) {
        int64_t rows = at_most(count - session, call->whole_rows);
        AR_TRY(ar_serving_score_rows(call, session, rows));
        AR_TRY(ar_serving_fuse_rows(call, session, rows));
#pragma omp parallel for schedule(static) if (rows * items > AR_PARALLEL_LEAST)
        for (int64_t row = 0; row < rows; row++)
            take_best(scan, session + row, call->fused + row * items, 0, items);
    }
    return ALTERREC_OK;
}

static alterrec_status run(top_k_scan *scan) {
    ar_serving_call *call = &scan->call;
    int64_t count = call->batch->count;
    AR_TRY(ar_exclusions_of(&scan->exclusions, call->workspace, call->batch));
    AR_TRY(ar_serving_reserve(call, ar_serving_host_fuses(call)));
    if (scan->best_scores == NULL)
        scan->best_scores = ar_workspace_array(call->workspace, AR_SLOT_BEST_SCORES,
                                               count * scan->k, sizeof(float));
    if (scan->best_scores == NULL)
        return ALTERREC_ERROR_OUT_OF_MEMORY;
    for (int64_t session = 0; session < count; session++) {
        ar_topk best = best_of(scan, session);
        ar_topk_begin(&best);
    }
    AR_TRY(ar_serving_host_fuses(call) ? scan_rows(scan) : scan_items(scan));
    for (int64_t session = 0; session < count; session++) {
        ar_topk best = best_of(scan, session);
        ar_topk_finish(&best);
    }
    return ALTERREC_OK;
}

static alterrec_status check(const alterrec_recommender *recommender, int64_t k,
                             const alterrec_search *search, const char *function) {
    if (k < 1 || k > recommender->items)
        return ar_fail(ALTERREC_ERROR_INVALID_ARGUMENT, "%s: k %lld is outside 1..%lld", function,
                       (long long)k, (long long)recommender->items);
    AR_TRY(ar_serving_check(search, recommender, function));
    if (search != NULL && search->candidates != 0 && search->candidates < k)
        return ar_fail(ALTERREC_ERROR_INVALID_ARGUMENT,
                       "%s: search->candidates is %lld, neither 0 nor k, %lld, or more", function,
                       (long long)search->candidates, (long long)k);
    return ALTERREC_OK;
}

alterrec_status alterrec_recommender_top_k(int32_t *items, float *scores,
                                           const alterrec_recommender *recommender,
                                           alterrec_batch *batch, int64_t k,
                                           alterrec_search *search) {
    AR_NOT_NULL(items);
    AR_NOT_NULL(recommender);
    AR_NOT_NULL(batch);
    AR_TRY(check(recommender, k, search, __func__));
    top_k_scan made = {.filter = search != NULL ? search->filter : NULL,
                       .best_items = items,
                       .best_scores = scores,
                       .k = k};
    AR_TRY(ar_serving_call_begin(&made.call, recommender, batch, search, __func__));
    alterrec_status status = run(&made);
    if (status == ALTERREC_OK && search != NULL) {
        search->guaranteed = batch->count;
        search->reranked = 0;
        search->rescans = 0;
    }
    ar_serving_call_end(&made.call);
    return status;
}
