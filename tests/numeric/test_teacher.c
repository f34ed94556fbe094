/* The frozen tower: its scores in bf16 beside those in f32, of the whole catalog, of a pool of it,
 * and of the rows that a step touches. */
#include "core/memory.h"
#include "support/numbers.h"
#include "support/shop.h"
#include "train/teacher.h"

#include <math.h>
#include <string.h>

static const int towers[] = {ALTERREC_ID, ALTERREC_TEXT};
enum { SEQUENCES = 5, MOST = 32 };

typedef struct ranking {
    shop made;
    alterrec_model *model;
    ragged batch;
    int64_t rows[MOST], items;
    int32_t labels[MOST];
    ar_example_batch examples;
    ar_teacher teacher;
} ranking;

/* Every token is an example. */
static void open_ranking(ranking *r, int tower) {
    static const int64_t lengths[SEQUENCES] = {1, 4, 2, 7, 3};
    ar_random random;
    ar_random_seed(&random, 8);
    *r = (ranking){0};
    shop_open(&r->made, 40, 60);
    MUST(alterrec_model_create(&r->model, r->made.catalog, r->made.config));
    r->items = ar_model_tower(r->model, tower)->shape.items;
    ragged_open(&r->batch, lengths, SEQUENCES, r->items, &random);
    int64_t count = r->batch.packed.tokens;
    for (int64_t e = 0; e < count; e++)
        r->rows[e] = e;
    r->examples = (ar_example_batch){r->batch.packed, r->rows, r->labels, count};
    MUST(ar_teacher_create(&r->teacher, r->model, tower, false));
}

static void close_ranking(ranking *r) {
    ar_teacher_free(&r->teacher);
    ragged_close(&r->batch);
    alterrec_model_free(r->model);
    shop_close(&r->made);
}

/* What the teacher scores [examples, items], in double. */
static double *scores_of(ranking *r) {
    int64_t count = r->examples.count * r->items;
    float *scores = ar_new(count, sizeof *scores);
    MUST(ar_teacher_encode(&r->teacher, &r->examples));
    MUST(ar_teacher_scores(scores, &r->teacher, 0, r->examples.count));
    double *wide = to_doubles(scores, count);
    ar_free(scores);
    return wide;
}

/* The columns `items` [count] of scores [examples, r->items], and `zeros` columns of 0 behind. */
static double *columns_of(const ranking *r, const double *scores, const int32_t *items,
                          int64_t count, int64_t zeros) {
    int64_t width = count + zeros;
    double *columns = ar_new(r->examples.count * width, sizeof *columns);
    for (int64_t e = 0; e < r->examples.count; e++)
        for (int64_t c = 0; c < count; c++)
            columns[e * width + c] = scores[e * r->items + items[c]];
    return columns;
}

/* Whatever the precision, a pool's scores and a stage's are those of the whole catalog. */
static void check_parts(ranking *r, const double *scores) {
    enum { POOL = 20, PART = 11, ZEROS = 5 };
    int64_t count = r->examples.count;
    float *some = ar_new(count * r->items, sizeof *some);
    MUST(ar_teacher_draw_pool(&r->teacher, POOL, 99));
    ck_assert_int_eq(ar_teacher_width(&r->teacher), POOL);
    double *pool = columns_of(r, scores, r->teacher.pool, POOL, 0);
    MUST(ar_teacher_rank(some, &r->teacher, 0, count));
    check_near("pool", some, pool, count * POOL, 1e-5);

    ar_stage stage = {.rows = PART + ZEROS, .items = r->teacher.pool, .count = PART};
    double *part = columns_of(r, scores, stage.items, PART, ZEROS);
    MUST(ar_teacher_take_rows(&r->teacher, &stage));
    MUST(ar_teacher_row_scores(some, &r->teacher, &stage, 0, count));
    check_near("part", some, part, count * stage.rows, 1e-5);
    ar_free(some);
    ar_free(pool);
    ar_free(part);
}

START_TEST(parts_are_of_the_whole) {
    ranking r;
    open_ranking(&r, towers[_i]);
    double *scores = scores_of(&r);
    check_parts(&r, scores);
    ar_free(scores);
    close_ranking(&r);
}
END_TEST

/* The same numbers but for what rounding makes of them; on a processor without such products they
 * are refused, and the teacher stays as it was. */
START_TEST(teacher_in_bf16) {
    ranking r;
    open_ranking(&r, towers[_i]);
    int64_t count = r.examples.count * r.items, differ = 0;
    double *exact = scores_of(&r), largest = 0.0;
    alterrec_status status = ar_teacher_use_bf16(&r.teacher);
    ck_assert(status == ALTERREC_OK || status == ALTERREC_ERROR_UNSUPPORTED);
    double *scores = scores_of(&r);
    for (int64_t i = 0; i < count; i++)
        largest = fmax(largest, fabs(exact[i]));
    for (int64_t i = 0; i < count; i++) {
        ck_assert_double_eq_tol(scores[i], exact[i], 0.03 * largest);
        differ += scores[i] < exact[i] || scores[i] > exact[i];
    }
    if (status == ALTERREC_OK)
        ck_assert_int_gt(differ, count / 2);
    else
        ck_assert_int_eq(differ, 0);
    check_parts(&r, scores);
    ar_free(exact);
    ar_free(scores);
    close_ranking(&r);
}
END_TEST

int main(void) {
    TCase *group = tcase_create("teacher");
    tcase_add_loop_test(group, parts_are_of_the_whole, 0, 2);
    tcase_add_loop_test(group, teacher_in_bf16, 0, 2);
    return run_tests(group, "teacher");
}
