#include "nn/attention.h"

#include "core/threads.h"
#include "nn/exp.h"

#include <math.h>
#include <string.h>

/*
 * Plain loops instead of oneDNN products: half of a causal product is masked away, a batch has as
 * many shapes as session lengths, and for lengths below about 8 a primitive costs more to call than
 * to compute (docs/internals/attention.md has the measurements).
 */

int64_t ar_attention_size(const ar_packed *packed, int64_t heads) {
    return heads * packed->tokens * ar_packed_longest(packed);
}

/* out[j] = scale * a · b_j for j in 0..count-1, where b_j stands `stride` behind b_(j-1). */
static inline void dots(float *out, const float *a, const float *b, int64_t stride, int64_t count,
                        int64_t width, float scale) {
    int64_t j = 0;
    for (; j + 4 <= count; j += 4) {
        const float *b0 = b + j * stride, *b1 = b0 + stride, *b2 = b1 + stride, *b3 = b2 + stride;
        float s0 = 0.0f, s1 = 0.0f, s2 = 0.0f, s3 = 0.0f;
#pragma omp simd reduction(+ : s0, s1, s2, s3)
        for (int64_t c = 0; c < width; c++) {
            s0 += a[c] * b0[c];
            s1 += a[c] * b1[c];
            s2 += a[c] * b2[c];
            s3 += a[c] * b3[c];
        }
        out[j] = s0 * scale;
        out[j + 1] = s1 * scale;
        out[j + 2] = s2 * scale;
        out[j + 3] = s3 * scale;
    }
    for (; j < count; j++) {
        const float *b0 = b + j * stride;
        float s0 = 0.0f;
#pragma omp simd reduction(+ : s0)
        for (int64_t c = 0; c < width; c++)
            s0 += a[c] * b0[c];
        out[j] = s0 * scale;
    }
}

/* out += sum over j of weights[j] * b_j. */
static inline void weighted_sum(float *out, const float *weights, const float *b, int64_t stride,
                                int64_t count, int64_t width) {
    int64_t j = 0;
    for (; j + 4 <= count; j += 4) {
        const float *b0 = b + j * stride, *b1 = b0 + stride, *b2 = b1 + stride, *b3 = b2 + stride;
        float w0 = weights[j], w1 = weights[j + 1], w2 = weights[j + 2], w3 = weights[j + 3];
#pragma omp simd
        for (int64_t c = 0; c < width; c++)
            out[c] += (w0 * b0[c] + w1 * b1[c]) + (w2 * b2[c] + w3 * b3[c]);
    }
    for (; j < count; j++) {
        const float *b0 = b + j * stride;
        float w0 = weights[j];
#pragma omp simd
        for (int64_t c = 0; c < width; c++)
            out[c] += w0 * b0[c];
    }
}

/* In place softmax of `count` values. */
static inline void softmax(float *values, int64_t count) {
    float most = values[0];
    for (int64_t j = 1; j < count; j++)
        most = values[j] > most ? values[j] : most;
    float sum = 0.0f;
    for (int64_t j = 0; j < count; j++) {
        values[j] = ar_exp(values[j] - most);
        sum += values[j];
    }
    float inverse = 1.0f / sum;
    for (int64_t j = 0; j < count; j++)
        values[j] *= inverse;
}

/* dropped[j] = dropout of values[j] for row `key`. */
static inline void drop(float *dropped, const float *values, int64_t count, uint32_t key,
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
        dots(p, h->q + i * h->stride, h->k, h->stride, i + 1, h->width, scale);
        softmax(p, i + 1);
        drop(dropped, p, i + 1, ar_dropout_row_key(dropout.seed, h->row + i), dropout);
        memset(out, 0, (size_t)h->width * sizeof *out);
        weighted_sum(out, dropped, h->v, h->stride, i + 1, h->width);
    }
}

/* diff_q, diff_k, diff_v: rows `stride` apart, as q, k and v. */
AR_CLONES static void backward_head(float *diff_q, float *diff_k, float *diff_v,
                                    const float *diff_dst, const float *probabilities,
                                    const head *h, ar_dropout dropout, float *dropped,
                                    float *diff_p) {
    float scale = 1.0f / sqrtf((float)h->width);
    int64_t width = h->width;
    for (int64_t i = 0; i < h->length; i++) {
        memset(diff_k + i * h->stride, 0, (size_t)width * sizeof *diff_k);
        memset(diff_v + i * h->stride, 0, (size_t)width * sizeof *diff_v);
    }
    for (int64_t i = 0; i < h->length; i++) {
        const float *p = probabilities + i * h->longest;
        const float *diff = diff_dst + i * h->dst_stride;
        uint32_t key = ar_dropout_row_key(dropout.seed, h->row + i);
        drop(dropped, p, i + 1, key, dropout);
        dots(diff_p, diff, h->v, h->stride, i + 1, width, 1.0f);
        drop(diff_p, diff_p, i + 1, key, dropout);
        float sum = 0.0f;
        for (int64_t j = 0; j <= i; j++)
            sum += p[j] * diff_p[j];
        for (int64_t j = 0; j <= i; j++)
            diff_p[j] = p[j] * (diff_p[j] - sum) * scale;
        float *out = diff_q + i * h->stride;
        memset(out, 0, (size_t)width * sizeof *out);
        weighted_sum(out, diff_p, h->k, h->stride, i + 1, width);
        const float *query = h->q + i * h->stride;
        for (int64_t j = 0; j <= i; j++) {
            float *diff_key = diff_k + j * h->stride, *diff_value = diff_v + j * h->stride;
            float to_key = diff_p[j], to_value = dropped[j];
#pragma omp simd
            for (int64_t c = 0; c < width; c++) {
                diff_key[c] += to_key * query[c];
                diff_value[c] += to_value * diff[c];
            }
        }
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
        float dropped[LONGEST], diff_p[LONGEST];
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
