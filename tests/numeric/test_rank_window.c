/* The rank window against the plainest definition of a rank: one more than the items that are
 * better.
 */
#include "core/memory.h"
#include "core/random.h"
#include "support/numbers.h"
#include "train/rank_window.h"

#include <math.h>

enum { MOST = 700, ROUNDS = 6 };

/* Rows of many kinds. NEIGHBOURS: floats side by side, which differ in the last bits alone. */
enum { NORMAL, FEW_VALUES, CONSTANT, ZEROS, INFINITE, NEIGHBOURS, TINY, ALL_NAN, SOME_NAN, KINDS };

static float make_score(int kind, ar_random *random) {
    uint32_t draw = ar_random_below(random, 6);
    float normal = (float)ar_random_normal(random);
    switch (kind) {
    case FEW_VALUES:
        return (float)draw - 2.5f;
    case CONSTANT:
        return 1e-3f;
    case ZEROS:
        return draw < 2 ? -0.0f : draw < 4 ? 0.0f : 1e-42f;
    case INFINITE:
        return draw == 0 ? -INFINITY : draw == 1 ? INFINITY : normal;
    case NEIGHBOURS:
        return (draw < 3 ? 1.0f : -1.0f) *
               (1.0f + (float)ar_random_below(random, 90000) * 0x1p-23f);
    case TINY:
        return normal * 1e-39f;
    case ALL_NAN:
        return draw < 3 ? NAN : -NAN;
    case SOME_NAN:
        return draw == 0 ? NAN : draw == 1 ? -NAN : draw == 2 ? -INFINITY : normal;
    default:
        return normal;
    }
}

static bool better(const float *scores, int64_t a, int64_t b) {
    if (isnan(scores[a]) || isnan(scores[b]))
        return isnan(scores[a]) && isnan(scores[b]) ? a < b : isnan(scores[b]);
    return scores[a] > scores[b] || (scores[a] == scores[b] && a < b);
}

static void find_ranks(int64_t *ranks, const float *scores, int64_t items) {
    for (int64_t j = 0; j < items; j++) {
        ranks[j] = 1;
        for (int64_t i = 0; i < items; i++)
            ranks[j] += better(scores, i, j);
    }
}

static void check_window(void *work, const float *scores, const int64_t *ranks, int64_t items,
                         int64_t k1, int64_t k2, int kind) {
    const uint8_t *marks = ar_rank_window(work, scores, items, k1, k2);
    for (int64_t j = 0; j < items; j++) {
        int expected = ranks[j] > k1 && ranks[j] <= k2;
        HOLDS(marks[j] == expected, "kind %d, %d items, k1 %d, k2 %d: item %d of rank %d: %d", kind,
              (int)items, (int)k1, (int)k2, (int)j, (int)ranks[j], marks[j]);
    }
}

START_TEST(every_window_of_a_tiny_catalog) {
    enum { LARGEST = 18 };
    ar_random random;
    ar_random_seed(&random, 11);
    void *work = ar_new(LARGEST, AR_RANK_WORK);
    float scores[LARGEST];
    int64_t ranks[LARGEST];
    for (int64_t items = 1; items <= LARGEST; items++) {
        for (int64_t j = 0; j < items; j++)
            scores[j] = make_score(_i, &random);
        find_ranks(ranks, scores, items);
        for (int64_t k2 = 1; k2 <= items; k2++)
            for (int64_t k1 = 0; k1 <= k2; k1++)
                check_window(work, scores, ranks, items, k1, k2, _i);
    }
    ar_free(work);
}
END_TEST

START_TEST(random_windows) {
    ar_random random;
    ar_random_seed(&random, 12);
    for (int round = 0; round < ROUNDS; round++) {
        int64_t items = 1 + ar_random_below(&random, MOST);
        /* Of exactly this size, so that a sanitizer sees a step beyond it. */
        void *work = ar_new(items, AR_RANK_WORK);
        float *scores = ar_new(items, sizeof *scores);
        int64_t *ranks = ar_new(items, sizeof *ranks);
        for (int64_t j = 0; j < items; j++)
            scores[j] = make_score(_i, &random);
        find_ranks(ranks, scores, items);
        for (int window = 0; window < 60; window++) {
            int64_t k2 = 1 + ar_random_below(&random, (uint32_t)items);
            int64_t k1 = ar_random_below(&random, (uint32_t)k2 + 1);
            check_window(work, scores, ranks, items, k1, k2, _i);
        }
        ar_free(work);
        ar_free(scores);
        ar_free(ranks);
    }
}
END_TEST

int main(void) {
    TCase *group = tcase_create("rank_window");
    tcase_add_loop_test(group, every_window_of_a_tiny_catalog, 0, KINDS);
    tcase_add_loop_test(group, random_windows, 0, KINDS);
    return run_tests(group, "rank_window");
}
