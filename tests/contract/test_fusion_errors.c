/* The host's fusion when something is wrong: its own errors, scores that are no numbers, calls back
 * into what is at work. */
#include "core/memory.h"
#include "core/threads.h"
#include "support/fusing.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>

enum { MANY_SESSIONS = 300 /* several tiles */ };

/* The callback fails at its first, second, ... call, until it is not called so often. */
START_TEST(failures_come_back_unchanged) {
    static const int32_t answers[] = {-4711, ALTERREC_ERROR_IO, INT32_MIN};
    small_model small;
    small_model_open(&small, 60, true);
    MUST(alterrec_config_set(small.config, "compute.threads", "1"));
    int threads = ar_threads_count();
    alterrec_sessions *sessions = small_sessions(&small, MANY_SESSIONS, 2 * SMALL_MAX_LEN);
    alterrec_batch *batch = fusing_batch(sessions);
    fusing_lists expected = fusing_recommend(&small, batch, 4, NULL, NULL),
                 best = fusing_new(batch, 4);
    alterrec_evaluation *figures = fusing_evaluate(&small, sessions, NULL, NULL);
    alterrec_recommender *recommender;
    alterrec_evaluator *evaluator;
    fusing_listener heard;
    MUST(alterrec_recommender_create(&recommender, small.model, small.config));
    MUST(alterrec_evaluator_create(&evaluator, small.model, small.config));
    const alterrec_search search = fusing_search(fusing_listen, &heard);
    MUST(alterrec_evaluator_on_fusion(evaluator, fusing_listen, &heard));
    int64_t failed[2] = {0, 0};
    for (int what = 0; what < 2; what++)
        for (int64_t at = 1; failed[what] == at - 1; at++) {
            alterrec_evaluation *evaluation = figures;
            heard = (fusing_listener){
                .items = 60, .at = at, .answer = answers[at % 3], .thread = pthread_self()};
            alterrec_status status =
                what == 0 ? alterrec_recommender_top_k(best.items, best.scores, NULL, recommender,
                                                       batch, 4, &search)
                          : alterrec_evaluator_run(&evaluation, evaluator, sessions, sessions);
            ck_assert_int_eq(ar_threads_count(), threads);
            if (heard.calls == at) {
                ck_assert_int_eq(status, answers[at % 3]);
                ck_assert(what == 0 || evaluation == NULL);
                failed[what] = at;
                continue;
            }
            MUST(status);
            if (what == 0)
                fusing_check_same(&best, &expected);
            else
                fusing_check_figures(evaluation, figures);
        }
    ck_assert_int_ge(failed[0], 3);
    ck_assert_int_ge(failed[1], 3);
    alterrec_evaluator_free(evaluator);
    alterrec_recommender_free(recommender);
    alterrec_evaluation_free(figures);
    fusing_free(&best);
    fusing_free(&expected);
    alterrec_batch_free(batch);
    alterrec_sessions_free(sessions);
    small_model_close(&small);
}
END_TEST

START_TEST(fused_scores_must_be_finite) {
    static const float values[] = {NAN, INFINITY, -INFINITY};
    small_model small;
    small_model_open(&small, 60, true);
    alterrec_sessions *sessions = small_sessions(&small, MANY_SESSIONS, 4);
    alterrec_batch *batch = fusing_batch(sessions);
    alterrec_recommender *recommender;
    alterrec_evaluator *evaluator;
    alterrec_evaluation *evaluation;
    fusing_listener heard;
    fusing_lists best = fusing_new(batch, 4),
                 expected = fusing_recommend(&small, batch, 4, NULL, NULL);
    MUST(alterrec_recommender_create(&recommender, small.model, NULL));
    MUST(alterrec_evaluator_create(&evaluator, small.model, NULL));
    const alterrec_search search = fusing_search(fusing_listen, &heard);
    MUST(alterrec_evaluator_on_fusion(evaluator, fusing_listen, &heard));
    for (int i = 0; i < 3; i++) {
        fusing_listener bad = {.items = 60, .at = 2, .last = values[i], .thread = pthread_self()};
        heard = bad;
        fusing_check_fails(
            alterrec_recommender_top_k(best.items, best.scores, NULL, recommender, batch, 4,
                                       &search),
            ALTERREC_ERROR_NOT_FINITE,
            i == 0 ? "item 59: the fused score is NaN, as the fusion callback left it"
                   : "item 59: the fused score is infinite, as the fusion callback left it");
        heard = bad;
        fusing_check_fails(alterrec_evaluator_run(&evaluation, evaluator, sessions, NULL),
                           ALTERREC_ERROR_NOT_FINITE, "item 59: the fused score");
        ck_assert_ptr_null(evaluation);
        heard = (fusing_listener){.items = 60, .thread = pthread_self()};
        MUST(alterrec_recommender_top_k(best.items, best.scores, NULL, recommender, batch, 4,
                                        &search));
        fusing_check_same(&best, &expected);
        heard = (fusing_listener){.items = 60, .thread = pthread_self()};
        MUST(alterrec_evaluator_run(&evaluation, evaluator, sessions, NULL));
        alterrec_evaluation_free(evaluation);
    }
    alterrec_evaluator_free(evaluator);
    alterrec_recommender_free(recommender);
    fusing_free(&best);
    fusing_free(&expected);
    alterrec_batch_free(batch);
    alterrec_sessions_free(sessions);
    small_model_close(&small);
}
END_TEST

/* Towers' scores that are not finite are told before the callback sees them. */
START_TEST(the_callback_sees_finite_scores) {
    small_model small;
    small_model_open(&small, 20, true);
    alterrec_sessions *sessions = small_sessions(&small, 5, 4);
    alterrec_batch *batch = fusing_batch(sessions);
    alterrec_recommender *recommender;
    fusing_listener heard = {.items = 20, .thread = pthread_self()};
    fusing_lists best = fusing_new(batch, 4);
    float values[SMALL_DIM];
    for (int i = 0; i < SMALL_DIM; i++)
        values[i] = 3e38F;
    MUST(alterrec_model_set_tensor(small.model, "text.norm.bias", values, SMALL_DIM));
    MUST(alterrec_recommender_create(&recommender, small.model, NULL));
    const alterrec_search search = fusing_search(fusing_listen, &heard);
    fusing_check_fails(
        alterrec_recommender_top_k(best.items, best.scores, NULL, recommender, batch, 4, &search),
        ALTERREC_ERROR_NOT_FINITE, "session 0 of the batch");
    ck_assert_int_eq(heard.calls, 0);
    alterrec_recommender_free(recommender);
    fusing_free(&best);
    alterrec_batch_free(batch);
    alterrec_sessions_free(sessions);
    small_model_close(&small);
}
END_TEST

typedef struct intruder {
    const small_model *small;
    alterrec_batch *batch, *other;
    alterrec_recommender *recommender;
    alterrec_evaluator *evaluator;
    const alterrec_sessions *sessions;
    bool inside; /* the call that it makes itself is its own callback's too */
    int64_t calls;
} intruder;

static int32_t intrude_on_batch(const alterrec_fusion_tile *tile, void *user_data) {
    const alterrec_search search = fusing_search(intrude_on_batch, user_data);
    intruder *i = user_data;
    const alterrec_status busy = ALTERREC_ERROR_BUSY;
    int32_t items[] = {1, 2, 3};
    float row[60], vector[SMALL_DIM];
    if (!i->inside) {
        i->inside = true;
        i->calls++;
        fusing_check_fails(alterrec_batch_add(i->batch, items, 3), busy, "alterrec_batch_add");
        fusing_check_fails(alterrec_batch_clear(i->batch), busy, "inside a call");
        fusing_check_fails(alterrec_batch_exclude(i->batch, 0, items, 3), busy, "inside a call");
        fusing_check_fails(alterrec_batch_exclude(i->batch, -1, items, 3), busy, "inside a call");
        fusing_check_fails(alterrec_batch_exclude_own(i->batch, 1), busy, "inside a call");
        fusing_check_fails(
            alterrec_recommender_top_k(items, NULL, NULL, i->recommender, i->batch, 3, &search),
            busy, "alterrec_recommender_top_k");
        fusing_check_fails(alterrec_model_score(row, i->small->model, ALTERREC_ID, i->batch), busy,
                           "inside a call");
        fusing_check_fails(
            alterrec_model_session_vectors(vector, i->small->model, ALTERREC_ID, i->batch), busy,
            "inside a call");
        ck_assert_int_eq(alterrec_batch_count(i->batch), MANY_SESSIONS);
        /* Everything else may be used, the recommender too. */
        MUST(alterrec_recommender_top_k(items, NULL, NULL, i->recommender, i->other, 3, &search));
        MUST(alterrec_model_score(row, i->small->model, ALTERREC_ID, i->other));
        i->inside = false;
    }
    return fusing_add_up(tile, NULL);
}

static int32_t intrude_on_evaluator(const alterrec_fusion_tile *tile, void *user_data) {
    intruder *i = user_data;
    const alterrec_status busy = ALTERREC_ERROR_BUSY;
    alterrec_evaluation *evaluation;
    i->calls++;
    fusing_check_fails(alterrec_evaluator_run(&evaluation, i->evaluator, i->sessions, NULL), busy,
                       "alterrec_evaluator_run");
    ck_assert_ptr_null(evaluation);
    fusing_check_fails(alterrec_evaluator_on_fusion(i->evaluator, NULL, NULL), busy, "on_fusion");
    fusing_check_fails(alterrec_evaluator_on_progress(i->evaluator, NULL, NULL), busy,
                       "on_progress");
    return fusing_add_up(tile, NULL);
}

START_TEST(calling_back_in_is_busy) {
    small_model small;
    small_model_open(&small, 60, true);
    alterrec_sessions *sessions = small_sessions(&small, MANY_SESSIONS, 4);
    intruder i = {.small = &small, .batch = fusing_batch(sessions), .sessions = sessions};
    MUST(alterrec_batch_create(&i.other));
    small_add(i.other, sessions, 0);
    fusing_lists expected = fusing_recommend(&small, i.batch, 5, NULL, NULL),
                 best = fusing_new(i.batch, 5);
    MUST(alterrec_recommender_create(&i.recommender, small.model, NULL));
    const alterrec_search search = fusing_search(intrude_on_batch, &i);
    for (int round = 0; round < 2; round++) {
        MUST(alterrec_recommender_top_k(best.items, best.scores, NULL, i.recommender, i.batch, 5,
                                        &search));
        fusing_check_same(&best, &expected);
    }
    ck_assert_int_ge(i.calls, 4);
    MUST(alterrec_batch_clear(i.batch));
    alterrec_evaluation *figures = fusing_evaluate(&small, sessions, NULL, NULL), *evaluation;
    MUST(alterrec_evaluator_create(&i.evaluator, small.model, NULL));
    MUST(alterrec_evaluator_on_fusion(i.evaluator, intrude_on_evaluator, &i));
    MUST(alterrec_evaluator_run(&evaluation, i.evaluator, sessions, sessions));
    fusing_check_figures(evaluation, figures);
    MUST(alterrec_evaluator_on_fusion(i.evaluator, NULL, NULL));
    alterrec_evaluation_free(figures);
    alterrec_evaluator_free(i.evaluator);
    alterrec_recommender_free(i.recommender);
    alterrec_batch_free(i.batch);
    alterrec_batch_free(i.other);
    fusing_free(&best);
    fusing_free(&expected);
    alterrec_sessions_free(sessions);
    small_model_close(&small);
}
END_TEST

START_TEST(wrong_arguments) {
    const alterrec_status wrong = ALTERREC_ERROR_INVALID_ARGUMENT;
    small_model small;
    small_model_open(&small, 20, true);
    alterrec_sessions *sessions = small_sessions(&small, 5, 4);
    alterrec_evaluator *evaluator = (alterrec_evaluator *)&small;
    alterrec_evaluation *evaluation = (alterrec_evaluation *)&small;
    fusing_check_fails(alterrec_evaluator_create(NULL, small.model, NULL), wrong, "`evaluator`");
    fusing_check_fails(alterrec_evaluator_create(&evaluator, NULL, NULL), wrong, "`model`");
    ck_assert_ptr_null(evaluator);
    fusing_check_fails(alterrec_evaluator_on_fusion(NULL, fusing_add_up, NULL), wrong,
                       "`evaluator`");
    fusing_check_fails(alterrec_evaluator_on_progress(NULL, NULL, NULL), wrong, "`evaluator`");
    fusing_check_fails(alterrec_evaluator_run(&evaluation, NULL, sessions, NULL), wrong,
                       "`evaluator`");
    ck_assert_ptr_null(evaluation);
    MUST(alterrec_evaluator_create(&evaluator, small.model, NULL));
    fusing_check_fails(alterrec_evaluator_run(NULL, evaluator, sessions, NULL), wrong,
                       "`evaluation`");
    fusing_check_fails(alterrec_evaluator_run(&evaluation, evaluator, NULL, NULL), wrong,
                       "`held_out`");
    small_model_close(&small); /* the evaluator keeps the model */
    MUST(alterrec_evaluator_run(&evaluation, evaluator, sessions, NULL));
    alterrec_evaluation_free(evaluation);
    alterrec_evaluator_free(evaluator);
    alterrec_evaluator_free(NULL);
    alterrec_sessions_free(sessions);
}
END_TEST

/* Every allocation fails once, with the callback set; then the same handles give the answer. */
START_TEST(out_of_memory) {
    small_model small;
    small_model_open(&small, 30, true);
    alterrec_sessions *sessions = small_sessions(&small, 20, 4);
    alterrec_status status = ALTERREC_ERROR_OUT_OF_MEMORY;
    int64_t countdown = 0;
    alterrec_recommender *recommender;
    MUST(alterrec_recommender_create(&recommender, small.model, NULL));
    const alterrec_search search = fusing_search(fusing_add_up, NULL);
    while (status != ALTERREC_OK) {
        int32_t best[20 * 3];
        alterrec_batch *batch = fusing_batch(sessions);
        alterrec_evaluator *evaluator = NULL;
        alterrec_evaluation *evaluation = NULL;
        ar_memory_fail_after(++countdown);
        status = alterrec_recommender_top_k(best, NULL, NULL, recommender, batch, 3, &search);
        if (status == ALTERREC_OK)
            status = alterrec_evaluator_create(&evaluator, small.model, NULL);
        if (status == ALTERREC_OK)
            status = alterrec_evaluator_on_fusion(evaluator, fusing_add_up, NULL);
        if (status == ALTERREC_OK)
            status = alterrec_evaluator_run(&evaluation, evaluator, sessions, sessions);
        ar_memory_fail_after(0);
        if (status != ALTERREC_OK)
            ck_assert_int_eq(status, ALTERREC_ERROR_OUT_OF_MEMORY);
        MUST(alterrec_recommender_top_k(best, NULL, NULL, recommender, batch, 3, &search));
        alterrec_evaluation_free(evaluation);
        alterrec_evaluator_free(evaluator);
        alterrec_batch_free(batch);
    }
    ck_assert_int_gt(countdown, 20);
    alterrec_recommender_free(recommender);
    alterrec_sessions_free(sessions);
    small_model_close(&small);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("fusion_errors");
    TCase *group = tcase_create("fusion_errors");
    tcase_add_test(group, failures_come_back_unchanged);
    tcase_add_test(group, fused_scores_must_be_finite);
    tcase_add_test(group, the_callback_sees_finite_scores);
    tcase_add_test(group, calling_back_in_is_busy);
    tcase_add_test(group, wrong_arguments);
    tcase_add_test(group, out_of_memory);
    suite_add_tcase(suite, group);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
