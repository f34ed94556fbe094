/* Products with compact matrices against plain sums, by every instruction set of this machine, and
 * rows interleaved to a panel. */
#define _DEFAULT_SOURCE
#include "core/memory.h"
#include "nn/bf16.h"
#include "nn/bounds.h"
#include "nn/compact.h"
#include "nn/interleave.h"
#include "support/numbers.h"

#include <check.h>
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

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

static void fill(void *to, ar_compact_kind kind, int64_t bytes) {
    for (int64_t i = 0; i < bytes; i += 2) {
        uint16_t both = kind == AR_COMPACT_INT8 ? (uint16_t)ar_random_next(&stream) : some_bf16();
        memcpy((char *)to + i, &both, 2);
    }
}

static void open_product(product *p, ar_compact_kind kind, int64_t count, int64_t panels,
                         int64_t steps) {
    int64_t bytes = panels * steps * 64;
    *p = (product){.extra = 3};
    p->matrix = ar_new(bytes, 1);
    p->src = ar_new(count * steps * 4, 1);
    p->begin = ar_new(count, sizeof *p->begin);
    p->dst = ar_new(count * (panels * 16 + p->extra), 4);
    fill(p->matrix, kind, bytes);
    fill(p->src, kind, count * steps * 4);
    for (int64_t i = 0; i < count; i++)
        p->begin[i] = (int32_t)ar_random_below(&stream, 100000) - 50000;
    p->job = (ar_compact_job){
        kind,  p->dst, panels * 16 + p->extra, p->src, count, p->begin, p->matrix, panels,
        steps, NULL};
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

/* Rows that stand by themselves, each at a place that 4 alone divides, with NaNs behind it, or, the
 * last one of src and of the rows, the end of the memory. */
enum { DOTS_MEMORY = 1 << 16, DOTS_END = 2 * DOTS_MEMORY, DOTS_GAP = 12 };

typedef struct dots {
    ar_compact_dots_job job;
    char *memory; /* quarters: of src, closed, of the rows, closed */
    const void *rows[16];
    int32_t begin[2], dst[3 * 16];
} dots;

/* Ends at the address. */
static char *steps_before(char *end, ar_compact_kind kind, int64_t count, int64_t steps) {
    fill(end - count * steps * 4, kind, count * steps * 4);
    return end - count * steps * 4;
}

static void open_dots(dots *d, ar_compact_kind kind, int64_t count, int64_t steps) {
    *d = (dots){.begin = {-1234567, 89}};
    d->memory =
        mmap(NULL, 2 * DOTS_END, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    ck_assert(d->memory != MAP_FAILED);
    memset(d->memory, 0xFF, 2 * DOTS_END);
    for (int half = 0; half < 2; half++)
        ck_assert_int_eq(
            mprotect(d->memory + half * DOTS_END + DOTS_MEMORY, DOTS_MEMORY, PROT_NONE), 0);
    char *end = d->memory + DOTS_END + DOTS_MEMORY;
    for (int r = 0; r < 16; r++, end -= DOTS_GAP)
        d->rows[r * 7 % 16] = end = steps_before(end, kind, 1, steps);
    d->rows[9] = d->rows[2];
    d->job = (ar_compact_dots_job){.kind = kind,
                                   .dst = d->dst,
                                   .src = steps_before(d->memory + DOTS_MEMORY, kind, count, steps),
                                   .count = count,
                                   .begin = kind == AR_COMPACT_INT8 ? d->begin : NULL,
                                   .rows = d->rows,
                                   .steps = steps};
}

static void close_dots(dots *d) {
    ck_assert_int_eq(munmap(d->memory, 2 * DOTS_END), 0);
}

static void check_int8_dot(const dots *d, int set, int64_t i, int r) {
    const uint8_t *row = d->rows[r];
    const int8_t *src = (const int8_t *)d->job.src + i * d->job.steps * 4;
    int64_t sum = d->begin[i];
    for (int64_t c = 0; c < d->job.steps * 4; c++)
        sum += src[c] * row[c];
    HOLDS(d->dst[i * 16 + r] == sum, "set %d, %d steps: dst[%d, %d] is %d, not %d", set,
          (int)d->job.steps, (int)i, r, (int)d->dst[i * 16 + r], (int)sum);
}

static void check_bf16_dot(const dots *d, int set, int64_t i, int r) {
    double sum = 0.0, size = 0.0;
    float dst;
    memcpy(&dst, d->dst + i * 16 + r, sizeof dst);
    for (int64_t c = 0; c < d->job.steps * 2; c++) {
        double term =
            (double)bf16_at(d->job.src, i * d->job.steps * 2 + c) * (double)bf16_at(d->rows[r], c);
        sum += term;
        size += fabs(term);
    }
    double error = fabs((double)dst - sum), most = (double)(d->job.steps * 2 + 2) * 0x1p-23 * size;
    HOLDS(error <= most, "set %d, %d steps: dst[%d, %d] is off by %g, at most %g", set,
          (int)d->job.steps, (int)i, r, error, most);
}

static void check_dots(dots *d) {
    for (int set = 0; set < AR_COMPACT_SETS; set++) {
        if (!ar_compact_has((ar_compact_set)set, d->job.kind))
            continue;
        memset(d->dst, 0x55, sizeof d->dst);
        ar_compact_dots_by((ar_compact_set)set, &d->job);
        for (int64_t i = 0; i < d->job.count; i++)
            for (int r = 0; r < 16; r++)
                (d->job.kind == AR_COMPACT_INT8 ? check_int8_dot : check_bf16_dot)(d, set, i, r);
        for (int64_t i = d->job.count * 16; i < 3 * 16; i++)
            HOLDS(d->dst[i] == 0x55555555, "set %d writes behind dst", set);
        int32_t alone[16];
        ar_compact_dots_job first = d->job;
        first.dst = alone;
        first.count = 1;
        ar_compact_dots_by((ar_compact_set)set, &first);
        HOLDS(memcmp(alone, d->dst, sizeof alone) == 0, "set %d: the second row of src counts",
              set);
    }
}

START_TEST(rows_by_themselves) {
    ar_random_seed(&stream, 5);
    for (int64_t steps = 1; steps <= 41; steps++)
        for (int round = 0; round < 4; round++) {
            dots d;
            int64_t count = 1 + round % 2;
            ar_compact_kind kind = round < 2 ? AR_COMPACT_INT8 : AR_COMPACT_BF16;
            open_dots(&d, kind, count, steps <= 40 ? steps : 134);
            check_dots(&d);
            close_dots(&d);
        }
}
END_TEST

/* As extreme as make_extreme. */
START_TEST(extreme_rows_by_themselves) {
    enum { STEPS = 134 };
    static uint8_t row[STEPS * 4];
    static int8_t src[2 * STEPS * 4];
    dots d = {.begin = {1, 2}};
    memset(row, 255, sizeof row);
    memset(src, -128, sizeof src);
    for (int r = 0; r < 16; r++)
        d.rows[r] = row;
    d.job = (ar_compact_dots_job){AR_COMPACT_INT8, d.dst, src, 2, d.begin, d.rows, STEPS};
    check_dots(&d);
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
                            .tail = (float)(round % 3),
                            .threshold = (float)(round % 7)};
        bounds.coarse = round % 2 == 0 ? (const void *)sums[0] : products;
        bounds.fine = round % 4 < 2    ? NULL
                      : round % 2 == 0 ? (const void *)sums[1]
                                       : products + ROWS;
        bool any = ar_bounds_judge(reach[0], estimates[0], errors[0], &bounds);
        ck_assert(any == ar_bounds_judge_portable(reach[1], estimates[1], errors[1], &bounds));
        for (int i = 0; i < ROWS; i++) {
            float tail = terms[i / 16 * 16 * AR_BOUNDS_TERMS + AR_BOUNDS_TAIL * 16 + i % 16];
            float upper = estimates[1][i] + errors[1][i] + bounds.tail * tail;
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
    tcase_add_test(group, rows_by_themselves);
    tcase_add_test(group, extreme_rows_by_themselves);
    tcase_add_test(group, rounds_to_bf16);
    tcase_add_test(group, interleaves);
    tcase_add_test(group, judges);
    return run_tests(group, "compact");
}
