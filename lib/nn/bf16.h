/* bf16 numbers: the upper half of an f32. Level: nn. */
#ifndef AR_NN_BF16_H
#define AR_NN_BF16_H

#include "core/status.h"

typedef uint16_t ar_bf16;

/* dst [count]: the nearest of each, of two equally near ones the even one. NaN stays NaN, and what
 * is too large becomes infinite. */
void ar_bf16_round(ar_bf16 *dst, const float *src, int64_t count);

/* dst [count], exact. */
void ar_bf16_widen(float *dst, const ar_bf16 *src, int64_t count);

/* An array that what is rounded goes to; grown by need. */
typedef struct ar_rounded {
    ar_bf16 *values;
    int64_t capacity;
} ar_rounded;

alterrec_status ar_rounded_fill(ar_rounded *rounded, const float *src, int64_t count);
void ar_rounded_free(ar_rounded *rounded);

#endif
