/* The encoder end to end: against the naive one, its gradients, and its prefixes. */
#include "core/memory.h"
#include "nn/encoder.h"
#include "support/naive.h"
#include "support/numbers.h"

#include <string.h>

static const ar_encoder_shape shapes[] = {
    {12, 2, 2, 9}, {10, 2, 1, 50}, {12, 3, 3, 5}, {60, 2, 1, 20}};
enum { SHAPES = sizeof shapes / sizeof shapes[0], ITEMS = 11, MOST = 60 };

typedef struct encoder {
    ar_encoder_shape shape;
    ragged batch;
    ar_dropout dropout;
    ar_onednn *onednn;
    ar_encoder_state *state;
    int64_t count, tokens;     /* parameters, tokens */
    float *block, *diff;       /* [count] */
    float *table, *diff_table; /* [ITEMS, dim] */
    ar_encoder_weights weights, diff_weights;
    double *wide_block, *wide_table;
    double *weighting; /* [tokens, dim] makes a scalar of the result */
} encoder;

/* `sequences` of lengths 1..max_len. */
static void open_encoder(encoder *e, const ar_encoder_shape *shape, int64_t sequences, float rate) {
    ar_random random;
    ar_random_seed(&random, (uint64_t)shape->dim);
    *e = (encoder){.shape = *shape, .dropout = {rate, 31}};
    int64_t lengths[MOST], dim = shape->dim;
    for (int64_t s = 0; s < sequences; s++)
        lengths[s] = 1 + s * 3 % shape->max_len;
    ragged_open(&e->batch, lengths, sequences, ITEMS, &random);
    e->tokens = e->batch.packed.tokens;
    e->count = ar_encoder_weights_count(shape);
    e->block = random_floats(e->count, &random);
    for (int64_t i = 0; i < e->count; i++)
        e->block[i] *= 0.3f;
    e->table = random_floats(ITEMS * dim, &random);
    e->diff = random_floats(e->count, &random); /* must be overwritten */
    e->diff_table = ar_new(ITEMS * dim, sizeof *e->diff_table);
    e->weights = ar_encoder_weights_at(e->block, shape);
    e->diff_weights = ar_encoder_weights_at(e->diff, shape);
    e->wide_block = to_doubles(e->block, e->count);
    e->wide_table = to_doubles(e->table, ITEMS * dim);
    float *weighting = random_floats(e->tokens * dim, &random);
    e->weighting = to_doubles(weighting, e->tokens * dim);
    ar_free(weighting);
    MUST(ar_onednn_create(&e->onednn));
    MUST(ar_encoder_state_create(&e->state, shape));
}

static void close_encoder(encoder *e) {
    ragged_close(&e->batch);
    ar_free(e->block);
    ar_free(e->diff);
    ar_free(e->table);
    ar_free(e->diff_table);
    ar_free(e->wide_block);
    ar_free(e->wide_table);
    ar_free(e->weighting);
    ar_encoder_state_free(e->state);
    ar_onednn_free(e->onednn);
}

static const float *forward(encoder *e, bool training) {
    const float *dst;
    MUST(ar_encoder_forward(&dst, e->onednn, e->state, &e->weights, e->table, &e->batch.packed,
                            training, e->dropout));
    return dst;
}

/* Numbers of tokens on both sides of the row buckets' steps. */
START_TEST(forward_is_naive_forward) {
    static const int64_t sequences[] = {1, 3, 4, 20, 50};
    for (int s = 0; s < 5; s++) {
        encoder e;
        open_encoder(&e, &shapes[_i / 2], sequences[s], _i % 2 == 0 ? 0.0f : 0.2f);
        int64_t count = e.tokens * e.shape.dim;
        double *expected = ar_new(count, sizeof *expected);
        naive_encoder(expected, e.wide_block, &e.shape, e.wide_table, &e.batch.packed, e.dropout);
        check_near("training", forward(&e, true), expected, count, 2e-5);
        naive_encoder(expected, e.wide_block, &e.shape, e.wide_table, &e.batch.packed,
                      (ar_dropout){0});
        check_near("inference", forward(&e, false), expected, count, 2e-5);
        ar_free(expected);
        close_encoder(&e);
    }
}
END_TEST

static double value(const encoder *e, const double *block, const double *table) {
    int64_t count = e->tokens * e->shape.dim;
    double *dst = ar_new(count, sizeof *dst), sum = 0.0;
    naive_encoder(dst, block, &e->shape, table, &e->batch.packed, e->dropout);
    for (int64_t i = 0; i < count; i++)
        sum += dst[i] * e->weighting[i];
    ar_free(dst);
    return sum;
}

static double by_block(const double *point, void *context) {
    const encoder *e = context;
    (void)point; /* a part of e->wide_block itself */
    return value(e, e->wide_block, e->wide_table);
}

static double by_table(const double *point, void *context) {
    const encoder *e = context;
    return value(e, e->wide_block, point);
}

START_TEST(gradients) {
    encoder e;
    open_encoder(&e, &shapes[_i / 2], 5, _i % 2 == 0 ? 0.0f : 0.2f);
    int64_t dim = e.shape.dim;
    float *diff_dst = ar_new(e.tokens * dim, sizeof *diff_dst);
    for (int64_t i = 0; i < e.tokens * dim; i++)
        diff_dst[i] = (float)e.weighting[i];
    for (int64_t i = 0; i < ITEMS * dim; i++)
        e.diff_table[i] = 1.0f; /* must be added to */
    (void)forward(&e, true);
    MUST(ar_encoder_backward(e.onednn, e.state, &e.diff_weights, e.diff_table, diff_dst, &e.weights,
                             &e.batch.packed, e.dropout));
    for (int64_t i = 0; i < ITEMS * dim; i++)
        e.diff_table[i] -= 1.0f;
    check_gradient("table", e.diff_table, e.wide_table, ITEMS * dim, by_table, &e, 1e-4);
    /* Each tensor by itself: gradients of one are smaller than those of another. */
    ar_parameter_list list;
    ar_tower_shape tower = {.kind = ALTERREC_ID, .items = 1, .encoder = e.shape};
    MUST(ar_parameter_list_create(&list, &tower));
    int64_t before = list.count - e.count;
    for (int64_t t = 0; t < list.tensor_count; t++) {
        const ar_tensor *tensor = &list.tensors[t];
        if (tensor->offset >= before)
            check_gradient(tensor->name, e.diff + tensor->offset - before,
                           e.wide_block + tensor->offset - before, tensor->count, by_block, &e,
                           1e-4);
    }
    ar_parameter_list_free(&list);
    ar_free(diff_dst);
    close_encoder(&e);
}
END_TEST

/* The state at token t of a session is, to the bit, what the prefix up to t alone gives, whatever
 * the batch: what makes one pass over a session serve all its prefixes. */
START_TEST(prefix_gives_the_same_bits) {
    encoder e;
    open_encoder(&e, &shapes[_i], MOST, 0.0f);
    int64_t dim = e.shape.dim;
    float *all = ar_new(e.tokens * dim, sizeof *all);
    memcpy(all, forward(&e, false), (size_t)(e.tokens * dim) * sizeof *all);
    for (int64_t s = 0; s < MOST; s += 7) {
        int64_t first = e.batch.offsets[s], end = e.batch.offsets[s + 1];
        for (int64_t length = 1; length <= end - first; length++) {
            const int64_t offsets[] = {0, length};
            ar_packed one = {e.batch.items + first, offsets, 1, length};
            const float *dst;
            MUST(ar_encoder_forward(&dst, e.onednn, e.state, &e.weights, e.table, &one, false,
                                    e.dropout));
            ck_assert_msg(same_bits(dst, all + first * dim, length * dim), "session %lld to %lld",
                          (long long)s, (long long)length);
        }
    }
    ar_free(all);
    close_encoder(&e);
}
END_TEST

/* The states at some tokens alone have the bits that they have among all: at one token, at each
 * session's last, at all of them. */
START_TEST(states_are_those_of_the_forward_pass) {
    encoder e;
    open_encoder(&e, &shapes[_i], MOST, 0.0f);
    int64_t dim = e.shape.dim, *rows = ar_new(e.tokens, sizeof *rows);
    float *all = ar_new(e.tokens * dim, sizeof *all), *some = ar_new(e.tokens * dim, sizeof *some);
    memcpy(all, forward(&e, false), (size_t)(e.tokens * dim) * sizeof *all);
    for (int kind = 0; kind < 3; kind++) {
        int64_t count = kind == 0 ? 1 : kind == 1 ? MOST : e.tokens;
        for (int64_t i = 0; i < count; i++)
            rows[i] = kind == 1 ? e.batch.offsets[i + 1] - 1 : e.tokens - 1 - i;
        MUST(ar_encoder_states(some, e.onednn, e.state, &e.weights, e.table, &e.batch.packed, rows,
                               count));
        for (int64_t i = 0; i < count; i++)
            ck_assert_msg(same_bits(some + i * dim, all + rows[i] * dim, dim), "%d: state %lld",
                          kind, (long long)i);
    }
    ar_free(rows);
    ar_free(all);
    ar_free(some);
    close_encoder(&e);
}
END_TEST

int main(void) {
    TCase *group = tcase_create("encoder");
    tcase_add_loop_test(group, forward_is_naive_forward, 0, 2 * SHAPES);
    tcase_add_loop_test(group, gradients, 0, 2 * SHAPES);
    tcase_add_loop_test(group, prefix_gives_the_same_bits, 0, SHAPES);
    tcase_add_loop_test(group, states_are_those_of_the_forward_pass, 0, SHAPES);
    return run_tests(group, "encoder");
}
