/* Random arrays, ragged batches, comparisons in double, and central differences. */
#ifndef TEST_NUMBERS_H
#define TEST_NUMBERS_H

#include "core/random.h"
#include "core/status.h"
#include "nn/packed.h"

#include <check.h>

#define MUST(call) ck_assert_msg((call) == ALTERREC_OK, "%s", alterrec_last_error())

/* ck_assert_msg for inner loops: Check writes down every assertion that it passes, this one only
 * fails. */
#define HOLDS(condition, ...)                                                                      \
    do {                                                                                           \
        if (!(condition))                                                                          \
            ck_abort_msg(__VA_ARGS__);                                                             \
    } while (0)

/* `count` standard normal numbers; given back with ar_free. */
float *random_floats(int64_t count, ar_random *random);

/* The same numbers in double; given back with ar_free. */
double *to_doubles(const float *values, int64_t count);

/* A packed batch of random items. */
typedef struct ragged {
    int32_t *items;
    int64_t *offsets;
    ar_packed packed;
} ragged;

void ragged_open(ragged *batch, const int64_t *lengths, int64_t sequences, int64_t items,
                 ar_random *random);
void ragged_close(ragged *batch);

/* Aborts the test unless every |actual - expected| is at most tolerance * the largest |expected|.
 */
void check_near(const char *what, const float *actual, const double *expected, int64_t count,
                double tolerance);

bool same_bits(const float *a, const float *b, int64_t count);

/* A scalar function of a point [count]. */
typedef double (*scalar_function)(const double *point, void *context);

/* Aborts the test unless `gradient` is the function's at `point`, by central differences in double:
 * along up to 24 single coordinates, within tolerance * the largest |gradient|, and along 4 random
 * directions of all coordinates, within tolerance * the root mean square of the gradient: an entry
 * that no coordinate meets fails there. The point is moved and put back. */
void check_gradient(const char *what, const float *gradient, double *point, int64_t count,
                    scalar_function function, void *context, double tolerance);

/* Runs the program's one test case; returns main's result. */
int run_tests(TCase *group, const char *name);

#endif
