/* Layer normalisation of the rows of a matrix. Level: nn. */
#ifndef AR_NN_LAYER_NORM_H
#define AR_NN_LAYER_NORM_H

#include "core/status.h"

/* dst [rows, dim] = (src - mean) / sqrt(variance + epsilon) * scale + shift, mean and variance of
 * each row; `mean` and `variance` [rows] are kept for the backward pass (NULL: inference). dst may
 * be src. A row has the same bits wherever it stands. */
void ar_layer_norm_forward(float *dst, float *mean, float *variance, const float *src,
                           const float *scale, const float *shift, int64_t rows, int64_t dim,
                           float epsilon);

/* diff_src may be diff_dst. diff_scale and diff_shift [dim] are overwritten; where a number of
 * diff_src is not finite, diff_shift isn't, so that whoever wants to know need look no further. */
alterrec_status ar_layer_norm_backward(float *diff_src, float *diff_scale, float *diff_shift,
                                       const float *diff_dst, const float *src, const float *mean,
                                       const float *variance, const float *scale, int64_t rows,
                                       int64_t dim, float epsilon);

#endif
