/* Layer normalisation: values, statistics and gradients against the naive one. */
#include "core/memory.h"
#include "core/threads.h"
#include "nn/finite.h"
#include "nn/layer_norm.h"
#include "support/naive.h"
#include "support/numbers.h"

#include <math.h>

static const int64_t shapes[][2] =
    {/* rows, dim */
     {1, 12},   {15, 10},  {16, 300}, {17, 12}, {33, 65},
     {256, 12}, {384, 10}, {48, 1},   {600, 64}}; /* enough for several threads */
enum { SHAPES = sizeof shapes / sizeof shapes[0] };
static const float epsilons[] = {1e-5f, 1e-6f};

typedef struct norm {
    int64_t rows, dim;
    float epsilon;
    float *src, *scale, *shift, *diff_dst;
    double *wide_src, *wide_scale, *wide_shift, *weighting;
} norm;

static void open_norm(norm *n, int64_t rows, int64_t dim, float epsilon) {
    ar_random random;
    ar_random_seed(&random, (uint64_t)(rows * 1000 + dim));
    *n = (norm){.rows = rows, .dim = dim, .epsilon = epsilon};
    n->src = random_floats(rows * dim, &random);
    n->scale = random_floats(dim, &random);
    n->shift = random_floats(dim, &random);
    n->diff_dst = random_floats(rows * dim, &random);
    for (int64_t i = 0; i < rows * dim; i++)
        n->src[i] = n->src[i] * 0.5f + 2.0f; /* a mean that must be taken away */
    n->wide_src = to_doubles(n->src, rows * dim);
    n->wide_scale = to_doubles(n->scale, dim);
    n->wide_shift = to_doubles(n->shift, dim);
    n->weighting = to_doubles(n->diff_dst, rows * dim);
}

static void close_norm(norm *n) {
    ar_free(n->src);
    ar_free(n->scale);
    ar_free(n->shift);
    ar_free(n->diff_dst);
    ar_free(n->wide_src);
    ar_free(n->wide_scale);
    ar_free(n->wide_shift);
    ar_free(n->weighting);
}

START_TEST(values_and_statistics) {
    norm n;
    open_norm(&n, shapes[_i][0], shapes[_i][1], epsilons[_i % 2]);
    int64_t count = n.rows * n.dim;
    double *expected = ar_new(count, sizeof *expected);
    naive_layer_norm(expected, n.wide_src, n.wide_scale, n.wide_shift, n.rows, n.dim,
                     (double)n.epsilon);
    float *dst = ar_new(count, sizeof *dst);
    float *mean = ar_new(n.rows, sizeof *mean), *variance = ar_new(n.rows, sizeof *variance);
    ar_layer_norm_forward(dst, mean, variance, n.src, n.scale, n.shift, n.rows, n.dim, n.epsilon);
    check_near("training", dst, expected, count, 1e-5);
    for (int64_t r = 0; r < n.rows; r++) {
        double m = 0.0, v = 0.0;
        for (int64_t c = 0; c < n.dim; c++)
            m += n.wide_src[r * n.dim + c] / (double)n.dim;
        for (int64_t c = 0; c < n.dim; c++)
            v += pow(n.wide_src[r * n.dim + c] - m, 2.0) / (double)n.dim;
        ck_assert_double_eq_tol((double)mean[r], m, 1e-5);
        ck_assert_double_eq_tol((double)variance[r], v, 1e-5);
    }
    ar_layer_norm_forward(dst, NULL, NULL, n.src, n.scale, n.shift, n.rows, n.dim, n.epsilon);
    check_near("inference", dst, expected, count, 1e-5);
    ar_layer_norm_forward(n.src, NULL, NULL, n.src, n.scale, n.shift, n.rows, n.dim, n.epsilon);
    ck_assert(same_bits(n.src, dst, count)); /* in place */
    ar_free(expected);
    ar_free(dst);
    ar_free(mean);
    ar_free(variance);
    close_norm(&n);
}
END_TEST

static double norm_value(const norm *n, const double *src, const double *scale,
                         const double *shift) {
    double *dst = ar_new(n->rows * n->dim, sizeof *dst), sum = 0.0;
    naive_layer_norm(dst, src, scale, shift, n->rows, n->dim, (double)n->epsilon);
    for (int64_t i = 0; i < n->rows * n->dim; i++)
        sum += dst[i] * n->weighting[i];
    ar_free(dst);
    return sum;
}

static double by_src(const double *point, void *context) {
    const norm *n = context;
    return norm_value(n, point, n->wide_scale, n->wide_shift);
}

static double by_scale(const double *point, void *context) {
    const norm *n = context;
    return norm_value(n, n->wide_src, point, n->wide_shift);
}

static double by_shift(const double *point, void *context) {
    const norm *n = context;
    return norm_value(n, n->wide_src, n->wide_scale, point);
}

START_TEST(gradients) {
    norm n;
    open_norm(&n, shapes[_i][0], shapes[_i][1], epsilons[_i % 2]);
    int64_t count = n.rows * n.dim;
    float *dst = ar_new(count, sizeof *dst);
    float *mean = ar_new(n.rows, sizeof *mean), *variance = ar_new(n.rows, sizeof *variance);
    float *diff_scale = ar_new(n.dim, sizeof *dst), *diff_shift = ar_new(n.dim, sizeof *dst);
    ar_layer_norm_forward(dst, mean, variance, n.src, n.scale, n.shift, n.rows, n.dim, n.epsilon);
    for (int64_t c = 0; c < n.dim; c++)
        diff_scale[c] = diff_shift[c] = 1e6f; /* must be overwritten */
    /* In place, as the encoder uses it. */
    MUST(ar_layer_norm_backward(n.diff_dst, diff_scale, diff_shift, n.diff_dst, n.src, mean,
                                variance, n.scale, n.rows, n.dim, n.epsilon));
    check_gradient("src", n.diff_dst, n.wide_src, count, by_src, &n, 2e-5);
    check_gradient("scale", diff_scale, n.wide_scale, n.dim, by_scale, &n, 2e-5);
    check_gradient("shift", diff_shift, n.wide_shift, n.dim, by_shift, &n, 2e-5);
    ar_free(dst);
    ar_free(mean);
    ar_free(variance);
    ar_free(diff_scale);
    ar_free(diff_shift);
    close_norm(&n);
}
END_TEST

START_TEST(constant_row_gives_the_shift) {
    enum { DIM = 12, ROWS = 16 };
    float src[ROWS * DIM], scale[DIM], shift[DIM];
    for (int i = 0; i < ROWS * DIM; i++)
        src[i] = 3.0f;
    for (int c = 0; c < DIM; c++) {
        scale[c] = 2.0f;
        shift[c] = (float)c;
    }
    ar_layer_norm_forward(src, NULL, NULL, src, scale, shift, ROWS, DIM, 1e-6f);
    for (int i = 0; i < ROWS * DIM; i++)
        ck_assert_double_eq_tol((double)src[i], (double)(i % DIM), 1e-3);
}
END_TEST

/* A gradient that overflows, and one of a variance that did, show in diff_shift. */
START_TEST(broken_gradients_show) {
    enum { ROWS = 3, DIM = 20 };
    float src[ROWS * DIM], diff[ROWS * DIM], scale[DIM], diff_scale[DIM], diff_shift[DIM];
    float dst[ROWS * DIM], mean[ROWS], variance[ROWS];
    for (int broken = 0; broken < 3; broken++) {
        for (int i = 0; i < ROWS * DIM; i++) {
            src[i] = (float)(i % 7);
            diff[i] = (float)(i % 5);
        }
        for (int c = 0; c < DIM; c++)
            scale[c] = 1.0f;
        if (broken == 1)
            scale[DIM - 1] = 3e38f;
        if (broken == 2)
            src[DIM + 3] = 1e30f;
        ar_layer_norm_forward(dst, mean, variance, src, scale, scale, ROWS, DIM, 1e-6f);
        MUST(ar_layer_norm_backward(diff, diff_scale, diff_shift, diff, src, mean, variance, scale,
                                    ROWS, DIM, 1e-6f));
        bool finite = ar_all_finite(diff, ROWS * DIM);
        ck_assert(finite == (broken == 0));
        ck_assert(ar_all_finite(diff_shift, DIM) == finite);
    }
}
END_TEST

/* One row's bits, alone and among others. */
START_TEST(row_keeps_its_bits) {
    norm n;
    open_norm(&n, 300, 300, 1e-6f);
    float *all = ar_new(n.rows * n.dim, sizeof *all), *some = ar_new(n.rows * n.dim, sizeof *some);
    ar_layer_norm_forward(all, NULL, NULL, n.src, n.scale, n.shift, n.rows, n.dim, n.epsilon);
    for (int64_t rows = 1; rows <= 272; rows += rows < 33 ? 1 : 16) {
        ar_layer_norm_forward(some, NULL, NULL, n.src + 11 * n.dim, n.scale, n.shift, rows, n.dim,
                              n.epsilon);
        ck_assert_msg(same_bits(some, all + 11 * n.dim, rows * n.dim), "%lld rows",
                      (long long)rows);
    }
    ar_free(all);
    ar_free(some);
    close_norm(&n);
}
END_TEST

int main(void) {
    TCase *group = tcase_create("layer_norm");
    tcase_add_loop_test(group, values_and_statistics, 0, SHAPES);
    tcase_add_loop_test(group, gradients, 0, SHAPES);
    tcase_add_test(group, constant_row_gives_the_shift);
    tcase_add_test(group, broken_gradients_show);
    tcase_add_test(group, row_keeps_its_bits);
    return run_tests(group, "layer_norm");
}
