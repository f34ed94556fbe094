#include "model/alpha.h"

#include "core/limit.h"
#include "core/memory.h"
#include "core/text.h"
#include "core/threads.h"
#include "data/config.h"
#include "model/fusion.h"
#include "model/metrics.h"

#include <string.h>

double ar_alpha_at(int64_t point, int64_t points) {
    return (double)point / (double)(points - 1);
}

/* Computed as ar_scores_fuse does, or ties would be broken otherwise. */
static float fuse(float id, float text, float alpha) {
    float rest = 1.0f - alpha;
    return alpha * id + rest * text;
}

/* How many of the fused scores are at least `own`, and how many are above it. */
AR_CLONES static int32_t count_at_least(const float *id, const float *text, int64_t count,
                                        float alpha, float own) {
    float rest = 1.0f - alpha;
    int32_t found = 0;
    for (int64_t i = 0; i < count; i++)
        found += alpha * id[i] + rest * text[i] >= own;
    return found;
}

AR_CLONES static int32_t count_above(const float *id, const float *text, int64_t count, float alpha,
                                     float own) {
    float rest = 1.0f - alpha;
    int32_t found = 0;
    for (int64_t i = 0; i < count; i++)
        found += alpha * id[i] + rest * text[i] > own;
    return found;
}

/* A run, and the chunk that it is at. */
typedef struct sweep {
    const float *alphas; /* [points] */
    double *sums;        /* [points] */
    int64_t points;
    int kind;
    int64_t k;
    int64_t examples;
    const int32_t *labels;
    float *own[AR_SCORE_KINDS]; /* [rows] the labels' scores */
    int32_t *before;            /* [rows, points] items that are before the label */
    int64_t row_capacity, capacity;
    int64_t broken; /* the first row of the chunk with a score that is not finite, or -1 */
} sweep;

/* Adds what the tile's items first .. first + count - 1, all on one side of the label, put before
 * the label of one row. */
static void count_items(sweep *work, const ar_score_tile *tile, int64_t row, int64_t first,
                        int64_t count, bool ahead) {
    int64_t at = tile->first_row + row, place = row * AR_TILE_ITEMS + first;
    const float *id = tile->scores[AR_SCORE_ID] + place;
    const float *text = tile->scores[AR_SCORE_TEXT] + place;
    for (int64_t p = 0; p < work->points; p++) {
        float alpha = work->alphas[p];
        float own = fuse(work->own[AR_SCORE_ID][at], work->own[AR_SCORE_TEXT][at], alpha);
        int32_t found = ahead ? count_at_least(id, text, count, alpha, own)
                              : count_above(id, text, count, alpha, own);
#pragma omp atomic
        work->before[at * work->points + p] += found;
    }
}

static void sweep_tile(const ar_score_tile *tile, void *state) {
    sweep *work = state;
    for (int64_t row = 0; row < tile->rows; row++) {
        int64_t label = work->labels[tile->first_row + row] - tile->first_item;
        int64_t ahead = ar_at_most(ar_at_least(label, 0), tile->items);
        int64_t behind = ar_at_most(ar_at_least(label + 1, 0), tile->items);
        for (int k = AR_SCORE_ID; k <= AR_SCORE_TEXT; k++)
            if (!ar_scores_finite(tile->scores[k] + row * AR_TILE_ITEMS, tile->items))
                ar_score_note(&work->broken, tile->first_row + row);
        if (ahead > 0)
            count_items(work, tile, row, 0, ahead, true);
        if (behind < tile->items)
            count_items(work, tile, row, behind, tile->items - behind, false);
    }
}

static alterrec_status reserve_rows(sweep *work, int64_t rows) {
    void *before = work->before;
    AR_TRY(ar_grow(&before, &work->capacity, rows * work->points, sizeof *work->before));
    work->before = before;
    memset(work->before, 0, (size_t)(rows * work->points) * sizeof *work->before);
    if (rows <= work->row_capacity)
        return ALTERREC_OK;
    work->row_capacity = rows;
    for (int k = AR_SCORE_ID; k <= AR_SCORE_TEXT; k++) {
        ar_free(work->own[k]);
        AR_NEW(work->own[k], rows);
    }
    return ALTERREC_OK;
}

static alterrec_status sweep_chunk(const ar_held_out_chunk *chunk, void *state) {
    sweep *work = state;
    int64_t rows = chunk->scoring.rows;
    AR_TRY(reserve_rows(work, rows));
    work->labels = chunk->labels;
    AR_TRY(ar_score_labels(work->own, &chunk->scoring, chunk->labels));
    AR_TRY(ar_score_tiles_run(&chunk->scoring, sweep_tile, work));
    if (work->broken >= 0)
        return ar_held_out_not_finite(chunk->first + work->broken, chunk->labels[work->broken]);
    for (int64_t row = 0; row < rows; row++)
        for (int64_t p = 0; p < work->points; p++)
            work->sums[p] +=
                ar_metric_of(work->kind, work->before[row * work->points + p] + 1, work->k);
    work->examples += rows;
    return ALTERREC_OK;
}

alterrec_status ar_alpha_curve(double *curve, int64_t points, const alterrec_model *model,
                               const alterrec_sessions *held_out, int kind, int64_t k) {
    bool stopped;
    float *alphas;
    AR_NEW(alphas, points);
    for (int64_t p = 0; p < points; p++) {
        alphas[p] = (float)ar_alpha_at(p, points);
        curve[p] = 0.0;
    }
    sweep work = {
        .alphas = alphas, .sums = curve, .points = points, .kind = kind, .k = k, .broken = -1};
    alterrec_status status = ar_held_out_run(&stopped, model, held_out, NULL, sweep_chunk, &work);
    for (int64_t p = 0; p < points; p++)
        curve[p] = work.examples > 0 ? curve[p] / (double)work.examples : 0.0;
    ar_free(work.before);
    ar_free(work.own[AR_SCORE_ID]);
    ar_free(work.own[AR_SCORE_TEXT]);
    ar_free(alphas);
    return status;
}

/* Twice the distance from the middle, in points. */
static int64_t off_middle(int64_t point, int64_t points) {
    int64_t off = 2 * point - (points - 1);
    return off < 0 ? -off : off;
}

int64_t ar_alpha_best(const double *curve, int64_t points) {
    int64_t best = 0;
    for (int64_t p = 1; p < points; p++)
        if (curve[p] > curve[best] ||
            (curve[p] == curve[best] && off_middle(p, points) < off_middle(best, points)))
            best = p;
    return best;
}

static alterrec_status set_alpha(alterrec_model *model, double alpha) {
    ar_text text = {0};
    ar_text_put_double(&text, alpha);
    alterrec_status status = text.status;
    if (status == ALTERREC_OK)
        status = alterrec_config_set(model->config, "fusion.alpha", text.bytes);
    ar_text_free(&text);
    return status;
}

static alterrec_status check(const alterrec_model *model, const alterrec_sessions *valid,
                             int64_t points, const char *function) {
    if (points < 2 || points > AR_ALPHA_MOST_POINTS)
        return ar_fail(ALTERREC_ERROR_INVALID_ARGUMENT, "%s: points is %lld, outside 2..%d",
                       function, (long long)points, AR_ALPHA_MOST_POINTS);
    if (!ar_catalog_same(valid->catalog, model->catalog))
        return ar_fail(ALTERREC_ERROR_MISMATCH, "%s: the catalog of `valid` is not the model's",
                       function);
    if (!model->has_text)
        return ar_fail(ALTERREC_ERROR_MISMATCH,
                       "%s: the model has no text tower%s, so that there is nothing to weigh",
                       function, model->is_joint ? " of its own, but a joint one" : "");
    if (ar_held_out_examples(valid) == 0)
        return ar_fail(ALTERREC_ERROR_INVALID_ARGUMENT, "%s: `valid` has no session of two items",
                       function);
    return ALTERREC_OK;
}

alterrec_status ar_model_choose_alpha(double *curve, alterrec_model *model,
                                      const alterrec_sessions *valid, int64_t points,
                                      const alterrec_config *config) {
    alterrec_config *options;
    AR_TRY(ar_config_merge(&options, model->config, config));
    int previous = ar_threads_enter(ar_config_int(options, "compute.threads"));
    alterrec_status status =
        ar_alpha_curve(curve, points, model, valid, ar_config_choice(options, "train.valid_metric"),
                       ar_config_int(options, "train.valid_k"));
    ar_threads_leave(previous);
    alterrec_config_free(options);
    if (status == ALTERREC_OK)
        status = set_alpha(model, ar_alpha_at(ar_alpha_best(curve, points), points));
    return status;
}

alterrec_status alterrec_model_choose_alpha(double *alpha, double *curve, alterrec_model *model,
                                            const alterrec_sessions *valid, int64_t points,
                                            const alterrec_config *config) {
    AR_NOT_NULL(model);
    AR_NOT_NULL(valid);
    AR_TRY(check(model, valid, points, __func__));
    double *made;
    AR_NEW(made, points);
    alterrec_status status = ar_model_enter(model, __func__);
    if (status == ALTERREC_OK) {
        status = ar_model_choose_alpha(made, model, valid, points, config);
        ar_model_leave(model);
    }
    for (int64_t p = 0; curve != NULL && status == ALTERREC_OK && p < points; p++)
        curve[p] = made[p];
    if (alpha != NULL && status == ALTERREC_OK)
        *alpha = ar_alpha_at(ar_alpha_best(made, points), points);
    ar_free(made);
    return status;
}
