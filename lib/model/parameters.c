#include "model/parameters.h"

#include "core/memory.h"
#include "core/random.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

AR_PRINTF(4, 5)
static void add(ar_parameter_list *list, int64_t rows, int64_t columns, const char *format, ...) {
    ar_tensor *tensor = &list->tensors[list->tensor_count++];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(tensor->name, sizeof tensor->name, format, arguments);
    va_end(arguments);
    tensor->shape[0] = rows;
    tensor->shape[1] = columns > 0 ? columns : 1;
    tensor->dims = columns > 0 ? 2 : 1;
    tensor->count = rows * tensor->shape[1];
    tensor->offset = list->count;
    list->count += tensor->count;
}

static void add_norm(ar_parameter_list *list, int64_t dim, const char *prefix) {
    add(list, dim, 0, "%s.weight", prefix);
    add(list, dim, 0, "%s.bias", prefix);
}

static void add_block(ar_parameter_list *list, int64_t dim, const char *tower, int64_t block) {
    static const char *const products[] = {"query", "key", "value", "output"};
    char prefix[AR_TENSOR_NAME_SIZE / 2], norm[AR_TENSOR_NAME_SIZE];
    (void)snprintf(prefix, sizeof prefix, "%s.encoder.blocks.%d", tower, (int)block);
    for (int i = 0; i < 4; i++)
        add(list, dim, dim, "%s.attention.%s.weight", prefix, products[i]);
    (void)snprintf(norm, sizeof norm, "%s.attention.norm", prefix);
    add_norm(list, dim, norm);
    add(list, 4 * dim, dim, "%s.feed_forward.inner.weight", prefix);
    add(list, 4 * dim, 0, "%s.feed_forward.inner.bias", prefix);
    add(list, dim, 4 * dim, "%s.feed_forward.outer.weight", prefix);
    add(list, dim, 0, "%s.feed_forward.outer.bias", prefix);
    (void)snprintf(norm, sizeof norm, "%s.feed_forward.norm", prefix);
    add_norm(list, dim, norm);
}

/* What the rows of the ID tower, or of the text tower, are made from. */
static void add_rows(ar_parameter_list *list, const ar_tower_shape *shape, int kind,
                     const char *prefix) {
    int64_t dim = shape->encoder.dim;
    if (kind == ALTERREC_ID) {
        add(list, shape->items, dim, "%s.embedding.weight", prefix);
    } else {
        add(list, dim, shape->feature_dim, "%s.projection.weight", prefix);
        add(list, dim, 0, "%s.projection.bias", prefix);
    }
}

/* The same of a joint tower: each part's, and their fusion. E comes first, as in the ID tower. */
static void add_parts(ar_parameter_list *list, const ar_tower_shape *shape) {
    int64_t dim = shape->encoder.dim;
    add_rows(list, shape, ALTERREC_ID, "joint.id");
    add_norm(list, dim, "joint.id.norm");
    add_rows(list, shape, ALTERREC_TEXT, "joint.text");
    add_norm(list, dim, "joint.text.norm");
    add(list, dim, dim, "joint.fusion.id.weight");
    add(list, dim, dim, "joint.fusion.text.weight");
    add(list, dim, 0, "joint.fusion.bias");
}

const char *ar_tower_name(int kind) {
    return kind == ALTERREC_ID ? "id" : kind == ALTERREC_TEXT ? "text" : "joint";
}

alterrec_status ar_parameter_list_create(ar_parameter_list *list, const ar_tower_shape *shape) {
    enum { OUTSIDE_BLOCKS = 15, IN_A_BLOCK = 12 };
    int64_t dim = shape->encoder.dim;
    *list = (ar_parameter_list){0};
    AR_NEW(list->tensors, OUTSIDE_BLOCKS + IN_A_BLOCK * shape->encoder.blocks);
    const char *tower = ar_tower_name(shape->kind);
    if (shape->kind == ALTERREC_FUSED)
        add_parts(list, shape);
    else
        add_rows(list, shape, shape->kind, tower);
    char norm[AR_TENSOR_NAME_SIZE];
    (void)snprintf(norm, sizeof norm, "%s.norm", tower);
    add_norm(list, dim, norm);
    add(list, shape->encoder.max_len, dim, "%s.encoder.position.weight", tower);
    (void)snprintf(norm, sizeof norm, "%s.encoder.norm", tower);
    add_norm(list, dim, norm);
    for (int64_t b = 0; b < shape->encoder.blocks; b++)
        add_block(list, dim, tower, b);
    return ALTERREC_OK;
}

void ar_parameter_list_free(ar_parameter_list *list) {
    ar_free(list->tensors);
    *list = (ar_parameter_list){0};
}

static float *take(float **block, int64_t count) {
    float *part = *block;
    *block += count;
    return part;
}

static ar_norm take_norm(float **block, int64_t dim) {
    ar_norm norm;
    norm.scale = take(block, dim);
    norm.shift = take(block, dim);
    return norm;
}

static ar_encoder_weights take_encoder(float **block, const ar_encoder_shape *shape) {
    int64_t dim = shape->dim;
    ar_encoder_weights weights = {.position = take(block, shape->max_len * dim)};
    weights.norm = take_norm(block, dim);
    for (int64_t b = 0; b < shape->blocks; b++) {
        struct ar_encoder_block *part = &weights.blocks[b];
        part->qkv = take(block, 3 * dim * dim);
        part->output = take(block, dim * dim);
        part->attention_norm = take_norm(block, dim);
        part->inner = take(block, 4 * dim * dim);
        part->inner_bias = take(block, 4 * dim);
        part->outer = take(block, dim * 4 * dim);
        part->outer_bias = take(block, dim);
        part->feed_forward_norm = take_norm(block, dim);
    }
    return weights;
}

ar_encoder_weights ar_encoder_weights_at(float *block, const ar_encoder_shape *shape) {
    return take_encoder(&block, shape);
}

int64_t ar_encoder_weights_count(const ar_encoder_shape *shape) {
    int64_t dim = shape->dim, norm = 2 * dim;
    int64_t block = (3 + 1 + 4 + 4) * dim * dim + (4 + 1) * dim + 2 * norm;
    return shape->max_len * dim + norm + shape->blocks * block;
}

/* The same order as ar_parameter_list_create; a test holds the two together. */
ar_tower_weights ar_tower_weights_at(float *block, const ar_tower_shape *shape) {
    int64_t dim = shape->encoder.dim;
    bool joint = shape->kind == ALTERREC_FUSED;
    ar_tower_weights weights = {0};
    if (shape->kind == ALTERREC_ID || joint)
        weights.embedding = take(&block, shape->items * dim);
    if (joint)
        weights.part_norms[AR_PART_ID] = take_norm(&block, dim);
    if (shape->kind == ALTERREC_TEXT || joint) {
        weights.projection = take(&block, dim * shape->feature_dim);
        weights.projection_bias = take(&block, dim);
    }
    if (joint) {
        weights.part_norms[AR_PART_TEXT] = take_norm(&block, dim);
        weights.fusion[AR_PART_ID] = take(&block, dim * dim);
        weights.fusion[AR_PART_TEXT] = take(&block, dim * dim);
        weights.fusion_bias = take(&block, dim);
    }
    weights.norm = take_norm(&block, dim);
    weights.encoder = take_encoder(&block, &shape->encoder);
    return weights;
}

static bool ends_with(const char *name, const char *suffix) {
    size_t length = strlen(name), size = strlen(suffix);
    return length >= size && strcmp(name + length - size, suffix) == 0;
}

/* Xavier normal for matrices, gain 1 and offset 0 for normalisations, 0 for biases. */
static void initialise_usual(float *values, const ar_tensor *tensor, ar_random *random) {
    if (tensor->dims == 1) {
        float constant = ends_with(tensor->name, "norm.weight") ? 1.0f : 0.0f;
        for (int64_t i = 0; i < tensor->count; i++)
            values[i] = constant;
        return;
    }
    double deviation = sqrt(2.0 / (double)(tensor->shape[0] + tensor->shape[1]));
    for (int64_t i = 0; i < tensor->count; i++)
        values[i] = (float)(deviation * ar_random_normal(random));
}

void ar_parameters_initialise(float *block, const ar_parameter_list *list, int64_t dim, bool usual,
                              uint64_t seed) {
    double bound = 1.0 / sqrt((double)dim);
    for (int64_t t = 0; t < list->tensor_count; t++) {
        const ar_tensor *tensor = &list->tensors[t];
        float *values = block + tensor->offset;
        ar_random random;
        ar_random_seed(&random, ar_random_key(seed, (uint64_t)t));
        if (usual)
            initialise_usual(values, tensor, &random);
        else
            for (int64_t i = 0; i < tensor->count; i++)
                values[i] = (float)((2.0 * ar_random_uniform(&random) - 1.0) * bound);
    }
}
