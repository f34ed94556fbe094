/* The session encoder: a causal post-norm transformer over a packed batch (Section 4.1). Level: nn.
 */
#ifndef AR_NN_ENCODER_H
#define AR_NN_ENCODER_H

#include "nn/dropout.h"
#include "nn/onednn.h"
#include "nn/packed.h"

enum { AR_BLOCKS_MOST = 32 };

#define AR_ENCODER_EPSILON 1e-6f

typedef struct ar_encoder_shape {
    int64_t dim, heads, blocks, max_len;
} ar_encoder_shape;

typedef struct ar_norm {
    float *scale, *shift; /* [dim] */
} ar_norm;

/* Pointers into one flat block of parameters, or of their gradients: both have this layout. */
typedef struct ar_encoder_weights {
    float *position; /* [max_len, dim] */
    ar_norm norm;
    struct ar_encoder_block {
        float *qkv;    /* [3 dim, dim]: query, key, value one behind the other */
        float *output; /* [dim, dim] */
        ar_norm attention_norm;
        float *inner, *inner_bias; /* [4 dim, dim], [4 dim] */
        float *outer, *outer_bias; /* [dim, 4 dim], [dim] */
        ar_norm feed_forward_norm;
    } blocks[AR_BLOCKS_MOST];
} ar_encoder_weights;

/* What the forward pass keeps for the backward pass, and working memory. Sized by its largest
 * batch; reused from batch to batch. */
typedef struct ar_encoder_state ar_encoder_state;

alterrec_status ar_encoder_state_create(ar_encoder_state **state, const ar_encoder_shape *shape);
void ar_encoder_state_free(ar_encoder_state *state);

/* *dst [tokens, dim], borrowed from `state`, is the state at every token: at token t of a sequence
 * what the prefix up to t alone would give. table [items, dim] is the tower's item table; every
 * sequence has 1..max_len tokens. training: keep what the backward pass needs, and apply dropout.
 */
alterrec_status ar_encoder_forward(const float **dst, ar_onednn *onednn, ar_encoder_state *state,
                                   const ar_encoder_weights *weights, const float *table,
                                   const ar_packed *packed, bool training, ar_dropout dropout);

/* dst [count, dim]: the states at the tokens rows [count], no more than the batch has, without
 * dropout and with the bits of ar_encoder_forward. The last block computes no others. */
alterrec_status ar_encoder_states(float *dst, ar_onednn *onednn, ar_encoder_state *state,
                                  const ar_encoder_weights *weights, const float *table,
                                  const ar_packed *packed, const int64_t *rows, int64_t count);

/* After a training forward pass of the same batch. diff_dst [tokens, dim] is read and then used as
 * working memory. Overwrites the gradients `diff`, adds to diff_table [items, dim]. */
alterrec_status ar_encoder_backward(ar_onednn *onednn, ar_encoder_state *state,
                                    const ar_encoder_weights *diff, float *diff_table,
                                    float *diff_dst, const ar_encoder_weights *weights,
                                    const ar_packed *packed, ar_dropout dropout);

#endif
