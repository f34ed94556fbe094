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

static void open_product(product *p, const int64_t *shape, bool bf16) {
    ar_random random;
    ar_random_seed(&random, (uint64_t)(shape[0] * 1000 + shape[1]));
    *p = (product){.rows = shape[0], .columns = shape[1]};
    p->stride = ar_panels_count(p->rows) * AR_PANEL_ROWS + GAP;
    p->weights = random_floats(p->rows * p->columns, &random);
    p->bias = random_floats(p->rows, &random);
    p->src = random_floats(COUNT * (p->columns + GAP), &random);
    p->dst = random_floats(COUNT * p->stride, &random);
    p->alone = random_floats(p->stride, &random);
    p->values = ar_new(ar_weight_matrix_bytes(p->rows, p->columns, bf16), 1);
    p->work = ar_new(ar_weight_matrix_work(COUNT, p->columns, bf16) + 1, sizeof(float));
    p->matrix = ar_weight_matrix_pack(p->values, p->weights, p->rows, p->columns, bf16);
}

static void close_product(product *p) {
    void *const arrays[] = {p->weights, p->bias, p->src, p->dst, p->alone, p->values, p->work};
    for (size_t i = 0; i < sizeof arrays / sizeof arrays[0]; i++)
        ar_free(arrays[i]);
}

static double factor(float value, bool bf16) {
    return (double)(bf16 ? ar_bf16_value(ar_bf16_nearest(value)) : value);
}

static void check_row(const product *p, int64_t i, bool biased, bool relu) {
    for (int64_t r = 0; r < p->rows; r++) {
        double sum = biased ? (double)p->bias[r] : 0.0, size = fabs(sum);
        for (int64_t c = 0; c < p->columns; c++) {
            double term = factor(p->src[i * (p->columns + GAP) + c], p->matrix.bf16) *
                          factor(p->weights[r * p->columns + c], p->matrix.bf16);
            sum += term;
            size += fabs(term);
        }
        double expected = relu && sum < 0.0 ? 0.0 : sum;
        double error = fabs((double)p->dst[i * p->stride + r] - expected);
        HOLDS(error <= (double)(p->columns + 3) * 0x1p-23 * size,
              "[%lld, %lld], bf16 %d: [%lld, %lld] is %.9g, not %.9g", (long long)p->rows,
              (long long)p->columns, (int)p->matrix.bf16, (long long)i, (long long)r,
              (double)p->dst[i * p->stride + r], expected);
    }
}

/* All rows, and what stands behind their room; then each row alone. */
START_TEST(products_are_sums) {
    bool bf16 = _i % 2 != 0, biased = _i / 2 % 2 != 0, relu = biased && _i / 4 != 0;
    for (int s = 0; s < SHAPES; s++) {
        product p;
        open_product(&p, shapes[s], bf16);
        const float *bias = biased ? p.bias : NULL;
        for (int64_t i = 0; i < COUNT * p.stride; i++)
            p.dst[i] = 77.0f;
        ar_weight_matrix_multiply(p.dst, p.stride, p.src, p.columns + GAP, COUNT, &p.matrix, bias,
                                  relu, p.work);
        for (int64_t i = 0; i < COUNT; i++) {
            const float *src = p.src + i * (p.columns + GAP), *row = p.dst + i * p.stride;
            check_row(&p, i, biased, relu);
            for (int64_t g = 0; g < GAP; g++)
                ck_assert(row[p.stride - 1 - g] == 77.0f);
            ar_weight_matrix_multiply(p.alone, p.stride, src, p.columns, 1, &p.matrix, bias, relu,
                                      p.work);
            ck_assert(same_bits(p.alone, row, p.rows));
        }
        close_product(&p);
    }
}
END_TEST

int main(void) {
    TCase *group = tcase_create("weight_matrix");
    tcase_add_loop_test(group, products_are_sums, 0, 8);
    return run_tests(group, "weight_matrix");
}
