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
enum { STREAM_TABLE, STREAM_ENCODER, STREAM_NEGATIVES };

alterrec_status ar_learner_create(ar_learner *learner, alterrec_model *model, int kind,
                                  int threads) {
    ar_tower *tower = kind == ALTERREC_ID ? &model->id : &model->text;
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
    if (status == ALTERREC_OK) {
        learner->diff = ar_new(tower->list.count, sizeof(float));
        learner->table = ar_new(items * dim, sizeof(float));
        learner->logits = ar_new(learner->tile_rows * items, sizeof(float));
        learner->negatives = ar_new(threads * items, sizeof(float));
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
    if (learner->kind == ALTERREC_TEXT)
        ar_free(learner->diff_table);
    ar_free(learner->diff);
    ar_free(learner->table);
    ar_free(learner->vectors);
    ar_free(learner->diff_vectors);
    ar_free(learner->diff_hidden);
    ar_free(learner->logits);
    ar_free(learner->ranking);
    ar_free(learner->negatives);
    ar_free(learner->keys);
    ar_free(learner->losses);
    ar_adam_free(&learner->adam);
    ar_table_state_free(&learner->table_state);
    ar_encoder_state_free(learner->encoder);
    ar_onednn_free(learner->onednn);
    *learner = (ar_learner){0};
}

static alterrec_status reserve(ar_learner *learner, const ar_example_batch *batch, bool ranking) {
    int64_t dim = learner->tower->shape.encoder.dim, items = learner->tower->shape.items;
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
    void *hidden = learner->diff_hidden, *losses = learner->losses;
    AR_TRY(ar_grow(&hidden, &learner->hidden_capacity, hidden_floats, sizeof(float)));
    learner->diff_hidden = hidden;
    AR_TRY(ar_grow(&losses, &learner->loss_capacity, 2 * batch->count, sizeof(double)));
    learner->losses = losses;
    if (ranking && learner->ranking == NULL)
        AR_NEW(learner->ranking, learner->tile_rows * items);
    return ALTERREC_OK;
}

/* How many times each item is a negative of example `e`. `ranking`: the ranker's scores. */
static void choose_negatives(float *negatives, uint32_t *keys, const float *ranking, int64_t items,
                             int64_t e, const ar_step_options *options) {
    if (options->negatives == ALTERREC_NEGATIVES_FULL) {
        for (int64_t j = 0; j < items; j++)
            negatives[j] = 1.0f;
        return;
    }
    memset(negatives, 0, (size_t)items * sizeof *negatives);
    if (options->explicit_negatives != NULL) {
        for (int64_t i = 0; i < options->explicit_count; i++)
            negatives[options->explicit_negatives[e * options->explicit_count + i]] += 1.0f;
        return;
    }
    ar_random random;
    ar_random_seed(&random,
                   ar_random_key(ar_random_key(options->seed, STREAM_NEGATIVES), (uint64_t)e));
    int64_t hard = 0;
    if (options->negatives == ALTERREC_NEGATIVES_HARD) {
        hard = (int64_t)(options->hard_share * (double)options->negative_count);
        int64_t window = options->k2 - options->k1;
        hard = hard < window ? hard : window;
        ar_negatives_hard(negatives, ranking, keys, items, options->k1, options->k2, hard, &random);
    }
    ar_negatives_random(negatives, items, options->negative_count - hard, &random);
}

/* The scores of `teacher` for a tile, in learner->ranking; NULL without a teacher. */
static alterrec_status rank_tile(const float **ranking, ar_learner *learner, ar_teacher *teacher,
                                 int64_t first, int64_t count) {
    *ranking = learner->ranking;
    return teacher != NULL ? ar_teacher_scores(learner->ranking, teacher, first, count)
                           : ALTERREC_OK;
}

/* From logits to their gradients, for the examples first .. first + count - 1. */
static alterrec_status loss_tile(ar_learner *learner, const ar_example_batch *batch, int64_t first,
                                 int64_t count, const ar_step_options *options) {
    int64_t items = learner->tower->shape.items, p = options->positives;
    int32_t *positives = NULL;
    const float *ranking;
    if (p > 0) {
        AR_TRY(rank_tile(&ranking, learner, options->labeller, first, count));
        AR_NEW(positives, count * p);
#pragma omp parallel for if (count * items > AR_PARALLEL_LEAST)
        for (int64_t i = 0; i < count; i++)
            ar_positives_best(positives + i * p, ranking + i * items, items, p);
    }
    bool ranked = p > 0 && options->labeller == options->ranker;
    alterrec_status status =
        rank_tile(&ranking, learner, ranked ? NULL : options->ranker, first, count);
    float even = 1.0f / (float)batch->count;
    float positive_weight =
        p > 0 ? (float)(options->positives_weight / (double)(batch->count * p)) : 0.0f;
#pragma omp parallel for schedule(dynamic, 4) if (count * items > AR_PARALLEL_LEAST)
    for (int64_t i = 0; i < (status == ALTERREC_OK ? count : 0); i++) {
        int64_t e = first + i;
        float *negatives = learner->negatives + omp_get_thread_num() * items;
        uint32_t *keys = learner->keys + omp_get_thread_num() * items;
        choose_negatives(negatives, keys, ranking + i * items, items, e, options);
        negatives[batch->labels[e]] = 0.0f;
        ar_targets targets = {
            .label = batch->labels[e],
            .positives = positives != NULL ? positives + i * p : NULL,
            .positive_count = p,
            .label_weight = options->example_weights != NULL ? options->example_weights[e] : even,
            .positive_weight = positive_weight};
        ar_loss_row(&learner->losses[2 * e], &learner->losses[2 * e + 1],
                    learner->logits + i * items, negatives, items, &targets, learner->scale);
    }
    ar_free(positives);
    return status;
}

/* Logits, losses, and the gradients of vectors and table, tile by tile. */
static alterrec_status score_and_loss(ar_learner *learner, const ar_example_batch *batch,
                                      const ar_step_options *options) {
    int64_t items = learner->tower->shape.items, dim = learner->tower->shape.encoder.dim;
    for (int64_t first = 0; first < batch->count; first += learner->tile_rows) {
        int64_t count = batch->count - first;
        count = count < learner->tile_rows ? count : learner->tile_rows;
        const float *vectors = learner->vectors + first * dim;
        AR_TRY(ar_matmul(learner->onednn, learner->logits, vectors, learner->table, NULL, count,
                         items, dim, AR_WEIGHTS_TRANSPOSED));
        AR_TRY(loss_tile(learner, batch, first, count, options));
        AR_TRY(ar_matmul(learner->onednn, learner->diff_vectors + first * dim, learner->logits,
                         learner->table, NULL, count, dim, items, 0));
        AR_TRY(ar_matmul(learner->onednn, learner->diff_table, learner->logits, vectors, NULL,
                         items, dim, count, AR_SRC_TRANSPOSED | (first > 0 ? AR_ACCUMULATE : 0)));
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

static alterrec_status sum_losses(ar_step_result *result, const ar_learner *learner, int64_t count,
                                  int64_t positives) {
    *result = (ar_step_result){0};
    for (int64_t e = 0; e < count; e++) {
        result->loss += learner->losses[2 * e];
        result->positives_loss += learner->losses[2 * e + 1];
    }
    result->loss /= (double)count;
    result->positives_loss /= positives > 0 ? (double)(count * positives) : 1.0;
    if (!isfinite(result->loss) || !isfinite(result->positives_loss))
        return ar_fail(ALTERREC_ERROR_NOT_FINITE,
                       "the %s tower's loss is not finite: the learning rate may be too high",
                       learner->kind == ALTERREC_ID ? "ID" : "text");
    return ALTERREC_OK;
}

alterrec_status ar_learner_gradients(ar_step_result *result, ar_learner *learner,
                                     const ar_example_batch *batch,
                                     const ar_step_options *options) {
    int64_t dim = learner->tower->shape.encoder.dim;
    ar_dropout table_dropout = {options->dropout, ar_random_key(options->seed, STREAM_TABLE)};
    ar_dropout encoder_dropout = {options->dropout, ar_random_key(options->seed, STREAM_ENCODER)};
    const float *hidden;
    AR_TRY(reserve(learner, batch, options->ranker != NULL || options->labeller != NULL));
    if (options->ranker != NULL)
        AR_TRY(ar_teacher_encode(options->ranker, batch));
    if (options->labeller != NULL && options->labeller != options->ranker)
        AR_TRY(ar_teacher_encode(options->labeller, batch));

    AR_TRY(ar_tower_table(learner->table, learner->onednn, &learner->table_state, learner->tower,
                          learner->features, table_dropout));
    AR_TRY(ar_encoder_forward(&hidden, learner->onednn, learner->encoder,
                              &learner->tower->weights.encoder, learner->table, &batch->packed,
                              true, encoder_dropout));
    ar_rows_gather(learner->vectors, hidden, batch->rows, batch->count, dim);
    AR_TRY(score_and_loss(learner, batch, options));
    AR_TRY(sum_losses(result, learner, batch->count, options->positives));

    memset(learner->diff_hidden, 0, (size_t)(batch->packed.tokens * dim) * sizeof(float));
    ar_rows_scatter(learner->diff_hidden, learner->diff_vectors, batch->rows, batch->count, dim);
    AR_TRY(ar_encoder_backward(learner->onednn, learner->encoder, &learner->diff_weights.encoder,
                               learner->diff_table, learner->diff_hidden,
                               &learner->tower->weights.encoder, &batch->packed, encoder_dropout));
    AR_TRY(ar_tower_table_backward(learner->onednn, &learner->diff_weights, learner->diff_table,
                                   &learner->table_state, learner->tower, learner->features,
                                   table_dropout));
    /* A relu takes a NaN for 0: a broken weight before it shows in no gradient. */
    bool finite_weights = all_finite(learner->tower->block, learner->tower->list.count);
    if (!finite_weights || !all_finite(learner->diff, learner->tower->list.count))
        return ar_fail(ALTERREC_ERROR_NOT_FINITE, "a %s of the %s tower is not finite",
                       finite_weights ? "gradient" : "weight",
                       learner->kind == ALTERREC_ID ? "ID" : "text");
    return ALTERREC_OK;
}

alterrec_status ar_learner_step(ar_step_result *result, ar_learner *learner,
                                const ar_example_batch *batch, const ar_step_options *options) {
    AR_TRY(ar_learner_gradients(result, learner, batch, options));
    ar_adam_step(&learner->adam, learner->tower->block, learner->diff, &options->adam);
    return ALTERREC_OK;
}
