/* A weight matrix of inference, in f32, bf16 or int8, packed for products with few or many rows.
 * Level: nn. */
#ifndef AR_NN_WEIGHT_MATRIX_H
#define AR_NN_WEIGHT_MATRIX_H

#include <stdbool.h>
#include <stdint.h>

/* In the order of the option serve.encoder. */
typedef enum ar_weight_format {
    AR_WEIGHTS_F32,
    AR_WEIGHTS_BF16, /* rounded to the nearest, ties to even; src is rounded as well */
    AR_WEIGHTS_INT8  /* a row's largest is 127; src is taken as 16 bits, a row's largest 32,512 */
} ar_weight_format;

/* A view of a matrix [rows, columns]; whoever packed it owns the memory: the panels of nn/panels.h
 * in f32, of nn/compact.h in bf16 and int8, there with the rows' scales behind them. */
typedef struct ar_weight_matrix {
    const void *values;
    int64_t rows, columns;
    ar_weight_format format;
} ar_weight_matrix;

int64_t ar_weight_matrix_bytes(int64_t rows, int64_t columns, ar_weight_format format);

/* Packs a finite matrix [rows, columns] into `values` of ar_weight_matrix_bytes, 64-byte aligned.
 */
ar_weight_matrix ar_weight_matrix_pack(void *values, const float *matrix, int64_t rows,
                                       int64_t columns, ar_weight_format format);

/* Floats of working memory for a product with `count` rows of so many columns. */
int64_t ar_weight_matrix_work(int64_t count, int64_t columns, ar_weight_format format);

/* dst [count, rows] = src [count, columns] · matrixᵀ + bias, and relu of it. bias [rows] may be
 * NULL. Rows stand dst_stride and src_stride floats apart; dst_stride has room for the rows rounded
 * up to 16, and what is written there is undefined. Sums are f32, of int8 exact; a row of src that
 * is not finite gives one that is not. The bits of a row do not depend on the rows beside it.
 * `work` is 64-byte aligned. One thread. */
void ar_weight_matrix_multiply(float *dst, int64_t dst_stride, const float *src, int64_t src_stride,
                               int64_t count, const ar_weight_matrix *matrix, const float *bias,
                               bool relu, void *work);

#endif
