#include "nn/inference.h"

#include "core/memory.h"
#include "core/threads.h"
#include "nn/attention_rows.h"

#include <math.h>
#include <string.h>

enum { ALIGNMENT = 16 /* floats */ };

static int64_t align(int64_t floats) {
    return (floats + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
}

/* ---- packing ---- */

/* Gives parts of one block of memory; without memory it counts what they take. */
typedef struct parts {
    char *memory;
    int64_t used;
} parts;

static void *take(parts *from, int64_t bytes) {
    void *part = from->memory != NULL ? from->memory + from->used : NULL;
    from->used += align((bytes + 3) / 4) * 4;
    return part;
}

static const float *copy_floats(parts *to, const float *floats, int64_t count) {
    float *copy = take(to, count * (int64_t)sizeof *copy);
    if (copy != NULL)
        memcpy(copy, floats, (size_t)count * sizeof *copy);
    return copy;
}

static ar_norm copy_norm(parts *to, const ar_norm *norm, int64_t dim) {
    ar_norm copy = {take(to, dim * (int64_t)sizeof(float)), take(to, dim * (int64_t)sizeof(float))};
    if (copy.scale != NULL) {
        memcpy(copy.scale, norm->scale, (size_t)dim * sizeof(float));
        memcpy(copy.shift, norm->shift, (size_t)dim * sizeof(float));
    }
    return copy;
}

static ar_weight_matrix pack(parts *to, const float *matrix, int64_t rows, int64_t columns,
                             ar_weight_format format) {
    void *values = take(to, ar_weight_matrix_bytes(rows, columns, format));
    if (values == NULL)
        return (ar_weight_matrix){0};
    return ar_weight_matrix_pack(values, matrix, rows, columns, format);
}

static void copy_weights(ar_inference *to, parts *memory, const ar_encoder_weights *weights,
                         ar_weight_format format) {
    int64_t dim = to->shape.dim;
    to->position = copy_floats(memory, weights->position, to->shape.max_len * dim);
    to->norm = copy_norm(memory, &weights->norm, dim);
    for (int64_t b = 0; b < to->shape.blocks; b++) {
        const struct ar_encoder_block *from = &weights->blocks[b];
        struct ar_inference_block *block = &to->blocks[b];
        block->query = pack(memory, from->qkv, dim, dim, format);
        block->key_value = pack(memory, from->qkv + dim * dim, 2 * dim, dim, format);
        block->output = pack(memory, from->output, dim, dim, format);
        block->attention_norm = copy_norm(memory, &from->attention_norm, dim);
        block->inner = pack(memory, from->inner, 4 * dim, dim, format);
        block->inner_bias = copy_floats(memory, from->inner_bias, 4 * dim);
        block->outer = pack(memory, from->outer, dim, 4 * dim, format);
        block->outer_bias = copy_floats(memory, from->outer_bias, dim);
        block->feed_forward_norm = copy_norm(memory, &from->feed_forward_norm, dim);
    }
}

alterrec_status ar_inference_create(ar_inference *inference, const ar_encoder_weights *weights,
                                    const ar_encoder_shape *shape, ar_weight_format format) {
    parts memory = {0};
    *inference = (ar_inference){.shape = *shape, .format = format};
    copy_weights(inference, &memory, weights, format);
    memory.memory = ar_new(memory.used, 1);
    if (memory.memory == NULL) {
        *inference = (ar_inference){0};
        return ALTERREC_ERROR_OUT_OF_MEMORY;
    }
    memory.used = 0;
    inference->memory = memory.memory;
    copy_weights(inference, &memory, weights, format);
    return ALTERREC_OK;
}

void ar_inference_free(ar_inference *inference) {
    ar_free(inference->memory);
    *inference = (ar_inference){0};
}

/* ---- a step ---- */

/* From one row of activations to the next. Rows whole half-pages apart would share few lines of the
 * first cache. */
static int64_t stride_of(int64_t columns) {
    int64_t stride = align(columns);
    return stride % 512 == 0 ? stride + ALIGNMENT : stride;
}

int64_t ar_inference_cache(const ar_encoder_shape *shape) {
    return align(shape->blocks * 2 * shape->dim);
}

static int64_t product_work(const ar_inference *inference, int64_t tokens) {
    return align(ar_weight_matrix_work(tokens, 4 * inference->shape.dim, inference->format));
}

int64_t ar_inference_work(const ar_inference *inference, int64_t tokens, int64_t longest) {
    const ar_encoder_shape *shape = &inference->shape;
    return tokens * (3 * stride_of(shape->dim) + stride_of(4 * shape->dim)) +
           product_work(inference, tokens) + align(longest);
}

typedef struct step {
    const ar_inference *inference;
    const ar_inference_sequence *sequences;
    int64_t count, cache_stride;
    int64_t dim, narrow_stride, wide_stride;
    float *hidden, *context, *middle; /* [tokens, dim] */
    float *wide;                      /* [tokens, 4 dim] */
    float *product;                   /* working memory of a product */
    float *scores;                    /* [longest] */
} step;

/* dst = LN(a + b); dst may be either. */
AR_CLONES static void add_and_normalise(float *dst, const float *a, const float *b,
                                        const ar_norm *norm, int64_t dim) {
    const float *scale = norm->scale, *shift = norm->shift;
    float sum = 0.0f, squares = 0.0f;
#pragma omp simd
    for (int64_t c = 0; c < dim; c++)
        dst[c] = a[c] + b[c];
#pragma omp simd reduction(+ : sum)
    for (int64_t c = 0; c < dim; c++)
        sum += dst[c];
    float mean = sum / (float)dim;
#pragma omp simd reduction(+ : squares)
    for (int64_t c = 0; c < dim; c++)
        squares += (dst[c] - mean) * (dst[c] - mean);
    float inverse = 1.0f / sqrtf(squares / (float)dim + AR_ENCODER_EPSILON);
#pragma omp simd
    for (int64_t c = 0; c < dim; c++)
        dst[c] = (dst[c] - mean) * inverse * scale[c] + shift[c];
}

/* One token's context of all heads, from its query and the keys and values of `length` tokens. */
AR_CLONES static void attend(float *dst, float *scores, const float *query, const float *cache,
                             int64_t stride, int64_t length, int64_t dim, int64_t heads) {
    int64_t width = dim / heads;
    float scale = 1.0f / sqrtf((float)width);
    for (int64_t h = 0; h < heads; h++) {
        const float *keys = cache + h * width, *values = keys + dim;
        ar_attention_dots(scores, query + h * width, keys, stride, length, width, scale);
        ar_attention_softmax(scores, length);
        ar_attention_sum(dst + h * width, scores, values, stride, length, width);
    }
}

static void embed(const step *s, const float *table, int64_t table_stride) {
    float *row = s->hidden;
    for (int64_t i = 0; i < s->count; i++) {
        const ar_inference_sequence *sequence = &s->sequences[i];
        for (int64_t t = 0; t < sequence->count; t++, row += s->narrow_stride)
            add_and_normalise(row, table + sequence->items[t] * table_stride,
                              s->inference->position + (sequence->past + t) * s->dim,
                              &s->inference->norm, s->dim);
    }
}

/* Keys and values of block b, from the working memory to the sequences' caches. */
static void keep_keys(const step *s, int64_t b) {
    const float *row = s->wide;
    for (int64_t i = 0; i < s->count; i++) {
        const ar_inference_sequence *sequence = &s->sequences[i];
        float *to = sequence->cache + sequence->past * s->cache_stride + b * 2 * s->dim;
        for (int64_t t = 0; t < sequence->count; t++, to += s->cache_stride, row += s->wide_stride)
            memcpy(to, row, (size_t)(2 * s->dim) * sizeof *to);
    }
}

/* Moves the rows of `hidden` that are a sequence's last to the front. */
static void keep_last_rows(const step *s) {
    int64_t end = 0;
    for (int64_t i = 0; i < s->count; i++) {
        end += s->sequences[i].count;
        if (end - 1 > i)
            memcpy(s->hidden + i * s->narrow_stride, s->hidden + (end - 1) * s->narrow_stride,
                   (size_t)s->dim * sizeof *s->hidden);
    }
}

/* From the queries in `middle` to `context`: of all new tokens, or of the last ones. */
static void attend_rows(const step *s, int64_t b, bool last) {
    int64_t row = 0;
    for (int64_t i = 0; i < s->count; i++) {
        const ar_inference_sequence *sequence = &s->sequences[i];
        int64_t length = sequence->past + sequence->count;
        for (int64_t t = last ? length - 1 : sequence->past; t < length; t++, row++)
            attend(s->context + row * s->narrow_stride, s->scores,
                   s->middle + row * s->narrow_stride, sequence->cache + b * 2 * s->dim,
                   s->cache_stride, t + 1, s->dim, s->inference->shape.heads);
    }
}

/* dst = src · matrixᵀ + bias, and relu of it; each is narrow or wide by its columns. */
static void multiply(const step *s, float *dst, const float *src, int64_t rows,
                     const ar_weight_matrix *matrix, const float *bias, bool relu) {
    ar_weight_matrix_multiply(dst, matrix->rows > s->dim ? s->wide_stride : s->narrow_stride, src,
                              matrix->columns > s->dim ? s->wide_stride : s->narrow_stride, rows,
                              matrix, bias, relu, s->product);
}

/* One block: hidden [rows, dim] -> hidden, of the last rows only if `last`. */
static void run_block(const step *s, int64_t b, int64_t rows, bool last) {
    const struct ar_inference_block *block = &s->inference->blocks[b];
    int64_t narrow = s->narrow_stride;
    multiply(s, s->wide, s->hidden, rows, &block->key_value, NULL, false);
    keep_keys(s, b);
    if (last) {
        keep_last_rows(s);
        rows = s->count;
    }
    multiply(s, s->middle, s->hidden, rows, &block->query, NULL, false);
    attend_rows(s, b, last);
    multiply(s, s->middle, s->context, rows, &block->output, NULL, false);
    for (int64_t r = 0; r < rows; r++)
        add_and_normalise(s->middle + r * narrow, s->middle + r * narrow, s->hidden + r * narrow,
                          &block->attention_norm, s->dim);
    multiply(s, s->wide, s->middle, rows, &block->inner, block->inner_bias, true);
    multiply(s, s->context, s->wide, rows, &block->outer, block->outer_bias, false);
    for (int64_t r = 0; r < rows; r++)
        add_and_normalise(last ? s->sequences[r].dst : s->hidden + r * narrow,
                          s->context + r * narrow, s->middle + r * narrow,
                          &block->feed_forward_norm, s->dim);
}

void ar_inference_step(const ar_inference *inference, const ar_inference_sequence *sequences,
                       int64_t count, const float *table, int64_t table_stride,
                       int64_t cache_stride, float *work) {
    const ar_encoder_shape *shape = &inference->shape;
    int64_t tokens = 0;
    for (int64_t i = 0; i < count; i++)
        tokens += sequences[i].count;
    step s = {.inference = inference,
              .sequences = sequences,
              .count = count,
              .cache_stride = cache_stride,
              .dim = shape->dim,
              .narrow_stride = stride_of(shape->dim),
              .wide_stride = stride_of(4 * shape->dim)};
    s.hidden = work;
    s.context = s.hidden + tokens * s.narrow_stride;
    s.middle = s.context + tokens * s.narrow_stride;
    s.wide = s.middle + tokens * s.narrow_stride;
    s.product = s.wide + tokens * s.wide_stride;
    s.scores = s.product + product_work(inference, tokens);
    embed(&s, table, table_stride);
    for (int64_t b = 0; b < shape->blocks; b++)
        run_block(&s, b, tokens, b + 1 == shape->blocks);
}
