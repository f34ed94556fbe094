#include "train/sampler.h"

#include "core/memory.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>

enum { ITEMS = 50, DRAWS = 200000 };

static void make_counts(int64_t *counts) {
    for (int64_t i = 0; i < ITEMS; i++)
        counts[i] = i * i % 37; /* with zeros, and large differences */
}

START_TEST(draws_follow_their_probabilities) {
    static const double exponents[] = {0.0, 0.5, 1.0, 2.0};
    int64_t counts[ITEMS];
    float drawn[ITEMS] = {0.0f};
    ar_sampler sampler;
    ar_random random;
    make_counts(counts);
    ar_random_seed(&random, 3);
    ck_assert_int_eq(ar_sampler_create(&sampler, counts, ITEMS, exponents[_i]), ALTERREC_OK);
    ar_sampler_draw(drawn, &sampler, DRAWS, false, &random);
    double total = 0.0, chi_square = 0.0, weights = 0.0;
    for (int64_t i = 0; i < ITEMS; i++)
        weights += pow((double)(counts[i] > 0 ? counts[i] : 1), exponents[_i]);
    for (int32_t i = 0; i < ITEMS; i++) {
        double probability = ar_sampler_probability(&sampler, i);
        double naive = pow((double)(counts[i] > 0 ? counts[i] : 1), exponents[_i]) / weights;
        double expected = probability * DRAWS;
        ck_assert_double_eq_tol(probability, naive, 1e-12);
        chi_square += ((double)drawn[i] - expected) * ((double)drawn[i] - expected) / expected;
        total += (double)drawn[i];
    }
    ck_assert_double_eq_tol(total, DRAWS, 0.5);
    ck_assert_double_lt(chi_square, 86.0); /* 49 degrees of freedom: exceeded once in 1,000 */
    ar_sampler_free(&sampler);
}
END_TEST

START_TEST(corrected_draws_add_up_to_the_catalog) {
    int64_t counts[ITEMS];
    float drawn[ITEMS] = {0.0f};
    ar_sampler sampler;
    ar_random random;
    make_counts(counts);
    ar_random_seed(&random, 3);
    ck_assert_int_eq(ar_sampler_create(&sampler, counts, ITEMS, 0.5), ALTERREC_OK);
    ar_sampler_draw(drawn, &sampler, DRAWS, true, &random);
    for (int64_t i = 0; i < ITEMS; i++)
        ck_assert_double_eq_tol((double)drawn[i], 1.0, 0.1);
    ar_sampler_free(&sampler);
}
END_TEST

START_TEST(out_of_memory_leaves_nothing) {
    int64_t counts[ITEMS];
    make_counts(counts);
    for (int64_t n = 1; n <= 6; n++) {
        ar_sampler sampler;
        ar_memory_fail_after(n);
        ck_assert_int_eq(ar_sampler_create(&sampler, counts, ITEMS, 1.0),
                         ALTERREC_ERROR_OUT_OF_MEMORY);
        ar_memory_fail_after(0);
        ar_sampler_free(&sampler);
    }
}
END_TEST

int main(void) {
    Suite *suite = suite_create("sampler");
    TCase *group = tcase_create("sampler");
    tcase_add_loop_test(group, draws_follow_their_probabilities, 0, 4);
    tcase_add_test(group, corrected_draws_add_up_to_the_catalog);
    tcase_add_test(group, out_of_memory_leaves_nothing);
    suite_add_tcase(suite, group);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
