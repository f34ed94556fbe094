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

static float truncated(float value) {
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    bits &= 0xFFFF0000u;
    memcpy(&value, &bits, sizeof bits);
    return value;
}

/* With bf16 the matrix is made of values that bf16 holds. */
static void open_product(product *p, const int64_t *shape, bool bf16) {
    ar_random random;
    ar_random_seed(&random, (uint64_t)(shape[0] * 1000 + shape[1]));
    *p = (product){.rows = shape[0], .columns = shape[1]};
    p->matrix = random_floats(p->rows * p->columns, &random);
    for (int64_t i = 0; bf16 && i < p->rows * p->columns; i++)
        p->matrix[i] = truncated(p->matrix[i]);
    p->bias = random_floats(p->rows, &random);
    p->src = random_floats(COUNT * (p->columns + GAP), &random);
    p->dst = random_floats(COUNT * (p->rows + GAP), &random);
    p->values = ar_new(ar_panels_bytes(ar_panels_count(p->rows), p->columns, bf16), 1);
    p->panels = ar_panels_pack(p->values, p->matrix, p->columns, NULL, p->rows, p->columns, bf16);
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

/* Multiplies `count` rows with `panels` panels from `first` on, and looks at every value and at
 * what stands between the rows. */
static void check_product(product *p, int set, int64_t count, int64_t first, int64_t panels,
                          bool biased, bool relu, bool fused) {
    ar_panels part = ar_panels_part(&p->panels, first, panels);
    int64_t stride = p->rows + GAP, before = first * AR_PANEL_ROWS;
    for (int64_t i = 0; i < COUNT * stride; i++)
        p->dst[i] = 77.0f;
    ar_panels_multiply_by(set, p->dst + before, stride, p->src, p->columns + GAP, count, &part,
                          biased ? p->bias + before : NULL, relu);
    for (int64_t i = 0; i < COUNT; i++)
        for (int64_t r = 0; r < stride; r++) {
            bool meant = i < count && r >= before && r < before + part.rows;
            float expected = meant ? chain(p, i, r, biased, relu, fused) : 77.0f;
            HOLDS(same_bits(&p->dst[i * stride + r], &expected, 1),
                  "set %d, [%lld, %lld], %lld rows, panels %lld and %lld more: [%lld, %lld] is "
                  "%.9g, not %.9g",
                  set, (long long)p->rows, (long long)p->columns, (long long)count,
                  (long long)first, (long long)panels, (long long)i, (long long)r,
                  (double)p->dst[i * stride + r], (double)expected);
        }
}

/* Whether the compiler fuses in the portable kernel is seen by a product that shows it:
 * (1 + e)(1 - e) - 1 is 0 if the product is rounded. */
static bool portable_fuses(void) {
    const float e = ldexpf(1.0f, -13), src[2] = {1.0f, 1.0f + e}, row[2] = {-1.0f, 1.0f - e};
    _Alignas(64) float values[2 * AR_PANEL_ROWS], dst;
    ar_panels panels = ar_panels_pack(values, row, 2, NULL, 1, 2, false);
    ar_panels_multiply_by(AR_PANELS_PORTABLE, &dst, 1, src, 2, 1, &panels, NULL, false);
    return dst < 0.0f;
}

/* Every number of rows, each with another part of the panels. */
START_TEST(product_is_a_chain) {
    int set = _i / 2;
    bool bf16 = _i % 2 != 0, fused = set != AR_PANELS_PORTABLE || portable_fuses();
    if (!ar_panels_has(set))
        return;
    for (int s = 0; s < SHAPES; s++) {
        product p;
        open_product(&p, shapes[s], bf16);
        int64_t panels = ar_panels_count(p.rows);
        for (int64_t count = 1; count <= COUNT; count++) {
            check_product(&p, set, count, 0, panels, count % 2 == 0, count % 3 == 0, fused);
            int64_t first = count % panels;
            check_product(&p, set, count, first, 1 + count % 5, count % 3 == 0, false, fused);
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
    open_product(&p, shapes[6], false);
    float *expected = ar_new(COUNT * p.rows, sizeof *expected);
    ar_panels_multiply_by(set, expected, p.rows, p.src, p.columns + GAP, COUNT, &p.panels, p.bias,
                          true);
    ar_panels_multiply(p.dst, p.rows, p.src, p.columns + GAP, COUNT, &p.panels, p.bias, true);
    ck_assert(same_bits(p.dst, expected, COUNT * p.rows));
    ar_free(expected);
    close_product(&p);
}
END_TEST

/* Rows in another order are those rows, and bf16 rounds to the nearest, ties to even. */
START_TEST(packing_orders_and_rounds) {
    static const int32_t order[] = {2, 0, 2, 1};
    static const struct {
        uint32_t from, to;
    } rounding[] = {
        {0x3F800000u, 0x3F80u}, /* 1 */
        {0x3F807FFFu, 0x3F80u}, /* below half way */
        {0x3F808000u, 0x3F80u}, /* half way: to even, down */
        {0x3F808001u, 0x3F81u}, /* above */
        {0x3F818000u, 0x3F82u}, /* half way: to even, up */
        {0xBF818000u, 0xBF82u}, /* the sign plays no part */
        {0x7F7FFFFFu, 0x7F80u}, /* the largest becomes infinite */
        {0x7F800000u, 0x7F80u}, /* infinity stays */
        {0x7F800001u, 0x7FC0u}, /* a NaN whose bits are all in the lower half */
    };
    enum { ROUNDED = sizeof rounding / sizeof rounding[0] };
    const float matrix[] = {1, 2, 3, 4, 5, 6, 7, 8, 9};
    _Alignas(64) float values[3 * AR_PANEL_ROWS];
    ar_panels panels = ar_panels_pack(values, matrix, 3, order, 4, 3, false);
    ck_assert(panels.rows == 4 && panels.columns == 3 && !panels.bf16);
    for (int64_t r = 0; r < AR_PANEL_ROWS; r++)
        for (int64_t c = 0; c < 3; c++) {
            float expected = r < 4 ? matrix[order[r] * 3 + c] : 0.0f;
            ck_assert(same_bits(&values[c * AR_PANEL_ROWS + r], &expected, 1));
        }
    float row[ROUNDED];
    _Alignas(64) uint16_t halves[(ROUNDED + 1) / 2 * 2 * AR_PANEL_ROWS];
    for (int i = 0; i < ROUNDED; i++)
        memcpy(&row[i], &rounding[i].from, sizeof row[i]);
    ar_panels_pack(halves, row, ROUNDED, NULL, 1, ROUNDED, true);
    for (int c = 0; c < ROUNDED + 1; c++)
        ck_assert_uint_eq(halves[c / 2 * 2 * AR_PANEL_ROWS + c % 2],
                          c < ROUNDED ? rounding[c].to : 0);
}
END_TEST

int main(void) {
    TCase *group = tcase_create("panels");
    tcase_add_loop_test(group, product_is_a_chain, 0, 2 * AR_PANELS_SETS);
    tcase_add_test(group, product_takes_the_best_set);
    tcase_add_test(group, packing_orders_and_rounds);
    return run_tests(group, "panels");
}
