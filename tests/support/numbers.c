#include "support/numbers.h"

#include "core/memory.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

float *random_floats(int64_t count, ar_random *random) {
    float *values = ar_new(count, sizeof *values);
    ck_assert_ptr_nonnull(values);
    for (int64_t i = 0; i < count; i++)
        values[i] = (float)ar_random_normal(random);
    return values;
}

double *to_doubles(const float *values, int64_t count) {
    double *doubles = ar_new(count, sizeof *doubles);
    ck_assert_ptr_nonnull(doubles);
    for (int64_t i = 0; i < count; i++)
        doubles[i] = (double)values[i];
    return doubles;
}

void ragged_open(ragged *batch, const int64_t *lengths, int64_t sequences, int64_t items,
                 ar_random *random) {
    batch->offsets = ar_new(sequences + 1, sizeof *batch->offsets);
    ck_assert_ptr_nonnull(batch->offsets);
    for (int64_t s = 0; s < sequences; s++)
        batch->offsets[s + 1] = batch->offsets[s] + lengths[s];
    int64_t tokens = batch->offsets[sequences];
    batch->items = ar_new(tokens, sizeof *batch->items);
    ck_assert_ptr_nonnull(batch->items);
    for (int64_t t = 0; t < tokens; t++)
        batch->items[t] = (int32_t)ar_random_below(random, (uint32_t)items);
    batch->packed = (ar_packed){
        .items = batch->items, .offsets = batch->offsets, .sequences = sequences, .tokens = tokens};
}

void ragged_close(ragged *batch) {
    ar_free(batch->items);
    ar_free(batch->offsets);
}

void check_near(const char *what, const float *actual, const double *expected, int64_t count,
                double tolerance) {
    double largest = 0.0;
    for (int64_t i = 0; i < count; i++)
        largest = fmax(largest, fabs(expected[i]));
    for (int64_t i = 0; i < count; i++) {
        double error = fabs((double)actual[i] - expected[i]);
        HOLDS(error <= tolerance * largest, "%s[%lld] of %lld: %.9g, expected %.9g", what,
              (long long)i, (long long)count, (double)actual[i], expected[i]);
    }
}

bool same_bits(const float *a, const float *b, int64_t count) {
    return memcmp(a, b, (size_t)count * sizeof *a) == 0;
}

/* (f(x + step v) - f(x - step v)) / (2 step). */
static double difference(double *point, const double *direction, int64_t count,
                         scalar_function function, void *context) {
    const double step = 1e-6; /* rarely across a relu's kink */
    double *moved = ar_new(count, sizeof *moved);
    ck_assert_ptr_nonnull(moved);
    double values[2];
    for (int side = 0; side < 2; side++) {
        for (int64_t i = 0; i < count; i++)
            moved[i] = point[i] + (side == 0 ? step : -step) * direction[i];
        for (int64_t i = 0; i < count; i++) {
            double kept = point[i];
            point[i] = moved[i];
            moved[i] = kept;
        }
        values[side] = function(point, context);
        memcpy(point, moved, (size_t)count * sizeof *point);
    }
    ar_free(moved);
    return (values[0] - values[1]) / (2.0 * step);
}

void check_gradient(const char *what, const float *gradient, double *point, int64_t count,
                    scalar_function function, void *context, double tolerance) {
    enum { COORDINATES = 24, DIRECTIONS = 4 };
    const double floor = 1e-8; /* the differences' own rounding */
    ar_random random;
    ar_random_seed(&random, (uint64_t)count);
    double *direction = ar_new(count, sizeof *direction);
    ck_assert_ptr_nonnull(direction);
    double largest = 0.0, norm = 0.0;
    for (int64_t i = 0; i < count; i++) {
        largest = fmax(largest, fabs((double)gradient[i]));
        norm += (double)gradient[i] * (double)gradient[i];
    }
    for (int64_t c = 0; c < (count < COORDINATES ? count : COORDINATES); c++) {
        int64_t i = count <= COORDINATES ? c : (int64_t)ar_random_below(&random, (uint32_t)count);
        direction[i] = 1.0;
        double expected = difference(point, direction, count, function, context);
        direction[i] = 0.0;
        ck_assert_msg(fabs((double)gradient[i] - expected) <= tolerance * largest + floor,
                      "gradient of %s[%lld] of %lld: %.9g, by differences %.9g", what, (long long)i,
                      (long long)count, (double)gradient[i], expected);
    }
    for (int d = 0; d < DIRECTIONS; d++) {
        double along = 0.0;
        for (int64_t i = 0; i < count; i++) {
            direction[i] = (ar_random_below(&random, 2) == 0 ? -1.0 : 1.0) / sqrt((double)count);
            along += direction[i] * (double)gradient[i];
        }
        double expected = difference(point, direction, count, function, context);
        ck_assert_msg(fabs(along - expected) <= tolerance * sqrt(norm / (double)count) + floor,
                      "gradient of %s [%lld] along direction %d: %.9g, by differences %.9g", what,
                      (long long)count, d, along, expected);
    }
    ar_free(direction);
}

int run_tests(TCase *group, const char *name) {
    Suite *suite = suite_create(name);
    suite_add_tcase(suite, group);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
