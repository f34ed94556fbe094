#include "nn/finite.h"

#include "core/threads.h"

#include <math.h>

/* 0 if every value is finite, else NaN. */
AR_CLONES static float finite_check(const float *values, int64_t count) {
    float sum = 0.0f;
#pragma omp simd reduction(+ : sum)
    for (int64_t i = 0; i < count; i++)
        sum += values[i] * 0.0f;
    return sum;
}

bool ar_all_finite(const float *values, int64_t count) {
    enum { RANGE = 1 << 16 };
    int broken = 0;
#pragma omp parallel for reduction(+ : broken) if (count > AR_PARALLEL_LEAST)
    for (int64_t i = 0; i < count; i += RANGE)
        broken += isfinite(finite_check(values + i, count - i < RANGE ? count - i : RANGE)) ? 0 : 1;
    return broken == 0;
}
