/* Top k: alterrec_recommender_top_k. */
#include "core/host_struct.h"
#include "core/limit.h"
#include "core/threads.h"
#include "serve/call.h"
#include "serve/exclusions.h"
#include "serve/filter.h"
#include "serve/topk.h"

/* One call of top_k. */
typedef struct top_k_call {
    ar_serving_call call;
    ar_exclusions exclusions;
    const alterrec_filter *filter; /* NULL: none */
    ar_search search;
} top_k_call;

static ar_allowed allowed_of(const top_k_call *made) {
    const alterrec_filter *filter = made->filter;
    ar_allowed allowed = {.shared = made->exclusions.shared,
                          .shared_count = made->exclusions.shared_count,
                          .excluded = made->exclusions.items,
                          .offsets = made->exclusions.offsets};
    if (filter == NULL)
        return allowed;
    allowed.bits = filter->allowed_count < filter->items ? filter->allowed : NULL;
    allowed.list = filter->list;
    allowed.list_count = filter->allowed_count;
    allowed.categories = filter->categories;
    allowed.per_list = filter->per_list;
    return allowed;
}

static ar_topk best_of(const ar_search *search, int64_t session) {
    return (ar_topk){search->items + session * search->k, search->scores + session * search->k,
                     search->k};
}

/* The best of one session's fused scores [items], which are changed. */
static void take_best(const top_k_call *made, int64_t session, float *scores, int64_t items) {
    const alterrec_filter *filter = made->filter;
    ar_topk best = best_of(&made->search, session);
    ar_exclusions_apply(scores, &made->exclusions, session, 0, items);
    if (filter != NULL)
        ar_filter_apply(scores, filter, 0, items);
    ar_topk_begin(&best);
    if (filter != NULL && filter->categories != NULL)
        ar_topk_add_capped(&best, scores, 0, items, filter->categories, filter->per_list);
    else
        ar_topk_add(&best, scores, 0, items);
    ar_topk_finish(&best);
}

/* With the host's fusion: session by session, each with all items. */
static alterrec_status scan_rows(top_k_call *made) {
    ar_serving_call *call = &made->call;
    int64_t count = call->batch->count, items = call->recommender->items;
    AR_TRY(ar_serving_reserve_rows(call));
    for (int64_t session = 0; session < count; session += call->whole_rows) {
        int64_t rows = ar_at_most(count - session, call->whole_rows);
        AR_TRY(ar_serving_fuse_rows(call, session, rows));
#pragma omp parallel for schedule(static) if (rows * items > AR_PARALLEL_LEAST)
        for (int64_t row = 0; row < rows; row++)
            take_best(made, session + row, call->fused + row * items, items);
    }
    made->search.guaranteed = made->search.rescans = count;
    return ALTERREC_OK;
}

static alterrec_status run(top_k_call *made) {
    ar_serving_call *call = &made->call;
    ar_search *search = &made->search;
    AR_TRY(ar_exclusions_of(&made->exclusions, call->workspace, call->batch));
    if (search->scores == NULL)
        search->scores = ar_workspace_array(call->workspace, AR_SLOT_BEST_SCORES,
                                            call->batch->count * search->k, sizeof(float));
    if (search->scores == NULL)
        return ALTERREC_ERROR_OUT_OF_MEMORY;
    if (ar_serving_host_fuses(call))
        return scan_rows(made);
    ar_allowed allowed = allowed_of(made);
    search->index = &call->recommender->index;
    search->vectors = call->vectors;
    search->count = call->batch->count;
    search->allowed = &allowed;
    search->threads = call->threads;
    alterrec_status status = ar_search_run(search, &call->search_memory);
    search->allowed = NULL;
    return status;
}

static alterrec_status check(alterrec_search *known, const alterrec_search_report *report,
                             const alterrec_recommender *recommender, int64_t k,
                             const alterrec_search *search, const char *function) {
    if (k < 1 || k > recommender->items)
        return ar_fail(ALTERREC_ERROR_INVALID_ARGUMENT, "%s: k %lld is outside 1..%lld", function,
                       (long long)k, (long long)recommender->items);
    AR_TRY(ar_serving_check(known, search, recommender, function));
    if (report != NULL)
        AR_TRY(ar_host_struct_check(&ar_search_report_struct, report, function));
    if (known->candidates != 0 && known->candidates < k)
        return ar_fail(ALTERREC_ERROR_INVALID_ARGUMENT,
                       "%s: search->candidates is %lld, neither 0 nor k, %lld, or more", function,
                       (long long)known->candidates, (long long)k);
    return ALTERREC_OK;
}

alterrec_status ar_serving_top_k(int32_t *items, float *scores, alterrec_search_report *report,
                                 const alterrec_recommender *recommender, alterrec_batch *batch,
                                 int64_t k, const alterrec_search *search, const char *function) {
    alterrec_search known;
    AR_TRY(check(&known, report, recommender, k, search, function));
    top_k_call made = {.filter = known.filter,
                       /* More than all items are no more, and would not do to reckon sizes with. */
                       .search = {.items = items,
                                  .scores = scores,
                                  .k = k,
                                  .candidates = ar_at_most(known.candidates, recommender->items)}};
    AR_TRY(ar_serving_call_begin(&made.call, recommender, batch, &known, function));
    alterrec_status status = run(&made);
    alterrec_search_report met = {.guaranteed = made.search.guaranteed,
                                  .reranked = made.search.reranked,
                                  .rescans = made.search.rescans};
    if (status == ALTERREC_OK && report != NULL)
        ar_host_struct_fill(report, &met, &ar_search_report_struct);
    ar_serving_call_end(&made.call);
    return status;
}

alterrec_status alterrec_recommender_top_k(int32_t *items, float *scores,
                                           alterrec_search_report *report,
                                           const alterrec_recommender *recommender,
                                           alterrec_batch *batch, int64_t k,
                                           const alterrec_search *search) {
    AR_NOT_NULL(items);
    AR_NOT_NULL(recommender);
    AR_NOT_NULL(batch);
    return ar_serving_top_k(items, scores, report, recommender, batch, k, search, __func__);
}
