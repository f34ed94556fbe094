#include "nn/panels_kernels.h"

#if defined(__x86_64__)
#include <immintrin.h>

#define TARGET __attribute__((target("avx2,fma")))
#define INLINE inline __attribute__((always_inline)) TARGET

/* A block is up to 6 rows of src with one panel, two vectors wide: 12 sums, and with the panel's
 * values and one of src they fill the 16 registers. */
enum { LANES = 8, HALVES = 2, MOST_ROWS = 6 };

typedef struct place {
    float *dst;
    const float *src;
    const char *panel;
    const float *bias;
    int64_t lanes; /* the rows of the panel */
} place;

static INLINE void add_column(__m256 sums[MOST_ROWS][HALVES], __m256 low, __m256 high,
                              const float *src, int64_t stride, int rows) {
    AR_UNROLL(6)
    for (int i = 0; i < rows; i++) {
        __m256 x = _mm256_set1_ps(src[i * stride]);
        sums[i][0] = _mm256_fmadd_ps(x, low, sums[i][0]);
        sums[i][1] = _mm256_fmadd_ps(x, high, sums[i][1]);
    }
}

static INLINE void sum_f32(__m256 sums[MOST_ROWS][HALVES], const ar_panels_job *job,
                           const place *at, int rows) {
    const float *panel = (const float *)(const void *)at->panel;
    for (int64_t c = 0; c < job->matrix->columns; c++)
        add_column(sums, _mm256_loadu_ps(panel + c * AR_PANEL_ROWS),
                   _mm256_loadu_ps(panel + c * AR_PANEL_ROWS + LANES), at->src + c, job->src_stride,
                   rows);
}

static INLINE void sum_bf16(__m256 sums[MOST_ROWS][HALVES], const ar_panels_job *job,
                            const place *at, int rows) {
    const uint32_t *panel = (const uint32_t *)(const void *)at->panel;
    const __m256i upper = _mm256_set1_epi32((int)0xFFFF0000u);
    for (int64_t c = 0; c < job->matrix->columns; c++) {
        const uint32_t *pairs = panel + c / 2 * AR_PANEL_ROWS;
        __m256i low = _mm256_loadu_si256((const __m256i *)(const void *)pairs);
        __m256i high = _mm256_loadu_si256((const __m256i *)(const void *)(pairs + LANES));
        low = c % 2 == 0 ? _mm256_slli_epi32(low, 16) : _mm256_and_si256(low, upper);
        high = c % 2 == 0 ? _mm256_slli_epi32(high, 16) : _mm256_and_si256(high, upper);
        add_column(sums, _mm256_castsi256_ps(low), _mm256_castsi256_ps(high), at->src + c,
                   job->src_stride, rows);
    }
}

/* The mask of the lanes of half `half`, of `lanes` in the panel. */
static INLINE __m256i half_mask(int64_t lanes, int half) {
    __m256i lane = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
    return _mm256_cmpgt_epi32(_mm256_set1_epi32((int)lanes - half * LANES), lane);
}

static INLINE void block(const ar_panels_job *job, const place *at, int rows, bool bf16) {
    __m256 sums[MOST_ROWS][HALVES], zero = _mm256_setzero_ps();
    AR_UNROLL(2)
    for (int h = 0; h < HALVES; h++) {
        __m256 bias = zero;
        if (at->bias != NULL)
            bias = _mm256_maskload_ps(at->bias + h * LANES, half_mask(at->lanes, h));
        AR_UNROLL(6)
        for (int i = 0; i < rows; i++)
            sums[i][h] = bias;
    }
    if (bf16)
        sum_bf16(sums, job, at, rows);
    else
        sum_f32(sums, job, at, rows);
    AR_UNROLL(2)
    for (int h = 0; h < HALVES; h++) {
        __m256i mask = half_mask(at->lanes, h);
        AR_UNROLL(6)
        for (int i = 0; i < rows; i++) {
            __m256 sum = job->relu ? _mm256_max_ps(zero, sums[i][h]) : sums[i][h];
            _mm256_maskstore_ps(at->dst + i * job->dst_stride + h * LANES, mask, sum);
        }
    }
}

#define CASE(rows)                                                                                 \
    case rows:                                                                                     \
        block(job, at, rows, bf16);                                                                \
        break

static INLINE void any_rows(const ar_panels_job *job, const place *at, int64_t rows, bool bf16) {
    switch (rows) {
        CASE(1);
        CASE(2);
        CASE(3);
        CASE(4);
        CASE(5);
        CASE(6);
    default:
        break;
    }
}

static INLINE void multiply(const ar_panels_job *job, bool bf16) {
    const ar_panels *matrix = job->matrix;
    int64_t step = ar_panels_bytes(1, matrix->columns, bf16);
    for (int64_t first = 0; first < matrix->rows; first += AR_PANEL_ROWS) {
        place at = {.panel = (const char *)matrix->values + first / AR_PANEL_ROWS * step,
                    .bias = job->bias != NULL ? job->bias + first : NULL,
                    .lanes = matrix->rows - first};
        for (int64_t i = 0; i < job->count; i += MOST_ROWS) {
            at.dst = job->dst + i * job->dst_stride + first;
            at.src = job->src + i * job->src_stride;
            any_rows(job, &at, job->count - i < MOST_ROWS ? job->count - i : MOST_ROWS, bf16);
        }
    }
}

static TARGET void multiply_f32(const ar_panels_job *job) {
    multiply(job, false);
}

static TARGET void multiply_bf16(const ar_panels_job *job) {
    multiply(job, true);
}

void ar_panels_avx2(const ar_panels_job *job) {
    if (job->matrix->bf16)
        multiply_bf16(job);
    else
        multiply_f32(job);
}
#endif
