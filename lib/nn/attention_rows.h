/* Attention of one query: scores, softmax and weighted sum, for functions with clones. Level: nn.
 */
#ifndef AR_NN_ATTENTION_ROWS_H
#define AR_NN_ATTENTION_ROWS_H

#include "core/threads.h"
#include "nn/exp.h"

#include <string.h>

/* A part of a function with clones: left to itself, the compiler may keep one copy of it, built for
 * the baseline, and call that from every clone. */
#define AR_INLINE inline __attribute__((always_inline))

/* out[j] = scale * a · b_j for j in 0..count-1, where b_j stands `stride` behind b_(j-1). */
static AR_INLINE void ar_attention_dots(float *out, const float *a, const float *b, int64_t stride,
                                        int64_t count, int64_t width, float scale) {
    int64_t j = 0;
    for (; j + 4 <= count; j += 4) {
        const float *b0 = b + j * stride, *b1 = b0 + stride, *b2 = b1 + stride, *b3 = b2 + stride;
        float s0 = 0.0f, s1 = 0.0f, s2 = 0.0f, s3 = 0.0f;
#pragma omp simd reduction(+ : s0, s1, s2, s3)
        for (int64_t c = 0; c < width; c++) {
            s0 += a[c] * b0[c];
            s1 += a[c] * b1[c];
            s2 += a[c] * b2[c];
            s3 += a[c] * b3[c];
        }
        out[j] = s0 * scale;
        out[j + 1] = s1 * scale;
        out[j + 2] = s2 * scale;
        out[j + 3] = s3 * scale;
    }
    for (; j < count; j++) {
        const float *b0 = b + j * stride;
        float s0 = 0.0f;
#pragma omp simd reduction(+ : s0)
        for (int64_t c = 0; c < width; c++)
            s0 += a[c] * b0[c];
        out[j] = s0 * scale;
    }
}

/* A row of `width` columns as vectors: all but the last stand side by side, the last one ends with
 * the row and may overlap its neighbour. Wide enough for every machine; the compiler cuts it to
 * what there is. */
enum { AR_LANES = 16, AR_TILE = 5 };

typedef float ar_lanes __attribute__((vector_size(AR_LANES * sizeof(float))));

static AR_INLINE int64_t ar_vector_count(int64_t width) {
    return (width + AR_LANES - 1) / AR_LANES;
}

static AR_INLINE int64_t ar_vector_offset(int64_t vector, int64_t width) {
    return vector * AR_LANES + AR_LANES <= width ? vector * AR_LANES : width - AR_LANES;
}

/* ar_attention_sum of the vectors first .. first + count - 1, which stay in registers for all rows.
 * `count` is a constant where it is called. */
static AR_INLINE void ar_attention_sum_tile(float *out, const float *weights, const float *b,
                                            int64_t stride, int64_t rows, int64_t width,
                                            int64_t first, int count) {
    ar_lanes sums[AR_TILE];
    int64_t offsets[AR_TILE];
    AR_UNROLL(5)
    for (int v = 0; v < count; v++) {
        sums[v] = (ar_lanes){0};
        offsets[v] = ar_vector_offset(first + v, width);
    }
    for (int64_t j = 0; j < rows; j++) {
        float weight = weights[j];
        AR_UNROLL(5)
        for (int v = 0; v < count; v++) {
            ar_lanes x;
            memcpy(&x, b + j * stride + offsets[v], sizeof x);
            sums[v] += weight * x;
        }
    }
    AR_UNROLL(5)
    for (int v = 0; v < count; v++)
        memcpy(out + offsets[v], &sums[v], sizeof sums[v]);
}

/* out = sum over j of weights[j] * b_j, added up in the order of j: the same bits for a token,
 * however many follow. */
static AR_INLINE void ar_attention_sum(float *out, const float *weights, const float *b,
                                       int64_t stride, int64_t rows, int64_t width) {
    if (width < AR_LANES) {
        memset(out, 0, (size_t)width * sizeof *out);
        for (int64_t j = 0; j < rows; j++)
            for (int64_t c = 0; c < width; c++)
                out[c] += weights[j] * b[j * stride + c];
        return;
    }
    int64_t vectors = ar_vector_count(width), v = 0;
    for (; v + AR_TILE <= vectors; v += AR_TILE)
        ar_attention_sum_tile(out, weights, b, stride, rows, width, v, AR_TILE);
    switch (vectors - v) {
    case 4:
        ar_attention_sum_tile(out, weights, b, stride, rows, width, v, 4);
        break;
    case 3:
        ar_attention_sum_tile(out, weights, b, stride, rows, width, v, 3);
        break;
    case 2:
        ar_attention_sum_tile(out, weights, b, stride, rows, width, v, 2);
        break;
    case 1:
        ar_attention_sum_tile(out, weights, b, stride, rows, width, v, 1);
        break;
    default:
        break;
    }
}

/* In place softmax of `count` values. */
static AR_INLINE void ar_attention_softmax(float *values, int64_t count) {
    float most = values[0], sum = 0.0f;
#pragma omp simd reduction(max : most)
    for (int64_t j = 1; j < count; j++)
        most = values[j] > most ? values[j] : most;
#pragma omp simd reduction(+ : sum)
    for (int64_t j = 0; j < count; j++) {
        values[j] = ar_exp(values[j] - most);
        sum += values[j];
    }
    float inverse = 1.0f / sum;
#pragma omp simd
    for (int64_t j = 0; j < count; j++)
        values[j] *= inverse;
}

#endif
