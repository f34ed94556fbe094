#include "nn/bounds.h"

#include "core/threads.h"

#include <stddef.h>

enum { ROWS = AR_COMPACT_ROWS };

static float product(const ar_bounds *bounds, int64_t at) {
    if (bounds->kind == AR_COMPACT_BF16)
        return ((const float *)bounds->coarse)[at] +
               (bounds->fine != NULL ? ((const float *)bounds->fine)[at] : 0.0f);
    float coarse = (float)((const int32_t *)bounds->coarse)[at];
    return bounds->fine == NULL ? coarse
                                : 256.0f * coarse + (float)((const int32_t *)bounds->fine)[at];
}

bool ar_bounds_judge_portable(uint16_t *reach, float *estimates, float *errors,
                              const ar_bounds *bounds) {
    uint32_t any = 0;
    for (int64_t p = 0; p < bounds->panels; p++) {
        const float *terms = bounds->terms + p * AR_BOUNDS_TERMS * ROWS;
        uint32_t mask = 0;
        for (int64_t r = 0; r < ROWS; r++) {
            int64_t at = p * ROWS + r;
            float scale = bounds->scale * terms[AR_BOUNDS_SCALE * ROWS + r];
            estimates[at] = scale * product(bounds, at) + terms[AR_BOUNDS_BIAS * ROWS + r];
            errors[at] = bounds->row_error * terms[AR_BOUNDS_ERROR * ROWS + r] +
                         bounds->norm_error * terms[AR_BOUNDS_NORM * ROWS + r] + bounds->constant;
            float unknown = bounds->tail * terms[AR_BOUNDS_TAIL * ROWS + r];
            mask |= (uint32_t)(estimates[at] + errors[at] + unknown >= bounds->threshold) << r;
        }
        reach[p] = (uint16_t)mask;
        any |= mask;
    }
    return any != 0;
}

#if defined(__x86_64__)
#include <immintrin.h>

#define AVX512 __attribute__((target("avx512f")))

AVX512 static inline __m512 product_avx512(const ar_bounds *bounds, int64_t p) {
    const int32_t *coarse = (const int32_t *)bounds->coarse + p * ROWS;
    const int32_t *fine =
        bounds->fine != NULL ? (const int32_t *)bounds->fine + p * ROWS : bounds->fine;
    __m512i first = _mm512_loadu_si512(coarse);
    if (bounds->kind == AR_COMPACT_BF16)
        return bounds->fine == NULL
                   ? _mm512_castsi512_ps(first)
                   : _mm512_add_ps(_mm512_castsi512_ps(first), _mm512_loadu_ps(fine));
    __m512 wide = _mm512_cvtepi32_ps(first);
    return bounds->fine == NULL ? wide
                                : _mm512_fmadd_ps(wide, _mm512_set1_ps(256.0f),
                                                  _mm512_cvtepi32_ps(_mm512_loadu_si512(fine)));
}

AVX512 static bool judge_avx512(uint16_t *reach, float *estimates, float *errors,
                                const ar_bounds *bounds) {
    const __m512 scale = _mm512_set1_ps(bounds->scale);
    const __m512 row_error = _mm512_set1_ps(bounds->row_error);
    const __m512 norm_error = _mm512_set1_ps(bounds->norm_error);
    const __m512 constant = _mm512_set1_ps(bounds->constant);
    const __m512 tail = _mm512_set1_ps(bounds->tail);
    const __m512 threshold = _mm512_set1_ps(bounds->threshold);
    uint32_t any = 0;
    for (int64_t p = 0; p < bounds->panels; p++) {
        const float *terms = bounds->terms + p * AR_BOUNDS_TERMS * ROWS;
        __m512 scales = _mm512_mul_ps(scale, _mm512_loadu_ps(terms + AR_BOUNDS_SCALE * ROWS));
        __m512 estimate = _mm512_fmadd_ps(scales, product_avx512(bounds, p),
                                          _mm512_loadu_ps(terms + AR_BOUNDS_BIAS * ROWS));
        __m512 error = _mm512_fmadd_ps(
            row_error, _mm512_loadu_ps(terms + AR_BOUNDS_ERROR * ROWS),
            _mm512_fmadd_ps(norm_error, _mm512_loadu_ps(terms + AR_BOUNDS_NORM * ROWS), constant));
        __m512 most = _mm512_fmadd_ps(tail, _mm512_loadu_ps(terms + AR_BOUNDS_TAIL * ROWS),
                                      _mm512_add_ps(estimate, error));
        uint32_t mask = _mm512_cmp_ps_mask(most, threshold, _CMP_GE_OQ);
        reach[p] = (uint16_t)mask;
        any |= mask;
        if (mask != 0) {
            _mm512_storeu_ps(estimates + p * ROWS, estimate);
            _mm512_storeu_ps(errors + p * ROWS, error);
        }
    }
    return any != 0;
}
#endif

bool ar_bounds_judge(uint16_t *reach, float *estimates, float *errors, const ar_bounds *bounds) {
#if defined(__x86_64__)
    if (AR_HAS_AVX512("avx512f"))
        return judge_avx512(reach, estimates, errors, bounds);
#endif
    return ar_bounds_judge_portable(reach, estimates, errors, bounds);
}
