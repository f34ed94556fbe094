#include "nn/bf16.h"

#include "core/memory.h"
#include "core/threads.h"

enum { RANGE = 1 << 14 };

AR_CLONES void ar_bf16_round_here(ar_bf16 *dst, const float *src, int64_t count) {
    for (int64_t i = 0; i < count; i++)
        dst[i] = ar_bf16_nearest(src[i]);
}

void ar_bf16_round(ar_bf16 *dst, const float *src, int64_t count) {
#pragma omp parallel for if (count > AR_PARALLEL_LEAST)
    for (int64_t i = 0; i < count; i += RANGE)
        ar_bf16_round_here(dst + i, src + i, count - i < RANGE ? count - i : RANGE);
}

alterrec_status ar_rounded_reserve(ar_rounded *rounded, int64_t count) {
    if (count <= rounded->capacity)
        return ALTERREC_OK;
    ar_rounded_free(rounded);
    AR_NEW(rounded->values, count);
    rounded->capacity = count;
    return ALTERREC_OK;
}

alterrec_status ar_rounded_fill(ar_rounded *rounded, const float *src, int64_t count) {
    AR_TRY(ar_rounded_reserve(rounded, count));
    ar_bf16_round(rounded->values, src, count);
    return ALTERREC_OK;
}

void ar_rounded_free(ar_rounded *rounded) {
    ar_free(rounded->values);
    *rounded = (ar_rounded){0};
}
