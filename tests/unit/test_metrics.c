/* Ranks with ties, metrics, fused scores, the popularity baseline: against naive references and the
 * golden numbers. */
#include "core/memory.h"
#include "core/random.h"
#include "eval/popularity.h"
#include "model/fusion.h"
#include "model/metrics.h"
#include "support/golden.h"

#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MUST(call) ck_assert_msg((call) == ALTERREC_OK, "%s", alterrec_last_error())

static int32_t naive_rank(const float *scores, int64_t items, int32_t label) {
    int32_t rank = 1;
    for (int64_t i = 0; i < items; i++)
        if (scores[i] > scores[label] || (scores[i] == scores[label] && i < label))
            rank++;
    return rank;
}

START_TEST(ranks_equal_the_naive_ones) {
    ar_random random;
    ar_random_seed(&random, 1);
    float scores[300];
    for (int round = 0; round < 400; round++) {
        int64_t items = 1 + ar_random_below(&random, 300);
        uint32_t values = 1 + ar_random_below(&random, round % 2 == 0 ? 5 : 1000);
        for (int64_t i = 0; i < items; i++)
            scores[i] = (float)ar_random_below(&random, values) - (float)values / 2;
        for (int32_t label = 0; label < items; label++)
            ck_assert_int_eq(ar_rank_of(scores, items, label), naive_rank(scores, items, label));
    }
}
END_TEST

/* The parts of a row, wherever the label is, add up to the whole. */
START_TEST(parts_of_a_row_add_up) {
    enum { ITEMS = 90 };
    ar_random random;
    ar_random_seed(&random, 2);
    float scores[ITEMS];
    for (int round = 0; round < 200; round++) {
        for (int64_t i = 0; i < ITEMS; i++)
            scores[i] = (float)ar_random_below(&random, 6);
        int32_t label = (int32_t)ar_random_below(&random, ITEMS);
        int64_t cut = ar_random_below(&random, ITEMS + 1);
        int32_t first = ar_rank_before(scores, cut, label, scores[label]);
        int32_t second = ar_rank_before(scores + cut, ITEMS - cut, label - cut, scores[label]);
        ck_assert_int_eq(1 + first + second, naive_rank(scores, ITEMS, label));
    }
    scores[80] = (float)NAN;
    ck_assert_int_ge(ar_rank_before(scores, 80, -1, 0.0F), 0);
    ck_assert_int_eq(ar_rank_before(scores, 81, -1, 0.0F), -1);
}
END_TEST

START_TEST(ties_go_to_the_lower_index) {
    float scores[] = {1.0f, 2.0f, 1.0f, 2.0f, -0.0f, 0.0f};
    int32_t expected[] = {3, 1, 4, 2, 5, 6};
    for (int32_t label = 0; label < 6; label++)
        ck_assert_int_eq(ar_rank_of(scores, 6, label), expected[label]);
}
END_TEST

START_TEST(a_score_that_is_no_number_is_found_anywhere) {
    const float broken[] = {NAN, INFINITY, -INFINITY};
    float scores[70];
    for (int b = 0; b < 3; b++)
        for (int64_t at = 0; at < 70; at++) {
            for (int64_t i = 0; i < 70; i++)
                scores[i] = (float)i;
            ck_assert_int_eq(ar_rank_of(scores, 70, 31), 39);
            scores[at] = broken[b];
            ck_assert_int_eq(ar_rank_of(scores, 70, 31), 0);
        }
}
END_TEST

START_TEST(one_example_counts_as_defined) {
    ck_assert(ar_metric_of(ALTERREC_HITS, 3, 3) == 1.0);
    ck_assert(ar_metric_of(ALTERREC_HITS, 4, 3) == 0.0);
    ck_assert(ar_metric_of(ALTERREC_MRR, 4, 5) == 0.25);
    ck_assert(ar_metric_of(ALTERREC_MRR, 6, 5) == 0.0);
    ck_assert(ar_metric_of(ALTERREC_NDCG, 1, 1) == 1.0);
    ck_assert(ar_metric_of(ALTERREC_NDCG, 3, 5) == 0.5);
    for (int kind = 0; kind < AR_METRIC_KINDS; kind++)
        ck_assert(ar_metric_of(kind, 0, 1000) == 0.0);
    ck_assert(ar_metric_mean(ALTERREC_HITS, 5, NULL, 0) == 0.0);
    ar_metrics none = {0};
    ck_assert(ar_metrics_mean(&none, ALTERREC_MRR, 0) == 0.0);
}
END_TEST

static const int64_t ks[] = {1, 3, 5, 10, 20, 50};
static const char *const kinds[] = {"hits", "mrr", "ndcg"};

static void open_golden(ar_json_document *manifest, ar_tensor_file *file) {
    char path[1024];
    ar_map map;
    (void)snprintf(path, sizeof path, "%s/golden/metrics/case.json", TEST_DATA);
    MUST(ar_map_open(&map, path));
    MUST(ar_json_parse(manifest, map.bytes, map.size));
    ar_map_close(&map);
    (void)snprintf(path, sizeof path, "%s/golden/metrics/metrics.safetensors", TEST_DATA);
    MUST(ar_tensor_file_open(file, path));
}

START_TEST(golden_metrics) {
    ar_json_document manifest;
    ar_tensor_file file;
    open_golden(&manifest, &file);
    const float *scores = golden_floats(&file, "scores");
    const int32_t *labels = golden_ints(&file, "labels");
    const int32_t *best = golden_ints(&file, "top50");
    int32_t ranks[300];
    ar_metrics metrics = {0};
    for (int64_t e = 0; e < 300; e++) {
        ranks[e] = ar_rank_of(scores + e * 400, 400, labels[e]);
        ar_metrics_add(&metrics, ranks[e], ks, 6);
        for (int32_t r = 0; r < 50; r++)
            ck_assert_int_eq(ar_rank_of(scores + e * 400, 400, best[e * 50 + r]), r + 1);
    }
    ck_assert_int_eq(metrics.examples, 300);
    const ar_json *expected = ar_json_member(manifest.root, "metrics");
    for (int64_t i = 0; i < 6; i++) {
        char k[8];
        (void)snprintf(k, sizeof k, "%d", (int)ks[i]);
        for (int kind = 0; kind < AR_METRIC_KINDS; kind++) {
            const ar_json *value = ar_json_member(ar_json_member(expected, k), kinds[kind]);
            ck_assert_ptr_nonnull(value);
            ck_assert_double_eq_tol(ar_metrics_mean(&metrics, kind, i), value->number, 1e-12);
            ck_assert_double_eq_tol(ar_metric_mean(kind, ks[i], ranks, 300), value->number, 1e-12);
        }
    }
    ar_json_free(&manifest);
    ar_tensor_file_close(&file);
}
END_TEST

START_TEST(fused_scores_are_the_weighted_sum) {
    float id[37], text[37];
    for (int i = 0; i < 37; i++) {
        id[i] = (float)(i * 7 % 11) - 3.7f;
        text[i] = (float)(i * 5 % 13) - 6.1f;
    }
    float expected[37];
    for (int i = 0; i < 37; i++) {
        volatile float left = 0.3f * id[i], right = (1.0f - 0.3f) * (text[i] * 14.2f);
        expected[i] = left + right;
    }
    ar_scores_scale(text, 37, 14.2f);
    ar_scores_fuse(id, text, 37, 0.3f);
    ck_assert_mem_eq(id, expected, sizeof id);
}
END_TEST

START_TEST(popularity_ranks_by_count_then_index) {
    int64_t counts[] = {3, 0, 7, 3, 7, 0};
    int32_t expected[] = {3, 5, 1, 4, 2, 6}, ranks[6];
    MUST(ar_popularity_ranks(ranks, counts, 6));
    ck_assert_mem_eq(ranks, expected, sizeof ranks);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("metrics");
    TCase *group = tcase_create("metrics");
    tcase_add_test(group, ranks_equal_the_naive_ones);
    tcase_add_test(group, parts_of_a_row_add_up);
    tcase_add_test(group, ties_go_to_the_lower_index);
    tcase_add_test(group, a_score_that_is_no_number_is_found_anywhere);
    tcase_add_test(group, one_example_counts_as_defined);
    tcase_add_test(group, golden_metrics);
    tcase_add_test(group, fused_scores_are_the_weighted_sum);
    tcase_add_test(group, popularity_ranks_by_count_then_index);
    suite_add_tcase(suite, group);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
