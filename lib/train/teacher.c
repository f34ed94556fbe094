#include "train/teacher.h"

#include "core/memory.h"
#include "core/random.h"
#include "core/threads.h"
#include "train/negatives.h"

#include <string.h>

alterrec_status ar_teacher_create(ar_teacher *teacher, const alterrec_model *model, int kind,
                                  bool copy) {
    const ar_tower *tower = ar_model_tower(model, kind);
    *teacher = (ar_teacher){.kind = kind, .shape = tower->shape};
    teacher->encoder = tower->weights.encoder;
    alterrec_status status = ar_onednn_create(&teacher->onednn);
    if (status == ALTERREC_OK)
        status = ar_encoder_state_create(&teacher->state, &tower->shape.encoder);
    teacher->table = status == ALTERREC_OK
                         ? ar_new(tower->shape.items * tower->shape.encoder.dim, sizeof(float))
                         : NULL;
    if (status == ALTERREC_OK && teacher->table == NULL)
        status = ALTERREC_ERROR_OUT_OF_MEMORY;
    if (status == ALTERREC_OK)
        status = ar_model_table(teacher->table, teacher->onednn, model, kind);
    if (status == ALTERREC_OK && copy) {
        teacher->copy = ar_new(tower->list.count, sizeof *teacher->copy);
        if (teacher->copy == NULL) {
            status = ALTERREC_ERROR_OUT_OF_MEMORY;
        } else {
            memcpy(teacher->copy, tower->block, (size_t)tower->list.count * sizeof *teacher->copy);
            teacher->encoder = ar_tower_weights_at(teacher->copy, &tower->shape).encoder;
        }
    }
    if (status != ALTERREC_OK)
        ar_teacher_free(teacher);
    return status;
}

void ar_teacher_free(ar_teacher *teacher) {
    ar_encoder_state_free(teacher->state);
    ar_onednn_free(teacher->onednn);
    ar_free(teacher->copy);
    ar_free(teacher->table);
    ar_rounded_free(&teacher->rounded_table);
    ar_free(teacher->vectors);
    ar_free(teacher->rows);
    ar_rounded_free(&teacher->rounded_rows);
    ar_free(teacher->pool);
    ar_free(teacher->pool_table);
    ar_rounded_free(&teacher->rounded_pool);
    ar_free(teacher->pool_marks);
    *teacher = (ar_teacher){0};
}

alterrec_status ar_teacher_encode(ar_teacher *teacher, const ar_example_batch *batch) {
    int64_t dim = teacher->shape.encoder.dim;
    void *vectors = teacher->vectors;
    AR_TRY(ar_grow(&vectors, &teacher->vector_capacity, (batch->count + AR_PRODUCT_ROWS) * dim,
                   sizeof(float)));
    teacher->vectors = vectors;
    return ar_encoder_states(teacher->vectors, teacher->onednn, teacher->state, &teacher->encoder,
                             teacher->table, &batch->packed, batch->rows, batch->count);
}

/* scores [count, rows] of the vectors from `first` on with the rows of a table, which has been
 * rounded in `rounded` if products are of bf16 numbers. */
static alterrec_status score(float *scores, ar_teacher *teacher, const float *table,
                             const ar_rounded *rounded, int64_t rows, int64_t first,
                             int64_t count) {
    int64_t dim = teacher->shape.encoder.dim;
    ar_operand vectors = {.values = teacher->vectors + first * dim}, weights = {.values = table};
    if (teacher->use_bf16)
        weights = (ar_operand){.rounded = rounded->values};
    return ar_matmul_of(teacher->onednn, scores, vectors, weights, NULL, count, rows, dim,
                        AR_WEIGHTS_TRANSPOSED);
}

alterrec_status ar_teacher_scores(float *scores, ar_teacher *teacher, int64_t first,
                                  int64_t count) {
    return score(scores, teacher, teacher->table, &teacher->rounded_table, teacher->shape.items,
                 first, count);
}

alterrec_status ar_teacher_take_rows(ar_teacher *teacher, const ar_stage *stage) {
    int64_t dim = teacher->shape.encoder.dim, numbers = ar_row_bucket(stage->rows) * dim;
    if (teacher->use_bf16) {
        AR_TRY(ar_rounded_reserve(&teacher->rounded_rows, numbers));
        ar_stage_rows(teacher->rounded_rows.values, stage, teacher->rounded_table.values,
                      dim * (int64_t)sizeof(ar_bf16));
        return ALTERREC_OK;
    }
    AR_TRY(ar_renew_floats(&teacher->rows, &teacher->row_capacity, numbers));
    ar_stage_rows(teacher->rows, stage, teacher->table, dim * (int64_t)sizeof(float));
    return ALTERREC_OK;
}

alterrec_status ar_teacher_row_scores(float *scores, ar_teacher *teacher, const ar_stage *stage,
                                      int64_t first, int64_t count) {
    return score(scores, teacher, teacher->rows, &teacher->rounded_rows, stage->rows, first, count);
}

alterrec_status ar_teacher_use_bf16(ar_teacher *teacher) {
    AR_TRY(ar_onednn_use_bf16(teacher->onednn, true));
    AR_TRY(ar_rounded_fill(&teacher->rounded_table, teacher->table,
                           teacher->shape.items * teacher->shape.encoder.dim));
    teacher->use_bf16 = true;
    return ALTERREC_OK;
}

/* Room for a pool of `count` items. */
static alterrec_status make_pool(ar_teacher *teacher, int64_t count) {
    int64_t numbers = count * teacher->shape.encoder.dim;
    ar_free(teacher->pool);
    ar_free(teacher->pool_table);
    ar_free(teacher->pool_marks);
    teacher->pool = NULL;
    teacher->pool_table = NULL;
    teacher->pool_marks = NULL;
    teacher->pool_count = 0;
    AR_NEW(teacher->pool, count);
    AR_NEW(teacher->pool_marks, teacher->shape.items);
    if (teacher->use_bf16)
        AR_TRY(ar_rounded_reserve(&teacher->rounded_pool, numbers));
    else
        AR_NEW(teacher->pool_table, numbers);
    teacher->pool_count = count;
    return ALTERREC_OK;
}

/* dst [pool_count] = the pool's rows of src, of `bytes` bytes each. */
static void take_pool(void *dst, const ar_teacher *teacher, const void *src, int64_t bytes) {
#pragma omp parallel for if (teacher->pool_count * bytes > AR_PARALLEL_LEAST)
    for (int64_t i = 0; i < teacher->pool_count; i++)
        memcpy((char *)dst + i * bytes, (const char *)src + teacher->pool[i] * bytes,
               (size_t)bytes);
}

alterrec_status ar_teacher_draw_pool(ar_teacher *teacher, int64_t count, uint64_t seed) {
    int64_t dim = teacher->shape.encoder.dim;
    if (teacher->pool_count != count)
        AR_TRY(make_pool(teacher, count));
    ar_random random;
    ar_random_seed(&random, seed);
    ar_negatives_pool(teacher->pool, teacher->pool_marks, teacher->shape.items, count, &random);
    if (teacher->use_bf16)
        take_pool(teacher->rounded_pool.values, teacher, teacher->rounded_table.values,
                  dim * (int64_t)sizeof(ar_bf16));
    else
        take_pool(teacher->pool_table, teacher, teacher->table, dim * (int64_t)sizeof(float));
    return ALTERREC_OK;
}

int64_t ar_teacher_width(const ar_teacher *teacher) {
    return teacher->pool_count > 0 ? teacher->pool_count : teacher->shape.items;
}

alterrec_status ar_teacher_rank(float *scores, ar_teacher *teacher, int64_t first, int64_t count) {
    return teacher->pool_count > 0
               ? score(scores, teacher, teacher->pool_table, &teacher->rounded_pool,
                       teacher->pool_count, first, count)
               : ar_teacher_scores(scores, teacher, first, count);
}
