#include "nn/linear.h"

#include "core/threads.h"

#include <string.h>

alterrec_status ar_linear_forward(ar_onednn *onednn, float *dst, const float *src,
                                  const float *weights, const float *bias, int64_t rows, int64_t in,
                                  int64_t out, bool relu) {
    return ar_matmul(onednn, dst, src, weights, bias, rows, out, in,
                     AR_WEIGHTS_TRANSPOSED | (relu ? AR_RELU : 0));
}

alterrec_status ar_linear_backward_data(ar_onednn *onednn, float *diff_src, const float *diff_dst,
                                        const float *weights, int64_t rows, int64_t in,
                                        int64_t out) {
    return ar_matmul(onednn, diff_src, diff_dst, weights, NULL, rows, in, out, 0);
}

AR_CLONES static void sum_columns(float *sums, const float *src, int64_t rows, int64_t stride,
                                  int64_t width) {
    memset(sums, 0, (size_t)width * sizeof *sums);
    for (int64_t r = 0; r < rows; r++)
        for (int64_t c = 0; c < width; c++)
            sums[c] += src[r * stride + c];
}

/* oneDNN's reduction over rows takes its reference path, some 200 times slower than this loop. */
void ar_linear_backward_bias(float *diff_bias, const float *diff_dst, int64_t rows, int64_t out) {
    enum { WIDTH = 64 };
#pragma omp parallel for if (rows * out > AR_PARALLEL_LEAST)
    for (int64_t c = 0; c < out; c += WIDTH)
        sum_columns(diff_bias + c, diff_dst + c, rows, out, out - c < WIDTH ? out - c : WIDTH);
}

alterrec_status ar_linear_backward_weights(ar_onednn *onednn, float *diff_weights, float *diff_bias,
                                           const float *diff_dst, const float *src, int64_t rows,
                                           int64_t in, int64_t out) {
    if (diff_bias != NULL)
        ar_linear_backward_bias(diff_bias, diff_dst, rows, out);
    return ar_matmul(onednn, diff_weights, diff_dst, src, NULL, out, in, rows, AR_SRC_TRANSPOSED);
}

AR_CLONES static void relu_row(float *diff, const float *dst, int64_t dim, float scale) {
    for (int64_t c = 0; c < dim; c++)
        diff[c] = dst[c] > 0.0f ? diff[c] * scale : 0.0f;
}

void ar_relu_backward(float *diff, const float *dst, int64_t rows, int64_t dim, float scale) {
#pragma omp parallel for if (rows * dim > AR_PARALLEL_LEAST)
    for (int64_t r = 0; r < rows; r++)
        relu_row(diff + r * dim, dst + r * dim, dim, scale);
}
