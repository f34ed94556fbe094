/* Adam where a step has gradients for only some rows of a table. Level: nn. */
#ifndef AR_NN_ADAM_ROWS_H
#define AR_NN_ADAM_ROWS_H

#include "nn/adam.h"

/* A table [rows, dim] and the other parameters [rest], one behind the other in one block with one
 * ar_adam. A step moves the rest and the rows it is given; the other rows stand still, and what
 * they missed is made up for when they are asked for again: a step without a gradient lets the
 * moments decay and moves the row on by what is left of the first one. */
typedef struct ar_adam_rows {
    int64_t rows, dim;
    int64_t *steps; /* [rows] the step that a row stands at, at most the ar_adam's */
    int64_t begin;  /* no row stands at an earlier one */
    double *moves;  /* [move_count] how far a row that stands at step begin + i moves in the end */
    int64_t move_count, move_capacity;
    struct ar_adam_missed *missed; /* what has been missed, in the step at hand */
} ar_adam_rows;

/* Every row stands at `steps`. */
alterrec_status ar_adam_rows_create(ar_adam_rows *table, int64_t rows, int64_t dim, int64_t steps);
void ar_adam_rows_free(ar_adam_rows *table);

/* dst [count, dim]: the rows touched [count], which are distinct, as they are at the step that
 * `adam` stands at. To rounding, and as far as epsilon does not count beside the root of the second
 * moment, that is what dense steps with gradients of 0 and these options would have given; L2
 * (weight_decay) of the missed steps is left out. The table itself stays as it is. */
alterrec_status ar_adam_rows_gather(float *dst, ar_adam_rows *table, const ar_adam *adam,
                                    const float *parameters, const int32_t *touched, int64_t count,
                                    const ar_adam_options *options);

/* One step: the rows touched [count], which have just been gathered, from diff_rows [count, dim],
 * and the rest from diff_rest. The rows' learning rate is row_rate; the next to gather or to settle
 * them is given it, too. */
void ar_adam_rows_step(ar_adam_rows *table, ar_adam *adam, float *parameters,
                       const int32_t *touched, int64_t count, const float *diff_rows,
                       const float *diff_rest, const ar_adam_options *options, double row_rate);

/* Brings all rows to the step that `adam` stands at. On an error nothing has changed. */
alterrec_status ar_adam_rows_settle(ar_adam_rows *table, const ar_adam *adam, float *parameters,
                                    const ar_adam_options *options);

#endif
