#include "nn/attention.h"

#include "core/threads.h"
#include "nn/attention_rows.h"

#include <math.h>
#include <string.h>

/*
 * Own loops instead of oneDNN products: half of a causal product is masked away, a batch has as
 * many shapes as session lengths, and for short sessions a primitive costs more to call than to
 * compute. docs/internals/attention.md has the measurements.
 */

int64_t ar_attention_size(const ar_packed *packed, int64_t heads) {
    return heads * packed->tokens * ar_packed_longest(packed);
}

enum { QUERIES = 4 };

/* Two vectors of `queries` rows a_q, from vector `first` on. Lanes that overlap the vector before,
 * and those of a second vector that is not there, are 0. */
static AR_INLINE void load_pair(ar_lanes x[QUERIES][2], const float *a, int64_t stride,
                                int64_t width, int64_t first, int queries) {
#pragma GCC unroll 2
    for (int i = 0; i < 2; i++) {
        int64_t offset = ar_vector_offset(first + i, width);
        int64_t overlap = (first + i) * AR_LANES - offset;
        float kept[AR_LANES];
        for (int l = 0; l < AR_LANES; l++)
            kept[l] = l < overlap ? 0.0f : 1.0f;
        ar_lanes mask;
        memcpy(&mask, kept, sizeof mask);
#pragma GCC unroll 4
        for (int q = 0; q < queries; q++) {
            memcpy(&x[q][i], a + q * stride + offset, sizeof x[q][i]);
            if (overlap > 0)
                x[q][i] *= mask;
        }
    }
}

/* b_j += sum over q of weights[q][j] * a_q for j in 0..rows-1. `queries` is a constant where it is
 * called, and each pair of vectors of the rows a_q stays in registers for all rows b_j. */
static AR_INLINE void spread_rows(float *b, int64_t stride, int64_t rows, float *const *weights,
                                  const float *a, int64_t a_stride, int64_t width, int queries) {
    const float *w[QUERIES]; /* local: a store to b_j can't be one to them */
    for (int q = 0; q < queries; q++)
        w[q] = weights[q];
    for (int64_t v = 0; v < ar_vector_count(width); v += 2) {
        ar_lanes x[QUERIES][2];
        load_pair(x, a, a_stride, width, v, queries);
        float *first = b + ar_vector_offset(v, width), *second = b + ar_vector_offset(v + 1, width);
        for (int64_t j = 0; j < rows; j++) {
            ar_lanes sum;
            memcpy(&sum, first + j * stride, sizeof sum);
#pragma GCC unroll 4
            for (int q = 0; q < queries; q++)
                sum += w[q][j] * x[q][0];
            memcpy(first + j * stride, &sum, sizeof sum);
            memcpy(&sum, second + j * stride, sizeof sum);
#pragma GCC unroll 4
            for (int q = 0; q < queries; q++)
                sum += w[q][j] * x[q][1];
            memcpy(second + j * stride, &sum, sizeof sum);
        }
    }
}

/* b_j += sum over q of weights[q][j] * a_q for the queries q = first .. first + queries - 1 and
 * j <= q; weights[q][j] is 0 for j > q. */
static AR_INLINE void spread(float *b, int64_t stride, float *const *weights, const float *a,
                             int64_t a_stride, int64_t first, int64_t queries, int64_t width) {
    if (queries == QUERIES && width >= AR_LANES) {
        spread_rows(b, stride, first + queries, weights, a, a_stride, width, QUERIES);
        return;
    }
    for (int64_t q = 0; q < queries; q++) {
        if (width >= AR_LANES) {
            spread_rows(b, stride, first + q + 1, weights + q, a + q * a_stride, a_stride, width,
                        1);
            continue;
        }
        for (int64_t j = 0; j <= first + q; j++)
            for (int64_t c = 0; c < width; c++)
                b[j * stride + c] += weights[q][j] * a[q * a_stride + c];
    }
}

/* dropped[j] = dropout of values[j] for row `key`. */
static AR_INLINE void drop(float *dropped, const float *values, int64_t count, uint32_t key,
                           ar_dropout dropout) {
    if (dropout.rate == 0.0f) {
        memcpy(dropped, values, (size_t)count * sizeof *dropped);
        return;
    }
    uint32_t threshold = ar_dropout_threshold(dropout.rate);
    float scale = 1.0f / (1.0f - dropout.rate);
    for (int64_t j = 0; j < count; j++)
        dropped[j] = ar_dropout_bits(key, (uint32_t)j) >= threshold ? values[j] * scale : 0.0f;
}

/* One head of one sequence: `width` columns of q, k and v, whose rows stand `stride` apart, and of
 * dst, whose rows stand `dst_stride` apart. Row i of the probabilities is `row` + i of all. */
typedef struct head {
    const float *q, *k, *v;
    int64_t stride;
    int64_t dst_stride;
    int64_t length;
    int64_t width;
    int64_t longest; /* from one row of probabilities to the next */
    int64_t row;
} head;

AR_CLONES static void forward_head(float *dst, float *probabilities, const head *h,
                                   ar_dropout dropout, float *dropped) {
    float scale = 1.0f / sqrtf((float)h->width);
    for (int64_t i = 0; i < h->length; i++) {
        float *p = probabilities + i * h->longest;
        float *out = dst + i * h->dst_stride;
        ar_attention_dots(p, h->q + i * h->stride, h->k, h->stride, i + 1, h->width, scale);
        ar_attention_softmax(p, i + 1);
        drop(dropped, p, i + 1, ar_dropout_row_key(dropout.seed, h->row + i), dropout);
        ar_attention_sum(out, dropped, h->v, h->stride, i + 1, h->width);
    }
}

/* The gradients of query i's scores into diff_p, and its probabilities after dropout. */
static AR_INLINE void backward_scores(float *dropped, float *diff_p, const float *diff_dst,
                                      const float *probabilities, const head *h, int64_t i,
                                      ar_dropout dropout) {
    float scale = 1.0f / sqrtf((float)h->width), sum = 0.0f;
    const float *p = probabilities + i * h->longest;
    uint32_t key = ar_dropout_row_key(dropout.seed, h->row + i);
    drop(dropped, p, i + 1, key, dropout);
    ar_attention_dots(diff_p, diff_dst + i * h->dst_stride, h->v, h->stride, i + 1, h->width, 1.0f);
    if (dropout.rate > 0.0f)
        drop(diff_p, diff_p, i + 1, key, dropout);
#pragma omp simd reduction(+ : sum)
    for (int64_t j = 0; j <= i; j++)
        sum += p[j] * diff_p[j];
#pragma omp simd
    for (int64_t j = 0; j <= i; j++)
        diff_p[j] = p[j] * (diff_p[j] - sum) * scale;
}

/* diff_q, diff_k, diff_v: rows `stride` apart, as q, k and v. dropped and diff_p: QUERIES rows
 * each.
 */
AR_CLONES static void backward_head(float *diff_q, float *diff_k, float *diff_v,
                                    const float *diff_dst, const float *probabilities,
                                    const head *h, ar_dropout dropout, float *const *dropped,
                                    float *const *diff_p) {
    int64_t width = h->width;
    for (int64_t i = 0; i < h->length; i++) {
        memset(diff_k + i * h->stride, 0, (size_t)width * sizeof *diff_k);
        memset(diff_v + i * h->stride, 0, (size_t)width * sizeof *diff_v);
    }
    for (int64_t first = 0; first < h->length; first += QUERIES) {
        int64_t queries = h->length - first < QUERIES ? h->length - first : QUERIES;
        for (int64_t q = 0; q < queries; q++) {
            int64_t i = first + q;
            size_t unseen = (size_t)(queries - 1 - q) * sizeof(float);
            backward_scores(dropped[q], diff_p[q], diff_dst, probabilities, h, i, dropout);
            ar_attention_sum(diff_q + i * h->stride, diff_p[q], h->k, h->stride, i + 1, width);
            memset(dropped[q] + i + 1, 0, unseen);
            memset(diff_p[q] + i + 1, 0, unseen);
        }
        spread(diff_k, h->stride, diff_p, h->q + first * h->stride, h->stride, first, queries,
               width);
        spread(diff_v, h->stride, dropped, diff_dst + first * h->dst_stride, h->dst_stride, first,
               queries, width);
    }
}

/* Longest sequence that a head's temporary rows on the stack hold (model.max_len's limit). */
enum { LONGEST = 4096 };

/* Head `number` of all sequences' heads. */
static head head_at(const float *qkv, const ar_packed *packed, int64_t dim, int64_t heads,
                    int64_t longest, int64_t number) {
    int64_t s = number / heads, width = dim / heads;
    int64_t first = packed->offsets[s], length = packed->offsets[s + 1] - first;
    const float *q = qkv + first * 3 * dim + number % heads * width;
    return (head){.q = q,
                  .k = q + dim,
                  .v = q + 2 * dim,
                  .stride = 3 * dim,
                  .dst_stride = dim,
                  .length = length,
                  .width = width,
                  .longest = longest,
                  .row = first * heads + number % heads * length};
}

void ar_attention_forward(float *dst, float *probabilities, const float *qkv,
                          const ar_packed *packed, int64_t dim, int64_t heads, ar_dropout dropout) {
    int64_t longest = ar_packed_longest(packed);
#pragma omp parallel
    {
        float dropped[LONGEST];
#pragma omp for schedule(dynamic, 16)
        for (int64_t n = 0; n < packed->sequences * heads; n++) {
            head h = head_at(qkv, packed, dim, heads, longest, n);
            float *out = dst + packed->offsets[n / heads] * dim + n % heads * h.width;
            forward_head(out, probabilities + h.row * longest, &h, dropout, dropped);
        }
    }
}

void ar_attention_backward(float *diff_qkv, const float *diff_dst, const float *qkv,
                           const float *probabilities, const ar_packed *packed, int64_t dim,
                           int64_t heads, ar_dropout dropout) {
    int64_t longest = ar_packed_longest(packed);
#pragma omp parallel
    {
        float memory[2 * QUERIES][LONGEST];
        float *dropped[QUERIES], *diff_p[QUERIES];
        for (int q = 0; q < QUERIES; q++) {
            dropped[q] = memory[q];
            diff_p[q] = memory[QUERIES + q];
        }
#pragma omp for schedule(dynamic, 16)
        for (int64_t n = 0; n < packed->sequences * heads; n++) {
            head h = head_at(qkv, packed, dim, heads, longest, n);
            int64_t first = packed->offsets[n / heads];
            float *diff_q = diff_qkv + (h.q - qkv);
            backward_head(diff_q, diff_q + dim, diff_q + 2 * dim,
                          diff_dst + first * dim + n % heads * h.width,
                          probabilities + h.row * longest, &h, dropout, dropped, diff_p);
        }
    }
}
