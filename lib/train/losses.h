/* The losses of a tile of examples: from their scores to the scores' gradients. Level: train. */
#ifndef AR_TRAIN_LOSSES_H
#define AR_TRAIN_LOSSES_H

#include "train/objective.h"
#include "train/stage.h"

/* What is kept of each example's loss: losses[AR_LOSSES * example + ...]. */
enum { AR_LOSS_LABEL, AR_LOSS_POSITIVES, AR_LOSS_PARTS, /* ID, text */ AR_LOSSES = 4 };

/* Some examples of a stage, and the arrays for their losses; `rows` are the stage's. */
typedef struct ar_loss_tile {
    const ar_stage *stage;
    const ar_step_options *options;
    int64_t items;                /* of the catalog */
    int64_t first, count;         /* examples */
    const int32_t *positives;     /* [count, options->positives] rows; NULL: none */
    float *logits;                /* [count, rows] */
    const float *second;          /* [count, rows] what the partner adds to them; or [count, what
                                     the ranker ranks] its scores */
    const float *parts[AR_PARTS]; /* [count, rows] scores of the ID part and of the text part, whose
                                     losses are wanted too; NULL: they are not */
    const float *shared;          /* [rows] negatives of every example */
    float *negatives;             /* [threads, rows] working memory, as are the next two */
    float *scratch;               /* [threads, rows], for `parts` and `rounded` */
    void *ranks;                  /* [threads, rows], AR_RANK_WORK bytes each */
    ar_bf16 *rounded;             /* [count, rows] NULL: gradients take the logits' place */
    double *losses;               /* [count, AR_LOSSES] */
} ar_loss_tile;

/* The examples' losses and the gradients of their logits: in their place or, rounded, beside them.
 */
void ar_losses_tile(const ar_loss_tile *tile);

#endif
