/* Dropout whose mask is a function of (seed, row, column): nothing is stored, the backward pass
 * makes the same mask again, and the number of threads does not matter. Level: nn. */
#ifndef AR_NN_DROPOUT_H
#define AR_NN_DROPOUT_H

#include <stdint.h>

/* rate 0 means no dropout; kept elements are scaled by 1 / (1 - rate). */
typedef struct ar_dropout {
    float rate;
    uint64_t seed;
} ar_dropout;

/* dst [rows, dim] = dropout(src) (+ residual, NULL: none). dst may be src or residual. */
void ar_dropout_apply(float *dst, const float *src, const float *residual, int64_t rows,
                      int64_t dim, ar_dropout dropout);

/* The threshold and the key of one row, for loops that fold dropout in (attention). */
static inline uint32_t ar_dropout_threshold(float rate) {
    return (uint32_t)((double)rate * 4294967296.0);
}

uint32_t ar_dropout_row_key(uint64_t seed, int64_t row);

/* Uniform 32 bits of (row key, column); the element is dropped if they are below the threshold. */
static inline uint32_t ar_dropout_bits(uint32_t row_key, uint32_t column) {
    uint32_t x = column * 0x9E3779B9u + row_key;
    x = (x ^ (x >> 16)) * 0x7FEB352Du;
    x = (x ^ (x >> 15)) * 0x846CA68Bu;
    return x ^ (x >> 16);
}

#endif
