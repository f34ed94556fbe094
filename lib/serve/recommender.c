#include "serve/recommender.h"

#include "core/memory.h"
#include "core/threads.h"
#include "data/config.h"
#include "model/fusion.h"
#include "model/workspace.h"
#include "serve/exclusions.h"
#include "serve/topk.h"

#include <string.h>

enum {
    TILE_ITEMS = 8192,    /* scored in one product */
    TILE_ROWS = 128,      /* sessions, at most */
    ROWS_FLOATS = 4 << 20 /* where rows are kept whole, so many scores, or one row */
};

/* Tower `kind` of the model: its item table, and a copy of its encoder. */
static alterrec_status copy_tower(struct ar_serving_tower *copy, ar_onednn *onednn,
                                  const alterrec_model *model, int kind) {
    const ar_tower *tower = ar_model_tower(model, kind);
    int64_t count = ar_encoder_weights_count(&model->shape);
    AR_NEW(copy->table, model->catalog->items * model->shape.dim);
    AR_NEW(copy->block, count);
    memcpy(copy->block, tower->weights.encoder.position, (size_t)count * sizeof *copy->block);
    copy->encoder = ar_encoder_weights_at(copy->block, &model->shape);
    copy->scale = ar_model_score_scale(model, kind);
    return ar_model_table(copy->table, onednn, model, kind);
}

static alterrec_status copy_towers(alterrec_recommender *recommender, const alterrec_model *model) {
    ar_onednn *onednn;
    AR_TRY(ar_onednn_create(&onednn));
    int previous = ar_threads_enter(recommender->threads);
    alterrec_status status = copy_tower(&recommender->towers[0], onednn, model, ALTERREC_ID);
    if (status == ALTERREC_OK && model->has_text)
        status = copy_tower(&recommender->towers[1], onednn, model, ALTERREC_TEXT);
    ar_threads_leave(previous);
    ar_onednn_free(onednn);
    return status;
}

alterrec_status alterrec_recommender_create(alterrec_recommender **recommender,
                                            const alterrec_model *model,
                                            const alterrec_config *config) {
    AR_NOT_NULL(recommender);
    *recommender = NULL;
    AR_NOT_NULL(model);
    if (config == NULL)
        config = model->config;
    alterrec_recommender *made;
    AR_NEW(made, 1);
    made->catalog = ar_catalog_hold(model->catalog);
    made->shape = model->shape;
    made->items = model->catalog->items;
    made->threads = ar_config_int(config, "compute.threads");
    made->fusion.alpha = (float)ar_fusion_alpha(config, model->config);
    made->tower_count = model->has_text ? 2 : 1;
    alterrec_status status = copy_towers(made, model);
    if (status != ALTERREC_OK) {
        alterrec_recommender_free(made);
        return status;
    }
    *recommender = made;
    return ALTERREC_OK;
}

void alterrec_recommender_free(alterrec_recommender *recommender) {
    if (recommender == NULL)
        return;
    for (int i = 0; i < AR_RECOMMENDER_MOST_TOWERS; i++) {
        ar_free(recommender->towers[i].table);
        ar_free(recommender->towers[i].block);
    }
    alterrec_catalog_free(recommender->catalog);
    ar_free(recommender);
}

alterrec_status alterrec_recommender_on_fusion(alterrec_recommender *recommender,
                                               alterrec_fusion_fn fusion, void *user_data) {
    AR_NOT_NULL(recommender);
    recommender->fusion.call = fusion;
    recommender->fusion.user_data = user_data;
    return ALTERREC_OK;
}

const alterrec_catalog *alterrec_recommender_catalog(const alterrec_recommender *recommender) {
    return recommender != NULL ? recommender->catalog : NULL;
}

/* One call of top_k. */
typedef struct top_k_scan {
    const alterrec_recommender *recommender;
    const alterrec_batch *batch;
    ar_workspace *workspace;
    ar_exclusions exclusions;
    float *vectors[AR_RECOMMENDER_MOST_TOWERS]; /* [batch count + AR_PRODUCT_ROWS, dim] */
    float *scores[AR_RECOMMENDER_MOST_TOWERS];  /* [TILE_ROWS, TILE_ITEMS] */
    ar_fusion fusion;                           /* as it is when the call begins */
    float *rows[AR_RECOMMENDER_MOST_TOWERS];    /* [whole_rows, items]; for the host's fusion */
    float *fused;                               /* [whole_rows, items] */
    int64_t whole_rows;
    int32_t *best_items; /* [batch count, k] */
    float *best_scores;  /* [batch count, k] */
    int64_t k;
} top_k_scan;

static int64_t at_most(int64_t value, int64_t most) {
    return value < most ? value : most;
}

static int64_t at_least(int64_t value, int64_t least) {
    return value > least ? value : least;
}

/* Whether the fusion is the host's, which sees all items of a session at once. */
static bool host_fuses(const top_k_scan *scan) {
    return scan->fusion.call != NULL && scan->recommender->tower_count == 2;
}

static alterrec_status reserve_rows(top_k_scan *scan) {
    static const int slots[] = {AR_SLOT_ID_ROWS, AR_SLOT_TEXT_ROWS, AR_SLOT_FUSED_ROWS};
    float **const rows[] = {&scan->rows[0], &scan->rows[1], &scan->fused};
    int64_t size = scan->whole_rows * scan->recommender->items;
    for (int i = 0; i < 3; i++) {
        *rows[i] = ar_workspace_array(scan->workspace, slots[i], size, sizeof(float));
        if (*rows[i] == NULL)
            return ALTERREC_ERROR_OUT_OF_MEMORY;
    }
    return ALTERREC_OK;
}

static alterrec_status reserve(top_k_scan *scan) {
    static const int vector_slots[] = {AR_SLOT_ID_VECTORS, AR_SLOT_TEXT_VECTORS};
    static const int score_slots[] = {AR_SLOT_ID_SCORES, AR_SLOT_TEXT_SCORES};
    const alterrec_recommender *recommender = scan->recommender;
    int64_t count = scan->batch->count;
    int64_t rows = at_least(at_most(count, TILE_ROWS), AR_PRODUCT_ROWS);
    int64_t items = at_most(recommender->items, TILE_ITEMS);
    if (host_fuses(scan))
        scan->whole_rows =
            at_most(at_most(count, TILE_ROWS), at_least(ROWS_FLOATS / recommender->items, 1));
    for (int i = 0; i < recommender->tower_count; i++) {
        scan->vectors[i] =
            ar_workspace_array(scan->workspace, vector_slots[i],
                               (count + AR_PRODUCT_ROWS) * recommender->shape.dim, sizeof(float));
        scan->scores[i] =
            ar_workspace_array(scan->workspace, score_slots[i], rows * items, sizeof(float));
        if (scan->vectors[i] == NULL || scan->scores[i] == NULL)
            return ALTERREC_ERROR_OUT_OF_MEMORY;
    }
    if (scan->whole_rows > 0)
        AR_TRY(reserve_rows(scan));
    if (scan->best_scores == NULL)
        scan->best_scores = ar_workspace_array(scan->workspace, AR_SLOT_BEST_SCORES,
                                               count * scan->k, sizeof(float));
    return scan->best_scores != NULL ? ALTERREC_OK : ALTERREC_ERROR_OUT_OF_MEMORY;
}

static ar_topk best_of(const top_k_scan *scan, int64_t session) {
    return (ar_topk){scan->best_items + session * scan->k, scan->best_scores + session * scan->k,
                     scan->k};
}

/* Fuses one session's scores of a tile in place, and takes the best. */
static void scan_row(const top_k_scan *scan, int64_t session, int64_t row, int64_t first,
                     int64_t items) {
    const alterrec_recommender *recommender = scan->recommender;
    float *scores = scan->scores[0] + row * items;
    if (recommender->tower_count == 2) {
        float *text = scan->scores[1] + row * items;
        ar_scores_scale(text, items, recommender->towers[1].scale);
        ar_scores_fuse(scores, text, items, scan->fusion.alpha);
    }
    ar_exclusions_apply(scores, &scan->exclusions, session, first, items);
    ar_topk best = best_of(scan, session);
    ar_topk_add(&best, scores, (int32_t)first, items);
}

/* The towers' products with items first .. first + items - 1 for `rows` sessions from `session` on.
 */
static alterrec_status score_tile(const top_k_scan *scan, int64_t session, int64_t rows,
                                  int64_t first, int64_t items) {
    const alterrec_recommender *recommender = scan->recommender;
    int64_t dim = recommender->shape.dim;
    for (int i = 0; i < recommender->tower_count; i++)
        AR_TRY(ar_matmul(scan->workspace->onednn, scan->scores[i], scan->vectors[i] + session * dim,
                         recommender->towers[i].table + first * dim, NULL,
                         at_least(rows, AR_PRODUCT_ROWS), items, dim, AR_WEIGHTS_TRANSPOSED));
    return ALTERREC_OK;
}

static alterrec_status scan_tile(const top_k_scan *scan, int64_t session, int64_t rows,
                                 int64_t first, int64_t items) {
    AR_TRY(score_tile(scan, session, rows, first, items));
#pragma omp parallel for schedule(static) if (rows * items > AR_PARALLEL_LEAST)
    for (int64_t row = 0; row < rows; row++)
        scan_row(scan, session + row, row, first, items);
    return ALTERREC_OK;
}

/* Tile by tile of the items, so that a tile of the tables is read once for the whole batch. */
static alterrec_status scan_items(const top_k_scan *scan) {
    int64_t count = scan->batch->count, items = scan->recommender->items;
    for (int64_t first = 0; first < items; first += TILE_ITEMS)
        for (int64_t session = 0; session < count; session += TILE_ROWS)
            AR_TRY(scan_tile(scan, session, at_most(count - session, TILE_ROWS), first,
                             at_most(items - first, TILE_ITEMS)));
    return ALTERREC_OK;
}

/* Moves the tile's scores of one tower to their place in the whole rows. */
static void place_row(const top_k_scan *scan, int tower, int64_t row, int64_t first,
                      int64_t items) {
    float *dst = scan->rows[tower] + row * scan->recommender->items + first;
    memcpy(dst, scan->scores[tower] + row * items, (size_t)items * sizeof *dst);
    if (tower == 1)
        ar_scores_scale(dst, items, scan->recommender->towers[1].scale);
}

/* Both towers' whole rows for `rows` sessions from `session` on. */
static alterrec_status score_rows(const top_k_scan *scan, int64_t session, int64_t rows) {
    int64_t all = scan->recommender->items;
    for (int64_t first = 0; first < all; first += TILE_ITEMS) {
        int64_t items = at_most(all - first, TILE_ITEMS);
        AR_TRY(score_tile(scan, session, rows, first, items));
#pragma omp parallel for schedule(static) if (rows * items > AR_PARALLEL_LEAST)
        for (int64_t row = 0; row < rows; row++)
            for (int tower = 0; tower < 2; tower++)
                place_row(scan, tower, row, first, items);
    }
    for (int64_t row = 0; row < rows; row++)
        for (int tower = 0; tower < 2; tower++)
            if (!ar_scores_finite(scan->rows[tower] + row * all, all))
                return ar_fail(ALTERREC_ERROR_NOT_FINITE,
                               "session %lld of the batch: a score is not finite",
                               (long long)(session + row));
    return ALTERREC_OK;
}

/* With the host's fusion: session by session, each with all items. */
static alterrec_status scan_rows(const top_k_scan *scan) {
    int64_t count = scan->batch->count, items = scan->recommender->items;
    for (int64_t session = 0; session < count; session += scan->whole_rows) {
        int64_t rows = at_most(count - session, scan->whole_rows);
        AR_TRY(score_rows(scan, session, rows));
        AR_TRY(ar_fusion_run(&scan->fusion, &(alterrec_fusion_tile){.first_session = session,
                                                                    .sessions = rows,
                                                                    .items = items,
                                                                    .id = scan->rows[0],
                                                                    .text = scan->rows[1],
                                                                    .fused = scan->fused}));
#pragma omp parallel for schedule(static) if (rows * items > AR_PARALLEL_LEAST)
        for (int64_t row = 0; row < rows; row++) {
            float *fused = scan->fused + row * items;
            ar_topk best = best_of(scan, session + row);
            ar_exclusions_apply(fused, &scan->exclusions, session + row, 0, items);
            ar_topk_add(&best, fused, 0, items);
        }
    }
    return ALTERREC_OK;
}

static alterrec_status scan_all(const top_k_scan *scan) {
    int64_t count = scan->batch->count;
    for (int64_t session = 0; session < count; session++) {
        ar_topk best = best_of(scan, session);
        ar_topk_begin(&best);
    }
    AR_TRY(host_fuses(scan) ? scan_rows(scan) : scan_items(scan));
    for (int64_t session = 0; session < count; session++) {
        ar_topk best = best_of(scan, session);
        ar_topk_finish(&best);
    }
    return ALTERREC_OK;
}

static alterrec_status run(top_k_scan *scan, alterrec_batch *batch) {
    const alterrec_recommender *recommender = scan->recommender;
    AR_TRY(ar_exclusions_of(&scan->exclusions, scan->workspace, batch));
    AR_TRY(reserve(scan));
    for (int i = 0; i < recommender->tower_count; i++)
        AR_TRY(ar_workspace_encode(
            scan->vectors[i], scan->workspace, &recommender->towers[i].encoder, &recommender->shape,
            recommender->towers[i].table, batch->items, batch->offsets, batch->count));
    return scan_all(scan);
}

alterrec_status alterrec_recommender_top_k(int32_t *items, float *scores,
                                           const alterrec_recommender *recommender,
                                           alterrec_batch *batch, int64_t k) {
    AR_NOT_NULL(items);
    AR_NOT_NULL(recommender);
    AR_NOT_NULL(batch);
    if (k < 1 || k > recommender->items)
        return ar_fail(ALTERREC_ERROR_INVALID_ARGUMENT, "%s: k %lld is outside 1..%lld", __func__,
                       (long long)k, (long long)recommender->items);
    AR_TRY(ar_batch_check(batch, recommender->items, __func__));
    top_k_scan made = {.recommender = recommender,
                       .batch = batch,
                       .fusion = recommender->fusion,
                       .best_items = items,
                       .best_scores = scores,
                       .k = k};
    AR_TRY(ar_batch_enter(batch, __func__));
    int previous = ar_threads_enter(recommender->threads);
    alterrec_status status = ar_workspace_of(&made.workspace, batch);
    if (status == ALTERREC_OK)
        status = run(&made, batch);
    ar_threads_leave(previous);
    ar_batch_leave(batch);
    return status;
}
