/* The attention core: against the naive one, its gradients, and what one token may see. */
#include "core/memory.h"
#include "core/threads.h"
#include "nn/attention.h"
#include "support/naive.h"
#include "support/numbers.h"

/* Head widths 1 to 150: less than a vector, whole vectors, an odd number of them, a rest. */
static const int64_t shapes[][2] = {/* dim, heads */
                                    {12, 2}, {10, 2}, {66, 3}, {300, 2}, {12, 12},
                                    {48, 3}, {80, 2}, {64, 1}, {114, 1}};
static const float rates[] = {0.0f, 0.1f, 0.6f};
enum { SHAPES = sizeof shapes / sizeof shapes[0], RATES = 3, LONGEST = 50 };

typedef struct attention {
    ragged batch;
    int64_t dim, heads, tokens;
    ar_dropout dropout;
    float *qkv, *dst, *probabilities, *diff_dst, *diff_qkv;
    double *wide_qkv, *weighting;
} attention;

static void open_attention(attention *a, const int64_t *lengths, int64_t sequences, int64_t dim,
                           int64_t heads, float rate) {
    ar_random random;
    ar_random_seed(&random, (uint64_t)(dim * 100 + heads));
    *a = (attention){.dim = dim, .heads = heads, .dropout = {rate, 77}};
    ragged_open(&a->batch, lengths, sequences, 5, &random);
    a->tokens = a->batch.packed.tokens;
    a->qkv = random_floats(a->tokens * 3 * dim, &random);
    a->diff_dst = random_floats(a->tokens * dim, &random);
    a->dst = random_floats(a->tokens * dim, &random); /* must be overwritten */
    a->diff_qkv = random_floats(a->tokens * 3 * dim, &random);
    a->probabilities = ar_new(ar_attention_size(&a->batch.packed, heads), sizeof(float));
    a->wide_qkv = to_doubles(a->qkv, a->tokens * 3 * dim);
    a->weighting = to_doubles(a->diff_dst, a->tokens * dim);
}

/* Lengths 1 to 50, each once. */
static void open_all_lengths(attention *a, int64_t dim, int64_t heads, float rate) {
    int64_t lengths[LONGEST];
    for (int64_t s = 0; s < LONGEST; s++)
        lengths[s] = 1 + s * 7 % LONGEST;
    open_attention(a, lengths, LONGEST, dim, heads, rate);
}

static void close_attention(attention *a) {
    ragged_close(&a->batch);
    ar_free(a->qkv);
    ar_free(a->dst);
    ar_free(a->probabilities);
    ar_free(a->diff_dst);
    ar_free(a->diff_qkv);
    ar_free(a->wide_qkv);
    ar_free(a->weighting);
}

static void forward(attention *a) {
    ar_attention_forward(a->dst, a->probabilities, a->qkv, &a->batch.packed, a->dim, a->heads,
                         a->dropout);
}

static void backward(attention *a) {
    ar_attention_backward(a->diff_qkv, a->diff_dst, a->qkv, a->probabilities, &a->batch.packed,
                          a->dim, a->heads, a->dropout);
}

START_TEST(forward_is_naive_forward) {
    attention a;
    open_all_lengths(&a, shapes[_i / RATES][0], shapes[_i / RATES][1], rates[_i % RATES]);
    double *expected = ar_new(a.tokens * a.dim, sizeof *expected);
    naive_attention(expected, a.wide_qkv, &a.batch.packed, a.dim, a.heads, a.dropout);
    forward(&a);
    check_near("dst", a.dst, expected, a.tokens * a.dim, 5e-6);
    ar_free(expected);
    close_attention(&a);
}
END_TEST

static double value(const double *qkv, void *context) {
    const attention *a = context;
    double *dst = ar_new(a->tokens * a->dim, sizeof *dst), sum = 0.0;
    naive_attention(dst, qkv, &a->batch.packed, a->dim, a->heads, a->dropout);
    for (int64_t i = 0; i < a->tokens * a->dim; i++)
        sum += dst[i] * a->weighting[i];
    ar_free(dst);
    return sum;
}

static void check_backward(attention *a) {
    forward(a);
    backward(a);
    check_gradient("qkv", a->diff_qkv, a->wide_qkv, a->tokens * 3 * a->dim, value, a, 1e-5);
}

START_TEST(gradient_of_all_lengths) {
    attention a;
    open_all_lengths(&a, shapes[_i / RATES][0], shapes[_i / RATES][1], rates[_i % RATES]);
    check_backward(&a);
    close_attention(&a);
}
END_TEST

/* Few tokens, so that each entry weighs in the check. */
START_TEST(gradient_of_all_widths) {
    static const int64_t lengths[] = {1, 2, 3, 4, 5, 11, 16};
    for (int64_t s = 0; s < 7; s++) {
        attention a;
        open_attention(&a, lengths + s, 1, shapes[_i / RATES][0], shapes[_i / RATES][1],
                       rates[_i % RATES]);
        check_backward(&a);
        close_attention(&a);
    }
}
END_TEST

/* dst of a token has the same bits whatever follows in its sequence and whoever is in the batch. */
START_TEST(token_sees_its_past_alone) {
    static const int64_t lengths[] = {9, 1, 33, 4, 18};
    attention all;
    open_attention(&all, lengths, 5, shapes[_i][0], shapes[_i][1], 0.0f);
    int64_t dim = all.dim;
    float *dst = ar_new(33 * dim, sizeof *dst);
    float *probabilities = ar_new(33 * 33 * all.heads, sizeof *probabilities);
    forward(&all);
    for (int64_t s = 0; s < 5; s++)
        for (int64_t length = 1; length <= lengths[s]; length++) {
            int64_t first = all.batch.offsets[s];
            const int64_t offsets[] = {0, length};
            ar_packed one = {all.batch.items + first, offsets, 1, length};
            ar_attention_forward(dst, probabilities, all.qkv + first * 3 * dim, &one, dim,
                                 all.heads, all.dropout);
            ck_assert_msg(same_bits(dst, all.dst + first * dim, length * dim),
                          "sequence %lld cut to %lld differs", (long long)s, (long long)length);
        }
    ar_free(dst);
    ar_free(probabilities);
    close_attention(&all);
}
END_TEST

/* Scores of +-1e8: the softmax is one-hot or, between equals, even; nothing overflows. */
START_TEST(large_scores_stay_finite) {
    int64_t length = 7;
    attention a;
    open_attention(&a, &length, 1, 12, 2, 0.0f);
    for (int64_t i = 0; i < a.tokens * 3 * a.dim; i++)
        a.wide_qkv[i] = (double)(a.qkv[i] *= i % (3 * a.dim) < 2 * a.dim ? 1e4f : 1.0f);
    double *expected = ar_new(a.tokens * a.dim, sizeof *expected);
    naive_attention(expected, a.wide_qkv, &a.batch.packed, a.dim, a.heads, a.dropout);
    forward(&a);
    check_near("dst", a.dst, expected, a.tokens * a.dim, 1e-6);
    ar_free(expected);
    close_attention(&a);
}
END_TEST

START_TEST(threads_do_not_change_a_bit) {
    attention a;
    open_all_lengths(&a, 66, 3, 0.1f);
    int64_t count = a.tokens * a.dim;
    int before = ar_threads_enter(1);
    forward(&a);
    backward(&a);
    float *dst = a.dst, *diff_qkv = a.diff_qkv;
    a.dst = ar_new(count, sizeof *dst);
    a.diff_qkv = ar_new(3 * count, sizeof *dst);
    (void)ar_threads_enter(3);
    forward(&a);
    backward(&a);
    ar_threads_leave(before);
    ck_assert(same_bits(dst, a.dst, count));
    ck_assert(same_bits(diff_qkv, a.diff_qkv, 3 * count));
    ar_free(dst);
    ar_free(diff_qkv);
    close_attention(&a);
}
END_TEST

int main(void) {
    TCase *group = tcase_create("attention");
    tcase_add_loop_test(group, forward_is_naive_forward, 0, SHAPES * RATES);
    tcase_add_loop_test(group, gradient_of_all_lengths, RATES, 3 * RATES);
    tcase_add_loop_test(group, gradient_of_all_widths, 0, SHAPES * RATES);
    tcase_add_loop_test(group, token_sees_its_past_alone, 0, SHAPES);
    tcase_add_test(group, large_scores_stay_finite);
    tcase_add_test(group, threads_do_not_change_a_bit);
    return run_tests(group, "attention");
}
