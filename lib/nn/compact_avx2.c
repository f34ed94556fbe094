#include "nn/compact_kernels.h"

#if defined(__x86_64__)
#include <immintrin.h>
#include <string.h>

#define TARGET __attribute__((target("avx2,fma")))
#define INLINE inline __attribute__((always_inline)) TARGET

enum { HALF = 8 /* rows that a vector holds */, GROUP = 4 /* rows of src taken together */ };

static INLINE __m256i step_at(const void *steps, int64_t at) {
    int32_t step;
    memcpy(&step, (const char *)steps + 4 * at, sizeof step);
    return _mm256_set1_epi32(step);
}

/* Products of a byte and a byte do not fit 16 bits when two are added, so both sides are widened
 * first, even and odd bytes apart. */
static INLINE __m256i add_int8(__m256i sum, __m256i even, __m256i odd, __m256i src) {
    __m256i src_even = _mm256_srai_epi16(_mm256_slli_epi16(src, 8), 8);
    sum = _mm256_add_epi32(sum, _mm256_madd_epi16(even, src_even));
    return _mm256_add_epi32(sum, _mm256_madd_epi16(odd, _mm256_srai_epi16(src, 8)));
}

/* `rows` rows of src with half a panel. */
static INLINE void int8_half(const ar_compact_job *job, int64_t i, const char *panel, int64_t first,
                             int rows) {
    __m256i sums[GROUP], low = _mm256_set1_epi16(0xFF);
    const char *src = (const char *)job->src + i * job->steps * 4;
    for (int r = 0; r < rows; r++)
        sums[r] = _mm256_set1_epi32(job->begin[i + r]);
    for (int64_t s = 0; s < job->steps; s++) {
        __m256i values = _mm256_loadu_si256((const __m256i *)(const void *)(panel + 64 * s));
        __m256i even = _mm256_and_si256(values, low), odd = _mm256_srli_epi16(values, 8);
        for (int r = 0; r < rows; r++)
            sums[r] = add_int8(sums[r], even, odd, step_at(src, r * job->steps + s));
    }
    for (int r = 0; r < rows; r++)
        _mm256_storeu_si256(
            (__m256i *)(void *)((int32_t *)job->dst + (i + r) * job->dst_stride + first), sums[r]);
}

static INLINE __m256 add_bf16(__m256 sum, __m256i values, __m256i src, __m256i upper) {
    sum = _mm256_fmadd_ps(_mm256_castsi256_ps(_mm256_slli_epi32(values, 16)),
                          _mm256_castsi256_ps(_mm256_slli_epi32(src, 16)), sum);
    return _mm256_fmadd_ps(_mm256_castsi256_ps(_mm256_and_si256(values, upper)),
                           _mm256_castsi256_ps(_mm256_and_si256(src, upper)), sum);
}

static INLINE void bf16_half(const ar_compact_job *job, int64_t i, const char *panel, int64_t first,
                             int rows) {
    __m256 sums[GROUP];
    const __m256i upper = _mm256_set1_epi32((int)0xFFFF0000u);
    const char *src = (const char *)job->src + i * job->steps * 4;
    for (int r = 0; r < rows; r++)
        sums[r] = _mm256_setzero_ps();
    for (int64_t s = 0; s < job->steps; s++) {
        __m256i values = _mm256_loadu_si256((const __m256i *)(const void *)(panel + 64 * s));
        for (int r = 0; r < rows; r++)
            sums[r] = add_bf16(sums[r], values, step_at(src, r * job->steps + s), upper);
    }
    for (int r = 0; r < rows; r++)
        _mm256_storeu_ps((float *)job->dst + (i + r) * job->dst_stride + first, sums[r]);
}

static INLINE void half(const ar_compact_job *job, int64_t i, const char *panel, int64_t first,
                        int rows) {
    if (job->kind == AR_COMPACT_INT8)
        int8_half(job, i, panel, first, rows);
    else
        bf16_half(job, i, panel, first, rows);
}

TARGET void ar_compact_avx2(const ar_compact_job *job) {
    for (int64_t h = 0; h < 2 * job->panels; h++) {
        const char *panel =
            (const char *)job->matrix + h / 2 * job->steps * 64 + h % 2 * (HALF * 4);
        int64_t i = 0;
        for (; i + GROUP <= job->count; i += GROUP)
            half(job, i, panel, h * HALF, GROUP);
        for (; i < job->count; i++)
            half(job, i, panel, h * HALF, 1);
    }
}
#endif
