#include "nn/interleave.h"

#include "core/threads.h"

enum {
    ROWS = AR_INTERLEAVE_ROWS,
    STEP = 4,  /* columns that are moved together */
    LINE = 16, /* floats that are fetched together */
};

static void columns_from(float *panel, const float *const rows[ROWS], int64_t first,
                         int64_t columns) {
    for (int64_t c = first; c < columns; c++)
        for (int r = 0; r < ROWS; r++)
            panel[c * ROWS + r] = rows[r][c];
}

#if defined(__x86_64__)
#include <immintrin.h>

/* Quarter q of a vector gets four columns of row 4 q + r; exchanging within the quarters is then
 * all that is left of a transposition. */
#define AVX512 __attribute__((target("avx512f")))

AVX512 static inline __m512 quarters(const float *const rows[ROWS], int r, int64_t column) {
    __m512 four = _mm512_castps128_ps512(_mm_loadu_ps(rows[r] + column));
    four = _mm512_mask_broadcast_f32x4(four, 0x00F0, _mm_loadu_ps(rows[4 + r] + column));
    four = _mm512_mask_broadcast_f32x4(four, 0x0F00, _mm_loadu_ps(rows[8 + r] + column));
    return _mm512_mask_broadcast_f32x4(four, 0xF000, _mm_loadu_ps(rows[12 + r] + column));
}

AVX512 static int64_t interleave_avx512(float *panel, const float *const rows[ROWS],
                                        const float *const *next, int64_t columns) {
    int64_t c = 0, column = 0, row = next != NULL ? 0 : ROWS;
    for (; c + STEP <= columns; c += STEP) {
        /* As many lines as are taken up here, but in the order of memory. */
        for (int l = 0; row < ROWS && l < ROWS * STEP / LINE + 1; l++) {
            _mm_prefetch((const char *)(next[row] + column), _MM_HINT_T1);
            column += LINE;
            row += column >= columns;
            column = column >= columns ? 0 : column;
        }
        __m512 a = quarters(rows, 0, c), b = quarters(rows, 1, c);
        __m512 d = quarters(rows, 2, c), e = quarters(rows, 3, c);
        __m512d ab = _mm512_castps_pd(_mm512_unpacklo_ps(a, b));
        __m512d de = _mm512_castps_pd(_mm512_unpacklo_ps(d, e));
        __m512d ab_high = _mm512_castps_pd(_mm512_unpackhi_ps(a, b));
        __m512d de_high = _mm512_castps_pd(_mm512_unpackhi_ps(d, e));
        float *to = panel + c * ROWS;
        _mm512_storeu_ps(to, _mm512_castpd_ps(_mm512_unpacklo_pd(ab, de)));
        _mm512_storeu_ps(to + ROWS, _mm512_castpd_ps(_mm512_unpackhi_pd(ab, de)));
        _mm512_storeu_ps(to + 2 * ROWS, _mm512_castpd_ps(_mm512_unpacklo_pd(ab_high, de_high)));
        _mm512_storeu_ps(to + 3 * ROWS, _mm512_castpd_ps(_mm512_unpackhi_pd(ab_high, de_high)));
    }
    return c;
}
#endif

void ar_interleave(float *panel, const float *const rows[ROWS], const float *const *next,
                   int64_t columns) {
    int64_t done = 0;
#if defined(__x86_64__)
    if (AR_HAS_AVX512("avx512f"))
        done = interleave_avx512(panel, rows, next, columns);
#endif
    (void)next;
    columns_from(panel, rows, done, columns);
}

void ar_interleave_rows(const float *rows[ROWS], const float *table, int64_t stride,
                        const int32_t *order, int64_t first, int64_t count) {
    for (int64_t r = 0; r < ROWS; r++) {
        int64_t place = first + (r < count ? r : count - 1);
        rows[r] = table + (order != NULL ? order[place] : place) * stride;
    }
}
