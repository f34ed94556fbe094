#include "nn/embedding.h"

#include "core/threads.h"

#include <string.h>

AR_CLONES static void add_rows(float *dst, const float *a, const float *b, int64_t dim) {
    for (int64_t c = 0; c < dim; c++)
        dst[c] = a[c] + b[c];
}

void ar_embedding_forward(float *dst, const float *table, const float *position,
                          const ar_packed *packed, int64_t dim) {
#pragma omp parallel for if (packed->tokens * dim > AR_PARALLEL_LEAST)
    for (int64_t s = 0; s < packed->sequences; s++) {
        int64_t first = packed->offsets[s];
        for (int64_t t = first; t < packed->offsets[s + 1]; t++)
            add_rows(dst + t * dim, table + packed->items[t] * dim, position + (t - first) * dim,
                     dim);
    }
}

void ar_embedding_backward(float *diff_table, float *diff_position, const float *diff,
                           const ar_packed *packed, int64_t dim, int64_t max_len) {
    enum { WIDTH = 64 };
    memset(diff_position, 0, (size_t)(max_len * dim) * sizeof *diff_position);
    /* Parallel over columns: an item or a position may come many times, and each column's sums keep
     * the order of the tokens. */
#pragma omp parallel for if (packed->tokens * dim > AR_PARALLEL_LEAST)
    for (int64_t c = 0; c < dim; c += WIDTH) {
        int64_t width = dim - c < WIDTH ? dim - c : WIDTH;
        for (int64_t s = 0; s < packed->sequences; s++) {
            int64_t first = packed->offsets[s];
            for (int64_t t = first; t < packed->offsets[s + 1]; t++) {
                float *row = diff_table + packed->items[t] * dim + c;
                float *place = diff_position + (t - first) * dim + c;
                add_rows(row, row, diff + t * dim + c, width);
                add_rows(place, place, diff + t * dim + c, width);
            }
        }
    }
}

void ar_rows_gather(float *dst, const float *src, const int64_t *rows, int64_t count, int64_t dim) {
#pragma omp parallel for if (count * dim > AR_PARALLEL_LEAST)
    for (int64_t i = 0; i < count; i++)
        memcpy(dst + i * dim, src + rows[i] * dim, (size_t)dim * sizeof *dst);
}

void ar_rows_scatter(float *dst, const float *src, const int64_t *rows, int64_t count,
                     int64_t dim) {
#pragma omp parallel for if (count * dim > AR_PARALLEL_LEAST)
    for (int64_t i = 0; i < count; i++)
        memcpy(dst + rows[i] * dim, src + i * dim, (size_t)dim * sizeof *dst);
}
