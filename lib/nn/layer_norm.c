#include "nn/layer_norm.h"

#include "core/memory.h"
#include "core/threads.h"

#include <math.h>
#include <omp.h>

/* Own loops instead of oneDNN's primitives, which take no run-time dimensions, and read everything
 * twice in the backward pass. docs/internals/products.md has the measurements. */

/* The sum of (values - mean)^power, power 1 or 2: two sums at a time, since an addition waits for
 * the one before. */
static inline __attribute__((always_inline)) float sum_of(const float *values, int64_t count,
                                                          float mean, int power) {
    enum { VECTOR = 16 };
    int64_t half = count / (2 * VECTOR) * VECTOR;
    float low = 0.0f, high = 0.0f;
#pragma omp simd reduction(+ : low, high)
    for (int64_t c = 0; c < half; c++) {
        float a = values[c] - mean, b = values[half + c] - mean;
        low += power == 1 ? a : a * a;
        high += power == 1 ? b : b * b;
    }
#pragma omp simd reduction(+ : low)
    for (int64_t c = 2 * half; c < count; c++) {
        float a = values[c] - mean;
        low += power == 1 ? a : a * a;
    }
    return low + high;
}

AR_CLONES static void forward_row(float *dst, float *mean, float *variance, const float *src,
                                  const float *scale, const float *shift, int64_t dim,
                                  float epsilon) {
    float m = sum_of(src, dim, 0.0f, 1) / (float)dim;
    float v = sum_of(src, dim, m, 2) / (float)dim, inverse = 1.0f / sqrtf(v + epsilon);
    *mean = m;
    *variance = v;
#pragma omp simd
    for (int64_t c = 0; c < dim; c++)
        dst[c] = (src[c] - m) * inverse * scale[c] + shift[c];
}

void ar_layer_norm_forward(float *dst, float *mean, float *variance, const float *src,
                           const float *scale, const float *shift, int64_t rows, int64_t dim,
                           float epsilon) {
#pragma omp parallel for schedule(static) if (rows * dim > AR_PARALLEL_LEAST)
    for (int64_t r = 0; r < rows; r++) {
        float unused[2];
        forward_row(dst + r * dim, mean != NULL ? mean + r : unused,
                    mean != NULL ? variance + r : unused + 1, src + r * dim, scale, shift, dim,
                    epsilon);
    }
}

/* Adds the row's part of diff_scale and diff_shift. A variance that is too large for a float makes
 * the gradient NaN: as 0 it would pass for one. */
AR_CLONES static void backward_row(float *diff_src, float *diff_scale, float *diff_shift,
                                   const float *diff_dst, const float *src, float mean,
                                   float variance, const float *scale, int64_t dim, float epsilon) {
    float inverse = 1.0f / sqrtf(variance + epsilon) + variance * 0.0f;
    float sum = 0.0f, along = 0.0f;
#pragma omp simd reduction(+ : sum, along)
    for (int64_t c = 0; c < dim; c++) {
        float diff = diff_dst[c], scaled = diff * scale[c], normal = (src[c] - mean) * inverse;
        diff_scale[c] += diff * normal;
        diff_shift[c] += diff;
        sum += scaled;
        along += scaled * normal;
        diff_src[c] = scaled;
    }
    float less = sum / (float)dim, slope = along / (float)dim, broken = 0.0f;
#pragma omp simd reduction(+ : broken)
    for (int64_t c = 0; c < dim; c++) {
        diff_src[c] = (diff_src[c] - less - (src[c] - mean) * inverse * slope) * inverse;
        broken += diff_src[c] * 0.0f;
    }
    diff_shift[0] += broken; /* 0 or NaN */
}

alterrec_status ar_layer_norm_backward(float *diff_src, float *diff_scale, float *diff_shift,
                                       const float *diff_dst, const float *src, const float *mean,
                                       const float *variance, const float *scale, int64_t rows,
                                       int64_t dim, float epsilon) {
    int64_t threads = rows * dim > AR_PARALLEL_LEAST ? ar_threads_count() : 1;
    float *sums; /* [threads][2, dim] */
    AR_NEW(sums, threads * 2 * dim);
#pragma omp parallel num_threads((int)threads)
    {
        float *own = sums + omp_get_thread_num() * 2 * dim;
#pragma omp for schedule(static)
        for (int64_t r = 0; r < rows; r++)
            backward_row(diff_src + r * dim, own, own + dim, diff_dst + r * dim, src + r * dim,
                         mean[r], variance[r], scale, dim, epsilon);
    }
    for (int64_t c = 0; c < dim; c++) {
        diff_scale[c] = diff_shift[c] = 0.0f;
        for (int64_t t = 0; t < threads; t++) {
            diff_scale[c] += sums[t * 2 * dim + c];
            diff_shift[c] += sums[t * 2 * dim + dim + c];
        }
    }
    ar_free(sums);
    return ALTERREC_OK;
}
