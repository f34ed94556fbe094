/* A tower in training: its gradients, its Adam, and one step of it, alone or with the other tower
 * as a partner in one loss. Level: train. */
#ifndef AR_TRAIN_LEARNER_H
#define AR_TRAIN_LEARNER_H

#include "model/model.h"
#include "nn/adam.h"
#include "train/examples.h"
#include "train/objective.h"
#include "train/parts.h"

typedef struct ar_learner {
    int kind;
    ar_tower *tower;
    const float *features; /* text and joint tower */
    float scale;           /* 1, or 1 / tau */
    ar_adam adam;
    float *diff; /* gradients, laid out as the tower's block */
    ar_tower_weights diff_weights;
    float *table;      /* [items, dim] */
    float *diff_table; /* [items, dim]; the ID tower's is diff_weights.embedding */
    ar_table_state table_state;
    ar_encoder_state *encoder;
    ar_onednn *onednn;

    float *vectors; /* [examples, dim], times `scale`: their products with the table are scores */
    float *diff_vectors;     /* their gradients */
    int64_t vector_capacity; /* of each, in floats */
    float *diff_hidden;      /* [ar_row_bucket(tokens), dim] */
    int64_t hidden_capacity;
    float *logits; /* [tile rows, items] scores, then their gradients */
    float *second; /* [tile rows, items] the teacher's scores, or the partner's */
    int64_t tile_rows;
    int threads;
    float *negatives; /* [threads + 1, items]; the last row: what all examples share */
    uint32_t *keys;   /* [threads, items] */
    float *scratch;   /* [threads, items]; made for the losses of parts */
    ar_parts parts;   /* joint tower */
    double *losses;   /* [examples, AR_LOSSES] */
    int64_t loss_capacity;
} ar_learner;

/* What is kept of each example's loss: losses[AR_LOSSES * example + ...]. */
enum { AR_LOSS_LABEL, AR_LOSS_POSITIVES, AR_LOSS_PARTS, /* ID, text */ AR_LOSSES = 4 };

typedef struct ar_step_result {
    double loss;           /* mean over the examples */
    double positives_loss; /* mean over the augmented examples */
    double part_loss[2];   /* of a joint tower, or with a partner: what the ID scores alone and the
                              text scores alone lose */
} ar_step_result;

/* The model must outlive the learner. */
alterrec_status ar_learner_create(ar_learner *learner, alterrec_model *model, int kind,
                                  int threads);
void ar_learner_free(ar_learner *learner);

/* Forward and backward: learner->diff holds the gradients of the batch's loss. NOT_FINITE if the
 * loss, a weight or a gradient is not. */
alterrec_status ar_learner_gradients(ar_step_result *result, ar_learner *learner,
                                     const ar_example_batch *batch, const ar_step_options *options);

/* Gradients, then one step of Adam; the weights change only if everything is finite. */
alterrec_status ar_learner_step(ar_step_result *result, ar_learner *learner,
                                const ar_example_batch *batch, const ar_step_options *options);

#endif
