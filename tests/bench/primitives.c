#include "bench/primitives.h"

#include "core/memory.h"
#include "nn/onednn_api.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define NEED(call)                                                                                 \
    do {                                                                                           \
        if ((call) != dnnl_success) {                                                              \
            fprintf(stderr, "oneDNN refused: %s\n", #call);                                        \
            exit(EXIT_FAILURE);                                                                    \
        }                                                                                          \
    } while (0)

enum { ARGUMENTS = 9 };

static dnnl_engine_t engine(void) {
    static dnnl_engine_t made;
    if (made == NULL)
        NEED(dnnl_engine_create(&made, dnnl_cpu, 0));
    return made;
}

static dnnl_stream_t stream(void) {
    static dnnl_stream_t made;
    if (made == NULL)
        NEED(dnnl_stream_create(&made, engine(), dnnl_stream_default_flags));
    return made;
}

/* A primitive with its arguments bound: running it is one call. */
typedef struct bound {
    dnnl_primitive_t primitive;
    dnnl_exec_arg_t arguments[ARGUMENTS];
    int count;
    int64_t scratchpad;
} bound;

static void bind(bound *b, int index, const ar_layout *layout, const float *data) {
    union {
        const float *in;
        void *out;
    } cast = {.in = data};
    b->arguments[b->count].arg = index;
    NEED(ar_dnnl_memory(&b->arguments[b->count++].memory, layout, engine(), cast.out));
}

/* Makes the primitive of its descriptor, which is released. */
static void make(bound *b, dnnl_primitive_desc_t desc) {
    NEED(dnnl_primitive_create(&b->primitive, desc));
    (void)dnnl_primitive_desc_query(desc, dnnl_query_memory_consumption_s64, 0, &b->scratchpad);
    NEED(dnnl_primitive_desc_destroy(desc));
}

static void run(const bound *b) {
    NEED(dnnl_primitive_execute(b->primitive, stream(), b->count, b->arguments));
    NEED(dnnl_stream_wait(stream()));
}

static void release(bound *b) {
    for (int i = 0; i < b->count; i++)
        NEED(dnnl_memory_destroy(b->arguments[i].memory));
    NEED(dnnl_primitive_destroy(b->primitive));
}

struct fixed_product {
    bound product;
};

fixed_product *fixed_product_create(float *dst, const float *src, const float *weights, int64_t m,
                                    int64_t n, int64_t k) {
    fixed_product *product = ar_new(1, sizeof *product);
    ar_layout s = {2, {m, k}, {k, 1}, false}, w = {2, {k, n}, {1, k}, false},
              d = {2, {m, n}, {n, 1}, false};
    dnnl_primitive_desc_t desc;
    NEED(ar_dnnl_matmul(&desc, engine(), &s, &w, NULL, &d, NULL));
    make(&product->product, desc);
    bind(&product->product, DNNL_ARG_SRC, &s, src);
    bind(&product->product, DNNL_ARG_WEIGHTS, &w, weights);
    bind(&product->product, DNNL_ARG_DST, &d, dst);
    return product;
}

void fixed_product_run(fixed_product *product) {
    run(&product->product);
}

void fixed_product_free(fixed_product *product) {
    release(&product->product);
    ar_free(product);
}

int64_t fixed_product_scratchpad(const fixed_product *product) {
    return product->product.scratchpad;
}

struct group_attention {
    float *probabilities, *diff; /* [sequences, heads, length, length] each */
    float *mask;                 /* [length, length]: 0, and -infinity after the diagonal */
    bound scores, masking, softmax, context;                           /* forward */
    bound diff_value, diff_scores, back_softmax, diff_query, diff_key; /* backward */
};

/* Row-major [sequences, heads, length, width] in an array whose tokens stand `stride` apart. */
static ar_layout heads_layout(int64_t sequences, int64_t heads, int64_t length, int64_t width,
                              int64_t stride, int transposed) {
    if (transposed)
        return (ar_layout){
            4, {sequences, heads, width, length}, {length * stride, width, 1, stride}, false};
    return (ar_layout){
        4, {sequences, heads, length, width}, {length * stride, width, stride, 1}, false};
}

static ar_layout square_layout(int64_t sequences, int64_t heads, int64_t length, int transposed) {
    int64_t square = length * length;
    if (transposed)
        return (ar_layout){
            4, {sequences, heads, length, length}, {heads * square, square, 1, length}, false};
    return (ar_layout){
        4, {sequences, heads, length, length}, {heads * square, square, length, 1}, false};
}

/* dst = scale * src · weights. */
static void product4(bound *b, const ar_layout *dst_layout, float *dst, const ar_layout *src_layout,
                     const float *src, const ar_layout *weights_layout, const float *weights,
                     float scale) {
    dnnl_primitive_desc_t desc;
    dnnl_primitive_attr_t attributes;
    dnnl_post_ops_t post_ops;
    NEED(dnnl_primitive_attr_create(&attributes));
    NEED(dnnl_post_ops_create(&post_ops));
    if (scale < 1.0f)
        NEED(ar_dnnl_append_eltwise(post_ops, dnnl_eltwise_linear, scale));
    NEED(dnnl_primitive_attr_set_post_ops(attributes, post_ops));
    NEED(ar_dnnl_matmul(&desc, engine(), src_layout, weights_layout, NULL, dst_layout, attributes));
    make(b, desc);
    bind(b, DNNL_ARG_SRC, src_layout, src);
    bind(b, DNNL_ARG_WEIGHTS, weights_layout, weights);
    bind(b, DNNL_ARG_DST, dst_layout, dst);
    NEED(dnnl_post_ops_destroy(post_ops));
    NEED(dnnl_primitive_attr_destroy(attributes));
}

/* The descriptor of what was bound as argument `index`: the library needs none of these primitives,
 * so that what they are called in oneDNN's generations is told apart here. */
static ar_dnnl_desc desc_of(const bound *b, int index) {
    for (int i = 0; i < b->count; i++)
        if (b->arguments[i].arg == index) {
            ar_dnnl_desc desc;
            NEED(dnnl_memory_get_memory_desc(b->arguments[i].memory, &desc));
            return desc;
        }
    fprintf(stderr, "no argument %d\n", index);
    exit(EXIT_FAILURE);
}

/* A primitive of its own: as a post-operation of the product, the mask sends the product down
 * oneDNN's reference path, some hundred times slower. */
static void make_mask(group_attention *a, const ar_layout *square, int64_t length) {
    ar_layout mask = {
        4, {1, 1, length, length}, {length * length, length * length, length, 1}, false};
    bound *b = &a->masking;
    bind(b, DNNL_ARG_SRC_0, square, a->probabilities);
    bind(b, DNNL_ARG_SRC_1, &mask, a->mask);
    bind(b, DNNL_ARG_DST, square, a->probabilities);
    ar_dnnl_desc first = desc_of(b, DNNL_ARG_SRC_0), second = desc_of(b, DNNL_ARG_SRC_1);
    dnnl_primitive_desc_t desc;
#if DNNL_VERSION_MAJOR >= 3
    NEED(dnnl_binary_primitive_desc_create(&desc, engine(), dnnl_binary_add, first, second, first,
                                           NULL));
#else
    dnnl_binary_desc_t operation;
    NEED(dnnl_binary_desc_init(&operation, dnnl_binary_add, first, second, first));
    NEED(dnnl_primitive_desc_create(&desc, &operation, NULL, engine(), NULL));
#endif
    make(b, desc);
}

static void make_softmax(group_attention *a, const ar_layout *square) {
    dnnl_primitive_desc_t forward, backward;
    bind(&a->softmax, DNNL_ARG_SRC, square, a->probabilities);
    bind(&a->softmax, DNNL_ARG_DST, square, a->probabilities);
    bind(&a->back_softmax, DNNL_ARG_DST, square, a->probabilities);
    bind(&a->back_softmax, DNNL_ARG_DIFF_DST, square, a->diff);
    bind(&a->back_softmax, DNNL_ARG_DIFF_SRC, square, a->diff);
    ar_dnnl_desc data = desc_of(&a->softmax, DNNL_ARG_SRC);
#if DNNL_VERSION_MAJOR >= 3
    NEED(dnnl_softmax_forward_primitive_desc_create(&forward, engine(), dnnl_forward_training,
                                                    dnnl_softmax_accurate, data, data, 3, NULL));
    NEED(dnnl_softmax_backward_primitive_desc_create(&backward, engine(), dnnl_softmax_accurate,
                                                     data, data, data, 3, forward, NULL));
#else
    dnnl_softmax_desc_t operation;
    NEED(dnnl_softmax_forward_desc_init(&operation, dnnl_forward_training, data, 3));
    NEED(dnnl_primitive_desc_create(&forward, &operation, NULL, engine(), NULL));
    NEED(dnnl_softmax_backward_desc_init(&operation, data, data, 3));
    NEED(dnnl_primitive_desc_create(&backward, &operation, NULL, engine(), forward));
#endif
    make(&a->softmax, forward);
    make(&a->back_softmax, backward);
}

struct fixed_norm {
    bound norm;
};

static dnnl_primitive_desc_t norm_forward(ar_dnnl_desc data, ar_dnnl_desc statistics,
                                          float epsilon) {
    const unsigned flags = (unsigned)dnnl_use_scale | (unsigned)dnnl_use_shift;
    dnnl_primitive_desc_t desc;
#if DNNL_VERSION_MAJOR >= 3
    NEED(dnnl_layer_normalization_forward_primitive_desc_create(
        &desc, engine(), dnnl_forward_training, data, data, statistics, epsilon, flags, NULL));
#else
    dnnl_layer_normalization_desc_t operation;
    NEED(dnnl_layer_normalization_forward_desc_init(&operation, dnnl_forward_training, data,
                                                    statistics, epsilon, flags));
    NEED(dnnl_primitive_desc_create(&desc, &operation, NULL, engine(), NULL));
#endif
    return desc;
}

static dnnl_primitive_desc_t norm_backward(ar_dnnl_desc data, ar_dnnl_desc statistics,
                                           float epsilon) {
    const unsigned flags = (unsigned)dnnl_use_scale | (unsigned)dnnl_use_shift;
    dnnl_primitive_desc_t desc, forward = norm_forward(data, statistics, epsilon);
#if DNNL_VERSION_MAJOR >= 3
    NEED(dnnl_layer_normalization_backward_primitive_desc_create(&desc, engine(), dnnl_backward,
                                                                 data, data, data, statistics,
                                                                 epsilon, flags, forward, NULL));
#else
    dnnl_layer_normalization_desc_t operation;
    NEED(dnnl_layer_normalization_backward_desc_init(&operation, dnnl_backward, data, data,
                                                     statistics, epsilon, flags));
    NEED(dnnl_primitive_desc_create(&desc, &operation, NULL, engine(), forward));
#endif
    NEED(dnnl_primitive_desc_destroy(forward));
    return desc;
}

fixed_norm *fixed_norm_create(float *dst, float *mean, float *variance, const float *src,
                              const float *scale, const float *shift, int64_t rows, int64_t dim,
                              float epsilon) {
    fixed_norm *norm = ar_new(1, sizeof *norm);
    bound *b = &norm->norm;
    ar_layout data = {2, {rows, dim}, {dim, 1}, false}, statistics = {1, {rows}, {1}, false};
    ar_layout vector = {1, {dim}, {1}, false};
    bind(b, DNNL_ARG_SRC, &data, src);
    bind(b, DNNL_ARG_DST, &data, dst);
    bind(b, DNNL_ARG_MEAN, &statistics, mean);
    bind(b, DNNL_ARG_VARIANCE, &statistics, variance);
    bind(b, DNNL_ARG_SCALE, &vector, scale);
    bind(b, DNNL_ARG_SHIFT, &vector, shift);
    make(b, norm_forward(desc_of(b, DNNL_ARG_SRC), desc_of(b, DNNL_ARG_MEAN), epsilon));
    return norm;
}

fixed_norm *fixed_norm_backward_create(float *diff_src, float *diff_scale, float *diff_shift,
                                       const float *diff_dst, const float *src, const float *mean,
                                       const float *variance, const float *scale, int64_t rows,
                                       int64_t dim, float epsilon) {
    fixed_norm *norm = ar_new(1, sizeof *norm);
    bound *b = &norm->norm;
    ar_layout data = {2, {rows, dim}, {dim, 1}, false}, statistics = {1, {rows}, {1}, false};
    ar_layout vector = {1, {dim}, {1}, false};
    bind(b, DNNL_ARG_SRC, &data, src);
    bind(b, DNNL_ARG_DIFF_DST, &data, diff_dst);
    bind(b, DNNL_ARG_MEAN, &statistics, mean);
    bind(b, DNNL_ARG_VARIANCE, &statistics, variance);
    bind(b, DNNL_ARG_SCALE, &vector, scale);
    bind(b, DNNL_ARG_SHIFT, &vector, scale); /* counted among the inputs, its values play no part */
    bind(b, DNNL_ARG_DIFF_SRC, &data, diff_src);
    bind(b, DNNL_ARG_DIFF_SCALE, &vector, diff_scale);
    bind(b, DNNL_ARG_DIFF_SHIFT, &vector, diff_shift);
    make(b, norm_backward(desc_of(b, DNNL_ARG_SRC), desc_of(b, DNNL_ARG_MEAN), epsilon));
    return norm;
}

void fixed_norm_run(fixed_norm *norm) {
    run(&norm->norm);
}

void fixed_norm_free(fixed_norm *norm) {
    release(&norm->norm);
    ar_free(norm);
}

group_attention *group_attention_create(float *dst, float *diff_qkv, const float *qkv,
                                        const float *diff_dst, int64_t sequences, int64_t length,
                                        int64_t dim, int64_t heads) {
    group_attention *a = ar_new(1, sizeof *a);
    int64_t width = dim / heads, square_count = sequences * heads * length * length;
    float scale = 1.0f / sqrtf((float)width);
    a->probabilities = ar_new(square_count, sizeof(float));
    a->diff = ar_new(square_count, sizeof(float));
    a->mask = ar_new(length * length, sizeof(float));
    for (int64_t i = 0; i < length; i++)
        for (int64_t j = i + 1; j < length; j++)
            a->mask[i * length + j] = -INFINITY;
    ar_layout in = heads_layout(sequences, heads, length, width, 3 * dim, 0);
    ar_layout in_transposed = heads_layout(sequences, heads, length, width, 3 * dim, 1);
    ar_layout out = heads_layout(sequences, heads, length, width, dim, 0);
    ar_layout square = square_layout(sequences, heads, length, 0);
    ar_layout square_transposed = square_layout(sequences, heads, length, 1);
    const float *q = qkv, *k = qkv + dim, *v = qkv + 2 * dim;
    product4(&a->scores, &square, a->probabilities, &in, q, &in_transposed, k, scale);
    make_mask(a, &square, length);
    make_softmax(a, &square);
    product4(&a->context, &out, dst, &square, a->probabilities, &in, v, 1.0f);
    product4(&a->diff_value, &in, diff_qkv + 2 * dim, &square_transposed, a->probabilities, &out,
             diff_dst, 1.0f);
    product4(&a->diff_scores, &square, a->diff, &out, diff_dst, &in_transposed, v, 1.0f);
    product4(&a->diff_query, &in, diff_qkv, &square, a->diff, &in, k, scale);
    product4(&a->diff_key, &in, diff_qkv + dim, &square_transposed, a->diff, &in, q, scale);
    return a;
}

void group_attention_forward(group_attention *attention) {
    run(&attention->scores);
    run(&attention->masking);
    run(&attention->softmax);
    run(&attention->context);
}

void group_attention_backward(group_attention *attention) {
    run(&attention->diff_value);
    run(&attention->diff_scores);
    run(&attention->back_softmax);
    run(&attention->diff_query);
    run(&attention->diff_key);
}

void group_attention_free(group_attention *a) {
    bound *const all[] = {&a->scores,       &a->masking,    &a->softmax,
                          &a->context,      &a->diff_value, &a->diff_scores,
                          &a->back_softmax, &a->diff_query, &a->diff_key};
    for (int i = 0; i < 9; i++)
        release(all[i]);
    ar_free(a->probabilities);
    ar_free(a->diff);
    ar_free(a->mask);
    ar_free(a);
}
