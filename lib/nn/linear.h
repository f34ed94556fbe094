/* A linear layer: dst = src · weightsᵀ + bias. Level: nn. */
#ifndef AR_NN_LINEAR_H
#define AR_NN_LINEAR_H

#include "nn/onednn.h"

/* weights [out, in], bias [out] or NULL; relu folds relu into the product. */
alterrec_status ar_linear_forward(ar_onednn *onednn, float *dst, const float *src,
                                  const float *weights, const float *bias, int64_t rows, int64_t in,
                                  int64_t out, bool relu);

/* diff_src [rows, in] = diff_dst [rows, out] · weights. */
alterrec_status ar_linear_backward_data(ar_onednn *onednn, float *diff_src, const float *diff_dst,
                                        const float *weights, int64_t rows, int64_t in,
                                        int64_t out);

/* diff_bias [out] = column sums of diff_dst [rows, out]. */
void ar_linear_backward_bias(float *diff_bias, const float *diff_dst, int64_t rows, int64_t out);

/* diff_weights [out, in] = diff_dstᵀ · src, diff_bias [out] = column sums of diff_dst (NULL: no
 * bias). Both overwritten. */
alterrec_status ar_linear_backward_weights(ar_onednn *onednn, float *diff_weights, float *diff_bias,
                                           const float *diff_dst, const float *src, int64_t rows,
                                           int64_t in, int64_t out);

/* diff [rows, dim] = 0 where the relu's result dst was 0; elsewhere times `scale`. */
void ar_relu_backward(float *diff, const float *dst, int64_t rows, int64_t dim, float scale);

#endif
