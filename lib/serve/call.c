#include "serve/call.h"

#include "core/threads.h"
#include "serve/filter.h"

#include <string.h>

enum {
    TILE_ITEMS = 8192,    /* scored in one product */
    TILE_ROWS = 128,      /* sessions, at most */
    ROWS_FLOATS = 4 << 20 /* where rows are kept whole, so many scores, or one row */
};

static int64_t at_most(int64_t value, int64_t most) {
    return value < most ? value : most;
}

static int64_t at_least(int64_t value, int64_t least) {
    return value > least ? value : least;
}

alterrec_status ar_serving_check(const alterrec_search *search,
                                 const alterrec_recommender *recommender, const char *function) {
    if (search == NULL)
        return ALTERREC_OK;
    AR_TRY(ar_check_struct_size(search->struct_size, sizeof *search, function));
    if (search->threads < 0)
        return ar_fail(ALTERREC_ERROR_INVALID_ARGUMENT, "%s: search->threads is %d, below 0",
                       function, (int)search->threads);
    if (search->filter != NULL && search->filter->items != recommender->items)
        return ar_fail(ALTERREC_ERROR_MISMATCH,
                       "%s: search->filter is over %lld items, the recommender has %lld", function,
                       (long long)search->filter->items, (long long)recommender->items);
    return ALTERREC_OK;
}

static alterrec_status encode(ar_serving_call *call) {
    static const int slots[] = {AR_SLOT_ID_VECTORS, AR_SLOT_TEXT_VECTORS};
    const alterrec_recommender *recommender = call->recommender;
    const alterrec_batch *batch = call->batch;
    AR_TRY(ar_workspace_of(&call->workspace, call->batch));
    for (int i = 0; i < recommender->tower_count; i++) {
        call->vectors[i] = ar_workspace_array(
            call->workspace, slots[i], (batch->count + AR_PRODUCT_ROWS) * recommender->shape.dim,
            sizeof(float));
        if (call->vectors[i] == NULL)
            return ALTERREC_ERROR_OUT_OF_MEMORY;
        AR_TRY(ar_workspace_encode(
            call->vectors[i], call->workspace, &recommender->towers[i].encoder, &recommender->shape,
            recommender->towers[i].table, batch->items, batch->offsets, batch->count));
    }
    return ALTERREC_OK;
}

alterrec_status ar_serving_call_begin(ar_serving_call *call,
                                      const alterrec_recommender *recommender,
                                      alterrec_batch *batch, const alterrec_search *search,
                                      const char *function) {
    *call = (ar_serving_call){
        .recommender = recommender, .batch = batch, .fusion = recommender->fusion};
    AR_TRY(ar_batch_check(batch, recommender->items, function));
    AR_TRY(ar_batch_enter(batch, function));
    bool own = search != NULL && search->threads > 0;
    call->previous_threads = ar_threads_enter(own ? search->threads : recommender->threads);
    alterrec_status status = encode(call);
    if (status != ALTERREC_OK)
        ar_serving_call_end(call);
    return status;
}

void ar_serving_call_end(ar_serving_call *call) {
    ar_threads_leave(call->previous_threads);
    ar_batch_leave(call->batch);
}

bool ar_serving_host_fuses(const ar_serving_call *call) {
    return call->fusion.call != NULL && call->recommender->tower_count == 2;
}

static alterrec_status reserve_array(float **array, const ar_serving_call *call, int slot,
                                     int64_t rows, int64_t items) {
    *array = ar_workspace_array(call->workspace, slot, rows * items, sizeof(float));
    return *array != NULL ? ALTERREC_OK : ALTERREC_ERROR_OUT_OF_MEMORY;
}

alterrec_status ar_serving_reserve(ar_serving_call *call, bool whole_rows) {
    static const int score_slots[] = {AR_SLOT_ID_SCORES, AR_SLOT_TEXT_SCORES};
    static const int row_slots[] = {AR_SLOT_ID_ROWS, AR_SLOT_TEXT_ROWS};
    int64_t items = call->recommender->items, count = call->batch->count;
    call->most_rows = TILE_ROWS;
    call->most_items = at_most(items, TILE_ITEMS);
    int64_t rows = at_least(at_most(count, TILE_ROWS), AR_PRODUCT_ROWS);
    for (int i = 0; i < call->recommender->tower_count; i++)
        AR_TRY(reserve_array(&call->scores[i], call, score_slots[i], rows, call->most_items));
    if (!whole_rows)
        return ALTERREC_OK;
    call->whole_rows = at_most(at_most(count, TILE_ROWS), at_least(ROWS_FLOATS / items, 1));
    for (int i = 0; i < call->recommender->tower_count; i++)
        AR_TRY(reserve_array(&call->rows[i], call, row_slots[i], call->whole_rows, items));
    return reserve_array(&call->fused, call, AR_SLOT_FUSED_ROWS, call->whole_rows, items);
}

alterrec_status ar_serving_score_tile(const ar_serving_call *call, int64_t session, int64_t rows,
                                      int64_t first, int64_t items) {
    const alterrec_recommender *recommender = call->recommender;
    int64_t dim = recommender->shape.dim;
    for (int i = 0; i < recommender->tower_count; i++)
        AR_TRY(ar_matmul(call->workspace->onednn, call->scores[i], call->vectors[i] + session * dim,
                         recommender->towers[i].table + first * dim, NULL,
                         at_least(rows, AR_PRODUCT_ROWS), items, dim, AR_WEIGHTS_TRANSPOSED));
    return ALTERREC_OK;
}

/* Moves the tile's scores of one tower to their place in the whole rows. */
static void place_row(const ar_serving_call *call, int tower, int64_t row, int64_t first,
                      int64_t items) {
    float *dst = call->rows[tower] + row * call->recommender->items + first;
    memcpy(dst, call->scores[tower] + row * items, (size_t)items * sizeof *dst);
    if (tower == 1)
        ar_scores_scale(dst, items, call->recommender->towers[1].scale);
}

alterrec_status ar_serving_score_rows(const ar_serving_call *call, int64_t session, int64_t rows) {
    int64_t all = call->recommender->items;
    int towers = call->recommender->tower_count;
    for (int64_t first = 0; first < all; first += call->most_items) {
        int64_t items = at_most(all - first, call->most_items);
        AR_TRY(ar_serving_score_tile(call, session, rows, first, items));
#pragma omp parallel for schedule(static) if (rows * items > AR_PARALLEL_LEAST)
        for (int64_t row = 0; row < rows; row++)
            for (int tower = 0; tower < towers; tower++)
                place_row(call, tower, row, first, items);
    }
    for (int64_t row = 0; row < rows && ar_serving_host_fuses(call); row++)
        for (int tower = 0; tower < towers; tower++)
            if (!ar_scores_finite(call->rows[tower] + row * all, all))
                return ar_fail(ALTERREC_ERROR_NOT_FINITE,
                               "session %lld of the batch: a score is not finite",
                               (long long)(session + row));
    return ALTERREC_OK;
}

alterrec_status ar_serving_fuse_rows(const ar_serving_call *call, int64_t session, int64_t rows) {
    int64_t items = call->recommender->items;
    if (ar_serving_host_fuses(call))
        return ar_fusion_run(&call->fusion, &(alterrec_fusion_tile){.first_session = session,
                                                                    .sessions = rows,
                                                                    .items = items,
                                                                    .id = call->rows[0],
                                                                    .text = call->rows[1],
                                                                    .fused = call->fused});
    memcpy(call->fused, call->rows[0], (size_t)(rows * items) * sizeof *call->fused);
    if (call->recommender->tower_count == 2)
        ar_scores_fuse(call->fused, call->rows[1], rows * items, call->fusion.alpha);
    return ALTERREC_OK;
}
