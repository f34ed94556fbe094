#include "bench/primitives.h"

#include "core/memory.h"

#include <dnnl.h>
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

enum { ARGUMENTS = 5 };

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

static void bind(bound *b, int index, const dnnl_memory_desc_t *desc, const float *data) {
    union {
        const float *in;
        void *out;
    } cast = {.in = data};
    b->arguments[b->count].arg = index;
    NEED(dnnl_memory_create(&b->arguments[b->count++].memory, desc, engine(), cast.out));
}

static void make(bound *b, const_dnnl_op_desc_t operation, const_dnnl_primitive_attr_t attributes,
                 const_dnnl_primitive_desc_t hint) {
    dnnl_primitive_desc_t desc;
    NEED(dnnl_primitive_desc_create(&desc, operation, attributes, engine(), hint));
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

/* f32; oneDNN reads all of a dnnl_dims_t, however few of its numbers count. */
static dnnl_memory_desc_t strided(int dims, const dnnl_dims_t sizes, const dnnl_dims_t strides) {
    dnnl_memory_desc_t desc;
    NEED(dnnl_memory_desc_init_by_strides(&desc, dims, sizes, dnnl_f32, strides));
    return desc;
}

fixed_product *fixed_product_create(float *dst, const float *src, const float *weights, int64_t m,
                                    int64_t n, int64_t k) {
    fixed_product *product = ar_new(1, sizeof *product);
    dnnl_memory_desc_t s = strided(2, (const dnnl_dims_t){m, k}, (const dnnl_dims_t){k, 1});
    dnnl_memory_desc_t w = strided(2, (const dnnl_dims_t){k, n}, (const dnnl_dims_t){1, k});
    dnnl_memory_desc_t d = strided(2, (const dnnl_dims_t){m, n}, (const dnnl_dims_t){n, 1});
    dnnl_matmul_desc_t operation;
    NEED(dnnl_matmul_desc_init(&operation, &s, &w, NULL, &d));
    make(&product->product, &operation, NULL, NULL);
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
static dnnl_memory_desc_t heads_desc(int64_t sequences, int64_t heads, int64_t length,
                                     int64_t width, int64_t stride, int transposed) {
    dnnl_dims_t sizes = {sequences, heads, length, width};
    dnnl_dims_t strides = {length * stride, width, stride, 1};
    if (transposed) {
        sizes[2] = width, sizes[3] = length;
        strides[2] = 1, strides[3] = stride;
    }
    return strided(4, sizes, strides);
}

static dnnl_memory_desc_t square_desc(int64_t sequences, int64_t heads, int64_t length,
                                      int transposed) {
    dnnl_dims_t sizes = {sequences, heads, length, length};
    dnnl_dims_t strides = {heads * length * length, length * length, length, 1};
    if (transposed)
        strides[2] = 1, strides[3] = length;
    return strided(4, sizes, strides);
}

/* dst = scale * src · weights. */
static void product4(bound *b, const dnnl_memory_desc_t *dst_desc, float *dst,
                     const dnnl_memory_desc_t *src_desc, const float *src,
                     const dnnl_memory_desc_t *weights_desc, const float *weights, float scale) {
    dnnl_matmul_desc_t operation;
    dnnl_primitive_attr_t attributes;
    NEED(dnnl_matmul_desc_init(&operation, src_desc, weights_desc, NULL, dst_desc));
    NEED(dnnl_primitive_attr_create(&attributes));
    if (scale < 1.0f)
        NEED(dnnl_primitive_attr_set_output_scales(attributes, 1, 0, &scale));
    make(b, &operation, attributes, NULL);
    bind(b, DNNL_ARG_SRC, src_desc, src);
    bind(b, DNNL_ARG_WEIGHTS, weights_desc, weights);
    bind(b, DNNL_ARG_DST, dst_desc, dst);
    NEED(dnnl_primitive_attr_destroy(attributes));
}

/* A primitive of its own: as a post-operation of the product, the mask sends the product down
 * oneDNN's reference path, some hundred times slower. */
static void make_mask(group_attention *a, const dnnl_memory_desc_t *square, int64_t length) {
    dnnl_memory_desc_t mask =
        strided(4, (const dnnl_dims_t){1, 1, length, length},
                (const dnnl_dims_t){length * length, length * length, length, 1});
    dnnl_binary_desc_t operation;
    NEED(dnnl_binary_desc_init(&operation, dnnl_binary_add, square, &mask, square));
    make(&a->masking, &operation, NULL, NULL);
    bind(&a->masking, DNNL_ARG_SRC_0, square, a->probabilities);
    bind(&a->masking, DNNL_ARG_SRC_1, &mask, a->mask);
    bind(&a->masking, DNNL_ARG_DST, square, a->probabilities);
}

static void make_softmax(group_attention *a, const dnnl_memory_desc_t *square) {
    dnnl_softmax_desc_t forward, backward;
    dnnl_primitive_desc_t hint;
    NEED(dnnl_softmax_forward_desc_init(&forward, dnnl_forward_training, square, 3));
    make(&a->softmax, &forward, NULL, NULL);
    bind(&a->softmax, DNNL_ARG_SRC, square, a->probabilities);
    bind(&a->softmax, DNNL_ARG_DST, square, a->probabilities);
    NEED(dnnl_softmax_backward_desc_init(&backward, square, square, 3));
    NEED(dnnl_primitive_desc_create(&hint, &forward, NULL, engine(), NULL));
    make(&a->back_softmax, &backward, NULL, hint);
    NEED(dnnl_primitive_desc_destroy(hint));
    bind(&a->back_softmax, DNNL_ARG_DST, square, a->probabilities);
    bind(&a->back_softmax, DNNL_ARG_DIFF_DST, square, a->diff);
    bind(&a->back_softmax, DNNL_ARG_DIFF_SRC, square, a->diff);
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
    dnnl_memory_desc_t in = heads_desc(sequences, heads, length, width, 3 * dim, 0);
    dnnl_memory_desc_t in_transposed = heads_desc(sequences, heads, length, width, 3 * dim, 1);
    dnnl_memory_desc_t out = heads_desc(sequences, heads, length, width, dim, 0);
    dnnl_memory_desc_t square = square_desc(sequences, heads, length, 0);
    dnnl_memory_desc_t square_transposed = square_desc(sequences, heads, length, 1);
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
