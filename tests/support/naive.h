/* The kernels of lib/nn again, in double and in the most obvious loops: what they are compared
 * with. Written from the paper's formulas and the layout of the parameters, not from the kernels.
 */
#ifndef TEST_NAIVE_H
#define TEST_NAIVE_H

#include "model/parameters.h"

/* dst [m, n] (+)= src [m, k] · weights [k, n] + bias; flags as ar_matmul's. */
void naive_matmul(double *dst, const double *src, const double *weights, const double *bias,
                  int64_t m, int64_t n, int64_t k, int flags);

/* dst may be src. */
void naive_layer_norm(double *dst, const double *src, const double *scale, const double *shift,
                      int64_t rows, int64_t dim, double epsilon);

/* In place, with the mask that the library's dropout has for the same seed. */
void naive_dropout(double *values, int64_t rows, int64_t dim, ar_dropout dropout);

/* qkv [tokens, 3 dim], dst [tokens, dim]. */
void naive_attention(double *dst, const double *qkv, const ar_packed *packed, int64_t dim,
                     int64_t heads, ar_dropout dropout);

/* dst [tokens, dim]; block: the encoder's parameters, laid out as ar_encoder_weights_at says. */
void naive_encoder(double *dst, const double *block, const ar_encoder_shape *shape,
                   const double *table, const ar_packed *packed, ar_dropout dropout);

/* table [items, dim]; block: the tower's parameters, laid out as ar_tower_weights_at says. */
void naive_table(double *table, const double *block, const ar_tower_shape *shape,
                 const float *features, ar_dropout dropout);

/* The same of a joint tower with zeros in the place of the other part; `part` AR_PARTS: the whole
 * table. */
void naive_part_table(double *table, const double *block, const ar_tower_shape *shape, int part,
                      const float *features, ar_dropout dropout);

/* -log( exp(y_t) / (exp(y_t) + sum over j != t of negatives[j] exp(y_j)) ), y = scale * logits. */
double naive_cost(const double *logits, const float *negatives, int64_t items, int64_t target,
                  double scale);

/* order[0..items-1]: the items from the best score to the worst, ties to the lower index. */
void naive_ranking(int32_t *order, const float *scores, int64_t items);

#endif
