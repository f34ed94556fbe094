/* Negatives and augmented positives: the rank window against a sort, the draws against chance. */
#include "core/memory.h"
#include "support/naive.h"
#include "support/numbers.h"
#include "train/negatives.h"
#include "train/rank_window.h"

#include <math.h>
#include <string.h>

enum { ITEMS = 60 };

/* Scores of many kinds: distinct, of few values, all equal, both zeros, infinities. */
enum { DISTINCT, FEW_VALUES, ALL_EQUAL, ZEROS, INFINITE, SCORE_KINDS };

static void make_scores(float *scores, int64_t items, int kind, ar_random *random) {
    for (int64_t j = 0; j < items; j++) {
        uint32_t draw = ar_random_below(random, 5);
        scores[j] = kind == DISTINCT     ? (float)ar_random_normal(random)
                    : kind == FEW_VALUES ? (float)draw - 2.5f
                    : kind == ALL_EQUAL  ? -7.0f
                    : kind == ZEROS      ? (draw < 2   ? -0.0f
                                            : draw < 4 ? 0.0f
                                                       : 1e-42f)
                    : draw == 0          ? -INFINITY
                    : draw == 1          ? INFINITY
                                         : (float)draw;
    }
}

/* The whole window is taken: exactly the items of the ranks k1 < rank <= k2, each once. */
START_TEST(window_is_that_of_a_sort) {
    ar_random random;
    ar_random_seed(&random, 1);
    float scores[ITEMS], negatives[ITEMS];
    void *work = ar_new(ITEMS, AR_RANK_WORK);
    int32_t order[ITEMS];
    make_scores(scores, ITEMS, _i, &random);
    naive_ranking(order, scores, ITEMS);
    for (int64_t k1 = 0; k1 <= ITEMS; k1++)
        for (int64_t k2 = k1; k2 <= ITEMS; k2++) {
            if (k2 == 0)
                continue; /* no rank at all */
            float expected[ITEMS];
            for (int64_t r = 0; r < ITEMS; r++) {
                negatives[order[r]] = 3.0f; /* must be added to */
                expected[order[r]] = r >= k1 && r < k2 ? 4.0f : 3.0f;
            }
            ar_negatives_hard(negatives, work, scores, NULL, ITEMS, k1, k2, k2 - k1, &random);
            HOLDS(same_bits(negatives, expected, ITEMS), "k1 %d, k2 %d", (int)k1, (int)k2);
        }
    ar_free(work);
}
END_TEST

/* More items, so that thresholds lie in every digit of the selection. */
START_TEST(large_windows_are_those_of_a_sort) {
    enum { MANY = 20011 };
    ar_random random;
    ar_random_seed(&random, 2);
    float *scores = ar_new(MANY, sizeof *scores), *negatives = ar_new(MANY, sizeof *negatives);
    void *work = ar_new(MANY, AR_RANK_WORK);
    int32_t *order = ar_new(MANY, sizeof *order);
    make_scores(scores, MANY, _i, &random);
    naive_ranking(order, scores, MANY);
    static const int64_t windows[][2] = {
        {20, 20000}, {0, 1}, {0, MANY}, {5000, 5003}, {MANY - 1, MANY}};
    for (size_t w = 0; w < sizeof windows / sizeof windows[0]; w++) {
        int64_t k1 = windows[w][0], k2 = windows[w][1];
        memset(negatives, 0, MANY * sizeof *negatives);
        ar_negatives_hard(negatives, work, scores, NULL, MANY, k1, k2, k2 - k1, &random);
        for (int64_t r = 0; r < MANY; r++)
            HOLDS(negatives[order[r]] == (r >= k1 && r < k2 ? 1.0f : 0.0f), "window %zu, rank %d",
                  w, (int)r + 1);
    }
    ar_free(scores);
    ar_free(negatives);
    ar_free(work);
    ar_free(order);
}
END_TEST

/* Chi-square of counts that should be even, in standard deviations from its mean. */
static double unevenness(const double *counts, int64_t cells, double expected, double variance) {
    double chi = 0.0;
    for (int64_t i = 0; i < cells; i++)
        chi += (counts[i] - expected) * (counts[i] - expected) / variance;
    return (chi - (double)cells) / sqrt(2.0 * (double)cells);
}

/* `count` distinct items, each as likely as the others, and pairs too; of more than there are, all
 * of them as often as goes in evenly. */
START_TEST(distinct_draws_are_even) {
    enum { DRAWS = 20000, FEW = 12, COUNT = 5 };
    ar_random random;
    ar_random_seed(&random, 6);
    int64_t rounds = _i, wrong = 0;
    double single[FEW] = {0.0}, pairs[FEW * FEW] = {0.0};
    for (int d = 0; d < DRAWS; d++) {
        float negatives[FEW] = {0.0f};
        ar_negatives_distinct(negatives, FEW, rounds * FEW + COUNT, &random);
        double total = 0.0;
        for (int a = 0; a < FEW; a++) {
            negatives[a] -= (float)rounds;
            wrong += negatives[a] != 0.0f && negatives[a] != 1.0f;
            total += (double)negatives[a];
        }
        wrong += total != COUNT;
        for (int a = 0; a < FEW; a++)
            for (int b = 0; b < FEW; b++)
                if (negatives[a] > 0.0f && negatives[b] > 0.0f)
                    *(a == b ? &single[a] : &pairs[a * FEW + b]) += 1.0;
    }
    ck_assert_int_eq(wrong, 0);
    double p = (double)COUNT / FEW, both = p * (COUNT - 1) / (FEW - 1);
    ck_assert_double_lt(unevenness(single, FEW, p * DRAWS, p * (1.0 - p) * DRAWS), 5.0);
    for (int a = 0; a < FEW; a++)
        for (int b = 0; b < FEW; b++)
            if (a != b)
                ck_assert_double_lt(fabs(pairs[a * FEW + b] - both * DRAWS),
                                    6.0 * sqrt(both * DRAWS));
}
END_TEST

/* `count` of the window's items are drawn, distinct, each as likely as the others, and pairs too.
 */
START_TEST(hard_draws_are_even_and_distinct) {
    enum { DRAWS = 20000, K1 = 7, K2 = 19, WINDOW = K2 - K1, COUNT = 5 };
    ar_random random;
    ar_random_seed(&random, 3);
    float scores[ITEMS];
    void *work = ar_new(ITEMS, AR_RANK_WORK);
    int32_t order[ITEMS];
    make_scores(scores, ITEMS, FEW_VALUES, &random);
    naive_ranking(order, scores, ITEMS);
    double single[WINDOW] = {0.0}, pairs[WINDOW * WINDOW] = {0.0};
    for (int d = 0; d < DRAWS; d++) {
        float negatives[ITEMS] = {0.0f};
        ar_negatives_hard(negatives, work, scores, NULL, ITEMS, K1, K2, COUNT, &random);
        double total = 0.0;
        for (int r = 0; r < ITEMS; r++) {
            float taken = negatives[order[r]];
            HOLDS(taken == 0.0f || (taken == 1.0f && r >= K1 && r < K2), "rank %d: %g", r + 1,
                  (double)taken);
            total += (double)taken;
        }
        HOLDS(total == COUNT, "%g drawn", total);
        for (int a = 0; a < WINDOW; a++)
            for (int b = 0; b < WINDOW; b++)
                if (negatives[order[K1 + a]] > 0.0f && negatives[order[K1 + b]] > 0.0f)
                    *(a == b ? &single[a] : &pairs[a * WINDOW + b]) += 1.0;
    }
    double p = (double)COUNT / WINDOW, both = p * (COUNT - 1) / (WINDOW - 1);
    ck_assert_double_lt(unevenness(single, WINDOW, p * DRAWS, p * (1.0 - p) * DRAWS), 5.0);
    for (int a = 0; a < WINDOW; a++)
        for (int b = 0; b < WINDOW; b++)
            if (a != b)
                ck_assert_double_lt(fabs(pairs[a * WINDOW + b] - both * DRAWS) /
                                        sqrt(both * (1.0 - both) * DRAWS),
                                    5.0);
    ar_free(work);
}
END_TEST

/* Pools are ascending and distinct; every item is as likely as every other, and so are pairs. */
START_TEST(pools_are_even) {
    enum { DRAWS = 20000, OF = 12, COUNT = 5 };
    ar_random random;
    ar_random_seed(&random, 6);
    double single[OF] = {0.0}, pairs[OF * OF] = {0.0};
    for (int d = 0; d < DRAWS; d++) {
        int32_t pool[COUNT];
        uint8_t marks[OF];
        ar_negatives_pool(pool, marks, OF, COUNT, &random);
        for (int a = 0; a < COUNT; a++) {
            ck_assert(pool[a] >= 0 && pool[a] < OF && (a == 0 || pool[a] > pool[a - 1]));
            single[pool[a]] += 1.0;
            for (int b = 0; b < a; b++)
                pairs[pool[a] * OF + pool[b]] += 1.0;
        }
    }
    double p = (double)COUNT / OF, both = p * (COUNT - 1) / (OF - 1);
    ck_assert_double_lt(unevenness(single, OF, p * DRAWS, p * (1.0 - p) * DRAWS), 5.0);
    for (int a = 0; a < OF; a++)
        for (int b = 0; b < a; b++)
            ck_assert_double_lt(
                fabs(pairs[a * OF + b] - both * DRAWS) / sqrt(both * (1.0 - both) * DRAWS), 5.0);
}
END_TEST

/* Large enough for many blocks and random bytes: the exact number, each item at most once, always.
 */
START_TEST(large_pools_have_their_size) {
    static const int64_t sizes[] = {1, 2, 300, 25000, 49999, 50000};
    enum { OF = 50000 };
    ar_random random;
    ar_random_seed(&random, 7);
    int32_t *pool = ar_new(OF, sizeof *pool);
    uint8_t *marks = ar_new(OF, sizeof *marks);
    for (int round = 0; round < 20; round++) {
        pool[sizes[_i] - 1] = -1;
        ar_negatives_pool(pool, marks, OF, sizes[_i], &random);
        for (int64_t i = 0; i < sizes[_i]; i++)
            HOLDS(pool[i] < OF && pool[i] > (i > 0 ? pool[i - 1] : -1), "place %d: %d", (int)i,
                  pool[i]);
    }
    ar_free(pool);
    ar_free(marks);
}
END_TEST

START_TEST(random_draws_are_even) {
    static const int64_t catalogs[] = {1, 2, 60, 1009};
    int64_t items = catalogs[_i];
    enum { DRAWS = 200000 };
    ar_random random;
    ar_random_seed(&random, 4);
    float *negatives = ar_new(items, sizeof *negatives);
    ar_negatives_random(negatives, items, DRAWS, &random);
    double *counts = to_doubles(negatives, items), total = 0.0;
    double p = 1.0 / (double)items;
    for (int64_t j = 0; j < items; j++)
        total += counts[j];
    ck_assert_double_eq(total, DRAWS);
    if (items > 1) {
        double off = unevenness(counts, items, p * DRAWS, p * (1.0 - p) * DRAWS);
        ck_assert_msg(fabs(off) < 5.0, "%g", off);
    }
    ar_free(negatives);
    ar_free(counts);
}
END_TEST

START_TEST(best_are_those_of_a_sort) {
    ar_random random;
    ar_random_seed(&random, 5);
    float scores[ITEMS];
    int32_t order[ITEMS], best[ITEMS];
    for (int round = 0; round < 20; round++) {
        make_scores(scores, ITEMS, _i, &random);
        naive_ranking(order, scores, ITEMS);
        for (int64_t count = 1; count <= ITEMS; count++) {
            ar_positives_find(best, scores, 1, ITEMS, count);
            ck_assert_mem_eq(best, order, (size_t)count * sizeof *best);
        }
    }
}
END_TEST

int main(void) {
    TCase *group = tcase_create("negatives");
    tcase_add_loop_test(group, distinct_draws_are_even, 0, 3);
    tcase_add_loop_test(group, window_is_that_of_a_sort, 0, SCORE_KINDS);
    tcase_add_loop_test(group, large_windows_are_those_of_a_sort, 0, SCORE_KINDS);
    tcase_add_test(group, hard_draws_are_even_and_distinct);
    tcase_add_test(group, pools_are_even);
    tcase_add_loop_test(group, large_pools_have_their_size, 0, 6);
    tcase_add_loop_test(group, random_draws_are_even, 0, 4);
    tcase_add_loop_test(group, best_are_those_of_a_sort, 0, SCORE_KINDS);
    return run_tests(group, "negatives");
}
