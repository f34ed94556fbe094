/* A weight matrix of inference, in f32 or bf16, packed for products with few or many rows. Level:
 * nn. */
#ifndef AR_NN_WEIGHT_MATRIX_H
#define AR_NN_WEIGHT_MATRIX_H

#include <stdbool.h>
#include <stdint.h>

/* A view of a matrix [rows, columns]; whoever packed it owns the memory: the panels of nn/panels.h
 * in f32, of nn/compact.h in bf16. */
typedef struct ar_weight_matrix {
    const void *values;
    int64_t rows, columns;
    bool bf16;
} ar_weight_matrix;

int64_t ar_weight_matrix_bytes(int64_t rows, int64_t columns, bool bf16);

/* Packs matrix [rows, columns] into `values` of ar_weight_matrix_bytes, 64-byte aligned. bf16 rounds
 * to the nearest, ties to even. */
ar_weight_matrix ar_weight_matrix_pack(void *values, const float *matrix, int64_t rows,
                                       int64_t columns, bool bf16);

/* Floats of working memory for a product with `count` rows of so many columns. */
int64_t ar_weight_matrix_work(int64_t count, int64_t columns, bool bf16);

/* dst [count, rows] = src [count, columns] · matrixᵀ + bias, and relu of it. bias [rows] may be
 * NULL. Rows stand dst_stride and src_stride floats apart; dst_stride has room for the rows rounded
 * up to 16, and what is written there is undefined. With a bf16 matrix src is rounded to bf16 as
 * well, the sums are f32. The bits of a row do not depend on the rows beside it. One thread. */
void ar_weight_matrix_multiply(float *dst, int64_t dst_stride, const float *src, int64_t src_stride,
                               int64_t count, const ar_weight_matrix *matrix, const float *bias,
                               bool relu, void *work);

#endif
