#include "nn/encoder.h"

#include "core/limit.h"
#include "core/memory.h"
#include "core/random.h"
#include "nn/attention.h"
#include "nn/embedding.h"
#include "nn/layer_norm.h"
#include "nn/linear.h"

#include <string.h>

/* A normalisation's input and statistics, for its backward pass. */
typedef struct norm_state {
    float *src;             /* [rows, dim] */
    float *mean, *variance; /* [rows] */
} norm_state;

struct ar_encoder_state {
    ar_encoder_shape shape;
    int64_t row_capacity;
    int64_t probability_capacity; /* of one block */
    float *memory;                /* everything below but the probabilities */
    norm_state norm;
    float *hidden; /* [rows, dim] the first block's input */
    struct block_state {
        float *qkv;           /* [rows, 3 dim] */
        float *probabilities; /* [tokens * heads, longest] */
        float *context;       /* [rows, dim] */
        norm_state attention_norm;
        float *middle; /* [rows, dim] */
        float *inner;  /* [rows, 4 dim] */
        norm_state feed_forward_norm;
        float *hidden; /* [rows, dim] the block's result */
    } blocks[AR_BLOCKS_MOST];
    float *wide;   /* [rows, 4 dim] gradients of qkv and of the inner layer */
    float *narrow; /* [rows, dim] */
};

alterrec_status ar_encoder_state_create(ar_encoder_state **state, const ar_encoder_shape *shape) {
    *state = ar_new(1, sizeof **state);
    if (*state == NULL)
        return ALTERREC_ERROR_OUT_OF_MEMORY;
    (*state)->shape = *shape;
    return ALTERREC_OK;
}

static void free_probabilities(ar_encoder_state *state) {
    for (int64_t b = 0; b < state->shape.blocks; b++) {
        ar_free(state->blocks[b].probabilities);
        state->blocks[b].probabilities = NULL;
    }
    state->probability_capacity = 0;
}

void ar_encoder_state_free(ar_encoder_state *state) {
    if (state == NULL)
        return;
    free_probabilities(state);
    ar_free(state->memory);
    ar_free(state);
}

/* Cuts the next `count` floats off the block, keeping 64-byte alignment. */
static float *cut(float **memory, int64_t count) {
    float *part = *memory;
    *memory += (count + 15) / 16 * 16;
    return part;
}

static void cut_norm(norm_state *norm, float **memory, int64_t rows, int64_t dim) {
    norm->src = cut(memory, rows * dim);
    norm->mean = cut(memory, rows);
    norm->variance = cut(memory, rows);
}

/* Lays the arrays out for `rows` rows in the block that *memory points to. */
static void lay_out(ar_encoder_state *state, float **memory, int64_t rows) {
    int64_t dim = state->shape.dim;
    cut_norm(&state->norm, memory, rows, dim);
    state->hidden = cut(memory, rows * dim);
    for (int64_t b = 0; b < state->shape.blocks; b++) {
        struct block_state *block = &state->blocks[b];
        block->qkv = cut(memory, rows * 3 * dim);
        block->context = cut(memory, rows * dim);
        cut_norm(&block->attention_norm, memory, rows, dim);
        block->middle = cut(memory, rows * dim);
        block->inner = cut(memory, rows * 4 * dim);
        cut_norm(&block->feed_forward_norm, memory, rows, dim);
        block->hidden = cut(memory, rows * dim);
    }
    state->wide = cut(memory, rows * 4 * dim);
    state->narrow = cut(memory, rows * dim);
}

static int64_t floats_needed(const ar_encoder_shape *shape, int64_t rows) {
    int64_t norm = rows * shape->dim + 2 * rows;
    int64_t block = rows * shape->dim * (3 + 1 + 1 + 4 + 1) + 2 * norm;
    int64_t parts = 6 + 11 * shape->blocks; /* each rounded up to 16 floats */
    return norm + rows * shape->dim * (1 + 4 + 1) + shape->blocks * block + 16 * parts;
}

static alterrec_status reserve(ar_encoder_state *state, const ar_packed *packed, int64_t rows) {
    int64_t probabilities = ar_attention_size(packed, state->shape.heads);
    if (rows > state->row_capacity) {
        int64_t capacity = ar_row_bucket(rows);
        ar_free(state->memory); /* first: the old one is not needed, and both are large */
        state->memory = NULL;
        state->row_capacity = 0;
        AR_NEW(state->memory, floats_needed(&state->shape, capacity));
        float *memory = state->memory;
        state->row_capacity = capacity;
        lay_out(state, &memory, capacity);
    }
    if (probabilities > state->probability_capacity) {
        free_probabilities(state);
        for (int64_t b = 0; b < state->shape.blocks; b++)
            AR_NEW(state->blocks[b].probabilities, probabilities);
        state->probability_capacity = probabilities;
    }
    return ALTERREC_OK;
}

/* dst = LN(norm->src); the statistics are kept if `training`. */
static void normalise(float *dst, const norm_state *norm, const ar_norm *weights, int64_t rows,
                      int64_t dim, bool training) {
    ar_layer_norm_forward(dst, training ? norm->mean : NULL, training ? norm->variance : NULL,
                          norm->src, weights->scale, weights->shift, rows, dim, AR_ENCODER_EPSILON);
}

/* Each dropout of the encoder has a seed of its own, made of its block and its place in it. */
enum { PLACE_INPUT, PLACE_ATTENTION, PLACE_OUTPUT, PLACE_FEED_FORWARD, PLACES };

static ar_dropout dropout_at(ar_dropout dropout, int64_t block, int place) {
    return (ar_dropout){dropout.rate,
                        ar_random_key(dropout.seed, (uint64_t)(block * PLACES + place))};
}

/* A block up to its attention: src [rows, dim] -> block->context. */
static alterrec_status attend(ar_onednn *onednn, const ar_encoder_state *state, int64_t b,
                              const struct ar_encoder_block *weights, const float *src,
                              const ar_packed *packed, int64_t rows, ar_dropout dropout) {
    const struct block_state *block = &state->blocks[b];
    int64_t dim = state->shape.dim, tokens = packed->tokens;
    AR_TRY(
        ar_linear_forward(onednn, block->qkv, src, weights->qkv, NULL, rows, dim, 3 * dim, false));
    ar_attention_forward(block->context, block->probabilities, block->qkv, packed, dim,
                         state->shape.heads, dropout_at(dropout, b, PLACE_ATTENTION));
    memset(block->context + tokens * dim, 0, (size_t)((rows - tokens) * dim) * sizeof(float));
    return ALTERREC_OK;
}

/* The rest of it, row by row: context and src [rows, dim] -> block->hidden. */
static alterrec_status feed_forward(ar_onednn *onednn, const ar_encoder_state *state, int64_t b,
                                    const struct ar_encoder_block *weights, const float *context,
                                    const float *src, int64_t rows, bool training,
                                    ar_dropout dropout) {
    const struct block_state *block = &state->blocks[b];
    int64_t dim = state->shape.dim;
    float *attended = block->attention_norm.src;
    AR_TRY(
        ar_linear_forward(onednn, attended, context, weights->output, NULL, rows, dim, dim, false));
    ar_dropout_apply(attended, attended, src, rows, dim, dropout_at(dropout, b, PLACE_OUTPUT));
    normalise(block->middle, &block->attention_norm, &weights->attention_norm, rows, dim, training);
    AR_TRY(ar_linear_forward(onednn, block->inner, block->middle, weights->inner,
                             weights->inner_bias, rows, dim, 4 * dim, true));
    float *fed = block->feed_forward_norm.src;
    AR_TRY(ar_linear_forward(onednn, fed, block->inner, weights->outer, weights->outer_bias, rows,
                             4 * dim, dim, false));
    ar_dropout_apply(fed, fed, block->middle, rows, dim,
                     dropout_at(dropout, b, PLACE_FEED_FORWARD));
    normalise(block->hidden, &block->feed_forward_norm, &weights->feed_forward_norm, rows, dim,
              training);
    return ALTERREC_OK;
}

/* The first `blocks` blocks; *dst is the last one's result. */
static alterrec_status forward_blocks(const float **dst, ar_onednn *onednn, ar_encoder_state *state,
                                      const ar_encoder_weights *weights, const float *table,
                                      const ar_packed *packed, int64_t blocks, bool training,
                                      ar_dropout dropout) {
    int64_t dim = state->shape.dim, tokens = packed->tokens;
    int64_t rows = ar_at_least(tokens, AR_PRODUCT_ROWS);
    AR_TRY(reserve(state, packed, rows));
    ar_embedding_forward(state->norm.src, table, weights->position, packed, dim);
    /* Rows behind the last token, as products want some, are computed from zeros and never read. */
    memset(state->norm.src + tokens * dim, 0, (size_t)((rows - tokens) * dim) * sizeof(float));
    normalise(state->hidden, &state->norm, &weights->norm, rows, dim, training);
    ar_dropout_apply(state->hidden, state->hidden, NULL, rows, dim,
                     dropout_at(dropout, -1, PLACE_INPUT));
    *dst = state->hidden;
    for (int64_t b = 0; b < blocks; b++) {
        AR_TRY(attend(onednn, state, b, &weights->blocks[b], *dst, packed, rows, dropout));
        AR_TRY(feed_forward(onednn, state, b, &weights->blocks[b], state->blocks[b].context, *dst,
                            rows, training, dropout));
        *dst = state->blocks[b].hidden;
    }
    return ALTERREC_OK;
}

alterrec_status ar_encoder_forward(const float **dst, ar_onednn *onednn, ar_encoder_state *state,
                                   const ar_encoder_weights *weights, const float *table,
                                   const ar_packed *packed, bool training, ar_dropout dropout) {
    if (!training)
        dropout.rate = 0.0f;
    return forward_blocks(dst, onednn, state, weights, table, packed, state->shape.blocks, training,
                          dropout);
}

/* dst [at_least(count, AR_PRODUCT_ROWS), dim]: the rows of src, and zeros behind them. */
static void gather_padded(float *dst, const float *src, const int64_t *rows, int64_t count,
                          int64_t dim) {
    int64_t padding = ar_at_least(count, AR_PRODUCT_ROWS) - count;
    ar_rows_gather(dst, src, rows, count, dim);
    memset(dst + count * dim, 0, (size_t)(padding * dim) * sizeof *dst);
}

alterrec_status ar_encoder_states(float *dst, ar_onednn *onednn, ar_encoder_state *state,
                                  const ar_encoder_weights *weights, const float *table,
                                  const ar_packed *packed, const int64_t *rows, int64_t count) {
    const float *hidden;
    const ar_dropout none = {0};
    int64_t dim = state->shape.dim, last = state->shape.blocks - 1;
    int64_t padded = ar_at_least(packed->tokens, AR_PRODUCT_ROWS);
    AR_TRY(forward_blocks(&hidden, onednn, state, weights, table, packed, last, false, none));
    AR_TRY(attend(onednn, state, last, &weights->blocks[last], hidden, packed, padded, none));
    gather_padded(state->narrow, state->blocks[last].context, rows, count, dim);
    gather_padded(state->wide, hidden, rows, count, dim);
    AR_TRY(feed_forward(onednn, state, last, &weights->blocks[last], state->narrow, state->wide,
                        ar_at_least(count, AR_PRODUCT_ROWS), false, none));
    memcpy(dst, state->blocks[last].hidden, (size_t)(count * dim) * sizeof *dst);
    return ALTERREC_OK;
}

static alterrec_status normalise_backward(float *diff, const ar_norm *diff_norm,
                                          const norm_state *norm, const ar_norm *weights,
                                          int64_t tokens, int64_t dim) {
    return ar_layer_norm_backward(diff, diff_norm->scale, diff_norm->shift, diff, norm->src,
                                  norm->mean, norm->variance, weights->scale, tokens, dim,
                                  AR_ENCODER_EPSILON);
}

/* In: diff [tokens, dim] of the block's result. Out: diff of its input `src`. */
static alterrec_status backward_block(ar_onednn *onednn, const ar_encoder_state *state, int64_t b,
                                      const struct ar_encoder_block *diff_weights, float *diff,
                                      const struct ar_encoder_block *weights, const float *src,
                                      const ar_packed *packed, ar_dropout dropout) {
    const struct block_state *block = &state->blocks[b];
    int64_t dim = state->shape.dim, tokens = packed->tokens;
    float *narrow = state->narrow, *wide = state->wide;

    /* Feed-forward half: diff flows to `middle` both around it and through it. */
    AR_TRY(normalise_backward(diff, &diff_weights->feed_forward_norm, &block->feed_forward_norm,
                              &weights->feed_forward_norm, tokens, dim));
    ar_dropout_apply(narrow, diff, NULL, tokens, dim, dropout_at(dropout, b, PLACE_FEED_FORWARD));
    AR_TRY(ar_linear_backward_weights(onednn, diff_weights->outer, diff_weights->outer_bias, narrow,
                                      block->inner, tokens, 4 * dim, dim));
    AR_TRY(ar_linear_backward_data(onednn, wide, narrow, weights->outer, tokens, 4 * dim, dim));
    ar_relu_backward(wide, block->inner, tokens, 4 * dim, 1.0f);
    AR_TRY(ar_linear_backward_weights(onednn, diff_weights->inner, diff_weights->inner_bias, wide,
                                      block->middle, tokens, dim, 4 * dim));
    AR_TRY(
        ar_matmul(onednn, diff, wide, weights->inner, NULL, tokens, dim, 4 * dim, AR_ACCUMULATE));

    /* Attention half: the same around and through. */
    AR_TRY(normalise_backward(diff, &diff_weights->attention_norm, &block->attention_norm,
                              &weights->attention_norm, tokens, dim));
    ar_dropout_apply(narrow, diff, NULL, tokens, dim, dropout_at(dropout, b, PLACE_OUTPUT));
    AR_TRY(ar_linear_backward_weights(onednn, diff_weights->output, NULL, narrow, block->context,
                                      tokens, dim, dim));
    float *diff_context = wide + tokens * 3 * dim;
    AR_TRY(
        ar_linear_backward_data(onednn, diff_context, narrow, weights->output, tokens, dim, dim));
    ar_attention_backward(wide, diff_context, block->qkv, block->probabilities, packed, dim,
                          state->shape.heads, dropout_at(dropout, b, PLACE_ATTENTION));
    AR_TRY(ar_linear_backward_weights(onednn, diff_weights->qkv, NULL, wide, src, tokens, dim,
                                      3 * dim));
    return ar_matmul(onednn, diff, wide, weights->qkv, NULL, tokens, dim, 3 * dim, AR_ACCUMULATE);
}

alterrec_status ar_encoder_backward(ar_onednn *onednn, ar_encoder_state *state,
                                    const ar_encoder_weights *diff, float *diff_table,
                                    float *diff_dst, const ar_encoder_weights *weights,
                                    const ar_packed *packed, ar_dropout dropout) {
    int64_t dim = state->shape.dim, tokens = packed->tokens;
    for (int64_t b = state->shape.blocks - 1; b >= 0; b--)
        AR_TRY(backward_block(onednn, state, b, &diff->blocks[b], diff_dst, &weights->blocks[b],
                              b > 0 ? state->blocks[b - 1].hidden : state->hidden, packed,
                              dropout));
    ar_dropout_apply(diff_dst, diff_dst, NULL, tokens, dim, dropout_at(dropout, -1, PLACE_INPUT));
    AR_TRY(normalise_backward(diff_dst, &diff->norm, &state->norm, &weights->norm, tokens, dim));
    ar_embedding_backward(diff_table, diff->position, diff_dst, packed, dim, state->shape.max_len);
    return ALTERREC_OK;
}
