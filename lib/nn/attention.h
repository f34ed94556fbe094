/* Causal self-attention over a packed batch (the core: without its four products). Level: nn. */
#ifndef AR_NN_ATTENTION_H
#define AR_NN_ATTENTION_H

#include "nn/dropout.h"
#include "nn/packed.h"

/* The number of probabilities that a packed batch needs: one row of the longest sequence's length
 * for each token and head. */
int64_t ar_attention_size(const ar_packed *packed, int64_t heads);

/* For every sequence and head: P = softmax(Q Kᵀ / sqrt(dim / heads), causal), dst = dropout(P) V.
 * qkv [tokens, 3 dim] holds Q, K and V side by side; dst [tokens, dim]; probabilities
 * [ar_attention_size], P before dropout, row i of a sequence filled up to column i. */
void ar_attention_forward(float *dst, float *probabilities, const float *qkv,
                          const ar_packed *packed, int64_t dim, int64_t heads, ar_dropout dropout);

/* diff_qkv [tokens, 3 dim] overwritten. diff_dst [tokens, dim]. */
void ar_attention_backward(float *diff_qkv, const float *diff_dst, const float *qkv,
                           const float *probabilities, const ar_packed *packed, int64_t dim,
                           int64_t heads, ar_dropout dropout);

#endif
