/* Weight matrices of inference: products against plain sums, rounded as documented, and the bits of
 * a row whatever stands beside it. */
#include "core/memory.h"
#include "nn/bf16.h"
#include "nn/panels.h"
#include "nn/weight_matrix.h"
#include "support/numbers.h"

#include <math.h>
#include <string.h>

static const int64_t shapes[][2] = {/* rows, columns */
                                    {1, 1},  {5, 2},    {15, 7},   {16, 16},
                                    {40, 3}, {150, 33}, {600, 64}, {300, 1201}};
enum { SHAPES = sizeof shapes / sizeof shapes[0], COUNT = 29, GAP = 3 };

typedef struct product {
    int64_t rows, columns, stride;
    float *weights, *bias, *src, *dst, *alone;
    void *values, *work;
    ar_weight_matrix matrix;
} product;

static void open_product(product *p, const int64_t *shape, ar_weight_format format) {
    ar_random random;
    ar_random_seed(&random, (uint64_t)(shape[0] * 1000 + shape[1]));
    *p = (product){.rows = shape[0], .columns = shape[1]};
    p->stride = ar_panels_count(p->rows) * AR_PANEL_ROWS + GAP;
    p->weights = random_floats(p->rows * p->columns, &random);
    p->bias = random_floats(p->rows, &random);
    p->src = random_floats(COUNT * (p->columns + GAP), &random);
    p->dst = random_floats(COUNT * p->stride, &random);
    p->alone = random_floats(p->stride, &random);
    p->values = ar_new(ar_weight_matrix_bytes(p->rows, p->columns, format), 1);
    p->work = ar_new(ar_weight_matrix_work(COUNT, p->columns, format) + 1, sizeof(float));
    p->matrix = ar_weight_matrix_pack(p->values, p->weights, p->rows, p->columns, format);
}

static void close_product(product *p) {
    void *const arrays[] = {p->weights, p->bias, p->src, p->dst, p->alone, p->values, p->work};
    for (size_t i = 0; i < sizeof arrays / sizeof arrays[0]; i++)
        ar_free(arrays[i]);
}

static double largest_of(const float *row, int64_t columns) {
    double largest = 0.0;
    for (int64_t c = 0; c < columns; c++)
        largest = fmax(largest, fabs((double)row[c]));
    return largest;
}

/* What a matrix [rows, columns] counts as, of `levels` steps up to a row's largest in int8. */
static double *factors(const float *matrix, int64_t rows, int64_t columns, int64_t stride,
                       ar_weight_format format, double levels) {
    double *values = ar_new(rows * columns, sizeof *values);
    for (int64_t r = 0; r < rows; r++) {
        const float *row = matrix + r * stride;
        double scale = largest_of(row, columns) / levels;
        for (int64_t c = 0; c < columns; c++)
            values[r * columns + c] =
                format == AR_WEIGHTS_INT8   ? scale * nearbyint((double)row[c] / scale)
                : format == AR_WEIGHTS_BF16 ? (double)ar_bf16_value(ar_bf16_nearest(row[c]))
                                            : (double)row[c];
    }
    return values;
}

static void check_row(const product *p, const double *src, const double *weights, int64_t i,
                      bool biased, bool relu) {
    ar_weight_format format = p->matrix.format;
    /* The 16 bits of src are found in f32: a tie may fall the other way. */
    double tie = format == AR_WEIGHTS_INT8 ? 0x1p-15 : 0.0;
    for (int64_t r = 0; r < p->rows; r++) {
        double sum = biased ? (double)p->bias[r] : 0.0, size = fabs(sum);
        for (int64_t c = 0; c < p->columns; c++) {
            double term = src[i * p->columns + c] * weights[r * p->columns + c];
            sum += term;
            size += fabs(term);
        }
        double expected = relu && sum < 0.0 ? 0.0 : sum;
        double error = fabs((double)p->dst[i * p->stride + r] - expected);
        HOLDS(error <= ((double)(p->columns + 3) * 0x1p-23 + tie) * size,
              "[%lld, %lld], format %d: [%lld, %lld] is %.9g, not %.9g", (long long)p->rows,
              (long long)p->columns, (int)format, (long long)i, (long long)r,
              (double)p->dst[i * p->stride + r], expected);
    }
}

/* All rows, and what stands behind their room; then each row alone. */
START_TEST(products_are_sums) {
    ar_weight_format format = (ar_weight_format)(_i % 3);
    bool biased = _i / 3 % 2 != 0, relu = biased && _i / 6 != 0;
    for (int s = 0; s < SHAPES; s++) {
        product p;
        open_product(&p, shapes[s], format);
        const float *bias = biased ? p.bias : NULL;
        double *coded = factors(p.src, COUNT, p.columns, p.columns + GAP, format, 32512.0);
        double *weights = factors(p.weights, p.rows, p.columns, p.columns, format, 127.0);
        for (int64_t i = 0; i < COUNT * p.stride; i++)
            p.dst[i] = 77.0f;
        ar_weight_matrix_multiply(p.dst, p.stride, p.src, p.columns + GAP, COUNT, &p.matrix, bias,
                                  relu, p.work);
        for (int64_t i = 0; i < COUNT; i++) {
            const float *src = p.src + i * (p.columns + GAP), *row = p.dst + i * p.stride;
            check_row(&p, coded, weights, i, biased, relu);
            for (int64_t g = 0; g < GAP; g++)
                ck_assert(row[p.stride - 1 - g] == 77.0f);
            ar_weight_matrix_multiply(p.alone, p.stride, src, p.columns, 1, &p.matrix, bias, relu,
                                      p.work);
            ck_assert(same_bits(p.alone, row, p.rows));
        }
        ar_free(coded);
        ar_free(weights);
        close_product(&p);
    }
}
END_TEST

/* Rows of zeros on either side, and rows of src that are not finite, which must not look as if they
 * were. */
START_TEST(zeros_and_no_numbers) {
    static const float bad[] = {NAN, INFINITY, -INFINITY};
    static const int64_t shape[] = {40, 33};
    for (int b = 0; b < 3; b++) {
        product p;
        open_product(&p, shape, (ar_weight_format)_i);
        for (int64_t c = 0; c < p.columns; c++)
            p.src[c] = p.weights[c] = p.weights[17 * p.columns + c] = 0.0f;
        p.matrix = ar_weight_matrix_pack(p.values, p.weights, p.rows, p.columns, p.matrix.format);
        p.src[2 * (p.columns + GAP) + 5] = bad[b];
        ar_weight_matrix_multiply(p.dst, p.stride, p.src, p.columns + GAP, 3, &p.matrix, NULL,
                                  false, p.work);
        for (int64_t r = 0; r < p.rows; r++) {
            ck_assert(p.dst[r] == 0.0f);
            ck_assert((p.dst[p.stride + r] == 0.0f) == (r == 0 || r == 17));
            ck_assert(!isfinite(p.dst[2 * p.stride + r]));
        }
        close_product(&p);
    }
}
END_TEST

int main(void) {
    TCase *group = tcase_create("weight_matrix");
    tcase_add_loop_test(group, products_are_sums, 0, 12);
    tcase_add_loop_test(group, zeros_and_no_numbers, 0, 3);
    return run_tests(group, "weight_matrix");
}
