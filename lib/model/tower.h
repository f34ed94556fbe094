/* A tower: an item table and a session encoder, forward and backward (Section 4.1): of one
 * modality; or of both, their item vectors joined, which is naive fusion by concatenation.
 * Level: model. */
#ifndef AR_MODEL_TOWER_H
#define AR_MODEL_TOWER_H

#include "model/parameters.h"
#include "nn/onednn.h"

#define AR_TABLE_EPSILON 1e-5f

typedef struct ar_tower {
    ar_tower_shape shape;
    ar_parameter_list list;
    float *block;             /* [list.count] */
    ar_tower_weights weights; /* into `block` */
} ar_tower;

/* Zeroed parameters. */
alterrec_status ar_tower_create(ar_tower *tower, const ar_tower_shape *shape);
void ar_tower_free(ar_tower *tower);

/* What an item table's forward pass keeps for its backward pass. */
typedef struct ar_table_state {
    float *projected;       /* text and joint tower: dropout(relu(X Wᵀ + b)) [items, dim] */
    float *mean, *variance; /* [items] */
    struct ar_part_state {
        float *rows;            /* [items, dim] normalised */
        float *mean, *variance; /* [items] */
    } parts[AR_PARTS];          /* joint tower */
    float *fused;               /* joint tower: what the table is the normalisation of */
} ar_table_state;

alterrec_status ar_table_state_create(ar_table_state *state, const ar_tower_shape *shape);
void ar_table_state_free(ar_table_state *state);

/* table [items, dim] = LN(E), or LN(dropout(relu(X Wᵀ + b))) with features X [items, feature_dim];
 * of a joint tower LN([those two side by side] Wjᵀ + bj). state NULL: inference, no dropout. */
alterrec_status ar_tower_table(float *table, ar_onednn *onednn, ar_table_state *state,
                               const ar_tower *tower, ar_operand features, ar_dropout dropout);

/* A joint tower's table with zeros in the place of the other part: of the rows that ar_tower_table
 * left in `state`, or for inference (NULL). */
alterrec_status ar_tower_part_table(float *table, ar_onednn *onednn, const ar_table_state *state,
                                    const ar_tower *tower, int part, ar_operand features);

/* The gradients of the table's own parameters into `diff` (overwritten), from diff_table
 * [items, dim], which is used as working memory, as is `state`. */
alterrec_status ar_tower_table_backward(ar_onednn *onednn, const ar_tower_weights *diff,
                                        float *diff_table, const ar_table_state *state,
                                        const ar_tower *tower, ar_operand features,
                                        ar_dropout dropout);

#endif
