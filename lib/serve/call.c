#include "serve/call.h"

#include "core/host_struct.h"
#include "core/limit.h"
#include "core/threads.h"
#include "serve/filter.h"

#include <string.h>

enum {
    MOST_ROWS = 128,      /* sessions whose rows are kept whole, at most */
    ROWS_FLOATS = 4 << 20 /* of one kind of rows: so many scores, or one row */
};

alterrec_status ar_serving_check(alterrec_search *known, const alterrec_search *search,
                                 const alterrec_recommender *recommender, const char *function) {
    *known = (alterrec_search){0};
    if (search == NULL)
        return ALTERREC_OK;
    AR_TRY(ar_host_struct_check(&ar_search_struct, search, function));
    ar_host_struct_read(known, search, &ar_search_struct);
    AR_TRY(ar_check_threads(known->threads, "search->threads", function));
    if (known->filter != NULL && known->filter->items != recommender->items)
        return ar_fail(ALTERREC_ERROR_MISMATCH,
                       "%s: search->filter is over %lld items, the recommender has %lld", function,
                       (long long)known->filter->items, (long long)recommender->items);
    return ALTERREC_OK;
}

/* The batch's memory goes into the call and comes back when the call ends, as it may grow. */
static void lend_memory(ar_serving_call *call) {
    struct ar_slot *search = &call->workspace->slots[AR_SLOT_SEARCH];
    struct ar_slot *sessions = &call->workspace->slots[AR_SLOT_SESSIONS];
    call->search_memory = (ar_search_memory){search->array, search->capacity};
    call->session_memory = (ar_session_memory){sessions->array, sessions->capacity};
    *search = *sessions = (struct ar_slot){0};
}

static void return_memory(ar_serving_call *call) {
    if (call->workspace == NULL)
        return;
    call->workspace->slots[AR_SLOT_SEARCH] =
        (struct ar_slot){call->search_memory.bytes, call->search_memory.capacity};
    call->workspace->slots[AR_SLOT_SESSIONS] =
        (struct ar_slot){call->session_memory.bytes, call->session_memory.capacity};
}

static alterrec_status encode(ar_serving_call *call) {
    const alterrec_recommender *recommender = call->recommender;
    const alterrec_batch *batch = call->batch;
    int64_t floats = batch->count * recommender->index.width;
    AR_TRY(ar_workspace_of(&call->workspace, call->batch));
    lend_memory(call);
    call->vectors =
        ar_workspace_array(call->workspace, AR_SLOT_VECTORS, floats, sizeof *call->vectors);
    if (call->vectors == NULL)
        return ALTERREC_ERROR_OUT_OF_MEMORY;
    if (batch->vectors != NULL) {
        memcpy(call->vectors, batch->vectors, (size_t)floats * sizeof *call->vectors);
        return ALTERREC_OK;
    }
    return ar_session_encode(call->vectors, &recommender->encoder, &call->session_memory,
                             recommender->index.table, batch->items, batch->offsets, batch->count,
                             call->threads);
}

alterrec_status ar_serving_call_begin(ar_serving_call *call,
                                      const alterrec_recommender *recommender,
                                      alterrec_batch *batch, const alterrec_search *search,
                                      const char *function) {
    *call = (ar_serving_call){.recommender = recommender,
                              .batch = batch,
                              .fusion = {recommender->alpha, search->fusion, search->user_data}};
    AR_TRY(ar_batch_check(batch, recommender->items, function));
    AR_TRY(ar_batch_enter(batch, function));
    call->previous_threads =
        ar_threads_enter(search->threads > 0 ? search->threads : recommender->threads);
    call->threads = ar_threads_count();
    alterrec_status status = encode(call);
    if (status != ALTERREC_OK)
        ar_serving_call_end(call);
    return status;
}

void ar_serving_call_end(ar_serving_call *call) {
    return_memory(call);
    ar_threads_leave(call->previous_threads);
    ar_batch_leave(call->batch);
}

bool ar_serving_host_fuses(const ar_serving_call *call) {
    return call->fusion.call != NULL && call->recommender->tower_count == 2;
}

alterrec_status ar_serving_reserve_rows(ar_serving_call *call) {
    static const int slots[] = {AR_SLOT_ID_ROWS, AR_SLOT_TEXT_ROWS, AR_SLOT_FUSED_ROWS};
    float **const rows[] = {&call->rows[0], &call->rows[1], &call->fused};
    int64_t items = call->recommender->items;
    call->whole_rows =
        ar_at_most(ar_at_most(call->batch->count, MOST_ROWS), ar_at_least(ROWS_FLOATS / items, 1));
    int32_t *all = ar_workspace_array(call->workspace, AR_SLOT_ALL_ITEMS, items, sizeof *all);
    for (int64_t i = 0; all != NULL && i < items; i++)
        all[i] = (int32_t)i;
    call->all = all;
    for (int i = 0; i < 3; i++) {
        *rows[i] =
            ar_workspace_array(call->workspace, slots[i], call->whole_rows * items, sizeof(float));
        if (*rows[i] == NULL)
            return ALTERREC_ERROR_OUT_OF_MEMORY;
    }
    return call->all != NULL ? ALTERREC_OK : ALTERREC_ERROR_OUT_OF_MEMORY;
}

alterrec_status ar_serving_fuse_rows(ar_serving_call *call, int64_t session, int64_t rows) {
    const ar_item_index *index = &call->recommender->index;
    int64_t items = call->recommender->items;
    for (int64_t row = 0; row < rows; row++) {
        float *id = call->rows[0] + row * items, *text = call->rows[1] + row * items;
        AR_TRY(ar_search_score(NULL, id, text, index,
                               call->vectors + (session + row) * index->width, call->all, items,
                               &call->search_memory));
        if (!ar_scores_finite(id, items) || !ar_scores_finite(text, items))
            return ar_fail(ALTERREC_ERROR_NOT_FINITE,
                           "session %lld of the batch: a score is not finite",
                           (long long)(session + row));
    }
    return ar_fusion_run(&call->fusion, &(alterrec_fusion_tile){.first_session = session,
                                                                .sessions = rows,
                                                                .items = items,
                                                                .id = call->rows[0],
                                                                .text = call->rows[1],
                                                                .fused = call->fused});
}
