/* Top k: what alterrec.h promises of a recommender. */
#include "core/memory.h"
#include "core/threads.h"
#include "support/small_model.h"

#include <check.h>
#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* Several tiles of items. */
enum { MANY_ITEMS = 17000 };

static void check_fails(alterrec_status status, alterrec_status expected, const char *text) {
    ck_assert_int_eq(status, expected);
    ck_assert_msg(strstr(alterrec_last_error(), text) != NULL, "\"%s\" lacks \"%s\"",
                  alterrec_last_error(), text);
}

/* The first of what is left, by falling score, then rising index: k passes over the row. */
static void naive_top_k(int32_t *items, float *scores, float *row, int64_t count, int64_t k) {
    for (int64_t r = 0; r < k; r++) {
        int64_t best = 0;
        for (int64_t i = 1; i < count; i++)
            if (row[i] > row[best])
                best = i;
        items[r] = row[best] > -INFINITY ? (int32_t)best : -1;
        scores[r] = row[best];
        row[best] = -INFINITY;
    }
}

/* What a test excludes: own items if `own`, items 3 and 8 of every session, item s of session s. */
typedef struct excluded {
    bool own, shared, single;
} excluded;

static void exclude(alterrec_batch *batch, excluded what) {
    int32_t shared[] = {8, 3, 8};
    MUST(alterrec_batch_exclude_own(batch, what.own));
    if (what.shared)
        MUST(alterrec_batch_exclude(batch, -1, shared, 3));
    for (int64_t s = alterrec_batch_count(batch) - 1; what.single && s >= 0; s--) {
        int32_t item = (int32_t)s;
        MUST(alterrec_batch_exclude(batch, s, &item, 1));
    }
}

static void mask_row(float *row, excluded what, const alterrec_sessions *sessions,
                     int64_t session) {
    const int32_t *items;
    int64_t length;
    MUST(alterrec_sessions_get(&items, &length, sessions, session));
    for (int64_t i = 0; what.own && i < length; i++)
        row[items[i]] = -INFINITY;
    if (what.shared)
        row[3] = row[8] = -INFINITY;
    if (what.single)
        row[session] = -INFINITY;
}

/* Every item's score for every session: close to those of the model, whose sums run in another
 * order. */
static void score_all(float *rows, const small_model *small,
                      const alterrec_recommender *recommender, alterrec_batch *batch) {
    int64_t size = alterrec_batch_count(batch) * small->items;
    int32_t *all = ar_new(size, sizeof *all);
    float *reference = ar_new(size, sizeof *reference);
    for (int64_t i = 0; i < size; i++)
        all[i] = (int32_t)(i % small->items);
    MUST(alterrec_recommender_score(rows, NULL, NULL, recommender, batch, all, small->items, NULL));
    MUST(alterrec_model_score(reference, small->model, ALTERREC_FUSED, batch));
    for (int64_t i = 0; i < size; i++)
        ck_assert_double_eq_tol((double)rows[i], (double)reference[i], 2e-3);
    ar_free(all);
    ar_free(reference);
}

static void check_against_sort(small_model *small, int64_t count, int64_t k, excluded what) {
    alterrec_sessions *sessions = small_sessions(small, count, 2 * SMALL_MAX_LEN);
    alterrec_batch *batch;
    alterrec_recommender *recommender;
    MUST(alterrec_batch_create(&batch));
    MUST(alterrec_recommender_create(&recommender, small->model, NULL));
    for (int64_t s = 0; s < count; s++)
        small_add(batch, sessions, s);
    float *rows = ar_new(count * small->items, sizeof *rows);
    score_all(rows, small, recommender, batch);
    exclude(batch, what);
    int32_t *items = ar_new(count * k, sizeof *items), *expected = ar_new(k, sizeof *expected);
    float *scores = ar_new(count * k, sizeof *scores), *best = ar_new(k, sizeof *best);
    MUST(alterrec_recommender_top_k(items, scores, NULL, recommender, batch, k, NULL));
    for (int64_t s = 0; s < count; s++) {
        float *row = rows + s * small->items;
        mask_row(row, what, sessions, s);
        naive_top_k(expected, best, row, small->items, k);
        ck_assert_mem_eq(items + s * k, expected, (size_t)k * sizeof *items);
        ck_assert_mem_eq(scores + s * k, best, (size_t)k * sizeof *scores);
    }
    int32_t *alone = ar_new(count * k, sizeof *alone);
    MUST(alterrec_recommender_top_k(alone, NULL, NULL, recommender, batch, k, NULL));
    ck_assert_mem_eq(alone, items, (size_t)(count * k) * sizeof *items);
    ar_free(rows);
    ar_free(items);
    ar_free(expected);
    ar_free(scores);
    ar_free(best);
    ar_free(alone);
    alterrec_recommender_free(recommender);
    alterrec_batch_free(batch);
    alterrec_sessions_free(sessions);
}

START_TEST(equals_a_full_sort_of_the_scores) {
    small_model small;
    small_model_open(&small, 61, _i == 0);
    for (int what = 0; what < 8; what++)
        for (int64_t k = 1; k <= 61; k += 12)
            check_against_sort(&small, 1 + 8 * what, k, (excluded){what & 1, what & 2, what & 4});
    small_model_close(&small);
}
END_TEST

START_TEST(equals_a_full_sort_over_many_tiles) {
    small_model small;
    small_model_open(&small, MANY_ITEMS, true);
    check_against_sort(&small, 1, 20, (excluded){true, true, true});
    check_against_sort(&small, 150, 5, (excluded){true, true, true});
    small_model_close(&small);
}
END_TEST

/* Whatever the numbers of the compact table: the same items and the same bits. */
START_TEST(precision_changes_nothing) {
    static const char *const precisions[] = {"f32", "bf16", "int8"};
    enum { COUNT = 100, MOST = 100 };
    static int32_t items[3][COUNT * MOST];
    static float scores[3][COUNT * MOST];
    small_model small;
    small_model_open(&small, _i == 0 ? 501 : MANY_ITEMS, _i < 2);
    alterrec_sessions *sessions = small_sessions(&small, COUNT, 2 * SMALL_MAX_LEN);
    alterrec_batch *batch;
    MUST(alterrec_batch_create(&batch));
    for (int64_t s = 0; s < COUNT; s++)
        small_add(batch, sessions, s);
    exclude(batch, (excluded){true, true, true});
    for (int64_t k = 1; k <= MOST; k = k == 1 ? 20 : k + 80)
        for (int p = 0; p < 3; p++) {
            alterrec_recommender *recommender;
            alterrec_search_report report = {.struct_size = sizeof report};
            MUST(alterrec_config_set(small.config, "serve.precision", precisions[p]));
            MUST(alterrec_recommender_create(&recommender, small.model, small.config));
            MUST(alterrec_recommender_top_k(items[p], scores[p], &report, recommender, batch, k,
                                            NULL));
            ck_assert_int_eq(report.guaranteed, COUNT);
            alterrec_recommender_free(recommender);
            ck_assert_mem_eq(items[p], items[0], (size_t)(COUNT * k) * sizeof **items);
            ck_assert_mem_eq(scores[p], scores[0], (size_t)(COUNT * k) * sizeof **scores);
        }
    alterrec_batch_free(batch);
    alterrec_sessions_free(sessions);
    small_model_close(&small);
}
END_TEST

/* Rounded encoders give other scores, but not by much, and the same in every precision. */
START_TEST(encoders_may_be_rounded) {
    enum { COUNT = 100, K = 20 };
    const char *rounded = _i == 0 ? "bf16" : "int8";
    const char *const encoders[] = {"f32", rounded, rounded};
    static const char *const precisions[] = {"f32", "f32", "int8"};
    static int32_t items[3][COUNT * K];
    static float scores[3][COUNT * K], again[COUNT * K];
    small_model small;
    small_model_open(&small, 501, true);
    alterrec_sessions *sessions = small_sessions(&small, COUNT, 2 * SMALL_MAX_LEN);
    alterrec_batch *batch;
    MUST(alterrec_batch_create(&batch));
    for (int64_t s = 0; s < COUNT; s++)
        small_add(batch, sessions, s);
    for (int i = 0; i < 3; i++) {
        alterrec_recommender *recommender;
        MUST(alterrec_config_set(small.config, "serve.encoder", encoders[i]));
        MUST(alterrec_config_set(small.config, "serve.precision", precisions[i]));
        MUST(alterrec_recommender_create(&recommender, small.model, small.config));
        MUST(alterrec_recommender_top_k(items[i], scores[i], NULL, recommender, batch, K, NULL));
        if (i == 1) /* the scores that rounding gives the items which were best without it */
            MUST(alterrec_recommender_score(again, NULL, NULL, recommender, batch, items[0], K,
                                            NULL));
        alterrec_recommender_free(recommender);
    }
    ck_assert_mem_eq(items[2], items[1], sizeof items[1]);
    ck_assert_mem_eq(scores[2], scores[1], sizeof scores[1]);
    float largest = 0.0f, moved = 0.0f;
    for (int64_t i = 0; i < COUNT * K; i++) {
        largest = fmaxf(largest, fabsf(scores[0][i]));
        moved = fmaxf(moved, fabsf(again[i] - scores[0][i]));
    }
    ck_assert(moved > 0.0f && moved < 0.03f * largest);
    alterrec_batch_free(batch);
    alterrec_sessions_free(sessions);
    small_model_close(&small);
}
END_TEST

/* Every session alone and in the batch of all: the same items and the same bits of the scores. */
START_TEST(batch_mates_change_nothing) {
    enum { COUNT = 300, K = 10 };
    small_model small;
    small_model_open(&small, _i == 0 ? 97 : MANY_ITEMS, true);
    alterrec_sessions *sessions = small_sessions(&small, COUNT, 2 * SMALL_MAX_LEN);
    alterrec_batch *batch;
    alterrec_recommender *recommender;
    MUST(alterrec_batch_create(&batch));
    MUST(alterrec_recommender_create(&recommender, small.model, NULL));
    int32_t items[COUNT * K], again[COUNT * K];
    float scores[COUNT * K], scores_again[COUNT * K];
    const int64_t sizes[] = {1, 2, 15, 16, 17, 40, 129};
    for (int64_t s = 0; s < COUNT; s++)
        small_add(batch, sessions, s);
    MUST(alterrec_recommender_top_k(items, scores, NULL, recommender, batch, K, NULL));
    for (int i = 0; i < 7; i++) {
        int64_t first = 0, size = sizes[i];
        for (; first + size <= COUNT && first < 40 * size; first += size) {
            MUST(alterrec_batch_clear(batch));
            for (int64_t s = 0; s < size; s++)
                small_add(batch, sessions, first + s);
            MUST(
                alterrec_recommender_top_k(again, scores_again, NULL, recommender, batch, K, NULL));
            ck_assert_mem_eq(again, items + first * K, (size_t)(size * K) * sizeof *items);
            ck_assert_mem_eq(scores_again, scores + first * K, (size_t)(size * K) * sizeof *scores);
        }
    }
    alterrec_recommender_free(recommender);
    alterrec_batch_free(batch);
    alterrec_sessions_free(sessions);
    small_model_close(&small);
}
END_TEST

enum { VISITORS = 60, BEST = 8 };

typedef struct worker {
    const alterrec_recommender *recommender;
    const alterrec_sessions *sessions;
    int32_t items[VISITORS * BEST];
    float scores[VISITORS * BEST];
    alterrec_status status;
} worker;

static void *serve(void *argument) {
    worker *w = argument;
    alterrec_batch *batch = NULL;
    w->status = alterrec_batch_create(&batch);
    for (int64_t s = 0; w->status == ALTERREC_OK && s < VISITORS; s++) {
        const int32_t *items;
        int64_t length;
        (void)alterrec_batch_clear(batch);
        (void)alterrec_sessions_get(&items, &length, w->sessions, s);
        w->status = alterrec_batch_add(batch, items, length);
        if (w->status == ALTERREC_OK)
            w->status = alterrec_recommender_top_k(w->items + s * BEST, w->scores + s * BEST, NULL,
                                                   w->recommender, batch, BEST, NULL);
    }
    alterrec_batch_free(batch);
    return NULL;
}

START_TEST(threads_share_a_recommender) {
    small_model small;
    small_model_open(&small, 400, true);
    MUST(alterrec_config_set(small.config, "compute.threads", _i == 0 ? "1" : "0"));
    alterrec_sessions *sessions = small_sessions(&small, VISITORS, 2 * SMALL_MAX_LEN);
    alterrec_recommender *recommender;
    MUST(alterrec_recommender_create(&recommender, small.model, small.config));
    static worker workers[3];
    for (int i = 0; i < 3; i++)
        workers[i] = (worker){.recommender = recommender, .sessions = sessions};
    pthread_t threads[2];
    for (int i = 0; i < 2; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, serve, &workers[i]), 0);
    for (int i = 0; i < 2; i++)
        ck_assert_int_eq(pthread_join(threads[i], NULL), 0);
    (void)serve(&workers[2]);
    for (int i = 0; i < 3; i++) {
        ck_assert_int_eq(workers[i].status, ALTERREC_OK);
        ck_assert_mem_eq(workers[i].items, workers[2].items, sizeof workers[i].items);
        ck_assert_mem_eq(workers[i].scores, workers[2].scores, sizeof workers[i].scores);
    }
    alterrec_recommender_free(recommender);
    alterrec_sessions_free(sessions);
    small_model_close(&small);
}
END_TEST

START_TEST(it_is_a_snapshot) {
    small_model small;
    small_model_open(&small, 40, true);
    int32_t session[] = {4, 7}, before[5], after[5];
    float before_scores[5], after_scores[5];
    alterrec_batch *batch;
    alterrec_recommender *recommender;
    MUST(alterrec_batch_create(&batch));
    MUST(alterrec_batch_add(batch, session, 2));
    MUST(alterrec_recommender_create(&recommender, small.model, NULL));
    MUST(alterrec_recommender_top_k(before, before_scores, NULL, recommender, batch, 5, NULL));
    for (int64_t i = 0; i < alterrec_model_tensor_count(small.model); i++) {
        alterrec_tensor tensor = {.struct_size = sizeof tensor};
        MUST(alterrec_model_tensor_describe(&tensor, small.model, i));
        float *zeros = ar_new(tensor.count, sizeof *zeros);
        MUST(alterrec_model_set_tensor(small.model, tensor.name, zeros, tensor.count));
        ar_free(zeros);
    }
    small_model_close(&small);
    ck_assert_int_eq(alterrec_catalog_items(alterrec_recommender_catalog(recommender)), 40);
    MUST(alterrec_recommender_top_k(after, after_scores, NULL, recommender, batch, 5, NULL));
    ck_assert_mem_eq(after, before, sizeof after);
    ck_assert_mem_eq(after_scores, before_scores, sizeof after_scores);
    alterrec_recommender_free(recommender);
    alterrec_batch_free(batch);
}
END_TEST

START_TEST(alpha_is_the_configs) {
    small_model small;
    small_model_open(&small, 40, true);
    const char *const alphas[] = {"0", "1"};
    const int scorers[] = {ALTERREC_TEXT, ALTERREC_ID};
    int32_t session[] = {4, 7, 12}, best[40], expected[40];
    float row[40], scores[40];
    alterrec_batch *batch;
    MUST(alterrec_batch_create(&batch));
    MUST(alterrec_batch_add(batch, session, 3));
    for (int i = 0; i < 2; i++) {
        alterrec_recommender *recommender;
        MUST(alterrec_config_set(small.config, "fusion.alpha", alphas[i]));
        MUST(alterrec_recommender_create(&recommender, small.model, small.config));
        MUST(alterrec_recommender_top_k(best, NULL, NULL, recommender, batch, 40, NULL));
        MUST(alterrec_model_score(row, small.model, scorers[i], batch));
        naive_top_k(expected, scores, row, 40, 40);
        ck_assert_mem_eq(best, expected, sizeof best);
        alterrec_recommender_free(recommender);
    }
    alterrec_batch_free(batch);
    small_model_close(&small);
}
END_TEST

/* A batch's working memory outlives the call, also when the next one is of another model. */
START_TEST(a_batch_serves_several_models) {
    small_model small;
    small_model_open(&small, 40, true);
    int32_t session[] = {4, 7, 12}, alone[2][10], best[10];
    float alone_scores[2][10], scores[10];
    alterrec_model *wide;
    alterrec_recommender *recommenders[2];
    alterrec_batch *batch;
    MUST(alterrec_config_set(small.config, "model.dim", "24"));
    MUST(alterrec_model_create(&wide, small.catalog, small.config));
    MUST(alterrec_recommender_create(&recommenders[0], small.model, NULL));
    MUST(alterrec_recommender_create(&recommenders[1], wide, NULL));
    for (int i = 0; i < 2; i++) {
        MUST(alterrec_batch_create(&batch));
        MUST(alterrec_batch_add(batch, session, 3));
        MUST(alterrec_recommender_top_k(alone[i], alone_scores[i], NULL, recommenders[i], batch, 10,
                                        NULL));
        alterrec_batch_free(batch);
    }
    MUST(alterrec_batch_create(&batch));
    MUST(alterrec_batch_add(batch, session, 3));
    for (int i = 0; i < 5; i++) {
        MUST(alterrec_recommender_top_k(best, scores, NULL, recommenders[i % 2], batch, 10, NULL));
        ck_assert_mem_eq(best, alone[i % 2], sizeof best);
        ck_assert_mem_eq(scores, alone_scores[i % 2], sizeof scores);
    }
    ck_assert_mem_ne(alone_scores[0], alone_scores[1], sizeof scores);
    for (int i = 0; i < 2; i++)
        alterrec_recommender_free(recommenders[i]);
    alterrec_batch_free(batch);
    alterrec_model_free(wide);
    small_model_close(&small);
}
END_TEST

START_TEST(too_few_items_remain) {
    small_model small;
    small_model_open(&small, 12, true);
    int32_t session[] = {4}, all[12], best[12];
    float scores[12];
    for (int32_t i = 0; i < 12; i++)
        all[i] = 11 - i;
    alterrec_batch *batch;
    alterrec_recommender *recommender;
    MUST(alterrec_batch_create(&batch));
    MUST(alterrec_batch_add(batch, session, 1));
    MUST(alterrec_recommender_create(&recommender, small.model, NULL));
    MUST(alterrec_batch_exclude(batch, -1, all, 9));
    MUST(alterrec_recommender_top_k(best, scores, NULL, recommender, batch, 12, NULL));
    for (int i = 0; i < 12; i++) {
        ck_assert(i < 3 ? best[i] >= 0 && best[i] <= 2 : best[i] == -1);
        ck_assert(i < 3 ? isfinite(scores[i]) : scores[i] == -INFINITY);
    }
    MUST(alterrec_batch_exclude(batch, 0, all, 12));
    MUST(alterrec_recommender_top_k(best, scores, NULL, recommender, batch, 12, NULL));
    for (int i = 0; i < 12; i++)
        ck_assert(best[i] == -1 && scores[i] == -INFINITY);
    alterrec_recommender_free(recommender);
    alterrec_batch_free(batch);
    small_model_close(&small);
}
END_TEST

START_TEST(wrong_arguments) {
    small_model small;
    small_model_open(&small, 12, true);
    int32_t session[] = {4, 11}, outside[] = {12}, best[12];
    alterrec_batch *batch;
    alterrec_recommender *recommender, *none = (alterrec_recommender *)&small;
    const alterrec_status wrong = ALTERREC_ERROR_INVALID_ARGUMENT;
    check_fails(alterrec_recommender_create(NULL, small.model, NULL), wrong, "`recommender`");
    check_fails(alterrec_recommender_create(&none, NULL, NULL), wrong, "`model`");
    ck_assert_ptr_null(none);
    MUST(alterrec_batch_create(&batch));
    MUST(alterrec_recommender_create(&recommender, small.model, NULL));
    ck_assert_ptr_null(alterrec_recommender_catalog(NULL));
    alterrec_recommender_free(NULL);

    check_fails(alterrec_recommender_top_k(best, NULL, NULL, recommender, batch, 1, NULL), wrong,
                "top_k");
    MUST(alterrec_batch_add(batch, session, 2));
    int threads = ar_threads_count();
    for (int round = 0; round < 2; round++) {
        check_fails(alterrec_recommender_top_k(NULL, NULL, NULL, recommender, batch, 1, NULL),
                    wrong, "`items`");
        check_fails(alterrec_recommender_top_k(best, NULL, NULL, NULL, batch, 1, NULL), wrong,
                    "`recommender`");
        check_fails(alterrec_recommender_top_k(best, NULL, NULL, recommender, NULL, 1, NULL), wrong,
                    "`batch`");
        check_fails(alterrec_recommender_top_k(best, NULL, NULL, recommender, batch, 0, NULL),
                    wrong, "1..12");
        check_fails(alterrec_recommender_top_k(best, NULL, NULL, recommender, batch, -1, NULL),
                    wrong, "-1");
        check_fails(alterrec_recommender_top_k(best, NULL, NULL, recommender, batch, 13, NULL),
                    wrong, "13");
        MUST(alterrec_recommender_top_k(best, NULL, NULL, recommender, batch, 12, NULL));
        ck_assert_int_ge(best[11], 0);
        ck_assert_int_eq(ar_threads_count(), threads);
    }
    MUST(alterrec_batch_exclude(batch, 0, outside, 1));
    check_fails(alterrec_recommender_top_k(best, NULL, NULL, recommender, batch, 1, NULL), wrong,
                "12");
    MUST(alterrec_batch_clear(batch));
    MUST(alterrec_batch_add(batch, outside, 1));
    check_fails(alterrec_recommender_top_k(best, NULL, NULL, recommender, batch, 1, NULL), wrong,
                "12");
    MUST(alterrec_batch_clear(batch));
    MUST(alterrec_batch_add(batch, session, 1));
    MUST(alterrec_recommender_top_k(best, NULL, NULL, recommender, batch, 1, NULL));
    alterrec_recommender_free(recommender);
    alterrec_batch_free(batch);
    small_model_close(&small);
}
END_TEST

/* Every allocation of the first call fails once; then the same handles give the answer. */
START_TEST(out_of_memory) {
    small_model small;
    small_model_open(&small, 30, true);
    int32_t session[] = {4, 11}, best[3], expected[3];
    for (int64_t countdown = 1;; countdown++) {
        alterrec_recommender *recommender = NULL;
        alterrec_batch *batch;
        MUST(alterrec_batch_create(&batch));
        MUST(alterrec_batch_add(batch, session, 2));
        MUST(alterrec_batch_exclude(batch, 0, session, 2));
        ar_memory_fail_after(countdown);
        alterrec_status status = alterrec_recommender_create(&recommender, small.model, NULL);
        if (status == ALTERREC_OK)
            status = alterrec_recommender_top_k(best, NULL, NULL, recommender, batch, 3, NULL);
        ar_memory_fail_after(0);
        bool done = status == ALTERREC_OK;
        if (!done) {
            ck_assert_int_eq(status, ALTERREC_ERROR_OUT_OF_MEMORY);
            if (recommender == NULL)
                MUST(alterrec_recommender_create(&recommender, small.model, NULL));
            MUST(alterrec_recommender_top_k(best, NULL, NULL, recommender, batch, 3, NULL));
        }
        if (countdown == 1)
            memcpy(expected, best, sizeof best);
        ck_assert_mem_eq(best, expected, sizeof best);
        alterrec_recommender_free(recommender);
        alterrec_batch_free(batch);
        if (done) {
            ck_assert_int_gt(countdown, 15);
            break;
        }
    }
    small_model_close(&small);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("recommender");
    TCase *group = tcase_create("recommender");
    tcase_add_loop_test(group, equals_a_full_sort_of_the_scores, 0, 2);
    tcase_add_test(group, equals_a_full_sort_over_many_tiles);
    tcase_add_loop_test(group, precision_changes_nothing, 0, 3);
    tcase_add_loop_test(group, encoders_may_be_rounded, 0, 2);
    tcase_add_loop_test(group, batch_mates_change_nothing, 0, 2);
    tcase_add_loop_test(group, threads_share_a_recommender, 0, 2);
    tcase_add_test(group, it_is_a_snapshot);
    tcase_add_test(group, alpha_is_the_configs);
    tcase_add_test(group, a_batch_serves_several_models);
    tcase_add_test(group, too_few_items_remain);
    tcase_add_test(group, wrong_arguments);
    tcase_add_test(group, out_of_memory);
    suite_add_tcase(suite, group);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
