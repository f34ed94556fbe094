/* A session encoder for inference: weights in panels, keys and values kept from token to token, so
 * that a sequence that grows costs what its new tokens cost. Level: nn. */
#ifndef AR_NN_INFERENCE_H
#define AR_NN_INFERENCE_H

#include "nn/encoder.h"
#include "nn/weight_matrix.h"

/* Read-only once made, shared by threads. A zeroed one is empty. */
typedef struct ar_inference {
    ar_encoder_shape shape;
    ar_weight_format format;
    const float *position; /* [max_len, dim] */
    ar_norm norm;
    struct ar_inference_block {
        ar_weight_matrix query, key_value, output; /* [dim, dim], [2 dim, dim], [dim, dim] */
        ar_norm attention_norm;
        ar_weight_matrix inner, outer;        /* [4 dim, dim], [dim, 4 dim] */
        const float *inner_bias, *outer_bias; /* [4 dim], [dim] */
        ar_norm feed_forward_norm;
    } blocks[AR_BLOCKS_MOST];
    void *memory; /* all that the above points to */
} ar_inference;

/* Packs a copy of the weights, the matrices in the given format. */
alterrec_status ar_inference_create(ar_inference *inference, const ar_encoder_weights *weights,
                                    const ar_encoder_shape *shape, ar_weight_format format);
void ar_inference_free(ar_inference *inference);

/* What one step does to one sequence. */
typedef struct ar_inference_sequence {
    const int32_t *items; /* [count] its next items */
    int64_t count;        /* at least 1; past + count is at most max_len */
    int64_t past;         /* tokens that went before */
    /* [past + count] rows, cache_stride apart: keys and values of the tokens so far, [blocks][2
     * dim] in each. The step adds those of its own. */
    float *cache;
    float *dst; /* [dim] the state at its last token */
} ar_inference_sequence;

/* Floats from the keys and values of one token to those of the next, at least. */
int64_t ar_inference_cache(const ar_encoder_shape *shape);

/* Floats of working memory for a step of `tokens` tokens in all, whose longest sequence has
 * `longest` (past + count). */
int64_t ar_inference_work(const ar_inference *inference, int64_t tokens, int64_t longest);

/* Takes every sequence its next tokens further, on the calling thread. Row i of the item table
 * stands at table + i * table_stride. cache_stride is a multiple of 16, `work` and every cache are
 * 64-byte aligned. A sequence's states have the same bits whichever tokens came in which step, and
 * whatever sequences are beside it. Of the last block only the last tokens' states are computed. */
void ar_inference_step(const ar_inference *inference, const ar_inference_sequence *sequences,
                       int64_t count, const float *table, int64_t table_stride,
                       int64_t cache_stride, float *work);

#endif
