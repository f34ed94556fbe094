/* The basis of inner products: against sums in long double, on covariances of every kind. */
#include "core/memory.h"
#include "serve/basis.h"
#include "support/numbers.h"

#include <check.h>
#include <float.h>
#include <math.h>

enum { DIM = 40, LARGE = 300 };

static ar_random stream;

typedef struct basis {
    int64_t n;
    float *map;
    double *back, *shares, skew;
} basis;

static basis make(const double *rows, const double *vectors, int64_t n) {
    basis made = {.n = n};
    made.map = ar_new(n * n, sizeof *made.map);
    made.back = ar_new(n * n, sizeof *made.back);
    made.shares = ar_new(n, sizeof *made.shares);
    MUST(ar_basis_make(made.map, made.back, made.shares, &made.skew, rows, vectors, n));
    return made;
}

static void discard(basis *made) {
    ar_free(made->map);
    ar_free(made->back);
    ar_free(made->shares);
}

/* `samples` vectors [samples, n] in random directions of which the next has `decay` times the
 * standard deviation, the first `size`. */
static double *draw(int64_t samples, int64_t n, double decay, double size) {
    double *values = ar_new(samples * n, sizeof *values);
    double *axes = ar_new(n * n, sizeof *axes);
    for (int64_t k = 0; k < n; k++) {
        double *axis = axes + k * n, square = 0.0;
        for (int64_t c = 0; c < n; c++)
            axis[c] = ar_random_normal(&stream);
        for (int64_t i = 0; i < k; i++) {
            double product = 0.0;
            for (int64_t c = 0; c < n; c++)
                product += axis[c] * axes[i * n + c];
            for (int64_t c = 0; c < n; c++)
                axis[c] -= product * axes[i * n + c];
        }
        for (int64_t c = 0; c < n; c++)
            square += axis[c] * axis[c];
        for (int64_t c = 0; c < n; c++)
            axis[c] /= sqrt(square);
    }
    for (int64_t s = 0; s < samples; s++)
        for (int64_t k = 0; k < n; k++) {
            double value = ar_random_normal(&stream) * size * pow(decay, (double)k);
            for (int64_t c = 0; c < n; c++)
                values[s * n + c] += value * axes[k * n + c];
        }
    ar_free(axes);
    return values;
}

/* The second moments [n, n] of samples [samples, n]. */
static double *covariance(const double *values, int64_t samples, int64_t n) {
    double *result = ar_new(n * n, sizeof *result);
    for (int64_t s = 0; s < samples; s++)
        for (int64_t i = 0; i < n; i++)
            for (int64_t k = 0; k < n; k++)
                result[i * n + k] += values[s * n + i] * values[s * n + k] / (double)samples;
    return result;
}

static double norm(const double *values, int64_t count) {
    double square = 0.0;
    for (int64_t i = 0; i < count; i++)
        square += values[i] * values[i];
    return sqrt(square);
}

/* q = map z and u = back y, [n] each. */
static void change(double *q, double *u, const basis *made, const double *z, const double *y) {
    for (int64_t i = 0; i < made->n; i++) {
        q[i] = 0.0;
        u[i] = 0.0;
        for (int64_t k = 0; k < made->n; k++) {
            q[i] += (double)made->map[i * made->n + k] * z[k];
            u[i] += made->back[i * made->n + k] * y[k];
        }
    }
}

/* Numbers that f32 holds, shares in order, and inner products kept, of the `samples` first z and y
 * [samples, n]. */
static void check_kept(const basis *made, const double *z, const double *y, int64_t samples) {
    int64_t n = made->n;
    double q[LARGE], u[LARGE];
    ck_assert(made->skew > 0.0 && made->skew <= 1e-6);
    for (int64_t i = 0; i < n; i++)
        HOLDS(made->shares[i] > 0.0 && made->shares[i] <= made->shares[i > 0 ? i - 1 : 0],
              "share %d: %g", (int)i, made->shares[i]);
    for (int64_t i = 0; i < n * n; i++)
        HOLDS(isfinite(made->back[i]) && (made->map[i] == 0.0f || isnormal(made->map[i])),
              "entry %d: %g, %g", (int)i, (double)made->map[i], made->back[i]);
    for (int64_t s = 0; s < samples; s++) {
        long double difference = 0.0L;
        change(q, u, made, z + s * n, y + s * n);
        for (int64_t i = 0; i < n; i++) {
            difference += (long double)z[s * n + i] * (long double)y[s * n + i];
            difference -= (long double)q[i] * (long double)u[i];
        }
        double most = made->skew * norm(q, n) * norm(u, n);
        HOLDS(fabsl(difference) <= (long double)most, "sample %d: %Lg, at most %g", (int)s,
              difference, most);
    }
}

/* covariance plus `part` of its mean diagonal. */
static void add_part(double *matrix, double part, int64_t n) {
    double trace = 0.0;
    for (int64_t i = 0; i < n; i++)
        trace += matrix[i * n + i];
    for (int64_t i = 0; i < n; i++)
        matrix[i * n + i] += part * trace / (double)n;
}

/* The covariance in the coordinates of `map` [n, n] is the diagonal of shares. */
static void check_uncorrelated(const double *map, const double *shares, const double *matrix,
                               int64_t n) {
    double *half = ar_new(n * n, sizeof *half);
    for (int64_t i = 0; i < n; i++)
        for (int64_t k = 0; k < n; k++)
            for (int64_t c = 0; c < n; c++)
                half[i * n + c] += map[i * n + k] * matrix[k * n + c];
    for (int64_t i = 0; i < n; i++)
        for (int64_t k = 0; k < n; k++) {
            double value = 0.0, size = sqrt(shares[i] * shares[k]);
            for (int64_t c = 0; c < n; c++)
                value += half[i * n + c] * map[k * n + c];
            HOLDS(fabs(value - (i == k ? size : 0.0)) <= 1e-2 * size, "%d, %d: %g of %g", (int)i,
                  (int)k, value, size);
        }
    ar_free(half);
}

/* Everything that holds of two covariances, of few or many samples. */
static void check_pair(int64_t n, int64_t samples, double decay, double rows, double vectors) {
    double *y = draw(samples, n, decay, rows), *z = draw(samples, n, decay, vectors);
    double *of_y = covariance(y, samples, n), *of_z = covariance(z, samples, n);
    double *map = ar_new(n * n, sizeof *map);
    basis made = make(of_y, of_z, n);
    check_kept(&made, z, y, samples < 100 ? samples : 100);
    for (int64_t i = 0; i < n * n; i++)
        map[i] = (double)made.map[i];
    add_part(of_y, 1e-5, n);
    add_part(of_z, 1e-5, n);
    check_uncorrelated(map, made.shares, of_z, n);
    check_uncorrelated(made.back, made.shares, of_y, n);
    discard(&made);
    ar_free(map);
    ar_free(of_y);
    ar_free(of_z);
    ar_free(y);
    ar_free(z);
}

START_TEST(both_sides_share) {
    ar_random_seed(&stream, 1);
    check_pair(1, 10, 1.0, 1.0, 3.0);
    check_pair(2, 10, 0.1, 1.0, 3.0);
    check_pair(DIM, 400, 1.0, 1.0, 1.0);
    check_pair(DIM, 400, 0.9, 1.0, 1.0);
    check_pair(DIM, 400, 0.5, 1.0, 1.0); /* down to 1e-12 of the first deviation */
    check_pair(LARGE, LARGE, 0.98, 1.0, 0.01);
}
END_TEST

START_TEST(few_samples) {
    ar_random_seed(&stream, 2);
    check_pair(2, 1, 1.0, 1.0, 1.0);
    check_pair(DIM, 1, 1.0, 1.0, 1.0);
    check_pair(DIM, 5, 1.0, 1.0, 1.0);
    check_pair(LARGE, 20, 1.0, 1.0, 1.0);
}
END_TEST

START_TEST(any_scale) {
    const double sizes[] = {1e-40, 1e-20, 1.0, 1e15, 1e30};
    ar_random_seed(&stream, 3);
    for (int i = 0; i < 5; i++)
        for (int k = 0; k < 5; k++)
            if (fabs(log10(sizes[i] / sizes[k])) <= 57.0)
                check_pair(DIM, 100, 0.8, sizes[i], sizes[k]);
}
END_TEST

/* Past what f32 holds, the two sides differ, but inner products are kept. */
START_TEST(scales_too_far_apart) {
    ar_random_seed(&stream, 4);
    double *a = draw(100, DIM, 0.8, 1e-70), *b = draw(100, DIM, 0.8, 1e70);
    double *of_a = covariance(a, 100, DIM), *of_b = covariance(b, 100, DIM);
    basis made = make(of_a, of_b, DIM);
    check_kept(&made, b, a, 100);
    discard(&made);
    made = make(of_b, of_a, DIM);
    check_kept(&made, a, b, 100);
    discard(&made);
    ar_free(of_a);
    ar_free(of_b);
    ar_free(a);
    ar_free(b);
}
END_TEST

/* Whatever is no covariance, on either side or both, leaves a basis that keeps inner products. */
START_TEST(no_covariance) {
    const double broken[] = {(double)NAN, (double)INFINITY, -(double)INFINITY, DBL_MAX, -1.0, 1e30};
    ar_random_seed(&stream, 5);
    double *y = draw(100, DIM, 0.8, 1.0), *z = draw(100, DIM, 0.8, 2.0);
    double *sides[2] = {covariance(y, 100, DIM), covariance(z, 100, DIM)};
    double *zero = ar_new(DIM * DIM, sizeof *zero);
    for (int which = 0; which < 4; which++) {
        basis made = make(which & 1 ? zero : sides[0], which & 2 ? zero : sides[1], DIM);
        check_kept(&made, z, y, 100);
        discard(&made);
    }
    for (int side = 0; side < 2; side++)
        for (int place = 0; place < 2; place++)
            for (int which = 0; which < 6; which++) {
                int64_t row = DIM - 1, column = place == 0 ? row : 3;
                double *lower = sides[side] + row * DIM + column;
                double *upper = sides[side] + column * DIM + row;
                double kept = *lower;
                *lower = *upper = broken[which];
                basis made = make(sides[0], sides[1], DIM);
                check_kept(&made, z, y, 100);
                discard(&made);
                *lower = *upper = kept;
            }
    ar_free(zero);
    ar_free(sides[0]);
    ar_free(sides[1]);
    ar_free(y);
    ar_free(z);
}
END_TEST

/* matrix [n, n], less what is added, is blocks whose factor has 1 on its diagonal and -1 below: all
 * pivots are those of a covariance, one direction of a block has next to no variance. Every second
 * block is so, from `first` on, the others are the identity. */
static void weaken(double *matrix, int64_t first, int64_t block, double part, int64_t n) {
    double mean = ((double)block + 3.0) / 4.0;
    for (int64_t i = 0; i < n; i++)
        for (int64_t k = 0; k < n; k++) {
            bool weak = i / block == k / block && i / block % 2 == first;
            double least = (double)((i < k ? i : k) % block);
            double value = i == k ? (weak ? least + 1.0 : 1.0) : weak ? least - 1.0 : 0.0;
            matrix[i * n + k] = value * (1.0 + part) / mean - (i == k ? part : 0.0);
        }
}

/* Where each side has directions that the other has and it hardly has, a map for both would be too
 * far from orthogonal: each axis is taken by itself. */
START_TEST(axes_by_themselves) {
    enum { BLOCK = 24, SIZE = 10 * BLOCK };
    ar_random_seed(&stream, 7);
    double *y = draw(20, SIZE, 1.0, 1.0), *z = draw(20, SIZE, 1.0, 2.0);
    double *of_y = ar_new(SIZE * SIZE, sizeof *of_y), *of_z = ar_new(SIZE * SIZE, sizeof *of_z);
    weaken(of_y, 0, BLOCK, 1e-5, SIZE);
    weaken(of_z, 1, BLOCK, 1e-5, SIZE);
    basis made = make(of_y, of_z, SIZE);
    check_kept(&made, z, y, 20);
    for (int64_t i = 0; i < SIZE; i++) {
        int64_t used = 0;
        for (int64_t k = 0; k < SIZE; k++) {
            double value = (double)made.map[i * SIZE + k];
            if (value == 0.0)
                continue;
            double variance_y = of_y[k * SIZE + k] + 1e-5, variance_z = of_z[k * SIZE + k] + 1e-5;
            HOLDS(fabs(value * value * variance_z / made.shares[i] - 1.0) < 1e-5 &&
                      fabs(variance_y / (value * value) / made.shares[i] - 1.0) < 1e-5,
                  "axis %d: %g", (int)k, value);
            used++;
        }
        HOLDS(used == 1, "coordinate %d has %d axes", (int)i, (int)used);
    }
    discard(&made);
    ar_free(of_y);
    ar_free(of_z);
    ar_free(y);
    ar_free(z);
}
END_TEST

/* Of plain axes each holds about as much as any other; of the basis the first few hold most. */
START_TEST(leading_coordinates_hold_most) {
    enum { SAMPLES = 200, HEAD = DIM / 4 };
    ar_random_seed(&stream, 6);
    double *y = draw(SAMPLES, DIM, 0.8, 1.0), *z = draw(SAMPLES, DIM, 0.8, 1.0);
    double *of_y = covariance(y, SAMPLES, DIM), *of_z = covariance(z, SAMPLES, DIM);
    basis made = make(of_y, of_z, DIM);
    double plain = 0.0, changed = 0.0, q[DIM], u[DIM];
    for (int64_t s = 0; s < SAMPLES; s++) {
        change(q, u, &made, z + s * DIM, y + s * DIM);
        plain += norm(z + s * DIM + HEAD, DIM - HEAD) * norm(y + s * DIM + HEAD, DIM - HEAD);
        changed += norm(q + HEAD, DIM - HEAD) * norm(u + HEAD, DIM - HEAD);
    }
    ck_assert_msg(changed < 0.05 * plain, "%g of %g", changed, plain);
    discard(&made);
    ar_free(of_y);
    ar_free(of_z);
    ar_free(y);
    ar_free(z);
}
END_TEST

START_TEST(out_of_memory) {
    const double one = 1.0;
    float map;
    double back, share, skew;
    for (int64_t nth = 1;; nth++) {
        ar_memory_fail_after(nth);
        alterrec_status status = ar_basis_make(&map, &back, &share, &skew, &one, &one, 1);
        ar_memory_fail_after(0);
        if (status == ALTERREC_OK) {
            ck_assert_int_eq(nth, 7);
            break;
        }
        ck_assert_int_eq(status, ALTERREC_ERROR_OUT_OF_MEMORY);
    }
}
END_TEST

int main(void) {
    TCase *group = tcase_create("basis");
    tcase_add_test(group, both_sides_share);
    tcase_add_test(group, few_samples);
    tcase_add_test(group, any_scale);
    tcase_add_test(group, scales_too_far_apart);
    tcase_add_test(group, no_covariance);
    tcase_add_test(group, axes_by_themselves);
    tcase_add_test(group, leading_coordinates_hold_most);
    tcase_add_test(group, out_of_memory);
    return run_tests(group, "basis");
}
