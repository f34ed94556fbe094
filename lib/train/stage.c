#include "train/stage.h"

#include "core/memory.h"
#include "core/threads.h"

#include <string.h>

void ar_stage_all(ar_stage *stage, const ar_tower *tower, const float *features,
                  const ar_example_batch *batch) {
    stage->is_part = false;
    stage->rows = tower->shape.items;
    stage->tower = *tower;
    stage->features = (ar_operand){.values = features};
    stage->batch = *batch;
    stage->positives = NULL;
}

void ar_stage_free(ar_stage *stage) {
    ar_free(stage->items);
    ar_free(stage->places);
    ar_free(stage->embedding_rows);
    ar_free(stage->feature_rows);
    ar_rounded_free(&stage->rounded_features);
    ar_free(stage->batch_items);
    ar_free(stage->batch_labels);
    ar_free(stage->batch_positives);
    *stage = (ar_stage){0};
}

static alterrec_status reserve_ints(int32_t **array, int64_t *capacity, int64_t count) {
    void *grown = *array;
    AR_TRY(ar_grow(&grown, capacity, count, sizeof **array));
    *array = grown;
    return ALTERREC_OK;
}

/* Marks are left in stage->places, where 0 means untouched. */
static void mark(ar_stage *stage, const int32_t *items, int64_t count) {
    for (int64_t i = 0; i < count; i++)
        stage->places[items[i]] = 1;
}

/* From marks to the list of touched items and each one's row. */
static alterrec_status number(ar_stage *stage, const float *negatives, int64_t items) {
    int64_t count = 0, row = 0;
    for (int64_t j = 0; j < items; j++)
        count += stage->places[j] != 0 || negatives[j] > 0.0f;
    AR_TRY(reserve_ints(&stage->items, &stage->item_capacity, count));
    for (int64_t j = 0; j < items; j++)
        if (stage->places[j] != 0 || negatives[j] > 0.0f) {
            stage->items[row] = (int32_t)j;
            stage->places[j] = (int32_t)row++;
        }
    stage->count = count;
    return ALTERREC_OK;
}

static alterrec_status translate(int32_t **rows, int64_t *capacity, const ar_stage *stage,
                                 const int32_t *items, int64_t count) {
    AR_TRY(reserve_ints(rows, capacity, count));
    for (int64_t i = 0; i < count; i++)
        (*rows)[i] = stage->places[items[i]];
    return ALTERREC_OK;
}

static alterrec_status translate_batch(ar_stage *stage, const ar_example_batch *batch,
                                       const int32_t *positives, int64_t positive_count) {
    AR_TRY(translate(&stage->batch_items, &stage->batch_item_capacity, stage, batch->packed.items,
                     batch->packed.tokens));
    AR_TRY(translate(&stage->batch_labels, &stage->batch_label_capacity, stage, batch->labels,
                     batch->count));
    AR_TRY(translate(&stage->batch_positives, &stage->batch_positive_capacity, stage, positives,
                     positive_count));
    stage->batch = *batch;
    stage->batch.packed.items = stage->batch_items;
    stage->batch.labels = stage->batch_labels;
    stage->positives = positive_count > 0 ? stage->batch_positives : NULL;
    return ALTERREC_OK;
}

/* dst [rows, dim] = what the rows of features [catalog's items, dim] round to; zeros behind them.
 */
static void round_features(ar_bf16 *dst, const ar_stage *stage, const float *features,
                           int64_t dim) {
#pragma omp parallel for schedule(static) if (stage->rows * dim > AR_PARALLEL_LEAST)
    for (int64_t row = 0; row < stage->rows; row++) {
        if (row < stage->count)
            ar_bf16_round_here(dst + row * dim, features + stage->items[row] * dim, dim);
        else
            memset(dst + row * dim, 0, (size_t)dim * sizeof *dst);
    }
}

/* The features of the touched rows. */
static alterrec_status copy_features(ar_stage *stage, const float *features, bool round) {
    int64_t dim = stage->tower.shape.feature_dim, room = ar_row_bucket(stage->rows) * dim;
    if (round) {
        AR_TRY(ar_rounded_reserve(&stage->rounded_features, room));
        round_features(stage->rounded_features.values, stage, features, dim);
        stage->features = (ar_operand){.rounded = stage->rounded_features.values};
        return ALTERREC_OK;
    }
    AR_TRY(ar_renew_floats(&stage->feature_rows, &stage->feature_capacity, room));
    ar_stage_rows(stage->feature_rows, stage, features, dim * (int64_t)sizeof *features);
    stage->features = (ar_operand){.values = stage->feature_rows};
    return ALTERREC_OK;
}

/* Room for the touched rows, and the features in it. */
static alterrec_status reserve_copies(ar_stage *stage, const float *features, bool round) {
    int64_t room = ar_row_bucket(stage->rows), dim = stage->tower.shape.encoder.dim;
    if (stage->tower.weights.embedding != NULL) {
        AR_TRY(ar_renew_floats(&stage->embedding_rows, &stage->embedding_capacity, room * dim));
        memset(stage->embedding_rows + stage->count * dim, 0,
               (size_t)((stage->rows - stage->count) * dim) * sizeof(float));
        stage->tower.weights.embedding = stage->embedding_rows;
    }
    return features != NULL && stage->tower.weights.projection != NULL
               ? copy_features(stage, features, round)
               : ALTERREC_OK;
}

alterrec_status ar_stage_touched(ar_stage *stage, const ar_tower *tower, const float *features,
                                 const ar_example_batch *batch, const int32_t *positives,
                                 int64_t positive_count, const float *negatives, bool round) {
    int64_t items = tower->shape.items;
    AR_TRY(reserve_ints(&stage->places, &stage->place_capacity, items));
    memset(stage->places, 0, (size_t)items * sizeof *stage->places);
    mark(stage, batch->packed.items, batch->packed.tokens);
    mark(stage, batch->labels, batch->count);
    mark(stage, positives, positive_count);
    AR_TRY(number(stage, negatives, items));
    AR_TRY(translate_batch(stage, batch, positives, positive_count));
    stage->is_part = true;
    stage->rows = (stage->count + AR_PRODUCT_ROWS - 1) / AR_PRODUCT_ROWS * AR_PRODUCT_ROWS;
    stage->tower = *tower;
    stage->tower.shape.items = stage->rows;
    return reserve_copies(stage, features, round);
}

void ar_stage_rows(void *dst, const ar_stage *stage, const void *src, int64_t bytes) {
#pragma omp parallel for schedule(static) if (stage->rows * bytes > AR_PARALLEL_LEAST)
    for (int64_t row = 0; row < stage->rows; row++) {
        char *to = (char *)dst + row * bytes;
        if (row < stage->count)
            memcpy(to, (const char *)src + stage->items[row] * bytes, (size_t)bytes);
        else
            memset(to, 0, (size_t)bytes);
    }
}
