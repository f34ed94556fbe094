/* Embedding: rows gathered and added forward, gradients added up backward. */
#include "core/memory.h"
#include "core/threads.h"
#include "nn/embedding.h"
#include "support/numbers.h"

#include <string.h>

static const int64_t dims[] = {1, 10, 12, 65, 300};
static const int64_t lengths[] = {1, 7, 50, 3, 3, 1};
enum { DIMS = sizeof dims / sizeof dims[0], SEQUENCES = 6, ITEMS = 9, MAX_LEN = 52 };

static int64_t position_of(const ragged *batch, int64_t token) {
    int64_t s = 0;
    while (batch->offsets[s + 1] <= token)
        s++;
    return token - batch->offsets[s];
}

START_TEST(forward_and_backward) {
    int64_t dim = dims[_i];
    ar_random random;
    ragged batch;
    ar_random_seed(&random, 2);
    ragged_open(&batch, lengths, SEQUENCES, ITEMS, &random);
    int64_t tokens = batch.packed.tokens;
    float *table = random_floats(ITEMS * dim, &random);
    float *position = random_floats(MAX_LEN * dim, &random);
    float *dst = ar_new(tokens * dim, sizeof *dst);
    ar_embedding_forward(dst, table, position, &batch.packed, dim);
    for (int64_t i = 0; i < tokens * dim; i++) {
        int64_t t = i / dim, c = i % dim;
        float expected =
            table[batch.items[t] * dim + c] + position[position_of(&batch, t) * dim + c];
        HOLDS(memcmp(&dst[i], &expected, sizeof expected) == 0, "token %lld", (long long)t);
    }

    /* The table's gradient is added to, the positions' is overwritten. */
    float *diff = random_floats(tokens * dim, &random);
    double *expected_table = to_doubles(table, ITEMS * dim);
    double *expected_position = ar_new(MAX_LEN * dim, sizeof *expected_position);
    for (int64_t i = 0; i < tokens * dim; i++) {
        int64_t t = i / dim, c = i % dim;
        expected_table[batch.items[t] * dim + c] += (double)diff[i];
        expected_position[position_of(&batch, t) * dim + c] += (double)diff[i];
    }
    float *again = ar_new(ITEMS * dim, sizeof *again);
    memcpy(again, table, (size_t)(ITEMS * dim) * sizeof *again);
    ar_embedding_backward(table, position, diff, &batch.packed, dim, MAX_LEN);
    check_near("table", table, expected_table, ITEMS * dim, 1e-6);
    check_near("position", position, expected_position, MAX_LEN * dim, 1e-6);
    int before = ar_threads_enter(1);
    ar_embedding_backward(again, position, diff, &batch.packed, dim, MAX_LEN);
    ar_threads_leave(before);
    ck_assert(same_bits(table, again, ITEMS * dim)); /* repeated items, any number of threads */
    ar_free(table);
    ar_free(again);
    ar_free(position);
    ar_free(dst);
    ar_free(diff);
    ar_free(expected_table);
    ar_free(expected_position);
    ragged_close(&batch);
}
END_TEST

START_TEST(gather_and_scatter_are_inverse) {
    static const int64_t rows[] = {4, 0, 8};
    int64_t dim = dims[_i];
    ar_random random;
    ar_random_seed(&random, 3);
    float *src = random_floats(ITEMS * dim, &random), *dst = random_floats(ITEMS * dim, &random);
    float *picked = ar_new(3 * dim, sizeof *picked), *before = ar_new(ITEMS * dim, sizeof *before);
    memcpy(before, dst, (size_t)(ITEMS * dim) * sizeof *dst);
    ar_rows_gather(picked, src, rows, 3, dim);
    for (int i = 0; i < 3; i++)
        ck_assert(same_bits(picked + i * dim, src + rows[i] * dim, dim));
    ar_rows_scatter(dst, picked, rows, 3, dim);
    for (int64_t r = 0; r < ITEMS; r++) {
        bool touched = r == 4 || r == 0 || r == 8;
        ck_assert(same_bits(dst + r * dim, (touched ? src : before) + r * dim, dim));
    }
    ar_free(src);
    ar_free(dst);
    ar_free(picked);
    ar_free(before);
}
END_TEST

int main(void) {
    TCase *group = tcase_create("embedding");
    tcase_add_loop_test(group, forward_and_backward, 0, DIMS);
    tcase_add_loop_test(group, gather_and_scatter_are_inverse, 0, DIMS);
    return run_tests(group, "embedding");
}
