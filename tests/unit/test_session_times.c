/* Sorting by time, by few threads and many, beside what the order must be. */
#include "core/memory.h"
#include "core/random.h"
#include "core/threads.h"
#include "data/session_times.h"
#include "support/numbers.h"

/* Times of one kind: many alike, all over the range of doubles, or those of some days. */
static double draw_time(ar_random *random, int kind) {
    static const double few[] = {0.0, -0.0, 1.5, -1e300, 1e-310};
    double u = ar_random_uniform(random);
    return kind == 0   ? few[ar_random_below(random, 5)]
           : kind == 1 ? (u - 0.5) * 1e300 * u
                       : 1.6e9 + (double)ar_random_below(random, 1000000);
}

static void check_sort(int64_t count, int kind) {
    ar_random random;
    ar_random_seed(&random, (uint64_t)(count + kind));
    ar_stamp *stamps = ar_new(2 * count, sizeof *stamps);
    double *times = ar_new(count, sizeof *times);
    bool *seen = ar_new(count, sizeof *seen);
    ck_assert(stamps != NULL && times != NULL && seen != NULL);
    for (int64_t i = 0; i < count; i++) {
        times[i] = draw_time(&random, kind);
        stamps[i] = (ar_stamp){times[i], i};
    }
    ck_assert_int_eq(ar_stamps_sort(stamps, stamps + count, count), ALTERREC_OK);
    for (int64_t i = 0; i < count; i++) {
        int64_t index = stamps[i].index;
        HOLDS(!seen[index] && memcmp(&stamps[i].time, &times[index], sizeof times[index]) == 0,
              "stamp %d", (int)i);
        seen[index] = true;
        HOLDS(i == 0 || stamps[i - 1].time < stamps[i].time ||
                  (stamps[i - 1].time <= stamps[i].time && stamps[i - 1].index < index),
              "stamps %d and %d of %d, kind %d", (int)i - 1, (int)i, (int)count, kind);
    }
    ar_free(stamps);
    ar_free(times);
    ar_free(seen);
}

START_TEST(stamps_are_sorted_and_equal_ones_keep_their_order) {
    static const int64_t counts[] = {1, 2, 32, 33, 1000, 3 * AR_PARALLEL_LEAST + 5};
    for (int64_t threads = 1; threads <= 3; threads++) {
        int previous = ar_threads_enter(threads);
        for (size_t c = 0; c < sizeof counts / sizeof *counts; c++)
            for (int kind = 0; kind < 3; kind++)
                check_sort(counts[c], kind);
        ar_threads_leave(previous);
    }
}
END_TEST

int main(void) {
    TCase *group = tcase_create("session_times");
    tcase_add_test(group, stamps_are_sorted_and_equal_ones_keep_their_order);
    return run_tests(group, "session_times");
}
