/* bf16 numbers: the upper half of an f32. Level: nn. */
#ifndef AR_NN_BF16_H
#define AR_NN_BF16_H

#include "core/status.h"

#include <string.h>

typedef uint16_t ar_bf16;

/* The nearest one, of two equally near ones the even one. NaN stays NaN, and what is too large
 * becomes infinite. */
static inline ar_bf16 ar_bf16_nearest(float value) {
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    uint32_t nearest = (bits + 0x7FFFu + (bits >> 16 & 1u)) >> 16;
    uint32_t quiet = bits >> 16 | 0x40u; /* of a NaN, which must not round to infinity */
    return (ar_bf16)((bits & 0x7FFFFFFFu) > 0x7F800000u ? quiet : nearest);
}

/* The nearest one that is not denormal, or 0: the processor's products take denormals for 0. */
static inline ar_bf16 ar_bf16_normal(float value) {
    ar_bf16 nearest = ar_bf16_nearest(value);
    return (nearest & 0x7F80u) != 0 ? nearest : (ar_bf16)0;
}

/* Exact. */
static inline float ar_bf16_value(ar_bf16 half) {
    uint32_t bits = (uint32_t)half << 16;
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* dst [count]: the nearest of each; `here`: on the calling thread alone. */
void ar_bf16_round(ar_bf16 *dst, const float *src, int64_t count);
void ar_bf16_round_here(ar_bf16 *dst, const float *src, int64_t count);

/* An array that what is rounded goes to; grown by need. */
typedef struct ar_rounded {
    ar_bf16 *values;
    int64_t capacity;
} ar_rounded;

/* Room for `count` values; what stood there may be lost. */
alterrec_status ar_rounded_reserve(ar_rounded *rounded, int64_t count);
alterrec_status ar_rounded_fill(ar_rounded *rounded, const float *src, int64_t count);
void ar_rounded_free(ar_rounded *rounded);

#endif
