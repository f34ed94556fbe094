/* A frozen tower that ranks items for the tower in training: its weights and item table at the
 * start of an epoch (Section 4.2). Level: train. */
#ifndef AR_TRAIN_TEACHER_H
#define AR_TRAIN_TEACHER_H

#include "model/model.h"
#include "train/examples.h"
#include "train/stage.h"

typedef struct ar_teacher {
    int kind; /* ALTERREC_ID or ALTERREC_TEXT; 0: none */
    ar_tower_shape shape;
    float *copy; /* own copy of the weights, when the tower itself goes on training */
    ar_encoder_weights encoder; /* of the tower, or of the copy */
    float *table;               /* [items, dim] */
    bool use_bf16;              /* products of what is rounded: */
    ar_rounded rounded_table;   /* of `table` */
    ar_onednn *onednn;
    ar_encoder_state *state;
    float *vectors; /* [examples padded to AR_PRODUCT_ROWS, dim] */
    int64_t vector_capacity;
    float *rows; /* [stage's rows, dim] of the table, if it is only to rank these */
    int64_t row_capacity;
    ar_rounded rounded_rows; /* in the place of `rows` */
    int32_t *pool;     /* [pool_count] ascending: the items that it ranks for hard negatives */
    float *pool_table; /* [pool_count, dim] their rows; or, if use_bf16: */
    ar_rounded rounded_pool;
    uint8_t *pool_marks; /* [items] */
    int64_t pool_count;  /* 0: it ranks the whole catalog */
} ar_teacher;

/* Fixes the tower `kind` of the model as it is now. `copy`: it may change while the teacher is
 * used. */
alterrec_status ar_teacher_create(ar_teacher *teacher, const alterrec_model *model, int kind,
                                  bool copy);
void ar_teacher_free(ar_teacher *teacher);

/* Encodes the batch without dropout: teacher->vectors holds each example's session vector. */
alterrec_status ar_teacher_encode(ar_teacher *teacher, const ar_example_batch *batch);

/* scores [count, items] of the examples first .. first + count - 1 of the encoded batch; only their
 * order means anything. */
alterrec_status ar_teacher_scores(float *scores, ar_teacher *teacher, int64_t first, int64_t count);

/* The same for the rows of a stage that is a part of the table: its rows taken, and then
 * scores [count, the stage's rows]. */
alterrec_status ar_teacher_take_rows(ar_teacher *teacher, const ar_stage *stage);
alterrec_status ar_teacher_row_scores(float *scores, ar_teacher *teacher, const ar_stage *stage,
                                      int64_t first, int64_t count);

/* Products of bf16 numbers from now on: only ranks matter. */
alterrec_status ar_teacher_use_bf16(ar_teacher *teacher);

/* Draws the `count` items, fewer than the catalog has, that ar_teacher_rank ranks from now on. */
alterrec_status ar_teacher_draw_pool(ar_teacher *teacher, int64_t count, uint64_t seed);

/* How many items ar_teacher_rank ranks. */
int64_t ar_teacher_width(const ar_teacher *teacher);

/* As ar_teacher_scores, but of the pool's items: scores [count, ar_teacher_width]. */
alterrec_status ar_teacher_rank(float *scores, ar_teacher *teacher, int64_t first, int64_t count);

#endif
