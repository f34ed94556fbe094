/* Dropout: the mask's rate and scale, that it is one function of (seed, row, column), and that
 * rows, columns and seeds do not hang together. */
#include "core/memory.h"
#include "core/threads.h"
#include "nn/dropout.h"
#include "support/naive.h"
#include "support/numbers.h"

#include <math.h>

enum { ROWS = 400, DIM = 300, COUNT = ROWS * DIM };

/* Ones where an element was kept, zeros where it was dropped. */
static float *make_mask(float rate, uint64_t seed) {
    float *mask = ar_new(COUNT, sizeof *mask);
    for (int64_t i = 0; i < COUNT; i++)
        mask[i] = 1.0f;
    ar_dropout_apply(mask, mask, NULL, ROWS, DIM, (ar_dropout){rate, seed});
    float scale = 1.0f / (1.0f - rate);
    for (int64_t i = 0; i < COUNT; i++) {
        HOLDS(mask[i] == 0.0f || mask[i] == scale, "%g", (double)mask[i]);
        mask[i] = mask[i] > 0.0f ? 1.0f : 0.0f;
    }
    return mask;
}

/* Deviations are measured in standard deviations; 5 is one test in two million. */
START_TEST(rate_of_all_rows_and_columns) {
    static const float rates[] = {0.01f, 0.1f, 0.5f, 0.9f};
    double rate = (double)rates[_i], spread = rate * (1.0 - rate);
    float *mask = make_mask(rates[_i], 5);
    double rows[ROWS] = {0.0}, columns[DIM] = {0.0}, total = 0.0;
    for (int64_t i = 0; i < COUNT; i++) {
        double dropped = 1.0 - (double)mask[i];
        rows[i / DIM] += dropped;
        columns[i % DIM] += dropped;
        total += dropped;
    }
    ck_assert_double_lt(fabs(total - rate * COUNT) / sqrt(spread * COUNT), 5.0);
    double chi_rows = 0.0, chi_columns = 0.0;
    for (int r = 0; r < ROWS; r++)
        chi_rows += pow(rows[r] - rate * DIM, 2.0) / (spread * DIM);
    for (int c = 0; c < DIM; c++)
        chi_columns += pow(columns[c] - rate * ROWS, 2.0) / (spread * ROWS);
    ck_assert_double_lt(fabs(chi_rows - ROWS) / sqrt(2.0 * ROWS), 5.0);
    ck_assert_double_lt(fabs(chi_columns - DIM) / sqrt(2.0 * DIM), 5.0);
    ar_free(mask);
}
END_TEST

/* Correlation of two masks over `count` elements, in standard deviations. */
static double correlation(const float *a, const float *b, int64_t count, double rate) {
    double sum = 0.0;
    for (int64_t i = 0; i < count; i++)
        sum += ((double)a[i] - (1.0 - rate)) * ((double)b[i] - (1.0 - rate));
    return sum / (rate * (1.0 - rate)) / sqrt((double)count);
}

START_TEST(rows_columns_and_seeds_are_uncorrelated) {
    float *mask = make_mask(0.5f, 5), *other = make_mask(0.5f, 6);
    ck_assert_double_lt(fabs(correlation(mask, other, COUNT, 0.5)), 5.0);
    for (int64_t apart = 1; apart <= 8; apart++) {
        ck_assert_double_lt(fabs(correlation(mask, mask + apart * DIM, COUNT - apart * DIM, 0.5)),
                            5.0);
        ck_assert_double_lt(fabs(correlation(mask, mask + apart, COUNT - apart, 0.5)), 5.0);
        /* Diagonals: a row's key must not be its neighbour's, moved by a column. */
        int64_t diagonal = apart * DIM + 1;
        ck_assert_double_lt(fabs(correlation(mask, mask + diagonal, COUNT - diagonal, 0.5)), 5.0);
    }
    ar_free(mask);
    ar_free(other);
}
END_TEST

/* The whole mask as the header's inline functions say, with and without a residual, and the
 * backward pass, which applies the same dropout to the gradient. */
START_TEST(mask_is_a_function_of_seed_row_and_column) {
    ar_dropout dropout = {0.3f, 123456789u};
    ar_random random;
    ar_random_seed(&random, 1);
    float *src = random_floats(COUNT, &random), *residual = random_floats(COUNT, &random);
    float *dst = ar_new(COUNT, sizeof *dst);
    double *expected = to_doubles(src, COUNT);
    naive_dropout(expected, ROWS, DIM, dropout);
    ar_dropout_apply(dst, src, NULL, ROWS, DIM, dropout);
    check_near("dropped", dst, expected, COUNT, 1e-7);
    for (int64_t i = 0; i < COUNT; i++)
        expected[i] += (double)residual[i];
    ar_dropout_apply(dst, src, residual, ROWS, DIM, dropout);
    check_near("dropped and added", dst, expected, COUNT, 1e-7);
    int before = ar_threads_enter(3);
    ar_dropout_apply(residual, src, residual, ROWS, DIM, dropout); /* dst is the residual */
    ck_assert(same_bits(residual, dst, COUNT));
    ar_threads_leave(before);

    /* Fewer rows, or fewer columns: the same mask where both have one. */
    ar_dropout_apply(dst, src, NULL, ROWS, DIM, dropout);
    ar_dropout_apply(residual, src, NULL, 17, DIM, dropout);
    ck_assert(same_bits(residual, dst, 17 * DIM));
    ar_dropout_apply(residual, src, NULL, 1, 7, dropout);
    ck_assert(same_bits(residual, dst, 7));
    ar_free(src);
    ar_free(residual);
    ar_free(dst);
    ar_free(expected);
}
END_TEST

START_TEST(rate_0_changes_no_bit) {
    enum { SMALL = 5 * 7 };
    ar_random random;
    ar_random_seed(&random, 1);
    float *src = random_floats(SMALL, &random), *residual = random_floats(SMALL, &random);
    float dst[SMALL], sum[SMALL];
    ar_dropout_apply(dst, src, NULL, 5, 7, (ar_dropout){0.0f, 9});
    ck_assert(same_bits(dst, src, SMALL));
    ar_dropout_apply(dst, dst, NULL, 5, 7, (ar_dropout){0.0f, 9}); /* in place */
    ck_assert(same_bits(dst, src, SMALL));
    for (int i = 0; i < SMALL; i++)
        sum[i] = src[i] + residual[i];
    ar_dropout_apply(dst, src, residual, 5, 7, (ar_dropout){0.0f, 9});
    ck_assert(same_bits(dst, sum, SMALL));
    ar_free(src);
    ar_free(residual);
}
END_TEST

int main(void) {
    TCase *group = tcase_create("dropout");
    tcase_add_loop_test(group, rate_of_all_rows_and_columns, 0, 4);
    tcase_add_test(group, rows_columns_and_seeds_are_uncorrelated);
    tcase_add_test(group, mask_is_a_function_of_seed_row_and_column);
    tcase_add_test(group, rate_0_changes_no_bit);
    return run_tests(group, "dropout");
}
