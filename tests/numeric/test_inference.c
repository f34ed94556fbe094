/* The encoder for inference: against the naive one and the training one, and its bits. */
#include "core/memory.h"
#include "nn/inference.h"
#include "support/naive.h"
#include "support/numbers.h"

#include <string.h>

static const ar_encoder_shape shapes[] = {{12, 2, 2, 9},  {10, 2, 1, 50}, {12, 3, 3, 5},
                                          {60, 2, 1, 20}, {64, 1, 2, 30}, {128, 2, 2, 7}};
enum { SHAPES = sizeof shapes / sizeof shapes[0], ITEMS = 11, MOST = 40, GAP = 5 };

typedef struct encoder {
    ar_encoder_shape shape;
    ragged batch;
    float *block, *table; /* table [ITEMS, dim + GAP] */
    ar_encoder_weights weights;
    ar_inference inference;
    int64_t cache_stride;
} encoder;

/* `sequences` of lengths 1..max_len. */
static void open_encoder(encoder *e, const ar_encoder_shape *shape, int64_t sequences,
                         ar_weight_format format) {
    ar_random random;
    ar_random_seed(&random, (uint64_t)shape->dim);
    *e = (encoder){.shape = *shape};
    int64_t lengths[MOST], count = ar_encoder_weights_count(shape);
    for (int64_t s = 0; s < sequences; s++)
        lengths[s] = 1 + s * 3 % shape->max_len;
    ragged_open(&e->batch, lengths, sequences, ITEMS, &random);
    e->block = random_floats(count, &random);
    for (int64_t i = 0; i < count; i++)
        e->block[i] *= 0.3f;
    e->table = random_floats(ITEMS * (shape->dim + GAP), &random);
    e->weights = ar_encoder_weights_at(e->block, shape);
    MUST(ar_inference_create(&e->inference, &e->weights, shape, format));
    e->cache_stride = ar_inference_cache(shape) + 16;
}

static void close_encoder(encoder *e) {
    ragged_close(&e->batch);
    ar_free(e->block);
    ar_free(e->table);
    ar_inference_free(&e->inference);
}

/* dst [sequences, dim]: the sequences first .. first + count - 1 in `steps` steps. */
static void run(float *dst, const encoder *e, int64_t first, int64_t count, int64_t steps) {
    ar_inference_sequence *all = ar_new(count, sizeof *all), *now = ar_new(count, sizeof *now);
    int64_t longest = e->shape.max_len, tokens = count * longest;
    float *work = ar_new(ar_inference_work(&e->inference, tokens, longest), sizeof *work);
    for (int64_t s = 0; s < count; s++)
        all[s].cache = ar_new(longest * e->cache_stride, sizeof(float));
    for (int64_t step = 0; step < steps; step++) {
        int64_t busy = 0;
        for (int64_t s = 0; s < count; s++) {
            const int64_t *offsets = e->batch.offsets + first + s;
            int64_t length = offsets[1] - offsets[0], done = all[s].past;
            int64_t end = length * (step + 1) / steps;
            if (end > done) {
                now[busy++] = (ar_inference_sequence){.items = e->batch.items + offsets[0] + done,
                                                      .count = end - done,
                                                      .past = done,
                                                      .cache = all[s].cache,
                                                      .dst = dst + s * e->shape.dim};
                all[s].past = end;
            }
        }
        if (busy > 0)
            ar_inference_step(&e->inference, now, busy, e->table, e->shape.dim + GAP,
                              e->cache_stride, work);
    }
    for (int64_t s = 0; s < count; s++)
        ar_free(all[s].cache);
    ar_free(all);
    ar_free(now);
    ar_free(work);
}

/* The naive states at the last tokens, [sequences, dim]. */
static double *expected_states(const encoder *e) {
    int64_t dim = e->shape.dim, tokens = e->batch.packed.tokens, count = e->batch.packed.sequences;
    double *block = to_doubles(e->block, ar_encoder_weights_count(&e->shape));
    double *wide = to_doubles(e->table, ITEMS * (dim + GAP));
    double *table = ar_new(ITEMS * dim, sizeof *table);
    double *states = ar_new(tokens * dim, sizeof *states);
    double *last = ar_new(count * dim, sizeof *last);
    for (int64_t i = 0; i < ITEMS; i++)
        memcpy(table + i * dim, wide + i * (dim + GAP), (size_t)dim * sizeof *table);
    naive_encoder(states, block, &e->shape, table, &e->batch.packed, (ar_dropout){0});
    for (int64_t s = 0; s < count; s++)
        memcpy(last + s * dim, states + (e->batch.offsets[s + 1] - 1) * dim,
               (size_t)dim * sizeof *last);
    ar_free(block);
    ar_free(wide);
    ar_free(table);
    ar_free(states);
    return last;
}

START_TEST(step_is_naive_forward) {
    static const int64_t sequences[] = {1, 3, 12, 40};
    for (int i = 0; i < 4; i++) {
        encoder e;
        open_encoder(&e, &shapes[_i], sequences[i], AR_WEIGHTS_F32);
        int64_t count = sequences[i] * e.shape.dim;
        float *dst = ar_new(count, sizeof *dst);
        double *expected = expected_states(&e);
        run(dst, &e, 0, sequences[i], 1);
        check_near("states", dst, expected, count, 1e-5);
        ar_free(dst);
        ar_free(expected);
        close_encoder(&e);
    }
}
END_TEST

/* With rounded weights near it: their rounding is 2^-9 of a weight, and 2^-8 of a row's largest,
 * the states are of size 1. */
START_TEST(rounded_is_near) {
    encoder e;
    open_encoder(&e, &shapes[_i / 2], 12, _i % 2 == 0 ? AR_WEIGHTS_BF16 : AR_WEIGHTS_INT8);
    int64_t count = 12 * e.shape.dim;
    float *dst = ar_new(count, sizeof *dst);
    double *expected = expected_states(&e);
    run(dst, &e, 0, 12, 1);
    check_near("states", dst, expected, count, 0.05);
    ar_free(dst);
    ar_free(expected);
    close_encoder(&e);
}
END_TEST

/* Token by token, in halves, at once, alone or beside others: the same bits. */
START_TEST(steps_and_neighbours_do_not_matter) {
    encoder e;
    open_encoder(&e, &shapes[_i / 3], MOST, (ar_weight_format)(_i % 3));
    int64_t dim = e.shape.dim;
    float *all = ar_new(MOST * dim, sizeof *all), *some = ar_new(MOST * dim, sizeof *some);
    run(all, &e, 0, MOST, 1);
    const int64_t steps[] = {2, 3, e.shape.max_len};
    for (int i = 0; i < 3; i++) {
        run(some, &e, 0, MOST, steps[i]);
        ck_assert_msg(same_bits(some, all, MOST * dim), "%lld steps", (long long)steps[i]);
    }
    for (int64_t count = 1; count < MOST; count = 2 * count + 1)
        for (int64_t first = 0; first + count <= MOST; first += 3) {
            run(some, &e, first, count, 1 + first % 2);
            ck_assert_msg(same_bits(some, all + first * dim, count * dim),
                          "sequences %lld and %lld more", (long long)first, (long long)count);
        }
    ar_free(all);
    ar_free(some);
    close_encoder(&e);
}
END_TEST

int main(void) {
    TCase *group = tcase_create("inference");
    tcase_add_loop_test(group, step_is_naive_forward, 0, SHAPES);
    tcase_add_loop_test(group, rounded_is_near, 0, 2 * SHAPES);
    tcase_add_loop_test(group, steps_and_neighbours_do_not_matter, 0, 3 * SHAPES);
    return run_tests(group, "inference");
}
