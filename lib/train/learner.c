#include "train/learner.h"

#include "core/memory.h"
#include "core/random.h"
#include "core/threads.h"
#include "nn/embedding.h"
#include "nn/loss.h"
#include "train/negatives.h"

#include <math.h>
#include <omp.h>
#include <string.h>

/* Floats in one tile of logits: small enough to stay cheap, large enough for full-speed products.
 */
enum { TILE_FLOATS = 1 << 24, TILE_ROWS_MOST = 256 };

/* The random streams of one step. */
enum { STREAM_TABLE = AR_OBJECTIVE_STREAMS, STREAM_ENCODER };

alterrec_status ar_learner_create(ar_learner *learner, alterrec_model *model, int kind,
                                  int threads) {
    ar_tower *tower = ar_model_side(model, kind == ALTERREC_TEXT ? 1 : 0);
    int64_t items = tower->shape.items, dim = tower->shape.encoder.dim;
    *learner = (ar_learner){.kind = kind,
                            .tower = tower,
                            .features = model->catalog->features,
                            .scale = ar_model_score_scale(model, kind),
                            .threads = threads};
    int64_t rows = TILE_FLOATS / items;
    rows = rows < TILE_ROWS_MOST ? rows : TILE_ROWS_MOST;
    learner->tile_rows = rows > AR_PRODUCT_ROWS ? rows : AR_PRODUCT_ROWS;
    alterrec_status status = ar_adam_create(&learner->adam, tower->list.count);
    if (status == ALTERREC_OK)
        status = ar_table_state_create(&learner->table_state, &tower->shape);
    if (status == ALTERREC_OK)
        status = ar_encoder_state_create(&learner->encoder, &tower->shape.encoder);
    if (status == ALTERREC_OK)
        status = ar_onednn_create(&learner->onednn);
    if (status == ALTERREC_OK && kind == ALTERREC_FUSED)
        status = ar_parts_create(&learner->parts, &tower->shape, learner->tile_rows);
    if (status == ALTERREC_OK) {
        learner->diff = ar_new(tower->list.count, sizeof(float));
        learner->table = ar_new(items * dim, sizeof(float));
        learner->logits = ar_new(learner->tile_rows * items, sizeof(float));
        learner->negatives = ar_new((threads + 1) * items, sizeof(float));
        learner->keys = ar_new(threads * items, sizeof(uint32_t));
        bool made = learner->diff != NULL && learner->table != NULL && learner->logits != NULL &&
                    learner->negatives != NULL && learner->keys != NULL;
        if (made) {
            learner->diff_weights = ar_tower_weights_at(learner->diff, &tower->shape);
            learner->diff_table = kind == ALTERREC_ID ? learner->diff_weights.embedding
                                                      : ar_new(items * dim, sizeof(float));
        }
        if (learner->diff_table == NULL)
            status = ALTERREC_ERROR_OUT_OF_MEMORY;
    }
    if (status != ALTERREC_OK)
        ar_learner_free(learner);
    return status;
}

void ar_learner_free(ar_learner *learner) {
    if (learner->kind != ALTERREC_ID)
        ar_free(learner->diff_table);
    ar_free(learner->diff);
    ar_free(learner->table);
    ar_free(learner->vectors);
    ar_free(learner->diff_vectors);
    ar_free(learner->diff_hidden);
    ar_free(learner->logits);
    ar_free(learner->second);
    ar_free(learner->scratch);
    ar_free(learner->negatives);
    ar_free(learner->keys);
    ar_free(learner->losses);
    ar_parts_free(&learner->parts);
    ar_adam_free(&learner->adam);
    ar_table_state_free(&learner->table_state);
    ar_encoder_state_free(learner->encoder);
    ar_onednn_free(learner->onednn);
    *learner = (ar_learner){0};
}

static alterrec_status reserve_examples(ar_learner *learner, const ar_example_batch *batch) {
    int64_t dim = learner->tower->shape.encoder.dim;
    int64_t vector_floats = batch->count * dim;
    int64_t hidden_floats = ar_row_bucket(batch->packed.tokens) * dim;
    if (vector_floats > learner->vector_capacity) {
        float *vectors = ar_new(vector_floats, sizeof *vectors);
        float *diff_vectors = ar_new(vector_floats, sizeof *diff_vectors);
        if (vectors == NULL || diff_vectors == NULL) {
            ar_free(vectors);
            ar_free(diff_vectors);
            return ALTERREC_ERROR_OUT_OF_MEMORY;
        }
        ar_free(learner->vectors);
        ar_free(learner->diff_vectors);
        learner->vectors = vectors;
        learner->diff_vectors = diff_vectors;
        learner->vector_capacity = vector_floats;
    }
    void *hidden = learner->diff_hidden;
    AR_TRY(ar_grow(&hidden, &learner->hidden_capacity, hidden_floats, sizeof(float)));
    learner->diff_hidden = hidden;
    return ALTERREC_OK;
}

/* What the loss needs beside the tower's own arrays. */
static alterrec_status reserve_losses(ar_learner *learner, const ar_example_batch *batch,
                                      const ar_step_options *options) {
    int64_t items = learner->tower->shape.items;
    void *losses = learner->losses;
    AR_TRY(ar_grow(&losses, &learner->loss_capacity, AR_LOSSES * batch->count, sizeof(double)));
    learner->losses = losses;
    bool second = options->ranker != NULL || options->labeller != NULL || options->partner != NULL;
    if (second && learner->second == NULL)
        AR_NEW(learner->second, learner->tile_rows * items);
    bool parts = options->partner != NULL || learner->kind == ALTERREC_FUSED;
    if (parts && learner->scratch == NULL)
        AR_NEW(learner->scratch, learner->threads * items);
    return ALTERREC_OK;
}

/* The scores of `teacher` for a tile, in learner->second. */
static alterrec_status rank_tile(ar_learner *learner, ar_teacher *teacher, int64_t first,
                                 int64_t count) {
    return teacher != NULL ? ar_teacher_scores(learner->second, teacher, first, count)
                           : ALTERREC_OK;
}

/* What the ID scores alone and the text scores alone would lose, from a copy of them. */
static void part_losses(double *losses, float *copy, const float *const scores[AR_PARTS],
                        const float *negatives, int64_t items, const ar_targets *targets) {
    for (int part = 0; part < AR_PARTS; part++) {
        double positives_loss;
        memcpy(copy, scores[part], (size_t)items * sizeof *copy);
        ar_loss_row(&losses[part], &positives_loss, copy, negatives, items, targets, 1.0f);
    }
}

/* The row's scores of both parts; false if nobody asks for them. */
static bool find_parts(const float *scores[AR_PARTS], const ar_learner *learner, int64_t row,
                       const ar_step_options *options) {
    int64_t at = row * learner->tower->shape.items;
    if (options->partner == NULL && learner->kind != ALTERREC_FUSED)
        return false;
    for (int part = 0; part < AR_PARTS; part++) {
        bool own = part == (learner->kind == ALTERREC_ID ? AR_PART_ID : AR_PART_TEXT);
        scores[part] = options->partner == NULL ? learner->parts.parts[part].scores + at
                       : own                    ? learner->logits + at
                                                : learner->second + at;
    }
    return true;
}

/* From scores to their gradients, in place, for example `e`, which is row i of the tile. */
static void loss_row(ar_learner *learner, const ar_example_batch *batch, int64_t e, int64_t i,
                     const int32_t *positives, const ar_step_options *options) {
    int64_t items = learner->tower->shape.items, thread = omp_get_thread_num();
    float *negatives = learner->negatives + thread * items;
    const float *shared = learner->negatives + learner->threads * items;
    float *scores = learner->logits + i * items;
    const float *second = learner->second + i * items;
    double *losses = learner->losses + AR_LOSSES * e;
    int64_t p = options->positives;
    memcpy(negatives, shared, (size_t)items * sizeof *negatives);
    ar_objective_own(negatives, learner->keys + thread * items, second, items, e, options);
    negatives[batch->labels[e]] = 0.0f;
    ar_targets targets = {.label = batch->labels[e],
                          .positives = positives,
                          .positive_count = p,
                          .label_weight = options->example_weights != NULL
                                              ? options->example_weights[e]
                                              : 1.0f / (float)batch->count};
    if (p > 0)
        targets.positive_weight = (float)(options->positives_weight / (double)(batch->count * p));
    losses[AR_LOSS_PARTS] = losses[AR_LOSS_PARTS + 1] = 0.0;
    const float *parts[AR_PARTS];
    if (find_parts(parts, learner, i, options))
        part_losses(losses + AR_LOSS_PARTS, learner->scratch + thread * items, parts, negatives,
                    items, &targets);
    for (int64_t j = 0; options->partner != NULL && j < items; j++)
        scores[j] += second[j];
    ar_loss_row(&losses[AR_LOSS_LABEL], &losses[AR_LOSS_POSITIVES], scores, negatives, items,
                &targets, 1.0f);
}

/* The same for the examples first .. first + count - 1. */
static alterrec_status loss_tile(ar_learner *learner, const ar_example_batch *batch, int64_t first,
                                 int64_t count, const ar_step_options *options) {
    int64_t items = learner->tower->shape.items, p = options->positives;
    int32_t *positives = NULL;
    if (p > 0) {
        AR_TRY(rank_tile(learner, options->labeller, first, count));
        AR_NEW(positives, count * p);
#pragma omp parallel for if (count * items > AR_PARALLEL_LEAST)
        for (int64_t i = 0; i < count; i++)
            ar_positives_best(positives + i * p, learner->second + i * items, items, p);
    }
    bool ranked = p > 0 && options->labeller == options->ranker;
    alterrec_status status = rank_tile(learner, ranked ? NULL : options->ranker, first, count);
    int64_t rows = status == ALTERREC_OK ? count : 0;
#pragma omp parallel for schedule(dynamic, 4) if (count * items > AR_PARALLEL_LEAST)
    for (int64_t i = 0; i < rows; i++)
        loss_row(learner, batch, first + i, i, positives != NULL ? positives + i * p : NULL,
                 options);
    ar_free(positives);
    return status;
}

static alterrec_status score_tile(float *scores, ar_learner *learner, int64_t first,
                                  int64_t count) {
    int64_t items = learner->tower->shape.items, dim = learner->tower->shape.encoder.dim;
    return ar_matmul(learner->onednn, scores, learner->vectors + first * dim, learner->table, NULL,
                     count, items, dim, AR_WEIGHTS_TRANSPOSED);
}

/* The gradients of vectors and table from those of a tile's scores. */
static alterrec_status score_tile_backward(ar_learner *learner, const float *diff_scores,
                                           int64_t first, int64_t count) {
    int64_t items = learner->tower->shape.items, dim = learner->tower->shape.encoder.dim;
    AR_TRY(ar_matmul(learner->onednn, learner->diff_vectors + first * dim, diff_scores,
                     learner->table, NULL, count, dim, items, 0));
    return ar_matmul(learner->onednn, learner->diff_table, diff_scores,
                     learner->vectors + first * dim, NULL, items, dim, count,
                     AR_SRC_TRANSPOSED | (first > 0 ? AR_ACCUMULATE : 0));
}

/* Scores, losses, and the gradients of vectors and table, tile by tile. */
static alterrec_status score_and_loss(ar_learner *learner, const ar_example_batch *batch,
                                      const ar_step_options *options) {
    int64_t items = learner->tower->shape.items;
    AR_TRY(reserve_losses(learner, batch, options));
    ar_objective_shared(learner->negatives + learner->threads * items, items, batch, options);
    for (int64_t first = 0; first < batch->count; first += learner->tile_rows) {
        int64_t count = batch->count - first;
        count = count < learner->tile_rows ? count : learner->tile_rows;
        AR_TRY(score_tile(learner->logits, learner, first, count));
        if (options->partner != NULL)
            AR_TRY(score_tile(learner->second, options->partner, first, count));
        if (learner->kind == ALTERREC_FUSED)
            AR_TRY(ar_parts_score(&learner->parts, learner->onednn, first, count));
        AR_TRY(loss_tile(learner, batch, first, count, options));
        AR_TRY(score_tile_backward(learner, learner->logits, first, count));
        if (options->partner != NULL)
            AR_TRY(score_tile_backward(options->partner, learner->logits, first, count));
    }
    return ALTERREC_OK;
}

/* 0 if every value is finite, else NaN. */
AR_CLONES static float finite_check(const float *values, int64_t count) {
    float sum = 0.0f;
#pragma omp simd reduction(+ : sum)
    for (int64_t i = 0; i < count; i++)
        sum += values[i] * 0.0f;
    return sum;
}

static bool all_finite(const float *values, int64_t count) {
    enum { RANGE = 1 << 16 };
    int broken = 0;
#pragma omp parallel for reduction(+ : broken) if (count > AR_PARALLEL_LEAST)
    for (int64_t i = 0; i < count; i += RANGE)
        broken += isfinite(finite_check(values + i, count - i < RANGE ? count - i : RANGE)) ? 0 : 1;
    return broken == 0;
}

static const char *name_of(const ar_learner *learner) {
    return learner->kind == ALTERREC_ID ? "ID" : ar_tower_name(learner->kind);
}

static alterrec_status sum_losses(ar_step_result *result, const ar_learner *learner, int64_t count,
                                  int64_t positives) {
    *result = (ar_step_result){0};
    for (int64_t e = 0; e < count; e++) {
        const double *losses = learner->losses + AR_LOSSES * e;
        result->loss += losses[AR_LOSS_LABEL] / (double)count;
        result->part_loss[0] += losses[AR_LOSS_PARTS] / (double)count;
        result->part_loss[1] += losses[AR_LOSS_PARTS + 1] / (double)count;
        if (positives > 0)
            result->positives_loss += losses[AR_LOSS_POSITIVES] / (double)(count * positives);
    }
    if (!isfinite(result->loss) || !isfinite(result->positives_loss))
        return ar_fail(ALTERREC_ERROR_NOT_FINITE,
                       "the %s tower's loss is not finite: the learning rate may be too high",
                       name_of(learner));
    return ALTERREC_OK;
}

static ar_dropout dropout_of(const ar_learner *learner, const ar_step_options *options,
                             uint64_t stream) {
    uint64_t seed = ar_random_key(options->seed, stream);
    return (ar_dropout){options->dropout, ar_random_key(seed, (uint64_t)learner->kind)};
}

static alterrec_status forward(ar_learner *learner, const ar_example_batch *batch,
                               const ar_step_options *options) {
    int64_t dim = learner->tower->shape.encoder.dim;
    const float *hidden;
    AR_TRY(reserve_examples(learner, batch));
    AR_TRY(ar_tower_table(learner->table, learner->onednn, &learner->table_state, learner->tower,
                          learner->features, dropout_of(learner, options, STREAM_TABLE)));
    if (learner->kind == ALTERREC_FUSED)
        AR_TRY(ar_parts_encode(&learner->parts, learner->onednn, learner->encoder,
                               &learner->table_state, learner->tower, batch,
                               dropout_of(learner, options, STREAM_ENCODER)));
    AR_TRY(ar_encoder_forward(&hidden, learner->onednn, learner->encoder,
                              &learner->tower->weights.encoder, learner->table, &batch->packed,
                              true, dropout_of(learner, options, STREAM_ENCODER)));
    ar_rows_gather(learner->vectors, hidden, batch->rows, batch->count, dim);
    for (int64_t i = 0; i < batch->count * dim; i++)
        learner->vectors[i] *= learner->scale;
    return ALTERREC_OK;
}

static alterrec_status backward(ar_learner *learner, const ar_example_batch *batch,
                                const ar_step_options *options) {
    int64_t dim = learner->tower->shape.encoder.dim;
    for (int64_t i = 0; i < batch->count * dim; i++)
        learner->diff_vectors[i] *= learner->scale;
    memset(learner->diff_hidden, 0, (size_t)(batch->packed.tokens * dim) * sizeof(float));
    ar_rows_scatter(learner->diff_hidden, learner->diff_vectors, batch->rows, batch->count, dim);
    AR_TRY(ar_encoder_backward(learner->onednn, learner->encoder, &learner->diff_weights.encoder,
                               learner->diff_table, learner->diff_hidden,
                               &learner->tower->weights.encoder, &batch->packed,
                               dropout_of(learner, options, STREAM_ENCODER)));
    AR_TRY(ar_tower_table_backward(learner->onednn, &learner->diff_weights, learner->diff_table,
                                   &learner->table_state, learner->tower, learner->features,
                                   dropout_of(learner, options, STREAM_TABLE)));
    /* A relu takes a NaN for 0: a broken weight before it shows in no gradient. */
    bool finite_weights = all_finite(learner->tower->block, learner->tower->list.count);
    if (!finite_weights || !all_finite(learner->diff, learner->tower->list.count))
        return ar_fail(ALTERREC_ERROR_NOT_FINITE, "a %s of the %s tower is not finite",
                       finite_weights ? "gradient" : "weight", name_of(learner));
    return ALTERREC_OK;
}

alterrec_status ar_learner_gradients(ar_step_result *result, ar_learner *learner,
                                     const ar_example_batch *batch,
                                     const ar_step_options *options) {
    if (options->ranker != NULL)
        AR_TRY(ar_teacher_encode(options->ranker, batch));
    if (options->labeller != NULL && options->labeller != options->ranker)
        AR_TRY(ar_teacher_encode(options->labeller, batch));
    AR_TRY(forward(learner, batch, options));
    if (options->partner != NULL)
        AR_TRY(forward(options->partner, batch, options));
    AR_TRY(score_and_loss(learner, batch, options));
    AR_TRY(sum_losses(result, learner, batch->count, options->positives));
    AR_TRY(backward(learner, batch, options));
    return options->partner != NULL ? backward(options->partner, batch, options) : ALTERREC_OK;
}

alterrec_status ar_learner_step(ar_step_result *result, ar_learner *learner,
                                const ar_example_batch *batch, const ar_step_options *options) {
    AR_TRY(ar_learner_gradients(result, learner, batch, options));
    ar_learner *both[2] = {learner, options->partner};
    for (int i = 0; i < 2; i++)
        if (both[i] != NULL)
            ar_adam_step(&both[i]->adam, both[i]->tower->block, both[i]->diff, &options->adam);
    return ALTERREC_OK;
}
