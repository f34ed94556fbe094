#include "nn/compact_kernels.h"

#if defined(__x86_64__)
#include <immintrin.h>
#include <string.h>

#define TARGET __attribute__((target("avx2,fma")))
#define INLINE inline __attribute__((always_inline)) TARGET

enum {
    HALF = 8,  /* rows, or steps of one row, that a vector holds */
    GROUP = 4, /* rows of src taken together */
    SUMS = 8   /* of rows that stand by themselves */
};

static INLINE __m256i step_at(const void *steps, int64_t at) {
    int32_t step;
    memcpy(&step, (const char *)steps + 4 * at, sizeof step);
    return _mm256_set1_epi32(step);
}

/* The even and the odd values of steps, widened: products of a byte and a byte do not fit 16 bits
 * when two are added. Of int8 as 16 bits, of bf16 as floats. `kind` is a constant where they are
 * called; sums are kept as bits, whatever they are. */
typedef struct values {
    __m256i even, odd;
} values;

static INLINE values bf16_values(__m256i steps) {
    const __m256i upper = _mm256_set1_epi32((int)0xFFFF0000u);
    return (values){_mm256_slli_epi32(steps, 16), _mm256_and_si256(steps, upper)};
}

static INLINE values of_matrix(ar_compact_kind kind, __m256i steps) {
    if (kind == AR_COMPACT_BF16)
        return bf16_values(steps);
    return (values){_mm256_and_si256(steps, _mm256_set1_epi16(0xFF)), _mm256_srli_epi16(steps, 8)};
}

static INLINE values of_src(ar_compact_kind kind, __m256i steps) {
    if (kind == AR_COMPACT_BF16)
        return bf16_values(steps);
    return (values){_mm256_srai_epi16(_mm256_slli_epi16(steps, 8), 8), _mm256_srai_epi16(steps, 8)};
}

static INLINE __m256i add_float(__m256i sum, __m256i a, __m256i b) {
    return _mm256_castps_si256(
        _mm256_fmadd_ps(_mm256_castsi256_ps(a), _mm256_castsi256_ps(b), _mm256_castsi256_ps(sum)));
}

static INLINE __m256i add(ar_compact_kind kind, __m256i sum, values a, values b) {
    if (kind == AR_COMPACT_BF16)
        return add_float(add_float(sum, a.even, b.even), a.odd, b.odd);
    sum = _mm256_add_epi32(sum, _mm256_madd_epi16(a.even, b.even));
    return _mm256_add_epi32(sum, _mm256_madd_epi16(a.odd, b.odd));
}

/* `rows` rows of src with half a panel. */
static INLINE void half(ar_compact_kind kind, const ar_compact_job *job, int64_t i,
                        const char *panel, int64_t first, int rows) {
    __m256i sums[GROUP];
    const char *src = (const char *)job->src + i * job->steps * 4;
    int32_t *dst = (int32_t *)job->dst + i * job->dst_stride + first;
    for (int r = 0; r < rows; r++)
        sums[r] =
            kind == AR_COMPACT_INT8 ? _mm256_set1_epi32(job->begin[i + r]) : _mm256_setzero_si256();
    for (int64_t s = 0; s < job->steps; s++) {
        values matrix =
            of_matrix(kind, _mm256_loadu_si256((const __m256i *)(const void *)(panel + 64 * s)));
        for (int r = 0; r < rows; r++)
            sums[r] = add(kind, sums[r], matrix, of_src(kind, step_at(src, r * job->steps + s)));
    }
    for (int r = 0; r < rows; r++)
        _mm256_storeu_si256((__m256i *)(void *)(dst + r * job->dst_stride), sums[r]);
}

static INLINE void multiply(ar_compact_kind kind, const ar_compact_job *job) {
    for (int64_t h = 0; h < 2 * job->panels; h++) {
        const char *panel =
            (const char *)job->matrix + h / 2 * job->steps * 64 + h % 2 * (HALF * 4);
        int64_t i = 0;
        for (; i + GROUP <= job->count; i += GROUP)
            half(kind, job, i, panel, h * HALF, GROUP);
        for (; i < job->count; i++)
            half(kind, job, i, panel, h * HALF, 1);
    }
}

TARGET void ar_compact_avx2(const ar_compact_job *job) {
    if (job->kind == AR_COMPACT_INT8)
        multiply(AR_COMPACT_INT8, job);
    else
        multiply(AR_COMPACT_BF16, job);
}

/* Of each half of both: the sums of neighbours. */
static INLINE __m256i fold(ar_compact_kind kind, __m256i a, __m256i b) {
    if (kind == AR_COMPACT_INT8)
        return _mm256_hadd_epi32(a, b);
    return _mm256_castps_si256(_mm256_hadd_ps(_mm256_castsi256_ps(a), _mm256_castsi256_ps(b)));
}

/* Lane i: the sum of the lanes of sums[i]. */
static INLINE __m256i lane_sums(ar_compact_kind kind, const __m256i sums[SUMS]) {
    __m256i a = fold(kind, fold(kind, sums[0], sums[1]), fold(kind, sums[2], sums[3]));
    __m256i b = fold(kind, fold(kind, sums[4], sums[5]), fold(kind, sums[6], sums[7]));
    __m256i low = _mm256_permute2x128_si256(a, b, 0x20);
    __m256i high = _mm256_permute2x128_si256(a, b, 0x31);
    if (kind == AR_COMPACT_INT8)
        return _mm256_add_epi32(low, high);
    return _mm256_castps_si256(_mm256_add_ps(_mm256_castsi256_ps(low), _mm256_castsi256_ps(high)));
}

static INLINE __m256i load_steps(const void *steps, int64_t at, __m256i mask) {
    return _mm256_maskload_epi32((const int *)(const void *)((const char *)steps + 4 * at), mask);
}

/* Rows first, first + 1, ... with `count` rows of src, a constant where it is called: all sums stay
 * in registers, chains enough to hide the latency of one. */
static INLINE __m256i some_dots(ar_compact_kind kind, const ar_compact_dots_job *job, int first,
                                int count) {
    const __m256i lanes = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
    __m256i sums[SUMS];
    const int rows = SUMS / count;
    for (int i = 0; i < SUMS; i++)
        sums[i] = kind == AR_COMPACT_INT8
                      ? _mm256_setr_epi32(job->begin[i / rows], 0, 0, 0, 0, 0, 0, 0)
                      : _mm256_setzero_si256();
    for (int64_t s = 0; s < job->steps; s += HALF) {
        __m256i mask = _mm256_cmpgt_epi32(_mm256_set1_epi32((int)(job->steps - s)), lanes);
        values src[2];
        for (int i = 0; i < count; i++)
            src[i] = of_src(kind, load_steps(job->src, i * job->steps + s, mask));
        for (int r = 0; r < rows; r++) {
            values row = of_matrix(kind, load_steps(job->rows[first + r], s, mask));
            for (int i = 0; i < count; i++)
                sums[i * rows + r] = add(kind, sums[i * rows + r], row, src[i]);
        }
    }
    return lane_sums(kind, sums);
}

static INLINE void dots(ar_compact_kind kind, const ar_compact_dots_job *job) {
    int32_t *dst = job->dst;
    if (job->count == 1)
        for (int first = 0; first < AR_COMPACT_ROWS; first += SUMS)
            _mm256_storeu_si256((__m256i *)(void *)(dst + first), some_dots(kind, job, first, 1));
    else
        for (int first = 0; first < AR_COMPACT_ROWS; first += SUMS / 2) {
            __m256i both = some_dots(kind, job, first, 2);
            _mm_storeu_si128((__m128i *)(void *)(dst + first), _mm256_castsi256_si128(both));
            _mm_storeu_si128((__m128i *)(void *)(dst + AR_COMPACT_ROWS + first),
                             _mm256_extracti128_si256(both, 1));
        }
}

TARGET void ar_compact_dots_avx2(const ar_compact_dots_job *job) {
    if (job->kind == AR_COMPACT_INT8)
        dots(AR_COMPACT_INT8, job);
    else
        dots(AR_COMPACT_BF16, job);
}
#endif
