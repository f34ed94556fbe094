/* Packed panels: every product is the chain of fused multiply-adds that it promises, to the bit. */
#include "core/memory.h"
#include "nn/panels.h"
#include "support/numbers.h"

#include <math.h>
#include <string.h>

static const int64_t shapes[][2] = {/* rows, columns */
                                    {1, 1},   {5, 2},    {15, 7},  {16, 16}, {17, 3},
                                    {31, 33}, {40, 300}, {64, 64}, {65, 11}, {150, 20}};
enum { SHAPES = sizeof shapes / sizeof shapes[0], COUNT = 40, GAP = 3 };

typedef struct product {
    int64_t rows, columns;
    float *matrix, *bias; /* [rows, columns], [rows] */
    float *src;           /* [COUNT, columns + GAP] */
    float *dst;           /* [COUNT, rows + GAP] */
    void *values;
    ar_panels panels;
} product;

static void open_product(product *p, const int64_t *shape) {
    ar_random random;
    ar_random_seed(&random, (uint64_t)(shape[0] * 1000 + shape[1]));
    *p = (product){.rows = shape[0], .columns = shape[1]};
    p->matrix = random_floats(p->rows * p->columns, &random);
    p->bias = random_floats(p->rows, &random);
    p->src = random_floats(COUNT * (p->columns + GAP), &random);
    p->dst = random_floats(COUNT * (p->rows + GAP), &random);
    p->values = ar_new(ar_panels_bytes(ar_panels_count(p->rows), p->columns), 1);
    p->panels = ar_panels_pack(p->values, p->matrix, p->rows, p->columns);
}

static void close_product(product *p) {
    ar_free(p->matrix);
    ar_free(p->bias);
    ar_free(p->src);
    ar_free(p->dst);
    ar_free(p->values);
}

/* The value that the header promises; the portable kernel may round at each link. */
static float chain(const product *p, int64_t i, int64_t r, bool biased, bool relu, bool fused) {
    const float *src = p->src + i * (p->columns + GAP), *row = p->matrix + r * p->columns;
    float sum = biased ? p->bias[r] : 0.0f;
    for (int64_t c = 0; c < p->columns; c++) {
        volatile float rounded = src[c] * row[c];
        sum = fused ? fmaf(src[c], row[c], sum) : sum + rounded;
    }
    return relu && sum < 0.0f ? 0.0f : sum;
}

/* Multiplies `count` rows, and looks at every value and at what stands between the rows. */
static void check_product(product *p, int set, int64_t count, bool biased, bool relu, bool fused) {
    int64_t stride = p->rows + GAP;
    for (int64_t i = 0; i < COUNT * stride; i++)
        p->dst[i] = 77.0f;
    ar_panels_multiply_by(set, p->dst, stride, p->src, p->columns + GAP, count, &p->panels,
                          biased ? p->bias : NULL, relu);
    for (int64_t i = 0; i < COUNT; i++)
        for (int64_t r = 0; r < stride; r++) {
            bool meant = i < count && r < p->rows;
            float expected = meant ? chain(p, i, r, biased, relu, fused) : 77.0f;
            HOLDS(same_bits(&p->dst[i * stride + r], &expected, 1),
                  "set %d, [%lld, %lld], %lld rows: [%lld, %lld] is %.9g, not %.9g", set,
                  (long long)p->rows, (long long)p->columns, (long long)count, (long long)i,
                  (long long)r, (double)p->dst[i * stride + r], (double)expected);
        }
}

/* Whether the compiler fuses in the portable kernel is seen by a product that shows it:
 * (1 + e)(1 - e) - 1 is 0 if the product is rounded. */
static bool portable_fuses(void) {
    const float e = ldexpf(1.0f, -13), src[2] = {1.0f, 1.0f + e}, row[2] = {-1.0f, 1.0f - e};
    _Alignas(64) float values[2 * AR_PANEL_ROWS], dst;
    ar_panels panels = ar_panels_pack(values, row, 1, 2);
    ar_panels_multiply_by(AR_PANELS_PORTABLE, &dst, 1, src, 2, 1, &panels, NULL, false);
    return dst < 0.0f;
}

/* Every number of rows. */
START_TEST(product_is_a_chain) {
    int set = _i;
    bool fused = set != AR_PANELS_PORTABLE || portable_fuses();
    if (!ar_panels_has(set))
        return;
    for (int s = 0; s < SHAPES; s++) {
        product p;
        open_product(&p, shapes[s]);
        for (int64_t count = 1; count <= COUNT; count++) {
            check_product(&p, set, count, count % 2 == 0, count % 3 == 0, fused);
            check_product(&p, set, count, count % 3 == 0, false, fused);
        }
        close_product(&p);
    }
}
END_TEST

/* The one that products take gives the bits of the best set that the machine has. */
START_TEST(product_takes_the_best_set) {
    int set = AR_PANELS_SETS - 1;
    product p;
    while (!ar_panels_has(set))
        set--;
    open_product(&p, shapes[6]);
    float *expected = ar_new(COUNT * p.rows, sizeof *expected);
    ar_panels_multiply_by(set, expected, p.rows, p.src, p.columns + GAP, COUNT, &p.panels, p.bias,
                          true);
    ar_panels_multiply(p.dst, p.rows, p.src, p.columns + GAP, COUNT, &p.panels, p.bias, true);
    ck_assert(same_bits(p.dst, expected, COUNT * p.rows));
    ar_free(expected);
    close_product(&p);
}
END_TEST

int main(void) {
    TCase *group = tcase_create("panels");
    tcase_add_loop_test(group, product_is_a_chain, 0, AR_PANELS_SETS);
    tcase_add_test(group, product_takes_the_best_set);
    return run_tests(group, "panels");
}
