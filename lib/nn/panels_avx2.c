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
    const float *panel;
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

static INLINE void add_columns(__m256 sums[MOST_ROWS][HALVES], const ar_panels_job *job,
                               const place *at, int rows) {
    const float *panel = at->panel;
    for (int64_t c = 0; c < job->matrix->columns; c++)
        add_column(sums, _mm256_loadu_ps(panel + c * AR_PANEL_ROWS),
                   _mm256_loadu_ps(panel + c * AR_PANEL_ROWS + LANES), at->src + c, job->src_stride,
                   rows);
}

/* The mask of the lanes of half `half`, of `lanes` in the panel. */
static INLINE __m256i half_mask(int64_t lanes, int half) {
    __m256i lane = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
    return _mm256_cmpgt_epi32(_mm256_set1_epi32((int)lanes - half * LANES), lane);
}

static INLINE void block(const ar_panels_job *job, const place *at, int rows) {
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
    add_columns(sums, job, at, rows);
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
        block(job, at, rows);                                                                      \
        break

static INLINE void any_rows(const ar_panels_job *job, const place *at, int64_t rows) {
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

TARGET void ar_panels_avx2(const ar_panels_job *job) {
    const ar_panels *matrix = job->matrix;
    for (int64_t first = 0; first < matrix->rows; first += AR_PANEL_ROWS) {
        place at = {.panel = matrix->values + first * matrix->columns,
                    .bias = job->bias != NULL ? job->bias + first : NULL,
                    .lanes = matrix->rows - first};
        for (int64_t i = 0; i < job->count; i += MOST_ROWS) {
            at.dst = job->dst + i * job->dst_stride + first;
            at.src = job->src + i * job->src_stride;
            any_rows(job, &at, job->count - i < MOST_ROWS ? job->count - i : MOST_ROWS);
        }
    }
}
#endif
