/* The parts of a joint tower in training: what the scores of its ID part and of its text part alone
 * are, for the same examples and with the same dropout. Nothing is learned of them. Level: train.
 */
#ifndef AR_TRAIN_PARTS_H
#define AR_TRAIN_PARTS_H

#include "model/tower.h"
#include "train/examples.h"

typedef struct ar_parts {
    int64_t items, dim, tile_rows;
    struct ar_part {
        float *table;   /* [items, dim] */
        float *vectors; /* [examples, dim] */
        float *scores;  /* [tile_rows, items] */
    } parts[AR_PARTS];
    int64_t vector_capacity; /* of each, in floats */
} ar_parts;

alterrec_status ar_parts_create(ar_parts *parts, const ar_tower_shape *shape, int64_t tile_rows);

/* A zeroed ar_parts is an empty one. */
void ar_parts_free(ar_parts *parts);

/* Tables and session vectors, after ar_tower_table has left `state`. `encoder` is working memory:
 * its last pass is lost. */
alterrec_status ar_parts_encode(ar_parts *parts, ar_onednn *onednn, ar_encoder_state *encoder,
                                const ar_table_state *state, const ar_tower *tower,
                                const ar_example_batch *batch, ar_dropout dropout);

/* The scores of the examples first .. first + count - 1, at most tile_rows of them. */
alterrec_status ar_parts_score(ar_parts *parts, ar_onednn *onednn, int64_t first, int64_t count);

#endif
