/* A tower in training: its gradients, its Adam, and one step of it, alone or with the other tower
 * as a partner in one loss. Level: train. */
#ifndef AR_TRAIN_LEARNER_H
#define AR_TRAIN_LEARNER_H

#include "model/model.h"
#include "nn/adam_rows.h"
#include "train/examples.h"
#include "train/objective.h"
#include "train/parts.h"
#include "train/stage.h"

/* Parts of a step, ALTERREC_PART_*: what is timed. */
enum { AR_STEP_PARTS = ALTERREC_PART_OPTIMIZER + 1 };

typedef struct ar_learner {
    int kind;
    ar_tower *tower;
    const float *features; /* text and joint tower */
    float scale;           /* 1, or 1 / tau */
    int threads;
    bool use_bf16; /* products of the training pass */
    ar_adam adam;
    ar_adam_rows embedding; /* how far each row of it has come; without rows: all with `adam` */
    ar_adam_options rows;   /* of the embedding's rows, in the step before */
    ar_stage stage;         /* what the step at hand works on */
    ar_encoder_state *encoder;
    ar_onednn *onednn;

    /* Sized by the largest stage so far: `rows` below is the stage's. */
    int64_t row_capacity;
    int64_t tile_rows; /* examples that are scored together */
    float *diff;       /* gradients, laid out as a block of a tower of `rows` items */
    ar_tower_weights diff_weights;
    float *table;      /* [rows, dim] */
    float *diff_table; /* [rows, dim]; the ID tower's is diff_weights.embedding */
    float *own_diff_table;
    ar_table_state table_state;
    float *logits;    /* [tile_rows, rows] scores, then their gradients */
    float *second;    /* [tile_rows, rows] the teacher's scores, or the partner's */
    float *negatives; /* [threads + 1, rows]; the last row: what all examples share */
    void *ranks;      /* [threads], AR_RANK_WORK bytes a row each */
    float *scratch;   /* [threads, rows]; made for gradients that do not take the scores' place */

    float *vectors; /* [examples, dim], times `scale`: their products with the table are scores */
    float *diff_vectors;     /* their gradients */
    int64_t vector_capacity; /* of each, in floats */
    float *diff_hidden;      /* [tokens, dim] */
    int64_t hidden_capacity;
    float *drawn;       /* [items] the negatives that all examples of a part of the table share */
    float *ranking;     /* [tile, items] what positives are found by before the stage is set */
    int32_t *positives; /* [examples, positives] items */
    int64_t positive_capacity;
    ar_rounded table_bf16, vectors_bf16, diff_bf16;
    ar_parts parts; /* joint tower */
    double *losses; /* [examples, AR_LOSSES], train/losses.h */
    int64_t loss_capacity;
    double seconds[AR_STEP_PARTS]; /* of the step at hand */
    double clock;                  /* up to which they are counted */
} ar_learner;

typedef struct ar_step_result {
    double loss;           /* mean over the examples */
    double positives_loss; /* mean over the augmented examples */
    double part_loss[2];   /* of a joint tower, or with a partner: what the ID scores alone and the
                              text scores alone lose */
    int64_t rows, tokens;  /* of the stage */
    double seconds[AR_STEP_PARTS];
} ar_step_result;

/* The model must outlive the learner. */
alterrec_status ar_learner_create(ar_learner *learner, alterrec_model *model, int kind,
                                  int threads);
void ar_learner_free(ar_learner *learner);

/* Products of bf16 numbers in forward and backward pass from now on; the weights and what Adam
 * keeps stay f32. UNSUPPORTED as ar_onednn_use_bf16. */
alterrec_status ar_learner_use_bf16(ar_learner *learner);

/* A step that touches only some rows of the embedding leaves the others where they are. This brings
 * all to where steps that touch every row would have brought them: to be called before anyone else
 * looks at the tower, or at learner->adam. */
alterrec_status ar_learner_settle(ar_learner *learner);

/* Forward and backward: learner->diff holds the gradients of the batch's loss. NOT_FINITE if the
 * loss, a weight or a gradient is not. */
alterrec_status ar_learner_gradients(ar_step_result *result, ar_learner *learner,
                                     const ar_example_batch *batch, const ar_step_options *options);

/* Gradients, then one step of Adam; the weights change only if everything is finite. */
alterrec_status ar_learner_step(ar_step_result *result, ar_learner *learner,
                                const ar_example_batch *batch, const ar_step_options *options);

#endif
