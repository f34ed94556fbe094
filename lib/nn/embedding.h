/* Rows of a table by index: gather forward, scatter-add backward. Level: nn. */
#ifndef AR_NN_EMBEDDING_H
#define AR_NN_EMBEDDING_H

#include "nn/packed.h"

/* dst[t] = table[items[t]] + position[t's position in its sequence], [tokens, dim]. */
void ar_embedding_forward(float *dst, const float *table, const float *position,
                          const ar_packed *packed, int64_t dim);

/* diff_table[items[t]] += diff[t], and diff_position [max_len, dim] is overwritten. */
void ar_embedding_backward(float *diff_table, float *diff_position, const float *diff,
                           const ar_packed *packed, int64_t dim, int64_t max_len);

/* dst[i] = src[rows[i]], [count, dim]. */
void ar_rows_gather(float *dst, const float *src, const int64_t *rows, int64_t count, int64_t dim);

/* dst[rows[i]] = src[i]; the rows are distinct. */
void ar_rows_scatter(float *dst, const float *src, const int64_t *rows, int64_t count, int64_t dim);

#endif
