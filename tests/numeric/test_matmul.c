/* Products and linear layers: against a naive product in double, and their bits row by row. */
#include "core/memory.h"
#include "nn/linear.h"
#include "support/naive.h"
#include "support/numbers.h"

#include <math.h>
#include <string.h>

/* Rows on both sides of AR_PRODUCT_ROWS, widths that no vector divides. */
static const int64_t shapes[][3] = {/* m, n, k */
                                    {1, 1, 1},     {1, 12, 10},   {2, 10, 12},   {15, 300, 7},
                                    {16, 7, 300},  {17, 33, 65},  {31, 48, 300}, {32, 12, 1},
                                    {100, 1, 129}, {257, 40, 12}, {3, 1000, 10}, {300, 300, 20}};
enum { SHAPES = sizeof shapes / sizeof shapes[0], KINDS = 32, WITH_BIAS = 16 };

/* How the operands are given. */
enum { VALUES, VALUES_AS_BF16, BOTH_ROUNDED, SRC_ROUNDED, WEIGHTS_ROUNDED, WAYS };

/* f32 sums of k products of normal numbers: an error of 2e-6 of the largest result leaves room. */
static const double tolerance = 5e-6;

/* What bf16 makes of the values, in place. */
static void keep_upper_halves(float *values, int64_t count) {
    ar_bf16 *halves = ar_new(count, sizeof *halves);
    ar_bf16_round(halves, values, count);
    for (int64_t i = 0; i < count; i++)
        values[i] = ar_bf16_value(halves[i]);
    ar_free(halves);
}

/* With f32 operands; with bf16 ones, whose products and sums are f32 all the same; and with both,
 * or one, or the other, rounded beforehand. */
START_TEST(product_is_naive_product) {
    bool biased = _i / WITH_BIAS % 2 > 0;
    int flags = _i % WITH_BIAS, way = _i / KINDS;
    ar_onednn *onednn;
    ar_random random;
    MUST(ar_onednn_create(&onednn));
    if (way > 0 && ar_onednn_use_bf16(onednn, true) != ALTERREC_OK)
        way = VALUES; /* a processor without them */
    MUST(ar_onednn_use_bf16(onednn, way == VALUES_AS_BF16));
    ar_random_seed(&random, (uint64_t)_i);
    for (int s = 0; s < SHAPES; s++) {
        int64_t m = shapes[s][0], n = shapes[s][1], k = shapes[s][2];
        float *src = random_floats(m * k, &random), *weights = random_floats(k * n, &random);
        float *bias = random_floats(n, &random), *dst = random_floats(m * n, &random);
        ar_bf16 *half_src = ar_new(m * k, sizeof *half_src);
        ar_bf16 *half_weights = ar_new(k * n, sizeof *half_weights);
        ar_bf16_round(half_src, src, m * k);
        ar_bf16_round(half_weights, weights, k * n);
        double *expected = to_doubles(dst, m * n), *wide_bias = to_doubles(bias, n);
        ar_operand left = {.values = src}, right = {.values = weights};
        if (way == BOTH_ROUNDED || way == SRC_ROUNDED)
            left = (ar_operand){.rounded = half_src};
        if (way == BOTH_ROUNDED || way == WEIGHTS_ROUNDED)
            right = (ar_operand){.rounded = half_weights};
        MUST(ar_matmul_of(onednn, dst, left, right, biased ? bias : NULL, m, n, k, flags));
        if (way > 0) {
            keep_upper_halves(src, m * k);
            keep_upper_halves(weights, k * n);
        }
        double *wide_src = to_doubles(src, m * k), *wide_weights = to_doubles(weights, k * n);
        naive_matmul(expected, wide_src, wide_weights, biased ? wide_bias : NULL, m, n, k, flags);
        double scale = 0.0; /* a relu may leave one small number alone */
        for (int64_t i = 0; i < m * n; i++)
            scale = fmax(scale, fabs(expected[i]));
        for (int64_t i = 0; i < m * n; i++)
            HOLDS(fabs((double)dst[i] - expected[i]) <= tolerance * fmax(scale, 1.0),
                  "flags %d, [%lld, %lld, %lld], element %lld: %g, expected %g", _i, (long long)m,
                  (long long)n, (long long)k, (long long)i, (double)dst[i], expected[i]);
        ar_free(src);
        ar_free(weights);
        ar_free(bias);
        ar_free(dst);
        ar_free(half_src);
        ar_free(half_weights);
        ar_free(wide_src);
        ar_free(wide_weights);
        ar_free(wide_bias);
        ar_free(expected);
    }
    ar_onednn_free(onednn);
}
END_TEST

/* Halfway cases go to the even neighbour, NaN stays NaN, and what lies above the largest bf16
 * number becomes infinite. */
START_TEST(rounding_to_bf16) {
    static const uint32_t bits[] = {0x3F800000u, 0x3F808000u, 0x3F818000u, 0x3F808001u,
                                    0x3F807FFFu, 0x7F7FFFFFu, 0xFF800000u, 0x7F800001u,
                                    0xFFC00000u, 0x80000000u, 0x00000001u, 0x00018000u};
    static const ar_bf16 expected[] = {0x3F80, 0x3F80, 0x3F82, 0x3F81, 0x3F80, 0x7F80,
                                       0xFF80, 0x7FC0, 0xFFC0, 0x8000, 0x0000, 0x0002};
    enum { COUNT = sizeof bits / sizeof bits[0] };
    float values[COUNT];
    ar_bf16 halves[COUNT];
    memcpy(values, bits, sizeof values);
    ar_bf16_round(halves, values, COUNT);
    for (int i = 0; i < COUNT; i++)
        ck_assert_msg(halves[i] == expected[i], "%08x became %04x", bits[i], halves[i]);
    for (int i = 0; i < COUNT; i++) {
        uint32_t widened;
        float wide = ar_bf16_value(halves[i]);
        memcpy(&widened, &wide, sizeof widened);
        ck_assert_uint_eq(widened, (uint32_t)expected[i] << 16);
    }
}
END_TEST

/* The bits of a row do not depend on how many rows there are, nor on where it stands: what lets
 * batches of sessions be put together freely. */
START_TEST(row_keeps_its_bits_from_16_rows_on) {
    static const int64_t counts[] = {
        AR_PRODUCT_ROWS, 17, 18, 19, 31, 32, 33, 100, 191, 192, 195, 256, 257, 299};
    static const int64_t sizes[][2] = {{300, 1200}, {1200, 300}, {12, 48}, {10, 30}, {256, 1001}};
    enum { MOST = 300 };
    int64_t k = sizes[_i][0], n = sizes[_i][1];
    ar_onednn *onednn;
    ar_random random;
    MUST(ar_onednn_create(&onednn));
    ar_random_seed(&random, 3);
    float *src = random_floats(MOST * k, &random), *weights = random_floats(n * k, &random);
    float *bias = random_floats(n, &random);
    float *all = ar_new(MOST * n, sizeof *all), *some = ar_new(MOST * n, sizeof *some);
    for (int kind = 0; kind < 3; kind += 2) { /* plain; with bias and relu */
        const float *added = kind > 0 ? bias : NULL;
        MUST(ar_linear_forward(onednn, all, src, weights, added, MOST, k, n, kind > 1));
        for (size_t c = 0; c < sizeof counts / sizeof counts[0]; c++)
            for (int64_t first = 0; first < MOST - counts[c]; first += 89) {
                MUST(ar_linear_forward(onednn, some, src + first * k, weights, added, counts[c], k,
                                       n, kind > 1));
                ck_assert_msg(same_bits(some, all + first * n, counts[c] * n),
                              "rows %lld to %lld of [%lld, %lld] differ", (long long)first,
                              (long long)(first + counts[c]), (long long)k, (long long)n);
            }
    }
    ar_free(src);
    ar_free(weights);
    ar_free(bias);
    ar_free(all);
    ar_free(some);
    ar_onednn_free(onednn);
}
END_TEST

/* Nor do they depend on how many columns there are: what lets items be scored tile by tile. */
START_TEST(column_keeps_its_bits_from_16_columns_on) {
    static const int64_t counts[] = {16, 17, 24, 25, 31, 40, 300, 1000, 1001, 1919, 1920, 1921};
    static const int64_t row_counts[] = {16, 17, 33, 128, 250};
    enum { MOST = 3000, K = 40, MOST_ROWS = 250 };
    ar_onednn *onednn;
    ar_random random;
    MUST(ar_onednn_create(&onednn));
    ar_random_seed(&random, 5);
    int64_t rows = row_counts[_i];
    float *src = random_floats(MOST_ROWS * K, &random), *weights = random_floats(MOST * K, &random);
    float *all = ar_new(rows * MOST, sizeof *all), *some = ar_new(rows * MOST, sizeof *some);
    MUST(ar_matmul(onednn, all, src, weights, NULL, rows, MOST, K, AR_WEIGHTS_TRANSPOSED));
    for (size_t c = 0; c < sizeof counts / sizeof counts[0]; c++)
        for (int64_t first = 0; first < MOST - counts[c]; first += 977) {
            int64_t n = counts[c];
            MUST(ar_matmul(onednn, some, src, weights + first * K, NULL, rows, n, K,
                           AR_WEIGHTS_TRANSPOSED));
            for (int64_t r = 0; r < rows; r++)
                HOLDS(same_bits(some + r * n, all + r * MOST + first, n),
                      "%lld columns from %lld, row %lld of %lld", (long long)n, (long long)first,
                      (long long)r, (long long)rows);
        }
    ar_free(src);
    ar_free(weights);
    ar_free(all);
    ar_free(some);
    ar_onednn_free(onednn);
}
END_TEST

/* The layer's arrays, and a random weighting of its result that makes a scalar of it. */
typedef struct linear {
    int64_t rows, in, out;
    bool relu;
    const double *src, *weights, *bias, *weighting;
} linear;

static double linear_value(const linear *l, const double *src, const double *weights,
                           const double *bias) {
    double *dst = ar_new(l->rows * l->out, sizeof *dst), sum = 0.0;
    naive_matmul(dst, src, weights, bias, l->rows, l->out, l->in,
                 AR_WEIGHTS_TRANSPOSED | (l->relu ? AR_RELU : 0));
    for (int64_t i = 0; i < l->rows * l->out; i++)
        sum += dst[i] * l->weighting[i];
    ar_free(dst);
    return sum;
}

static double by_src(const double *point, void *context) {
    const linear *l = context;
    return linear_value(l, point, l->weights, l->bias);
}

static double by_weights(const double *point, void *context) {
    const linear *l = context;
    return linear_value(l, l->src, point, l->bias);
}

static double by_bias(const double *point, void *context) {
    const linear *l = context;
    return linear_value(l, l->src, l->weights, point);
}

START_TEST(linear_gradients) {
    static const int64_t sizes[][3] = {/* rows, in, out */
                                       {1, 12, 10},
                                       {5, 10, 48},
                                       {16, 12, 65},
                                       {19, 48, 12}};
    int64_t rows = sizes[_i / 2][0], in = sizes[_i / 2][1], out = sizes[_i / 2][2];
    ar_onednn *onednn;
    ar_random random;
    MUST(ar_onednn_create(&onednn));
    ar_random_seed(&random, 4);
    float *src = random_floats(rows * in, &random), *weights = random_floats(out * in, &random);
    float *bias = random_floats(out, &random), *diff = random_floats(rows * out, &random);
    double *wide_src = to_doubles(src, rows * in), *wide_weights = to_doubles(weights, out * in);
    double *wide_bias = to_doubles(bias, out), *weighting = to_doubles(diff, rows * out);
    linear l = {rows, in, out, _i % 2 != 0, wide_src, wide_weights, wide_bias, weighting};

    float *dst = ar_new(rows * out, sizeof *dst), *diff_src = ar_new(rows * in, sizeof *dst);
    float *diff_weights = ar_new(out * in, sizeof *dst), *diff_bias = ar_new(out, sizeof *dst);
    MUST(ar_linear_forward(onednn, dst, src, weights, bias, rows, in, out, l.relu));
    if (l.relu)
        ar_relu_backward(diff, dst, rows, out, 1.0f);
    MUST(ar_linear_backward_data(onednn, diff_src, diff, weights, rows, in, out));
    MUST(ar_linear_backward_weights(onednn, diff_weights, diff_bias, diff, src, rows, in, out));
    check_gradient("src", diff_src, wide_src, rows * in, by_src, &l, 1e-5);
    check_gradient("weights", diff_weights, wide_weights, out * in, by_weights, &l, 1e-5);
    check_gradient("bias", diff_bias, wide_bias, out, by_bias, &l, 1e-5);
    void *const arrays[] = {src,       weights, bias,     diff,         wide_src,  wide_weights,
                            wide_bias, dst,     diff_src, diff_weights, diff_bias, weighting};
    for (size_t a = 0; a < sizeof arrays / sizeof arrays[0]; a++)
        ar_free(arrays[a]);
    ar_onednn_free(onednn);
}
END_TEST

START_TEST(relu_backward_passes_and_scales) {
    float dst[] = {1.0f, 0.0f, -0.0f, 2.0f, 1e-30f, 0.0f};
    float diff[] = {3.0f, 3.0f, 3.0f, -4.0f, 5.0f, NAN};
    ar_relu_backward(diff, dst, 2, 3, 2.0f);
    const float expected[] = {6.0f, 0.0f, 0.0f, -8.0f, 10.0f, 0.0f};
    for (int i = 0; i < 6; i++)
        ck_assert_msg(diff[i] == expected[i], "%g", (double)diff[i]);
}
END_TEST

START_TEST(row_bucket_is_enough_and_rare) {
    int64_t distinct = 0, last = 0;
    for (int64_t rows = 0; rows <= 8192; rows++) {
        int64_t bucket = ar_row_bucket(rows);
        ck_assert_int_ge(bucket, rows);
        ck_assert_int_ge(bucket, AR_PRODUCT_ROWS);
        ck_assert_int_ge(bucket, last);
        ck_assert_int_lt(bucket - rows, rows <= 256 ? 17 : rows <= 2048 ? 128 : 512);
        distinct += bucket != last;
        last = bucket;
    }
    ck_assert_int_le(distinct, 48);
}
END_TEST

int main(void) {
    TCase *group = tcase_create("matmul");
    tcase_add_loop_test(group, product_is_naive_product, 0, WAYS * KINDS);
    tcase_add_test(group, rounding_to_bf16);
    tcase_add_loop_test(group, row_keeps_its_bits_from_16_rows_on, 0, 5);
    tcase_add_loop_test(group, column_keeps_its_bits_from_16_columns_on, 0, 5);
    tcase_add_loop_test(group, linear_gradients, 0, 8);
    tcase_add_test(group, relu_backward_passes_and_scales);
    tcase_add_test(group, row_bucket_is_enough_and_rare);
    return run_tests(group, "matmul");
}
