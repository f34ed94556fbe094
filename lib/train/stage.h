/* What one step works on: the whole of a tower's item table, or only the rows of the items that the
 * batch touches - those of its sessions, its labels and positives, and the negatives that all its
 * examples share. Either way the step sees a tower of `rows` items. Level: train. */
#ifndef AR_TRAIN_STAGE_H
#define AR_TRAIN_STAGE_H

#include "model/tower.h"
#include "nn/onednn.h"
#include "train/examples.h"

typedef struct ar_stage {
    int64_t rows;             /* of the table; behind those of the touched items there may be more,
                                 of zeros, to a multiple of AR_PRODUCT_ROWS */
    ar_tower tower;           /* shape.items is `rows`; borrows the tower's other weights */
    ar_operand features;      /* text tower [rows, feature_dim] */
    ar_example_batch batch;   /* of rows in the place of items */
    const int32_t *positives; /* rows; NULL: none were given */

    bool is_part;   /* not the whole table */
    int32_t *items; /* [count] ascending: which item each of the first `count` rows is */
    int64_t count;
    int32_t *places; /* [catalog's items] the row of each touched item */

    float *embedding_rows, *feature_rows; /* copies, [rows, ...] */
    ar_rounded rounded_features;          /* in the place of feature_rows */
    int32_t *batch_items, *batch_labels, *batch_positives;
    int64_t item_capacity, place_capacity, embedding_capacity, feature_capacity;
    int64_t batch_item_capacity, batch_label_capacity, batch_positive_capacity;
} ar_stage;

/* The whole table. */
void ar_stage_all(ar_stage *stage, const ar_tower *tower, const float *features,
                  const ar_example_batch *batch);

/* The rows that are touched: by the batch, by positives [positive_count] (items), and by the items
 * whose negatives [the tower's items] is above 0. Of the embedding there is room for their rows,
 * stage->embedding_rows, which the caller fills as the step is to see them. `round`: features are
 * for products of bf16 numbers alone. */
alterrec_status ar_stage_touched(ar_stage *stage, const ar_tower *tower, const float *features,
                                 const ar_example_batch *batch, const int32_t *positives,
                                 int64_t positive_count, const float *negatives, bool round);

/* dst [rows] = the rows of src [catalog's items], of `bytes` bytes each; zeros behind them. */
void ar_stage_rows(void *dst, const ar_stage *stage, const void *src, int64_t bytes);

/* A zeroed ar_stage is an empty one. */
void ar_stage_free(ar_stage *stage);

#endif
