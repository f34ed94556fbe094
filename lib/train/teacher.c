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
    ar_free(teacher->vectors);
    ar_free(teacher->rows);
    ar_rounded_free(&teacher->rounded_rows);
    ar_free(teacher->pool);
    ar_free(teacher->pool_table);
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

alterrec_status ar_teacher_scores(float *scores, ar_teacher *teacher, int64_t first,
                                  int64_t count) {
    int64_t dim = teacher->shape.encoder.dim;
    return ar_matmul(teacher->onednn, scores, teacher->vectors + first * dim, teacher->table, NULL,
                     count, teacher->shape.items, dim, AR_WEIGHTS_TRANSPOSED);
}

alterrec_status ar_teacher_take_rows(ar_teacher *teacher, const ar_stage *stage) {
    int64_t dim = teacher->shape.encoder.dim, floats = ar_row_bucket(stage->rows) * dim;
    if (teacher->use_bf16) {
        AR_TRY(ar_rounded_reserve(&teacher->rounded_rows, floats));
        ar_stage_rounded_rows(teacher->rounded_rows.values, stage, teacher->table, dim);
        return ALTERREC_OK;
    }
    if (floats > teacher->row_capacity) {
        float *rows;
        AR_NEW(rows, floats);
        ar_free(teacher->rows);
        teacher->rows = rows;
        teacher->row_capacity = floats;
    }
    ar_stage_rows(teacher->rows, stage, teacher->table, dim);
    return ALTERREC_OK;
}

alterrec_status ar_teacher_row_scores(float *scores, ar_teacher *teacher, const ar_stage *stage,
                                      int64_t first, int64_t count) {
    int64_t dim = teacher->shape.encoder.dim;
    ar_operand vectors = {.values = teacher->vectors + first * dim};
    ar_operand rows = teacher->use_bf16 ? (ar_operand){.rounded = teacher->rounded_rows.values}
                                        : (ar_operand){.values = teacher->rows};
    return ar_matmul_of(teacher->onednn, scores, vectors, rows, NULL, count, stage->rows, dim,
                        AR_WEIGHTS_TRANSPOSED);
}

alterrec_status ar_teacher_use_bf16(ar_teacher *teacher) {
    AR_TRY(ar_onednn_use_bf16(teacher->onednn, true));
    teacher->use_bf16 = true;
    return ALTERREC_OK;
}

static alterrec_status make_pool(ar_teacher *teacher, int64_t count) {
    int32_t *pool = ar_new(count, sizeof *pool);
    float *table = ar_new(count * teacher->shape.encoder.dim, sizeof *table);
    uint8_t *marks = ar_new(teacher->shape.items, sizeof *marks);
    if (pool == NULL || table == NULL || marks == NULL) {
        ar_free(pool);
        ar_free(table);
        ar_free(marks);
        return ALTERREC_ERROR_OUT_OF_MEMORY;
    }
    ar_free(teacher->pool);
    ar_free(teacher->pool_table);
    ar_free(teacher->pool_marks);
    teacher->pool = pool;
    teacher->pool_table = table;
    teacher->pool_marks = marks;
    teacher->pool_count = count;
    return ALTERREC_OK;
}

alterrec_status ar_teacher_draw_pool(ar_teacher *teacher, int64_t count, uint64_t seed) {
    int64_t dim = teacher->shape.encoder.dim;
    if (teacher->pool_count != count)
        AR_TRY(make_pool(teacher, count));
    ar_random random;
    ar_random_seed(&random, seed);
    ar_negatives_pool(teacher->pool, teacher->pool_marks, teacher->shape.items, count, &random);
#pragma omp parallel for if (count * dim > AR_PARALLEL_LEAST)
    for (int64_t i = 0; i < count; i++)
        memcpy(teacher->pool_table + i * dim, teacher->table + teacher->pool[i] * dim,
               (size_t)dim * sizeof(float));
    return ALTERREC_OK;
}

int64_t ar_teacher_width(const ar_teacher *teacher) {
    return teacher->pool_count > 0 ? teacher->pool_count : teacher->shape.items;
}

alterrec_status ar_teacher_rank(float *scores, ar_teacher *teacher, int64_t first, int64_t count) {
    int64_t dim = teacher->shape.encoder.dim;
    return ar_matmul(teacher->onednn, scores, teacher->vectors + first * dim,
                     teacher->pool_count > 0 ? teacher->pool_table : teacher->table, NULL, count,
                     ar_teacher_width(teacher), dim, AR_WEIGHTS_TRANSPOSED);
}
