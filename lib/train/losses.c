#include "train/losses.h"

#include "core/threads.h"
#include "nn/loss.h"
#include "train/negatives.h"
#include "train/rank_window.h"

#include <omp.h>
#include <string.h>

/* What the examples of a tile have in common. */
typedef struct tile {
    ar_learner *learner;
    const ar_step_options *options;
    int64_t first;            /* of the examples */
    const int32_t *positives; /* [examples of the tile, options->positives] rows */
    const float *shared;      /* [rows] negatives of every example */
    bool alike;               /* no example has others */
} tile;

/* The scores of `teacher` for the tile's examples, in learner->second. */
static alterrec_status rank_tile(ar_learner *learner, ar_teacher *teacher, int64_t first,
                                 int64_t count) {
    if (teacher == NULL)
        return ALTERREC_OK;
    alterrec_status status =
        learner->stage.is_part
            ? ar_teacher_row_scores(learner->second, teacher, &learner->stage, first, count)
            : ar_teacher_scores(learner->second, teacher, first, count);
    ar_learner_count_time(learner, ALTERREC_PART_TEACHER);
    return status;
}

/* What the ID scores alone and the text scores alone would lose; diff [items] is working memory. */
static void part_losses(double *losses, float *diff, const float *const scores[AR_PARTS],
                        const float *negatives, int64_t items, const ar_targets *targets) {
    for (int part = 0; part < AR_PARTS; part++) {
        double positives_loss;
        ar_loss_row(&losses[part], &positives_loss, diff, scores[part], negatives, items, targets);
    }
}

/* The scores of both parts in row `i` of the tile; false if nobody asks for them. */
static bool find_parts(const float *scores[AR_PARTS], const tile *t, int64_t i) {
    const ar_learner *learner = t->learner;
    bool joined = t->options->partner != NULL;
    int64_t at = i * learner->stage.rows;
    if (!joined && learner->kind != ALTERREC_FUSED)
        return false;
    for (int part = 0; part < AR_PARTS; part++) {
        bool own = part == (learner->kind == ALTERREC_ID ? AR_PART_ID : AR_PART_TEXT);
        scores[part] = !joined ? learner->parts.parts[part].scores + at
                       : own   ? learner->logits + at
                               : learner->second + at;
    }
    return true;
}

/* negatives [rows] of the example in row `i` of the tile: what all share, and its own. */
static void add_own(float *negatives, const tile *t, int64_t i) {
    const ar_learner *learner = t->learner;
    const ar_step_options *options = t->options;
    int64_t items = learner->stage.rows;
    bool is_part = learner->stage.is_part;
    int64_t width = options->ranker != NULL && !is_part ? ar_teacher_width(options->ranker) : items;
    const float *ranking = learner->second + i * width;
    void *ranks = (char *)learner->ranks + omp_get_thread_num() * items * AR_RANK_WORK;
    memcpy(negatives, t->shared, (size_t)items * sizeof *negatives);
    if (is_part)
        ar_objective_window(negatives, ranks, ranking, learner->stage.count,
                            learner->tower->shape.items, options);
    else
        ar_objective_own(negatives, ranks, ranking, items, t->first + i, options);
}

static ar_targets targets_of(const tile *t, int64_t i) {
    const ar_step_options *options = t->options;
    const ar_example_batch *batch = &t->learner->stage.batch;
    int64_t e = t->first + i, p = options->positives;
    const float *weights = options->example_weights;
    ar_targets targets = {.label = batch->labels[e],
                          .positives = p > 0 ? t->positives + i * p : NULL,
                          .positive_count = p,
                          .label_weight =
                              weights != NULL ? weights[e] : 1.0f / (float)batch->count};
    if (p > 0)
        targets.positive_weight = (float)(options->positives_weight / (double)(batch->count * p));
    return targets;
}

/* From scores to their gradients, for row `i` of the tile. negatives [rows] are the calling
 * thread's; if examples are alike they are the shared ones, and are so again afterwards. In bf16
 * the gradients are made beside the scores, and only what they round to leaves the cache. */
static void loss_row(const tile *t, float *negatives, int64_t i) {
    ar_learner *learner = t->learner;
    int64_t items = learner->stage.rows, at = i * items;
    double *losses = learner->losses + AR_LOSSES * (t->first + i);
    float *scores = learner->logits + at, *diff = scores;
    float *scratch = learner->scratch + omp_get_thread_num() * items;
    ar_targets targets = targets_of(t, i);
    const float *parts[AR_PARTS], *second = learner->second + at;
    if (!t->alike)
        add_own(negatives, t, i);
    negatives[targets.label] = 0.0f;
    losses[AR_LOSS_PARTS] = losses[AR_LOSS_PARTS + 1] = 0.0;
    if (find_parts(parts, t, i))
        part_losses(losses + AR_LOSS_PARTS, scratch, parts, negatives, items, &targets);
    for (int64_t j = 0; t->options->partner != NULL && j < items; j++)
        scores[j] += second[j];
    if (learner->use_bf16)
        diff = scratch;
    ar_loss_row(&losses[AR_LOSS_LABEL], &losses[AR_LOSS_POSITIVES], diff, scores, negatives, items,
                &targets);
    if (learner->use_bf16)
        ar_bf16_round_here(learner->diff_bf16.values + at, diff, items);
    negatives[targets.label] = t->shared[targets.label];
}

alterrec_status ar_losses_tile(ar_learner *learner, int64_t first, int64_t count,
                               const ar_step_options *options) {
    const ar_stage *stage = &learner->stage;
    int64_t p = options->positives, items = stage->rows;
    bool ranked = false;
    tile t = {.learner = learner,
              .options = options,
              .first = first,
              .positives = stage->positives != NULL ? stage->positives + first * p : NULL,
              .shared = learner->negatives + learner->threads * items,
              .alike = ar_objective_is_alike(options)};
    if (p > 0 && t.positives == NULL) {
        AR_TRY(rank_tile(learner, options->labeller, first, count));
        ar_positives_find(learner->positives, learner->second, count, items, p);
        t.positives = learner->positives;
        ranked = options->labeller == options->ranker && options->ranker->pool_count == 0;
    }
    if (!ranked && options->ranker != NULL && !stage->is_part) {
        AR_TRY(ar_teacher_rank(learner->second, options->ranker, first, count));
        ar_learner_count_time(learner, ALTERREC_PART_TEACHER);
    } else if (!ranked)
        AR_TRY(rank_tile(learner, options->ranker, first, count));
#pragma omp parallel if (count * items > AR_PARALLEL_LEAST)
    {
        float *negatives = learner->negatives + omp_get_thread_num() * items;
        if (t.alike)
            memcpy(negatives, t.shared, (size_t)items * sizeof *negatives);
#pragma omp for schedule(dynamic, 4)
        for (int64_t i = 0; i < count; i++)
            loss_row(&t, negatives, i);
    }
    return ALTERREC_OK;
}
