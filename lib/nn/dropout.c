#include "nn/dropout.h"

#include "core/random.h"
#include "core/threads.h"

#include <string.h>

uint32_t ar_dropout_row_key(uint64_t seed, int64_t row) {
    return (uint32_t)(ar_random_key(seed, (uint64_t)row) >> 32);
}

AR_CLONES static void drop_row(float *dst, const float *src, int64_t dim, uint32_t threshold,
                               uint32_t key, float scale) {
    for (int64_t c = 0; c < dim; c++)
        dst[c] = ar_dropout_bits(key, (uint32_t)c) >= threshold ? src[c] * scale : 0.0f;
}

AR_CLONES static void drop_row_and_add(float *dst, const float *src, const float *residual,
                                       int64_t dim, uint32_t threshold, uint32_t key, float scale) {
    for (int64_t c = 0; c < dim; c++)
        dst[c] =
            residual[c] + (ar_dropout_bits(key, (uint32_t)c) >= threshold ? src[c] * scale : 0.0f);
}

AR_CLONES static void add_row(float *dst, const float *src, const float *residual, int64_t dim) {
    for (int64_t c = 0; c < dim; c++)
        dst[c] = residual[c] + src[c];
}

void ar_dropout_apply(float *dst, const float *src, const float *residual, int64_t rows,
                      int64_t dim, ar_dropout dropout) {
    if (dropout.rate == 0.0f && residual == NULL) {
        if (dst != src)
            memcpy(dst, src, (size_t)(rows * dim) * sizeof *dst);
        return;
    }
    uint32_t threshold = ar_dropout_threshold(dropout.rate);
    float scale = 1.0f / (1.0f - dropout.rate);
#pragma omp parallel for if (rows * dim > AR_PARALLEL_LEAST)
    for (int64_t r = 0; r < rows; r++) {
        float *d = dst + r * dim;
        const float *s = src + r * dim;
        if (dropout.rate == 0.0f)
            add_row(d, s, residual + r * dim, dim);
        else if (residual == NULL)
            drop_row(d, s, dim, threshold, ar_dropout_row_key(dropout.seed, r), scale);
        else
            drop_row_and_add(d, s, residual + r * dim, dim, threshold,
                             ar_dropout_row_key(dropout.seed, r), scale);
    }
}
