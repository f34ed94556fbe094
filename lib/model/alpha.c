#include "model/alpha.h"

#include "core/memory.h"
#include "core/text.h"
#include "core/threads.h"
#include "data/config.h"
#include "model/fusion.h"
#include "model/metrics.h"

enum { BLOCK = 2048 /* items whose scores stay in the cache while every alpha is tried */ };

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

typedef struct sweep {
    const float *alphas; /* [points] */
    double *sums;        /* [points] */
    int64_t points;
    int32_t *ranks; /* [rows, points] of a tile */
    int64_t rank_capacity;
    int kind;
    int64_t k;
    int64_t examples;
} sweep;

/* Adds to the label's ranks what items first .. first + count - 1, all on one side of the label,
 * put before it. */
static void rank_items(int32_t *ranks, const sweep *work, const float *id, const float *text,
                       int32_t label, int64_t first, int64_t count) {
    for (int64_t p = 0; p < work->points; p++) {
        float alpha = work->alphas[p], own = fuse(id[label], text[label], alpha);
        ranks[p] += first < label ? count_at_least(id + first, text + first, count, alpha, own)
                                  : count_above(id + first, text + first, count, alpha, own);
    }
}

/* ranks [points] of one example; all 0 if a score is not finite. */
static void rank_row(int32_t *ranks, const sweep *work, const ar_held_out_tile *tile, int64_t row) {
    int64_t items = tile->items;
    int32_t label = tile->labels[row];
    const float *id = tile->id + row * items;
    float *text = tile->text + row * items;
    ar_scores_scale(text, items, tile->text_scale);
    bool finite = ar_scores_finite(id, items) && ar_scores_finite(text, items);
    for (int64_t p = 0; p < work->points; p++)
        ranks[p] = finite ? 1 : 0;
    const int64_t sides[2][2] = {{0, label}, {(int64_t)label + 1, items}};
    for (int side = 0; side < 2 && finite; side++)
        for (int64_t first = sides[side][0]; first < sides[side][1]; first += BLOCK) {
            int64_t left = sides[side][1] - first;
            rank_items(ranks, work, id, text, label, first, left < BLOCK ? left : BLOCK);
        }
}

static alterrec_status sweep_tile(const ar_held_out_tile *tile, void *state) {
    sweep *work = state;
    void *grown = work->ranks;
    AR_TRY(ar_grow(&grown, &work->rank_capacity, tile->rows * work->points, sizeof *work->ranks));
    work->ranks = grown;
#pragma omp parallel for schedule(static) if (tile->rows * tile->items > AR_PARALLEL_LEAST)
    for (int64_t row = 0; row < tile->rows; row++)
        rank_row(work->ranks + row * work->points, work, tile, row);
    for (int64_t row = 0; row < tile->rows; row++) {
        const int32_t *ranks = work->ranks + row * work->points;
        if (ranks[0] == 0)
            return ar_fail(ALTERREC_ERROR_NOT_FINITE,
                           "held-out example %lld (label %d): a score is not finite",
                           (long long)(tile->first + row), (int)tile->labels[row]);
        for (int64_t p = 0; p < work->points; p++)
            work->sums[p] += ar_metric_of(work->kind, ranks[p], work->k);
    }
    work->examples += tile->rows;
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
    sweep work = {.alphas = alphas, .sums = curve, .points = points, .kind = kind, .k = k};
    alterrec_status status = ar_held_out_run(&stopped, model, held_out, NULL, sweep_tile, &work);
    for (int64_t p = 0; p < points; p++)
        curve[p] = work.examples > 0 ? curve[p] / (double)work.examples : 0.0;
    ar_free(work.ranks);
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
    if (atomic_load(&model->busy))
        return ar_fail(ALTERREC_ERROR_BUSY, "%s: a trainer is using the model", function);
    return ALTERREC_OK;
}

alterrec_status alterrec_model_choose_alpha(double *alpha, double *curve, alterrec_model *model,
                                            const alterrec_sessions *valid, int64_t points,
                                            const alterrec_config *config) {
    AR_NOT_NULL(model);
    AR_NOT_NULL(valid);
    AR_TRY(check(model, valid, points, __func__));
    config = config != NULL ? config : model->config;
    double *made;
    AR_NEW(made, points);
    int previous = ar_threads_enter(ar_config_int(config, "compute.threads"));
    alterrec_status status =
        ar_alpha_curve(made, points, model, valid, ar_config_choice(config, "train.valid_metric"),
                       ar_config_int(config, "train.valid_k"));
    ar_threads_leave(previous);
    double best = ar_alpha_at(ar_alpha_best(made, points), points);
    if (status == ALTERREC_OK)
        status = set_alpha(model, best);
    for (int64_t p = 0; curve != NULL && status == ALTERREC_OK && p < points; p++)
        curve[p] = made[p];
    if (alpha != NULL && status == ALTERREC_OK)
        *alpha = best;
    ar_free(made);
    return status;
}
