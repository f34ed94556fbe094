#include "train/losses.h"

#include "core/threads.h"
#include "nn/loss.h"
#include "train/rank_window.h"

#include <omp.h>
#include <string.h>

/* negatives [rows] of example i of the tile: what all share, and its own. */
static void find_negatives(float *negatives, const ar_loss_tile *tile, int64_t i) {
    const ar_stage *stage = tile->stage;
    const ar_step_options *options = tile->options;
    int64_t rows = stage->rows;
    const float *ranking = NULL;
    if (options->ranker != NULL)
        ranking = tile->second + i * (stage->is_part ? rows : ar_teacher_width(options->ranker));
    void *ranks = (char *)tile->ranks + omp_get_thread_num() * rows * AR_RANK_WORK;
    memcpy(negatives, tile->shared, (size_t)rows * sizeof *negatives);
    if (stage->is_part)
        ar_objective_window(negatives, ranks, ranking, stage->count, tile->items, options);
    else
        ar_objective_own(negatives, ranks, ranking, rows, tile->first + i, options);
}

static ar_targets targets_of(const ar_loss_tile *tile, int64_t i) {
    const ar_step_options *options = tile->options;
    const ar_example_batch *batch = &tile->stage->batch;
    int64_t e = tile->first + i, p = options->positives;
    const float *weights = options->example_weights;
    ar_targets targets = {.label = batch->labels[e],
                          .positives = p > 0 ? tile->positives + i * p : NULL,
                          .positive_count = p,
                          .label_weight =
                              weights != NULL ? weights[e] : 1.0f / (float)batch->count};
    if (p > 0)
        targets.positive_weight = (float)(options->positives_weight / (double)(batch->count * p));
    return targets;
}

/* What the ID scores alone and the text scores alone would lose; diff [rows] is working memory. */
static void part_losses(double *losses, float *diff, const ar_loss_tile *tile, int64_t i,
                        const float *negatives, const ar_targets *targets) {
    int64_t rows = tile->stage->rows;
    for (int part = 0; part < AR_PARTS; part++) {
        double positives_loss;
        losses[part] = 0.0;
        if (tile->parts[part] != NULL)
            ar_loss_row(&losses[part], &positives_loss, diff, tile->parts[part] + i * rows,
                        negatives, rows, targets);
    }
}

/* From logits to their gradients, for example i. negatives [rows] are the calling thread's; if
 * examples are `alike` they are the shared ones, and are so again afterwards. What is rounded is
 * made in a row that stays in the cache: logits are not written a second time. */
static void loss_row(const ar_loss_tile *tile, float *negatives, int64_t i, bool alike) {
    int64_t rows = tile->stage->rows, at = i * rows;
    double *losses = tile->losses + AR_LOSSES * i;
    float *logits = tile->logits + at, *scratch = NULL;
    if (tile->scratch != NULL)
        scratch = tile->scratch + omp_get_thread_num() * rows;
    ar_targets targets = targets_of(tile, i);
    if (!alike)
        find_negatives(negatives, tile, i);
    negatives[targets.label] = 0.0f;
    part_losses(losses + AR_LOSS_PARTS, scratch, tile, i, negatives, &targets);
    for (int64_t j = 0; tile->options->partner != NULL && j < rows; j++)
        logits[j] += tile->second[at + j];
    float *diff = tile->rounded != NULL ? scratch : logits;
    ar_loss_row(&losses[AR_LOSS_LABEL], &losses[AR_LOSS_POSITIVES], diff, logits, negatives, rows,
                &targets);
    if (tile->rounded != NULL)
        ar_bf16_round_here(tile->rounded + at, diff, rows);
    negatives[targets.label] = tile->shared[targets.label];
}

void ar_losses_tile(const ar_loss_tile *tile) {
    int64_t rows = tile->stage->rows;
    bool alike = ar_objective_is_alike(tile->options);
#pragma omp parallel if (tile->count * rows > AR_PARALLEL_LEAST)
    {
        float *negatives = tile->negatives + omp_get_thread_num() * rows;
        if (alike)
            memcpy(negatives, tile->shared, (size_t)rows * sizeof *negatives);
#pragma omp for schedule(dynamic, 4)
        for (int64_t i = 0; i < tile->count; i++)
            loss_row(tile, negatives, i, alike);
    }
}
