/* What the library does otherwise, done with oneDNN's primitives of fixed shapes: only to measure
 * against. Every call aborts the program if oneDNN refuses. */
#ifndef BENCH_PRIMITIVES_H
#define BENCH_PRIMITIVES_H

#include <stdint.h>

/* dst [m, n] = src [m, k] · weightsᵀ, weights [n, k], with all sizes known when it is made. */
typedef struct fixed_product fixed_product;

fixed_product *fixed_product_create(float *dst, const float *src, const float *weights, int64_t m,
                                    int64_t n, int64_t k);
void fixed_product_run(fixed_product *product);
void fixed_product_free(fixed_product *product);

/* The bytes of scratchpad that it asks for. */
int64_t fixed_product_scratchpad(const fixed_product *product);

/* Layer normalisation of one number of rows, forward or backward; arrays as in nn/layer_norm.h. */
typedef struct fixed_norm fixed_norm;

fixed_norm *fixed_norm_create(float *dst, float *mean, float *variance, const float *src,
                              const float *scale, const float *shift, int64_t rows, int64_t dim,
                              float epsilon);
fixed_norm *fixed_norm_backward_create(float *diff_src, float *diff_scale, float *diff_shift,
                                       const float *diff_dst, const float *src, const float *mean,
                                       const float *variance, const float *scale, int64_t rows,
                                       int64_t dim, float epsilon);
void fixed_norm_run(fixed_norm *norm);
void fixed_norm_free(fixed_norm *norm);

/* Causal attention, forward and backward, of `sequences` sequences of one length: strided 4-D
 * products, a mask added to the scores, softmax. Arrays as in nn/attention.h; no dropout. */
typedef struct group_attention group_attention;

group_attention *group_attention_create(float *dst, float *diff_qkv, const float *qkv,
                                        const float *diff_dst, int64_t sequences, int64_t length,
                                        int64_t dim, int64_t heads);
void group_attention_forward(group_attention *attention);
void group_attention_backward(group_attention *attention);
void group_attention_free(group_attention *attention);

#endif
