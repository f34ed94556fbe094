/* The selection of the k best against a full sort. */
#include "core/memory.h"
#include "core/random.h"
#include "serve/topk.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>

enum { ITEMS = 500 };

typedef struct scored {
    float score;
    int32_t item;
} scored;

static int compare(const void *left, const void *right) {
    const scored *a = left, *b = right;
    if (a->score != b->score)
        return a->score > b->score ? -1 : 1;
    return (a->item > b->item) - (a->item < b->item);
}

/* Selects in tiles of `tile` items and compares with the sorted scores. */
static void check_selection(const float *scores, int64_t items, int64_t k, int64_t tile) {
    scored order[ITEMS];
    int32_t best_items[ITEMS];
    float best_scores[ITEMS];
    ar_topk best = {best_items, best_scores, k};
    int64_t usable = 0;
    for (int64_t i = 0; i < items; i++)
        if (scores[i] > -INFINITY)
            order[usable++] = (scored){scores[i], (int32_t)i};
    qsort(order, (size_t)usable, sizeof *order, compare);
    ar_topk_begin(&best);
    for (int64_t first = 0; first < items; first += tile)
        ar_topk_add(&best, scores + first, (int32_t)first,
                    tile < items - first ? tile : items - first);
    ar_topk_finish(&best);
    for (int64_t i = 0; i < k; i++) {
        ck_assert_int_eq(best_items[i], i < usable ? order[i].item : -1);
        ck_assert(best_scores[i] == (i < usable ? order[i].score : -INFINITY));
    }
}

START_TEST(equals_a_full_sort) {
    ar_random random;
    ar_random_seed(&random, 7);
    float scores[ITEMS];
    for (int round = 0; round < 300; round++) {
        int64_t items = 1 + ar_random_below(&random, ITEMS);
        uint32_t values = 1 + ar_random_below(&random, round % 3 == 0 ? 1000000 : 6);
        for (int64_t i = 0; i < items; i++)
            scores[i] = (float)ar_random_below(&random, values) - 2.0f;
        int64_t tile = 1 + ar_random_below(&random, 130);
        int64_t k = 1 + ar_random_below(&random, (uint32_t)items);
        check_selection(scores, items, k, tile);
        check_selection(scores, items, 1, tile);
        check_selection(scores, items, items, items);
    }
}
END_TEST

START_TEST(rising_and_falling_scores) {
    float rising[ITEMS], falling[ITEMS], equal[ITEMS];
    for (int64_t i = 0; i < ITEMS; i++) {
        rising[i] = (float)i;
        falling[i] = (float)-i;
        equal[i] = 3.0f;
    }
    for (int64_t k = 1; k <= ITEMS; k += 83) {
        check_selection(rising, ITEMS, k, 64);
        check_selection(falling, ITEMS, k, 64);
        check_selection(equal, ITEMS, k, 64);
    }
}
END_TEST

START_TEST(what_is_no_score_is_never_taken) {
    float scores[ITEMS];
    for (int64_t i = 0; i < ITEMS; i++)
        scores[i] = i % 3 == 0 ? -INFINITY : i % 3 == 1 ? NAN : (float)(i % 7);
    scores[5] = INFINITY;
    check_selection(scores, ITEMS, 10, 100);
    check_selection(scores, ITEMS, ITEMS, 100);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("topk");
    TCase *group = tcase_create("topk");
    tcase_add_test(group, equals_a_full_sort);
    tcase_add_test(group, rising_and_falling_scores);
    tcase_add_test(group, what_is_no_score_is_never_taken);
    suite_add_tcase(suite, group);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
