#include "support/naive.h"

#include "core/memory.h"
#include "core/random.h"
#include "model/tower.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

void naive_matmul(double *dst, const double *src, const double *weights, const double *bias,
                  int64_t m, int64_t n, int64_t k, int flags) {
    for (int64_t i = 0; i < m; i++)
        for (int64_t j = 0; j < n; j++) {
            double sum = (flags & AR_ACCUMULATE) != 0 ? dst[i * n + j] : 0.0;
            for (int64_t l = 0; l < k; l++)
                sum += ((flags & AR_SRC_TRANSPOSED) != 0 ? src[l * m + i] : src[i * k + l]) *
                       ((flags & AR_WEIGHTS_TRANSPOSED) != 0 ? weights[j * k + l]
                                                             : weights[l * n + j]);
            if (bias != NULL)
                sum += bias[j];
            dst[i * n + j] = (flags & AR_RELU) != 0 && sum < 0.0 ? 0.0 : sum;
        }
}

void naive_layer_norm(double *dst, const double *src, const double *scale, const double *shift,
                      int64_t rows, int64_t dim, double epsilon) {
    for (int64_t r = 0; r < rows; r++) {
        const double *s = src + r * dim;
        double mean = 0.0, variance = 0.0;
        for (int64_t c = 0; c < dim; c++)
            mean += s[c] / (double)dim;
        for (int64_t c = 0; c < dim; c++)
            variance += (s[c] - mean) * (s[c] - mean) / (double)dim;
        for (int64_t c = 0; c < dim; c++)
            dst[r * dim + c] = (s[c] - mean) / sqrt(variance + epsilon) * scale[c] + shift[c];
    }
}

/* What dropout multiplies the element by. */
static double factor(ar_dropout dropout, int64_t row, int64_t column) {
    if (dropout.rate == 0.0f)
        return 1.0;
    uint32_t bits = ar_dropout_bits(ar_dropout_row_key(dropout.seed, row), (uint32_t)column);
    return bits >= ar_dropout_threshold(dropout.rate) ? 1.0 / (1.0 - (double)dropout.rate) : 0.0;
}

void naive_dropout(double *values, int64_t rows, int64_t dim, ar_dropout dropout) {
    for (int64_t r = 0; r < rows; r++)
        for (int64_t c = 0; c < dim; c++)
            values[r * dim + c] *= factor(dropout, r, c);
}

/* One query of one head: q, k, v [width] at their first column, rows `stride` apart. `row` is the
 * query's row of probabilities. */
static void attend(double *dst, const double *q, const double *k, const double *v, int64_t keys,
                   int64_t width, int64_t stride, ar_dropout dropout, int64_t row) {
    double *p = ar_new(keys, sizeof *p), sum = 0.0, most = -(double)INFINITY;
    for (int64_t j = 0; j < keys; j++) {
        for (int64_t c = 0; c < width; c++)
            p[j] += q[c] * k[j * stride + c] / sqrt((double)width);
        most = fmax(most, p[j]);
    }
    for (int64_t j = 0; j < keys; j++) {
        p[j] = exp(p[j] - most);
        sum += p[j];
    }
    memset(dst, 0, (size_t)width * sizeof *dst);
    for (int64_t j = 0; j < keys; j++) {
        double weight = p[j] / sum * factor(dropout, row, j);
        for (int64_t c = 0; c < width; c++)
            dst[c] += weight * v[j * stride + c];
    }
    ar_free(p);
}

void naive_attention(double *dst, const double *qkv, const ar_packed *packed, int64_t dim,
                     int64_t heads, ar_dropout dropout) {
    int64_t width = dim / heads, stride = 3 * dim;
    for (int64_t s = 0; s < packed->sequences; s++) {
        int64_t first = packed->offsets[s], length = packed->offsets[s + 1] - first;
        for (int64_t h = 0; h < heads; h++)
            for (int64_t i = 0; i < length; i++) {
                const double *head = qkv + first * stride + h * width;
                attend(dst + (first + i) * dim + h * width, head + i * stride, head + dim,
                       head + 2 * dim, i + 1, width, stride, dropout,
                       first * heads + h * length + i);
            }
    }
}

/* The next `count` parameters of a block. */
static const double *take(const double **block, int64_t count) {
    const double *part = *block;
    *block += count;
    return part;
}

static void take_layer_norm(double *values, const double **block, int64_t rows, int64_t dim,
                            double epsilon) {
    const double *scale = take(block, dim), *shift = take(block, dim);
    naive_layer_norm(values, values, scale, shift, rows, dim, epsilon);
}

/* The encoder's places of dropout, numbered as the library numbers them. */
static ar_dropout dropout_at(ar_dropout dropout, int64_t block, int64_t place) {
    return (ar_dropout){dropout.rate, ar_random_key(dropout.seed, (uint64_t)(block * 4 + place))};
}

static void add(double *dst, const double *src, int64_t count) {
    for (int64_t i = 0; i < count; i++)
        dst[i] += src[i];
}

/* h = LN(h + dropout(O · attention)); h = LN(h + dropout(W2 · relu(W1 h + b1) + b2)). */
static void naive_block(double *h, const double **block, const ar_packed *packed,
                        const ar_encoder_shape *shape, ar_dropout dropout, int64_t number) {
    int64_t tokens = packed->tokens, dim = shape->dim;
    double *wide = ar_new(tokens * 4 * dim, sizeof *wide);
    double *narrow = ar_new(tokens * dim, sizeof *narrow);
    double *context = ar_new(tokens * dim, sizeof *context);

    const double *qkv = take(block, 3 * dim * dim), *output = take(block, dim * dim);
    naive_matmul(wide, h, qkv, NULL, tokens, 3 * dim, dim, AR_WEIGHTS_TRANSPOSED);
    naive_attention(context, wide, packed, dim, shape->heads, dropout_at(dropout, number, 1));
    naive_matmul(narrow, context, output, NULL, tokens, dim, dim, AR_WEIGHTS_TRANSPOSED);
    naive_dropout(narrow, tokens, dim, dropout_at(dropout, number, 2));
    add(h, narrow, tokens * dim);
    take_layer_norm(h, block, tokens, dim, (double)AR_ENCODER_EPSILON);

    const double *inner = take(block, 4 * dim * dim), *inner_bias = take(block, 4 * dim);
    const double *outer = take(block, 4 * dim * dim), *outer_bias = take(block, dim);
    naive_matmul(wide, h, inner, inner_bias, tokens, 4 * dim, dim, AR_WEIGHTS_TRANSPOSED | AR_RELU);
    naive_matmul(narrow, wide, outer, outer_bias, tokens, dim, 4 * dim, AR_WEIGHTS_TRANSPOSED);
    naive_dropout(narrow, tokens, dim, dropout_at(dropout, number, 3));
    add(h, narrow, tokens * dim);
    take_layer_norm(h, block, tokens, dim, (double)AR_ENCODER_EPSILON);
    ar_free(wide);
    ar_free(narrow);
    ar_free(context);
}

void naive_encoder(double *dst, const double *block, const ar_encoder_shape *shape,
                   const double *table, const ar_packed *packed, ar_dropout dropout) {
    int64_t dim = shape->dim;
    const double *position = take(&block, shape->max_len * dim);
    for (int64_t s = 0; s < packed->sequences; s++)
        for (int64_t t = packed->offsets[s]; t < packed->offsets[s + 1]; t++)
            for (int64_t c = 0; c < dim; c++)
                dst[t * dim + c] = table[packed->items[t] * dim + c] +
                                   position[(t - packed->offsets[s]) * dim + c];
    take_layer_norm(dst, &block, packed->tokens, dim, (double)AR_ENCODER_EPSILON);
    naive_dropout(dst, packed->tokens, dim, dropout_at(dropout, -1, 0));
    for (int64_t b = 0; b < shape->blocks; b++)
        naive_block(dst, &block, packed, shape, dropout, b);
}

/* LN(E), or LN(dropout(relu(X Wᵀ + b))). */
static void take_rows(double *rows, const double **block, const ar_tower_shape *shape, int kind,
                      const float *features, ar_dropout dropout) {
    int64_t items = shape->items, dim = shape->encoder.dim, f = shape->feature_dim;
    if (kind == ALTERREC_ID) {
        memcpy(rows, take(block, items * dim), (size_t)(items * dim) * sizeof *rows);
    } else {
        const double *projection = take(block, dim * f), *bias = take(block, dim);
        double *x = ar_new(items * f, sizeof *x);
        for (int64_t i = 0; i < items * f; i++)
            x[i] = (double)features[i];
        naive_matmul(rows, x, projection, bias, items, dim, f, AR_WEIGHTS_TRANSPOSED | AR_RELU);
        naive_dropout(rows, items, dim, dropout);
        ar_free(x);
    }
    take_layer_norm(rows, block, items, dim, (double)AR_TABLE_EPSILON);
}

/* dst [rows, 2 dim] = [left, right], a masked one as zeros. */
static void concatenate(double *dst, const double *left, const double *right, int64_t rows,
                        int64_t dim, int part) {
    for (int64_t r = 0; r < rows; r++)
        for (int64_t c = 0; c < dim; c++) {
            dst[2 * r * dim + c] = part == AR_PART_TEXT ? 0.0 : left[r * dim + c];
            dst[2 * r * dim + dim + c] = part == AR_PART_ID ? 0.0 : right[r * dim + c];
        }
}

void naive_part_table(double *table, const double *block, const ar_tower_shape *shape, int part,
                      const float *features, ar_dropout dropout) {
    int64_t items = shape->items, dim = shape->encoder.dim;
    double *id = ar_new(items * dim, sizeof *id), *text = ar_new(items * dim, sizeof *text);
    double *both = ar_new(items * 2 * dim, sizeof *both),
           *fusion = ar_new(2 * dim * dim, sizeof *fusion);
    take_rows(id, &block, shape, ALTERREC_ID, features, dropout);
    take_rows(text, &block, shape, ALTERREC_TEXT, features, dropout);
    concatenate(both, id, text, items, dim, part);
    const double *left = take(&block, dim * dim), *right = take(&block, dim * dim);
    concatenate(fusion, left, right, dim, dim, AR_PARTS);
    const double *bias = take(&block, dim);
    naive_matmul(table, both, fusion, bias, items, dim, 2 * dim, AR_WEIGHTS_TRANSPOSED);
    take_layer_norm(table, &block, items, dim, (double)AR_TABLE_EPSILON);
    ar_free(id);
    ar_free(text);
    ar_free(both);
    ar_free(fusion);
}

void naive_table(double *table, const double *block, const ar_tower_shape *shape,
                 const float *features, ar_dropout dropout) {
    if (shape->kind == ALTERREC_FUSED)
        naive_part_table(table, block, shape, AR_PARTS, features, dropout);
    else
        take_rows(table, &block, shape, shape->kind, features, dropout);
}

double naive_cost(const double *logits, const float *negatives, int64_t items, int64_t target,
                  double scale) {
    double most = scale * logits[target], sum = 0.0;
    for (int64_t j = 0; j < items; j++)
        if (negatives[j] > 0.0f)
            most = fmax(most, scale * logits[j]);
    for (int64_t j = 0; j < items; j++)
        if (j == target)
            sum += exp(scale * logits[j] - most);
        else if (negatives[j] > 0.0f)
            sum += (double)negatives[j] * exp(scale * logits[j] - most);
    return log(sum) - (scale * logits[target] - most);
}

static const float *ranked_scores;

static int compare(const void *a, const void *b) {
    int32_t i = *(const int32_t *)a, j = *(const int32_t *)b;
    if (ranked_scores[i] > ranked_scores[j])
        return -1;
    if (ranked_scores[i] < ranked_scores[j])
        return 1;
    return i < j ? -1 : i > j;
}

void naive_ranking(int32_t *order, const float *scores, int64_t items) {
    for (int64_t j = 0; j < items; j++)
        order[j] = (int32_t)j;
    ranked_scores = scores;
    qsort(order, (size_t)items, sizeof *order, compare);
}
