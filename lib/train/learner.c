#include "train/learner.h"

#include "core/limit.h"
#include "core/memory.h"
#include "core/random.h"
#include "core/threads.h"
#include "nn/embedding.h"
#include "nn/finite.h"
#include "train/losses.h"
#include "train/negatives.h"
#include "train/rank_window.h"

#include <math.h>
#include <string.h>

/* Of a tile of logits: when one is the whole batch, the table is read once. Tiles are alike. A
 * batch of 512 examples has a few more, up to where its last session ends. */
enum { TILE_FLOATS = 1 << 24, TILE_ROWS_MOST = 640 };

/* The random streams of one step. */
enum { STREAM_TABLE = AR_OBJECTIVE_STREAMS, STREAM_ENCODER };

/* Counts the time since the last call to a part of the step. */
static void count_time(ar_learner *learner, int part) {
    double now = ar_clock_seconds();
    learner->seconds[part] += now - learner->clock;
    learner->clock = now;
}

/* The examples whose scores of `rows` rows make a tile. */
static int64_t tile_rows_of(int64_t rows) {
    return ar_at_least(ar_at_most(TILE_FLOATS / rows, TILE_ROWS_MOST), AR_PRODUCT_ROWS);
}

/* Room for a tile of any number of rows up to `rows`: fewer rows may make a larger tile. */
static int64_t tile_floats(int64_t rows) {
    return ar_at_least(ar_at_most(TILE_ROWS_MOST * rows, TILE_FLOATS), AR_PRODUCT_ROWS * rows);
}

alterrec_status ar_learner_create(ar_learner *learner, alterrec_model *model, int kind,
                                  int threads) {
    ar_tower *tower = ar_model_side(model, kind == ALTERREC_TEXT ? 1 : 0);
    *learner = (ar_learner){.kind = kind,
                            .tower = tower,
                            .features = model->catalog->features,
                            .scale = ar_model_score_scale(model, kind),
                            .threads = threads};
    alterrec_status status = ar_adam_create(&learner->adam, tower->list.count);
    if (status == ALTERREC_OK)
        status = ar_encoder_state_create(&learner->encoder, &tower->shape.encoder);
    if (status == ALTERREC_OK)
        status = ar_onednn_create(&learner->onednn);
    if (status == ALTERREC_OK && kind == ALTERREC_FUSED)
        status = ar_parts_create(&learner->parts, &tower->shape, tile_rows_of(tower->shape.items));
    if (status != ALTERREC_OK)
        ar_learner_free(learner);
    return status;
}

alterrec_status ar_learner_use_bf16(ar_learner *learner) {
    AR_TRY(ar_onednn_use_bf16(learner->onednn, true));
    learner->use_bf16 = true;
    return ALTERREC_OK;
}

/* What is sized by the stage. */
static void free_rows(ar_learner *learner) {
    ar_free(learner->diff);
    ar_free(learner->own_diff_table);
    ar_free(learner->table);
    ar_free(learner->logits);
    ar_free(learner->second);
    ar_free(learner->scratch);
    ar_free(learner->negatives);
    ar_free(learner->ranks);
    ar_table_state_free(&learner->table_state);
    learner->diff = learner->own_diff_table = learner->table = NULL;
    learner->logits = learner->second = learner->scratch = learner->negatives = NULL;
    learner->ranks = NULL;
    learner->row_capacity = 0;
}

void ar_learner_free(ar_learner *learner) {
    free_rows(learner);
    ar_free(learner->vectors);
    ar_free(learner->diff_vectors);
    ar_free(learner->diff_hidden);
    ar_free(learner->drawn);
    ar_free(learner->ranking);
    ar_free(learner->positives);
    ar_free(learner->losses);
    ar_rounded_free(&learner->table_bf16);
    ar_rounded_free(&learner->vectors_bf16);
    ar_rounded_free(&learner->diff_bf16);
    ar_parts_free(&learner->parts);
    ar_stage_free(&learner->stage);
    ar_adam_free(&learner->adam);
    ar_adam_rows_free(&learner->embedding);
    ar_encoder_state_free(learner->encoder);
    ar_onednn_free(learner->onednn);
    *learner = (ar_learner){0};
}

/* Of the tower's parameters those that are no row of the table. */
static int64_t other_parameters(const ar_learner *learner) {
    const ar_tower *tower = learner->tower;
    return tower->list.count -
           (tower->weights.embedding != NULL ? tower->shape.items * tower->shape.encoder.dim : 0);
}

static alterrec_status make_rows(ar_learner *learner, int64_t rows) {
    int64_t dim = learner->tower->shape.encoder.dim;
    ar_tower_shape shape = learner->tower->shape;
    shape.items = rows;
    AR_NEW(learner->diff, rows * dim + other_parameters(learner));
    if (learner->kind != ALTERREC_ID)
        AR_NEW(learner->own_diff_table, rows * dim);
    AR_NEW(learner->table, rows * dim);
    AR_NEW(learner->logits, tile_floats(rows));
    AR_NEW(learner->negatives, (learner->threads + 1) * rows);
    learner->ranks = ar_new(learner->threads * rows, AR_RANK_WORK);
    if (learner->ranks == NULL)
        return ALTERREC_ERROR_OUT_OF_MEMORY;
    return ar_table_state_create(&learner->table_state, &shape);
}

/* Room for the stage that is set, and the gradients' places in it. */
static alterrec_status reserve_rows(ar_learner *learner) {
    int64_t rows = learner->stage.rows;
    if (rows > learner->row_capacity) {
        int64_t room = learner->stage.is_part ? ar_row_bucket(rows) : rows;
        free_rows(learner);
        alterrec_status status = make_rows(learner, room);
        if (status != ALTERREC_OK) {
            free_rows(learner);
            return status;
        }
        learner->row_capacity = room;
    }
    int64_t fit = tile_rows_of(rows), examples = learner->stage.batch.count;
    int64_t tiles = ar_at_least((examples + fit - 1) / fit, 1);
    learner->tile_rows = (examples + tiles - 1) / tiles;
    learner->diff_weights = ar_tower_weights_at(learner->diff, &learner->stage.tower.shape);
    learner->diff_table =
        learner->kind == ALTERREC_ID ? learner->diff_weights.embedding : learner->own_diff_table;
    return ALTERREC_OK;
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
static alterrec_status reserve_losses(ar_learner *learner, const ar_step_options *options) {
    const ar_stage *stage = &learner->stage;
    int64_t rows = learner->row_capacity;
    void *losses = learner->losses;
    AR_TRY(
        ar_grow(&losses, &learner->loss_capacity, AR_LOSSES * stage->batch.count, sizeof(double)));
    learner->losses = losses;
    if (learner->use_bf16)
        AR_TRY(ar_rounded_reserve(&learner->diff_bf16, tile_floats(rows)));
    bool second = options->ranker != NULL || options->labeller != NULL || options->partner != NULL;
    if (second && learner->second == NULL)
        AR_NEW(learner->second, tile_floats(rows));
    bool apart = options->partner != NULL || learner->kind == ALTERREC_FUSED || learner->use_bf16;
    if (apart && learner->scratch == NULL)
        AR_NEW(learner->scratch, learner->threads * rows);
    return ALTERREC_OK;
}

/* Operands of the products behind the encoder. */
static ar_operand table_of(const ar_learner *learner) {
    return learner->use_bf16 ? (ar_operand){.rounded = learner->table_bf16.values}
                             : (ar_operand){.values = learner->table};
}

static ar_operand vectors_of(const ar_learner *learner, int64_t first) {
    int64_t at = first * learner->tower->shape.encoder.dim;
    return learner->use_bf16 ? (ar_operand){.rounded = learner->vectors_bf16.values + at}
                             : (ar_operand){.values = learner->vectors + at};
}

static ar_operand diff_scores_of(const ar_learner *learner) {
    return learner->use_bf16 ? (ar_operand){.rounded = learner->diff_bf16.values}
                             : (ar_operand){.values = learner->logits};
}

static alterrec_status score_tile(float *scores, ar_learner *learner, int64_t first,
                                  int64_t count) {
    return ar_matmul_of(learner->onednn, scores, vectors_of(learner, first), table_of(learner),
                        NULL, count, learner->stage.rows, learner->tower->shape.encoder.dim,
                        AR_WEIGHTS_TRANSPOSED);
}

/* The gradients of vectors and table from those of a tile's scores, which `scored` has. */
static alterrec_status score_tile_backward(ar_learner *learner, const ar_learner *scored,
                                           int64_t first, int64_t count) {
    int64_t rows = learner->stage.rows, dim = learner->tower->shape.encoder.dim;
    int added = AR_SRC_TRANSPOSED | (first > 0 ? AR_ACCUMULATE : 0);
    ar_operand diff_scores = diff_scores_of(scored);
    AR_TRY(ar_matmul_of(learner->onednn, learner->diff_vectors + first * dim, diff_scores,
                        table_of(learner), NULL, count, dim, rows, 0));
    return ar_matmul_of(learner->onednn, learner->diff_table, diff_scores,
                        vectors_of(learner, first), NULL, rows, dim, count, added);
}

/* What all examples of the step share, in the last row of learner->negatives. */
static void share_negatives(ar_learner *learner, const ar_step_options *options) {
    const ar_stage *stage = &learner->stage;
    float *shared = learner->negatives + learner->threads * stage->rows;
    if (!stage->is_part) {
        ar_objective_shared(shared, stage->rows, &stage->batch, options);
        return;
    }
    memset(shared, 0, (size_t)stage->rows * sizeof *shared);
    for (int64_t row = 0; row < stage->count; row++)
        shared[row] = learner->drawn[stage->items[row]];
}

/* The scores of `teacher` for a tile, in learner->second. */
static alterrec_status rank_tile(ar_learner *learner, ar_teacher *teacher, int64_t first,
                                 int64_t count) {
    alterrec_status status =
        learner->stage.is_part
            ? ar_teacher_row_scores(learner->second, teacher, &learner->stage, first, count)
            : ar_teacher_scores(learner->second, teacher, first, count);
    count_time(learner, ALTERREC_PART_TEACHER);
    return status;
}

/* *positives: the tile's, by the labeller if none stand in the stage. Then the ranker's scores, in
 * learner->second. */
static alterrec_status rank(const int32_t **positives, ar_learner *learner, int64_t first,
                            int64_t count, const ar_step_options *options) {
    const ar_stage *stage = &learner->stage;
    int64_t p = options->positives;
    bool ranked = false;
    *positives = stage->positives != NULL ? stage->positives + first * p : NULL;
    if (p > 0 && *positives == NULL) {
        AR_TRY(rank_tile(learner, options->labeller, first, count));
        ar_positives_find(learner->positives, learner->second, count, stage->rows, p);
        *positives = learner->positives;
        ranked = options->labeller == options->ranker && options->ranker->pool_count == 0;
    }
    if (ranked || options->ranker == NULL)
        return ALTERREC_OK;
    if (stage->is_part)
        return rank_tile(learner, options->ranker, first, count);
    AR_TRY(ar_teacher_rank(learner->second, options->ranker, first, count));
    count_time(learner, ALTERREC_PART_TEACHER);
    return ALTERREC_OK;
}

/* Scores that are looked at by themselves: of a joint tower's parts, or of both partners. */
static void find_parts(const float *parts[AR_PARTS], const ar_learner *learner,
                       const ar_step_options *options) {
    for (int part = 0; part < AR_PARTS; part++) {
        bool own = part == (learner->kind == ALTERREC_ID ? AR_PART_ID : AR_PART_TEXT);
        if (options->partner != NULL)
            parts[part] = own ? learner->logits : learner->second;
        else if (learner->kind == ALTERREC_FUSED)
            parts[part] = learner->parts.parts[part].scores;
    }
}

/* From a tile's scores to their gradients. */
static alterrec_status loss_tile(ar_learner *learner, int64_t first, int64_t count,
                                 const ar_step_options *options) {
    ar_loss_tile tile = {.stage = &learner->stage,
                         .options = options,
                         .items = learner->tower->shape.items,
                         .first = first,
                         .count = count,
                         .logits = learner->logits,
                         .second = learner->second,
                         .shared = learner->negatives + learner->threads * learner->stage.rows,
                         .negatives = learner->negatives,
                         .scratch = learner->scratch,
                         .ranks = learner->ranks,
                         .rounded = learner->use_bf16 ? learner->diff_bf16.values : NULL,
                         .losses = learner->losses + AR_LOSSES * first};
    find_parts(tile.parts, learner, options);
    AR_TRY(rank(&tile.positives, learner, first, count, options));
    ar_losses_tile(&tile);
    return ALTERREC_OK;
}

/* Scores, losses, and the gradients of vectors and table, tile by tile. */
static alterrec_status score_and_loss(ar_learner *learner, const ar_step_options *options) {
    int64_t examples = learner->stage.batch.count;
    AR_TRY(reserve_losses(learner, options));
    share_negatives(learner, options);
    count_time(learner, ALTERREC_PART_LOSS);
    for (int64_t first = 0; first < examples; first += learner->tile_rows) {
        int64_t count = ar_at_most(examples - first, learner->tile_rows);
        AR_TRY(score_tile(learner->logits, learner, first, count));
        if (options->partner != NULL)
            AR_TRY(score_tile(learner->second, options->partner, first, count));
        if (learner->kind == ALTERREC_FUSED)
            AR_TRY(ar_parts_score(&learner->parts, learner->onednn, first, count));
        count_time(learner, ALTERREC_PART_SCORES);
        AR_TRY(loss_tile(learner, first, count, options));
        count_time(learner, ALTERREC_PART_LOSS);
        AR_TRY(score_tile_backward(learner, learner, first, count));
        if (options->partner != NULL)
            AR_TRY(score_tile_backward(options->partner, learner, first, count));
        count_time(learner, ALTERREC_PART_SCORES);
    }
    return ALTERREC_OK;
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

static alterrec_status forward(ar_learner *learner, const ar_step_options *options) {
    const ar_stage *stage = &learner->stage;
    int64_t dim = learner->tower->shape.encoder.dim, count = stage->batch.count;
    const float *hidden;
    AR_TRY(reserve_examples(learner, &stage->batch));
    AR_TRY(ar_tower_table(learner->table, learner->onednn, &learner->table_state, &stage->tower,
                          stage->features, dropout_of(learner, options, STREAM_TABLE)));
    count_time(learner, ALTERREC_PART_TABLE);
    if (learner->kind == ALTERREC_FUSED)
        AR_TRY(ar_parts_encode(&learner->parts, learner->onednn, learner->encoder,
                               &learner->table_state, &stage->tower, &stage->batch,
                               dropout_of(learner, options, STREAM_ENCODER)));
    AR_TRY(ar_encoder_forward(
        &hidden, learner->onednn, learner->encoder, &learner->tower->weights.encoder,
        learner->table, &stage->batch.packed, true, dropout_of(learner, options, STREAM_ENCODER)));
    ar_rows_gather(learner->vectors, hidden, stage->batch.rows, count, dim);
    for (int64_t i = 0; i < count * dim; i++)
        learner->vectors[i] *= learner->scale;
    count_time(learner, ALTERREC_PART_ENCODER);
    if (!learner->use_bf16)
        return ALTERREC_OK;
    AR_TRY(ar_rounded_fill(&learner->vectors_bf16, learner->vectors, count * dim));
    return ar_rounded_fill(&learner->table_bf16, learner->table, stage->rows * dim);
}

/* Of what is no row of the table: a row's weight or gradient that is not finite shows in the loss,
 * or in the gradient of the table's normalisation. A relu takes a NaN for 0: a broken weight before
 * it shows in no gradient. */
static alterrec_status check_finite(const ar_learner *learner) {
    const ar_tower *tower = learner->tower;
    int64_t others = other_parameters(learner), items = tower->list.count - others;
    int64_t rows = items > 0 ? learner->stage.rows * tower->shape.encoder.dim : 0;
    bool finite_weights = ar_all_finite(tower->block + items, others);
    if (!finite_weights || !ar_all_finite(learner->diff + rows, others))
        return ar_fail(ALTERREC_ERROR_NOT_FINITE, "a %s of the %s tower is not finite",
                       finite_weights ? "gradient" : "weight", name_of(learner));
    return ALTERREC_OK;
}

static alterrec_status backward(ar_learner *learner, const ar_step_options *options) {
    const ar_stage *stage = &learner->stage;
    const ar_example_batch *batch = &stage->batch;
    int64_t dim = learner->tower->shape.encoder.dim;
    for (int64_t i = 0; i < batch->count * dim; i++)
        learner->diff_vectors[i] *= learner->scale;
    memset(learner->diff_hidden, 0, (size_t)(batch->packed.tokens * dim) * sizeof(float));
    ar_rows_scatter(learner->diff_hidden, learner->diff_vectors, batch->rows, batch->count, dim);
    AR_TRY(ar_encoder_backward(learner->onednn, learner->encoder, &learner->diff_weights.encoder,
                               learner->diff_table, learner->diff_hidden,
                               &learner->tower->weights.encoder, &batch->packed,
                               dropout_of(learner, options, STREAM_ENCODER)));
    count_time(learner, ALTERREC_PART_ENCODER);
    AR_TRY(ar_tower_table_backward(learner->onednn, &learner->diff_weights, learner->diff_table,
                                   &learner->table_state, &stage->tower, stage->features,
                                   dropout_of(learner, options, STREAM_TABLE)));
    count_time(learner, ALTERREC_PART_TABLE);
    return check_finite(learner);
}

/* The positives of the whole batch, from the labeller's scores of all items. */
static alterrec_status find_positives(ar_learner *learner, int64_t count,
                                      const ar_step_options *options) {
    int64_t items = learner->tower->shape.items, p = options->positives, tile = tile_rows_of(items);
    if (p > 0 && learner->ranking == NULL)
        AR_NEW(learner->ranking, tile * items);
    for (int64_t first = 0; p > 0 && first < count; first += tile) {
        int64_t some = count - first < tile ? count - first : tile;
        AR_TRY(ar_teacher_scores(learner->ranking, options->labeller, first, some));
        ar_positives_find(learner->positives + first * p, learner->ranking, some, items, p);
    }
    return ALTERREC_OK;
}

/* The stage of a step whose examples share their negatives: their rows and the batch's own, those
 * of the embedding as they are at the step that Adam stands at. */
static alterrec_status set_part(ar_learner *learner, const ar_example_batch *batch,
                                const ar_step_options *options) {
    const ar_tower *tower = learner->tower;
    int64_t items = tower->shape.items;
    if (learner->drawn == NULL)
        AR_NEW(learner->drawn, items);
    if (tower->weights.embedding != NULL && learner->embedding.rows == 0)
        AR_TRY(ar_adam_rows_create(&learner->embedding, items, tower->shape.encoder.dim,
                                   learner->adam.steps));
    count_time(learner, ALTERREC_PART_ROWS);
    AR_TRY(find_positives(learner, batch->count, options));
    count_time(learner, ALTERREC_PART_TEACHER);
    ar_objective_shared(learner->drawn, items, batch, options);
    AR_TRY(ar_stage_touched(&learner->stage, tower, learner->features, batch, learner->positives,
                            batch->count * options->positives, learner->drawn, learner->use_bf16));
    if (tower->weights.embedding != NULL)
        AR_TRY(ar_adam_rows_gather(learner->stage.embedding_rows, &learner->embedding,
                                   &learner->adam, tower->block, learner->stage.items,
                                   learner->stage.count, &learner->rows));
    return options->ranker != NULL ? ar_teacher_take_rows(options->ranker, &learner->stage)
                                   : ALTERREC_OK;
}

alterrec_status ar_learner_settle(ar_learner *learner) {
    if (learner->embedding.rows == 0)
        return ALTERREC_OK;
    AR_TRY(ar_adam_rows_settle(&learner->embedding, &learner->adam, learner->tower->block,
                               &learner->rows));
    ar_adam_rows_free(&learner->embedding);
    return ALTERREC_OK;
}

static alterrec_status set_stage(ar_learner *learner, const ar_example_batch *batch,
                                 const ar_step_options *options) {
    bool is_part = learner->kind != ALTERREC_FUSED && ar_objective_is_shared(options);
    int64_t positives = options->positives * batch->count, items = learner->tower->shape.items;
    if (positives > learner->positive_capacity) {
        int32_t *made;
        AR_NEW(made, positives);
        ar_free(learner->positives);
        learner->positives = made;
        learner->positive_capacity = positives;
    }
    /* What rows have missed was missed at the learning rate of then. */
    ar_adam_options rows = options->adam;
    rows.learning_rate *= ar_objective_row_rate(options, items);
    if (!is_part || learner->rows.learning_rate != rows.learning_rate)
        AR_TRY(ar_learner_settle(learner));
    learner->rows = rows;
    if (is_part)
        AR_TRY(set_part(learner, batch, options));
    else
        ar_stage_all(&learner->stage, learner->tower, learner->features, batch);
    return reserve_rows(learner);
}

alterrec_status ar_learner_gradients(ar_step_result *result, ar_learner *learner,
                                     const ar_example_batch *batch,
                                     const ar_step_options *options) {
    ar_learner *both[2] = {learner, options->partner};
    for (int i = 0; i < 2 && both[i] != NULL; i++) {
        memset(both[i]->seconds, 0, sizeof both[i]->seconds);
        both[i]->clock = ar_clock_seconds();
    }
    if (options->ranker != NULL)
        AR_TRY(ar_teacher_encode(options->ranker, batch));
    if (options->labeller != NULL && options->labeller != options->ranker)
        AR_TRY(ar_teacher_encode(options->labeller, batch));
    count_time(learner, ALTERREC_PART_TEACHER);
    for (int i = 0; i < 2 && both[i] != NULL; i++) {
        both[i]->clock = ar_clock_seconds();
        AR_TRY(set_stage(both[i], batch, options));
        count_time(both[i], ALTERREC_PART_ROWS);
        AR_TRY(forward(both[i], options));
    }
    AR_TRY(score_and_loss(learner, options));
    AR_TRY(sum_losses(result, learner, batch->count, options->positives));
    for (int i = 0; i < 2 && both[i] != NULL; i++) {
        both[i]->clock = ar_clock_seconds();
        AR_TRY(backward(both[i], options));
    }
    result->rows = learner->stage.rows;
    result->tokens = learner->stage.batch.packed.tokens;
    return ALTERREC_OK;
}

/* One step of Adam on what the stage has. */
static void take_step(ar_learner *learner, const ar_adam_options *options) {
    const ar_stage *stage = &learner->stage;
    const float *rest = learner->diff + stage->rows * learner->embedding.dim;
    if (!stage->is_part || learner->embedding.rows == 0)
        ar_adam_step(&learner->adam, learner->tower->block, learner->diff, options);
    else
        ar_adam_rows_step(&learner->embedding, &learner->adam, learner->tower->block, stage->items,
                          stage->count, learner->diff, rest, options, learner->rows.learning_rate);
}

alterrec_status ar_learner_step(ar_step_result *result, ar_learner *learner,
                                const ar_example_batch *batch, const ar_step_options *options) {
    AR_TRY(ar_learner_gradients(result, learner, batch, options));
    ar_learner *both[2] = {learner, options->partner};
    for (int i = 0; i < 2 && both[i] != NULL; i++) {
        take_step(both[i], &options->adam);
        count_time(both[i], ALTERREC_PART_OPTIMIZER);
        for (int part = 0; part < AR_STEP_PARTS; part++)
            result->seconds[part] += both[i]->seconds[part];
    }
    return ALTERREC_OK;
}
