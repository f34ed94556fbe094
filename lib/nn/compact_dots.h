/* Products of rows that stand by themselves in AVX-512, for a file that says by what instruction:
 * what compact_blocks.h asks for, and total(a, b). Level: nn. */
#ifndef AR_NN_COMPACT_DOTS_H
#define AR_NN_COMPACT_DOTS_H

#include "nn/compact_kernels.h"
#include "nn/panels_kernels.h"

/* Sixteen sums stay in registers, chains enough to hide the latency of one: those of all rows with
 * the one row of src, or those of half the rows with both. */
enum { SUMS = AR_COMPACT_ROWS, LINE = 16 /* steps that a vector holds */ };

/* Of each four lanes of both: sums of two of them. */
static INLINE __m512i fold_lanes(__m512i a, __m512i b) {
    return total(_mm512_unpacklo_epi32(a, b), _mm512_unpackhi_epi32(a, b));
}

static INLINE __m512i fold_pairs(__m512i a, __m512i b) {
    return total(_mm512_unpacklo_epi64(a, b), _mm512_unpackhi_epi64(a, b));
}

static INLINE __m512i fold_quarters(__m512i a, __m512i b) {
    return total(_mm512_shuffle_i32x4(a, b, 0x88), _mm512_shuffle_i32x4(a, b, 0xDD));
}

/* Lane i: the sum of the lanes of sums[i]. */
static INLINE __m512i lane_sums(const __m512i sums[SUMS]) {
    __m512i quarters[4];
    AR_UNROLL(4)
    for (int q = 0; q < 4; q++)
        quarters[q] = fold_pairs(fold_lanes(sums[4 * q], sums[4 * q + 1]),
                                 fold_lanes(sums[4 * q + 2], sums[4 * q + 3]));
    return fold_quarters(fold_quarters(quarters[0], quarters[1]),
                         fold_quarters(quarters[2], quarters[3]));
}

/* Rows first, first + 1, ... with `count` rows of src, a constant where it is called. */
static INLINE __m512i some_dots(const ar_compact_dots_job *job, int first, int count) {
    __m512i sums[SUMS];
    const int rows = SUMS / count;
    AR_UNROLL(16)
    for (int i = 0; i < SUMS; i++)
        sums[i] = _mm512_maskz_mov_epi32(1, begin_at(job->begin, i / rows));
    for (int64_t s = 0; s < job->steps; s += LINE) {
        int64_t left = job->steps - s;
        __mmask16 steps = (__mmask16)(left < LINE ? (1u << left) - 1 : 0xFFFF);
        __m512i src[2];
        AR_UNROLL(2)
        for (int i = 0; i < count; i++)
            src[i] =
                _mm512_maskz_loadu_epi32(steps, (const char *)job->src + (i * job->steps + s) * 4);
        AR_UNROLL(16)
        for (int r = 0; r < rows; r++) {
            __m512i values =
                _mm512_maskz_loadu_epi32(steps, (const char *)job->rows[first + r] + s * 4);
            AR_UNROLL(2)
            for (int i = 0; i < count; i++)
                sums[i * rows + r] = add(sums[i * rows + r], values, src[i]);
        }
    }
    return lane_sums(sums);
}

static TARGET void dots(const ar_compact_dots_job *job) {
    int32_t *dst = job->dst;
    if (job->count == 1) {
        _mm512_storeu_si512(dst, some_dots(job, 0, 1));
        return;
    }
    for (int first = 0; first < AR_COMPACT_ROWS; first += AR_COMPACT_ROWS / 2) {
        __m512i both = some_dots(job, first, 2);
        _mm256_storeu_si256((__m256i *)(void *)(dst + first), _mm512_castsi512_si256(both));
        _mm256_storeu_si256((__m256i *)(void *)(dst + AR_COMPACT_ROWS + first),
                            _mm512_extracti64x4_epi64(both, 1));
    }
}

#endif
