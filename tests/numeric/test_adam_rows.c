/* Adam over the touched rows of a table, against dense Adam with gradients of 0 for the others. */
#include "core/memory.h"
#include "core/threads.h"
#include "nn/adam_rows.h"
#include "support/numbers.h"

#include <math.h>
#include <string.h>

enum { ROWS = 40, DIM = 7, REST = 23, COUNT = ROWS * DIM + REST };

typedef struct pair {
    ar_adam sparse, dense;
    ar_adam_rows table;
    double row_factor; /* of the learning rate, for the sparse one's rows */
    float *sparse_parameters, *dense_parameters;
    ar_random random;
} pair;

static const ar_adam_options usual = {1e-2, 0.9, 0.999, 1e-8, 0.0};

static void pair_open(pair *p) {
    p->row_factor = 1.0;
    ar_random_seed(&p->random, 3);
    MUST(ar_adam_create(&p->sparse, COUNT));
    MUST(ar_adam_create(&p->dense, COUNT));
    MUST(ar_adam_rows_create(&p->table, ROWS, DIM, 0));
    p->sparse_parameters = random_floats(COUNT, &p->random);
    p->dense_parameters = ar_new(COUNT, sizeof(float));
    memcpy(p->dense_parameters, p->sparse_parameters, COUNT * sizeof(float));
}

static void pair_close(pair *p) {
    ar_adam_free(&p->sparse);
    ar_adam_free(&p->dense);
    ar_adam_rows_free(&p->table);
    ar_free(p->sparse_parameters);
    ar_free(p->dense_parameters);
}

/* One step of both that touches each row with the given probability. */
static void step_both(pair *p, double share, const ar_adam_options *options) {
    int32_t touched[ROWS];
    float rows[ROWS * DIM], diff[COUNT] = {0.0f};
    int64_t count = 0;
    for (int32_t row = 0; row < ROWS; row++)
        if (ar_random_uniform(&p->random) < share)
            touched[count++] = row;
    float *values = random_floats(COUNT, &p->random);
    memcpy(diff + ROWS * DIM, values + ROWS * DIM, REST * sizeof(float));
    for (int64_t i = 0; i < count; i++) {
        memcpy(rows + i * DIM, values + i * DIM, DIM * sizeof(float));
        memcpy(diff + touched[i] * DIM, values + i * DIM, DIM * sizeof(float));
    }
    ar_adam_options of_rows = *options;
    of_rows.learning_rate *= p->row_factor;
    float seen[ROWS * DIM];
    MUST(ar_adam_rows_gather(seen, &p->table, &p->sparse, p->sparse_parameters, touched, count,
                             &of_rows));
    ar_adam_rows_step(&p->table, &p->sparse, p->sparse_parameters, touched, count, rows,
                      diff + ROWS * DIM, options, of_rows.learning_rate);
    ar_adam_step(&p->dense, p->dense_parameters, diff, options);
    ar_free(values);
}

static void check_alike(const pair *p, double tolerance) {
    double *expected = to_doubles(p->dense_parameters, COUNT);
    double *first = to_doubles(p->dense.first, COUNT), *second = to_doubles(p->dense.second, COUNT);
    check_near("parameters", p->sparse_parameters, expected, COUNT, tolerance);
    check_near("first moments", p->sparse.first, first, COUNT, tolerance);
    check_near("second moments", p->sparse.second, second, COUNT, tolerance);
    ar_free(expected);
    ar_free(first);
    ar_free(second);
}

START_TEST(all_rows_touched_is_dense) {
    pair p;
    pair_open(&p);
    for (int step = 0; step < 20; step++)
        step_both(&p, 2.0, &usual);
    check_alike(&p, 1e-6);
    pair_close(&p);
}
END_TEST

/* From often to once in hundreds of steps: also rows that miss more than is added up. */
START_TEST(what_was_missed_is_made_up_for) {
    static const double shares[] = {0.7, 0.2, 0.02, 0.002};
    static const int steps[] = {60, 100, 300, 900};
    pair p;
    pair_open(&p);
    step_both(&p, 2.0, &usual);
    for (int step = 0; step < steps[_i]; step++)
        step_both(&p, shares[_i], &usual);
    bool differ = false;
    for (int64_t row = 0; row < ROWS; row++)
        differ = differ || p.table.steps[row] < p.sparse.steps;
    ck_assert(differ);
    MUST(ar_adam_rows_settle(&p.table, &p.sparse, p.sparse_parameters, &usual));
    for (int64_t row = 0; row < ROWS; row++)
        ck_assert_int_eq(p.table.steps[row], p.sparse.steps);
    check_alike(&p, 1e-5);
    pair_close(&p);
}
END_TEST

/* What a step sees of a row is what settling it gives, and leaves the row as it is. */
START_TEST(gathered_rows_are_settled_ones) {
    enum { SOME = 3 };
    static const int32_t touched[SOME] = {2, 17, 31};
    float seen[SOME * DIM], before[ROWS * DIM];
    pair p;
    pair_open(&p);
    step_both(&p, 2.0, &usual);
    for (int step = 0; step < 250; step++)
        step_both(&p, 0.01, &usual);
    memcpy(before, p.sparse_parameters, sizeof before);
    MUST(
        ar_adam_rows_gather(seen, &p.table, &p.sparse, p.sparse_parameters, touched, SOME, &usual));
    ck_assert(same_bits(before, p.sparse_parameters, ROWS * DIM));
    MUST(ar_adam_rows_settle(&p.table, &p.sparse, p.sparse_parameters, &usual));
    ck_assert(!same_bits(before, p.sparse_parameters, ROWS * DIM));
    for (int i = 0; i < SOME; i++)
        ck_assert(same_bits(seen + i * DIM, p.sparse_parameters + touched[i] * DIM, DIM));
    pair_close(&p);
}
END_TEST

START_TEST(untouched_rows_stand_still) {
    pair p;
    pair_open(&p);
    step_both(&p, 2.0, &usual);
    float before[ROWS * DIM];
    memcpy(before, p.sparse_parameters, sizeof before);
    step_both(&p, 0.0, &usual);
    ck_assert(same_bits(before, p.sparse_parameters, ROWS * DIM));
    ck_assert(!same_bits(before, p.dense_parameters, ROWS * DIM)); /* momentum moves them */
    pair_close(&p);
}
END_TEST

/* A row that never had a gradient has nothing to make up for. */
START_TEST(a_fresh_row_keeps_its_bits) {
    pair p;
    pair_open(&p);
    float before[ROWS * DIM];
    memcpy(before, p.sparse_parameters, sizeof before);
    for (int step = 0; step < 10; step++)
        step_both(&p, 0.0, &usual);
    MUST(ar_adam_rows_settle(&p.table, &p.sparse, p.sparse_parameters, &usual));
    ck_assert(same_bits(before, p.sparse_parameters, ROWS * DIM));
    pair_close(&p);
}
END_TEST

/* Rows at twice the rate are those of steps with twice the rate, the rest is that of the usual one.
 */
START_TEST(rows_may_have_a_rate_of_their_own) {
    pair pairs[3]; /* usual; rows alone faster; all faster */
    ar_adam_options faster = usual;
    faster.learning_rate *= 2.0;
    for (int i = 0; i < 3; i++) {
        pair_open(&pairs[i]);
        pairs[i].row_factor = i == 1 ? 2.0 : 1.0;
        for (int step = 0; step < 50; step++)
            step_both(&pairs[i], 0.3, i == 2 ? &faster : &usual);
    }
    const float *both = pairs[1].sparse_parameters;
    ck_assert(same_bits(both, pairs[2].sparse_parameters, ROWS * DIM));
    ck_assert(!same_bits(both, pairs[0].sparse_parameters, ROWS * DIM));
    ck_assert(same_bits(both + ROWS * DIM, pairs[0].sparse_parameters + ROWS * DIM, REST));
    for (int i = 0; i < 3; i++)
        pair_close(&pairs[i]);
}
END_TEST

START_TEST(any_number_of_threads) {
    enum { MANY = 300, WIDE = 64 };
    ar_random random;
    float *results[2];
    for (int run = 0; run < 2; run++) {
        ar_adam adam;
        ar_adam_rows table;
        ar_random_seed(&random, 5);
        MUST(ar_adam_create(&adam, MANY * WIDE + REST));
        MUST(ar_adam_rows_create(&table, MANY, WIDE, 0));
        results[run] = random_floats(MANY * WIDE + REST, &random);
        float *diff = random_floats(MANY * WIDE + REST, &random);
        static float seen[MANY * WIDE];
        int32_t touched[MANY];
        int before = ar_threads_enter(run == 0 ? 1 : 3);
        for (int step = 0; step < 5; step++) {
            int64_t count = 0;
            for (int32_t row = step % 2; row < MANY; row += 1 + step)
                touched[count++] = row;
            MUST(ar_adam_rows_gather(seen, &table, &adam, results[run], touched, count, &usual));
            ar_adam_rows_step(&table, &adam, results[run], touched, count, diff, diff + MANY * WIDE,
                              &usual, usual.learning_rate);
        }
        ar_threads_leave(before);
        ar_free(diff);
        ar_adam_free(&adam);
        ar_adam_rows_free(&table);
    }
    ck_assert(same_bits(results[0], results[1], MANY * WIDE + REST));
    ar_free(results[0]);
    ar_free(results[1]);
}
END_TEST

int main(void) {
    TCase *group = tcase_create("adam_rows");
    tcase_add_test(group, all_rows_touched_is_dense);
    tcase_add_loop_test(group, what_was_missed_is_made_up_for, 0, 4);
    tcase_add_test(group, gathered_rows_are_settled_ones);
    tcase_add_test(group, untouched_rows_stand_still);
    tcase_add_test(group, a_fresh_row_keeps_its_bits);
    tcase_add_test(group, rows_may_have_a_rate_of_their_own);
    tcase_add_test(group, any_number_of_threads);
    return run_tests(group, "adam_rows");
}
