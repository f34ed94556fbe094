/* Products with compact matrices against plain sums, by every instruction set of this machine, and
 * rows interleaved to a panel. */
#include "core/memory.h"
#include "nn/bounds.h"
#include "nn/bf16.h"
#include "nn/compact.h"
#include "nn/interleave.h"
#include "support/numbers.h"

#include <check.h>
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static ar_random stream;

typedef struct product {
    ar_compact_job job;
    uint8_t *matrix; /* of bytes, or of pairs that are bf16 */
    int8_t *src;
    int32_t *begin;
    void *dst;
    int64_t extra; /* behind each row of dst */
} product;

static uint16_t some_bf16(void) {
    return ar_bf16_normal((float)ar_random_normal(&stream));
}

static void open_product(product *p, ar_compact_kind kind, int64_t count, int64_t panels,
                         int64_t steps) {
    int64_t bytes = panels * steps * 64;
    *p = (product){.extra = 3};
    p->matrix = ar_new(bytes, 1);
    p->src = ar_new(count * steps * 4, 1);
    p->begin = ar_new(count, sizeof *p->begin);
    p->dst = ar_new(count * (panels * 16 + p->extra), 4);
    for (int64_t i = 0; i < bytes; i += 2) {
        uint16_t both = kind == AR_COMPACT_INT8 ? (uint16_t)ar_random_next(&stream) : some_bf16();
        memcpy(p->matrix + i, &both, 2);
    }
    for (int64_t i = 0; i < count * steps * 4; i += 2) {
        uint16_t both = kind == AR_COMPACT_INT8 ? (uint16_t)ar_random_next(&stream) : some_bf16();
        memcpy(p->src + i, &both, 2);
    }
    for (int64_t i = 0; i < count; i++)
        p->begin[i] = (int32_t)ar_random_below(&stream, 100000) - 50000;
    p->job = (ar_compact_job){
        kind,     p->dst, panels * 16 + p->extra, p->src, count, p->begin, p->matrix, panels,
        steps,    NULL};
}

static void close_product(product *p) {
    ar_free(p->matrix);
    ar_free(p->src);
    ar_free(p->begin);
    ar_free(p->dst);
}

/* Extreme bytes: the sums of two products do not fit 16 bits. */
static void make_extreme(product *p) {
    memset(p->matrix, 255, (size_t)(p->job.panels * p->job.steps * 64));
    memset(p->src, -128, (size_t)(p->job.count * p->job.steps * 4));
}

static void check_int8(const product *p, int set) {
    const ar_compact_job *job = &p->job;
    const int32_t *dst = p->dst;
    for (int64_t i = 0; i < job->count; i++)
        for (int64_t r = 0; r < job->panels * 16; r++) {
            int64_t sum = p->begin[i];
            for (int64_t c = 0; c < job->steps * 4; c++)
                sum += p->src[i * job->steps * 4 + c] *
                       p->matrix[(r / 16 * job->steps + c / 4) * 64 + r % 16 * 4 + c % 4];
            HOLDS(dst[i * job->dst_stride + r] == sum, "set %d: dst[%d, %d] is %d, not %d", set,
                  (int)i, (int)r, (int)dst[i * job->dst_stride + r], (int)sum);
        }
}

static float bf16_at(const void *values, int64_t at) {
    uint16_t bits;
    memcpy(&bits, (const char *)values + 2 * at, sizeof bits);
    return ar_bf16_value(bits);
}

static void check_bf16(const product *p, int set) {
    const ar_compact_job *job = &p->job;
    const float *dst = p->dst;
    for (int64_t i = 0; i < job->count; i++)
        for (int64_t r = 0; r < job->panels * 16; r++) {
            double sum = 0.0, size = 0.0;
            for (int64_t c = 0; c < job->steps * 2; c++) {
                double term = (double)bf16_at(p->src, i * job->steps * 2 + c) *
                              (double)bf16_at(p->matrix, (r / 16 * job->steps + c / 2) * 32 +
                                                             r % 16 * 2 + c % 2);
                sum += term;
                size += fabs(term);
            }
            double error = fabs((double)dst[i * job->dst_stride + r] - sum);
            double most = (double)(job->steps * 2 + 2) * 0x1p-23 * size;
            HOLDS(error <= most, "set %d: dst[%d, %d] is off by %g, at most %g", set, (int)i,
                  (int)r, error, most);
        }
}

static void check_sets(product *p) {
    for (int set = 0; set < AR_COMPACT_SETS; set++) {
        if (!ar_compact_has((ar_compact_set)set, p->job.kind))
            continue;
        int64_t values = p->job.count * p->job.dst_stride;
        memset(p->dst, 0x55, (size_t)values * 4);
        ar_compact_multiply_by((ar_compact_set)set, &p->job);
        if (p->job.kind == AR_COMPACT_INT8)
            check_int8(p, set);
        else
            check_bf16(p, set);
        for (int64_t i = 0; i < values; i++)
            if (i % p->job.dst_stride >= p->job.panels * 16)
                HOLDS(((int32_t *)p->dst)[i] == 0x55555555, "set %d writes behind a row", set);
    }
}

START_TEST(equals_plain_sums) {
    ar_random_seed(&stream, 1);
    for (int64_t count = 1; count <= 30; count++)
        for (int kind = 0; kind < 2; kind++) {
            product p;
            open_product(&p, (ar_compact_kind)kind, count, 1 + count % 9, 1 + count * 7 % 40);
            check_sets(&p);
            if (kind == AR_COMPACT_INT8) {
                make_extreme(&p);
                check_sets(&p);
            }
            close_product(&p);
        }
}
END_TEST

START_TEST(the_usual_shape) {
    ar_random_seed(&stream, 2);
    for (int kind = 0; kind < 2; kind++) {
        product p;
        open_product(&p, (ar_compact_kind)kind, 64, 16,
                     ar_compact_steps((ar_compact_kind)kind, 600));
        check_sets(&p);
        close_product(&p);
    }
}
END_TEST

START_TEST(rounds_to_bf16) {
    ck_assert_int_eq(ar_bf16_normal(1.0f), 0x3F80);
    ck_assert_int_eq(ar_bf16_normal(-2.0f), 0xC000);
    ck_assert_int_eq(ar_bf16_normal(0x1.01p0f), 0x3F80); /* half way, to the even one */
    ck_assert_int_eq(ar_bf16_normal(0x1.03p0f), 0x3F82);
    ck_assert_int_eq(ar_bf16_normal(0x1.010002p0f), 0x3F81);
    ck_assert_int_eq(ar_bf16_normal(FLT_MIN / 2), 0);
    ck_assert_int_eq(ar_bf16_normal(FLT_MIN), 0x0080);
    ck_assert(isnan(ar_bf16_value(ar_bf16_normal(NAN))));
    ck_assert(ar_bf16_value(ar_bf16_normal(-INFINITY)) == -INFINITY);
}
END_TEST

START_TEST(interleaves) {
    ar_random_seed(&stream, 3);
    for (int64_t columns = 1; columns < 40; columns++) {
        float *matrix = random_floats(16 * columns, &stream), *panel = ar_new(16 * columns, 4);
        const float *rows[16];
        for (int64_t r = 0; r < 16; r++)
            rows[r] = matrix + (r * 7 % 16) * columns;
        rows[15] = rows[3];
        ar_interleave(panel, rows, columns % 2 == 0 ? rows : NULL, columns);
        for (int64_t c = 0; c < columns; c++)
            for (int64_t r = 0; r < 16; r++)
                HOLDS(panel[c * 16 + r] == rows[r][c], "columns %d: row %d, column %d",
                      (int)columns, (int)r, (int)c);
        ar_free(matrix);
        ar_free(panel);
    }
}
END_TEST

/* The machine's judge and the plain one, on both kinds with one and two products. */
START_TEST(judges) {
    enum { PANELS = 5, ROWS = PANELS * 16 };
    ar_random_seed(&stream, 4);
    for (int round = 0; round < 200; round++) {
        int32_t sums[2][ROWS];
        float *products = random_floats(2 * ROWS, &stream);
        float *terms = random_floats(PANELS * AR_BOUNDS_TERMS * 16, &stream);
        float estimates[2][ROWS], errors[2][ROWS];
        uint16_t reach[2][PANELS];
        for (int i = 0; i < ROWS; i++) {
            sums[0][i] = (int32_t)ar_random_below(&stream, 2000) - 1000;
            sums[1][i] = (int32_t)ar_random_below(&stream, 2000) - 1000;
        }
        ar_bounds bounds = {.kind = round % 2 == 0 ? AR_COMPACT_INT8 : AR_COMPACT_BF16,
                            .terms = terms,
                            .panels = PANELS,
                            .scale = round % 2 == 0 ? 1e-3f : 1.0f,
                            .row_error = 0.5f,
                            .norm_error = 0.25f,
                            .constant = 0.1f,
                            .threshold = (float)(round % 7)};
        bounds.coarse = round % 2 == 0 ? (const void *)sums[0] : products;
        bounds.fine = round % 4 < 2    ? NULL
                      : round % 2 == 0 ? (const void *)sums[1]
                                       : products + ROWS;
        bool any = ar_bounds_judge(reach[0], estimates[0], errors[0], &bounds);
        ck_assert(any == ar_bounds_judge_portable(reach[1], estimates[1], errors[1], &bounds));
        for (int i = 0; i < ROWS; i++) {
            float upper = estimates[1][i] + errors[1][i];
            bool in = (reach[0][i / 16] >> (i % 16) & 1) != 0;
            HOLDS(fabsf(upper - bounds.threshold) < 1e-4f || in == (upper >= bounds.threshold),
                  "row %d", i);
            if (reach[0][i / 16] != 0)
                HOLDS(fabsf(estimates[0][i] - estimates[1][i]) < 1e-4f &&
                          fabsf(errors[0][i] - errors[1][i]) < 1e-4f,
                      "row %d: %g and %g", i, (double)estimates[0][i], (double)estimates[1][i]);
        }
        ar_free(products);
        ar_free(terms);
    }
}
END_TEST

int main(void) {
    TCase *group = tcase_create("compact");
    tcase_add_test(group, equals_plain_sums);
    tcase_add_test(group, the_usual_shape);
    tcase_add_test(group, rounds_to_bf16);
    tcase_add_test(group, interleaves);
    tcase_add_test(group, judges);
    return run_tests(group, "compact");
}
