/* What alterrec_last_error says when a callback's answer has ended a call. */
#include "core/memory.h"
#include "support/shop.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MUST(call) ck_assert_msg((call) == ALTERREC_OK, "%s", alterrec_last_error())

enum { ANY_STAGE = -1 };

static shop s;
static alterrec_model *model;
static alterrec_trainer *trainer;

/* What the callbacks do: at `stage`, or whatever the stage, they answer; before that, they ask for
 * a file or for an option that is not there. */
typedef struct behaviour {
    int32_t answer, stage;
    bool asks_for_a_file, asks_for_an_option;
    int calls;
} behaviour;

static void set_up(void) {
    shop_open(&s, 40, 60);
    MUST(alterrec_model_create(&model, s.catalog, s.config));
    MUST(alterrec_trainer_create(&trainer, model, s.train, s.valid, NULL));
}

static void tear_down(void) {
    alterrec_trainer_free(trainer);
    alterrec_model_free(model);
    shop_close(&s);
}

static int32_t behave(behaviour *b) {
    alterrec_model *none;
    const char *value;
    b->calls++;
    if (b->asks_for_a_file)
        ck_assert_int_eq(alterrec_model_load(&none, "/nowhere/m.safetensors"), ALTERREC_ERROR_IO);
    if (b->asks_for_an_option)
        ck_assert_int_eq(alterrec_config_get(&value, s.config, "no.such"),
                         ALTERREC_ERROR_NOT_FOUND);
    return b->answer;
}

static int32_t progress(const alterrec_progress *at, void *b) {
    const behaviour *wanted = b;
    return wanted->stage == ANY_STAGE || wanted->stage == at->stage ? behave(b) : 0;
}

static int32_t schedule(alterrec_plan *plan, const alterrec_epoch_report *last, void *b) {
    (void)plan;
    (void)last;
    return behave(b);
}

static int32_t fuse(const alterrec_fusion_tile *tile, void *b) {
    (void)tile;
    return behave(b);
}

static int32_t name_negatives(int32_t *negatives, const alterrec_examples *examples,
                              int64_t per_example, void *b) {
    (void)negatives;
    (void)examples;
    (void)per_example;
    return behave(b);
}

static int32_t log_line(int32_t level, const char *message, void *b) {
    (void)level;
    (void)message;
    return behave(b);
}

/* An error that has nothing to do with what follows. */
static void fail_before(void) {
    ck_assert_int_eq(alterrec_catalog_create(NULL, NULL, NULL, 1), ALTERREC_ERROR_INVALID_ARGUMENT);
}

static void check(alterrec_status status, alterrec_status expected, const char *text) {
    ck_assert_int_eq(status, expected);
    ck_assert_str_eq(alterrec_last_error(), text);
    fail_before();
}

START_TEST(progress_in_training) {
    behaviour b = {.answer = -5001};
    MUST(alterrec_trainer_on_progress(trainer, progress, &b));
    fail_before();
    for (b.stage = ALTERREC_STAGE_TRAIN; b.stage <= ALTERREC_STAGE_EPOCH; b.stage++) {
        check(alterrec_trainer_epoch(NULL, trainer, NULL), -5001,
              "the progress callback answered -5001");
        check(alterrec_trainer_run(trainer), -5001, "the progress callback answered -5001");
    }
    ck_assert_int_eq(b.calls, 6);
}
END_TEST

START_TEST(progress_in_evaluations) {
    behaviour b = {.answer = -5001, .stage = ANY_STAGE};
    alterrec_evaluation *evaluation;
    fail_before();
    check(alterrec_evaluate(&evaluation, model, s.valid, NULL, NULL, progress, &b), -5001,
          "the progress callback answered -5001");
    ck_assert_int_eq(b.calls, 1);
}
END_TEST

START_TEST(schedules) {
    behaviour b = {.answer = INT32_MIN};
    MUST(alterrec_trainer_on_schedule(trainer, schedule, &b));
    fail_before();
    check(alterrec_trainer_run(trainer), INT32_MIN, "the schedule callback answered -2147483648");
    ck_assert_int_eq(b.calls, 1);
}
END_TEST

START_TEST(fusions) {
    static const char text[] = "the fusion callback answered -5003";
    behaviour b = {.answer = -5003};
    alterrec_evaluator *evaluator;
    alterrec_evaluation *evaluation;
    alterrec_recommender *recommender;
    alterrec_batch *batch;
    int32_t top;
    MUST(alterrec_trainer_on_fusion(trainer, fuse, &b));
    MUST(alterrec_evaluator_create(&evaluator, model, NULL));
    MUST(alterrec_evaluator_on_fusion(evaluator, fuse, &b));
    MUST(alterrec_recommender_create(&recommender, model, NULL));
    alterrec_search search = {.struct_size = sizeof search, .fusion = fuse, .user_data = &b};
    MUST(alterrec_batch_create(&batch));
    MUST(alterrec_batch_add(batch, &(int32_t){3}, 1));
    fail_before();
    check(alterrec_trainer_epoch(NULL, trainer, NULL), -5003, text);
    check(alterrec_evaluator_run(&evaluation, evaluator, s.valid, NULL), -5003, text);
    check(alterrec_recommender_top_k(&top, NULL, NULL, recommender, batch, 1, &search), -5003,
          text);
    ck_assert_int_eq(b.calls, 3);
    alterrec_batch_free(batch);
    alterrec_recommender_free(recommender);
    alterrec_evaluator_free(evaluator);
}
END_TEST

START_TEST(negatives) {
    behaviour b = {.answer = -5004};
    alterrec_plan plan = {.struct_size = sizeof plan};
    MUST(alterrec_trainer_plan(&plan, trainer));
    plan.negatives = ALTERREC_NEGATIVES_HOST;
    plan.correct = 0;
    MUST(alterrec_trainer_on_negatives(trainer, name_negatives, &b));
    fail_before();
    check(alterrec_trainer_epoch(NULL, trainer, &plan), -5004,
          "the negatives callback answered -5004");
    ck_assert_int_eq(b.calls, 1);
}
END_TEST

START_TEST(logs) {
    behaviour b = {.answer = -5005};
    MUST(alterrec_trainer_on_log(trainer, log_line, &b));
    fail_before();
    check(alterrec_trainer_epoch(NULL, trainer, NULL), -5005, "the log callback answered -5005");
    ck_assert_int_eq(b.calls, 1);
}
END_TEST

/* A callback that passes on what a call of its own gave keeps what that call said. */
START_TEST(errors_that_are_passed_on) {
    char text[512];
    behaviour b = {.answer = ALTERREC_ERROR_IO, .stage = ANY_STAGE, .asks_for_a_file = true};
    behave(&b);
    (void)snprintf(text, sizeof text, "the progress callback answered -3: %s",
                   alterrec_last_error());
    MUST(alterrec_trainer_on_progress(trainer, progress, &b));
    check(alterrec_trainer_epoch(NULL, trainer, NULL), ALTERREC_ERROR_IO, text);
}
END_TEST

/* What failed inside the callback, but is not what it answers, is another matter. */
START_TEST(errors_that_are_put_up_with) {
    behaviour b = {.answer = -5006, .stage = ANY_STAGE, .asks_for_an_option = true};
    MUST(alterrec_trainer_on_progress(trainer, progress, &b));
    check(alterrec_trainer_epoch(NULL, trainer, NULL), -5006,
          "the progress callback answered -5006");
    b.answer = ALTERREC_ERROR_IO;
    check(alterrec_trainer_epoch(NULL, trainer, NULL), ALTERREC_ERROR_IO,
          "the progress callback answered -3");
    /* Nor is it one from before the callback, though of the same status. */
    b = (behaviour){.answer = ALTERREC_ERROR_INVALID_ARGUMENT, .stage = ANY_STAGE};
    check(alterrec_trainer_epoch(NULL, trainer, NULL), ALTERREC_ERROR_INVALID_ARGUMENT,
          "the progress callback answered -1");
}
END_TEST

/* A training that failed gives back its best weights and tells of it; what the log callback makes
 * of that does not hide why it failed. */
START_TEST(the_first_error_of_a_run_is_told) {
    behaviour failing = {.answer = -5001, .stage = ALTERREC_STAGE_TRAIN};
    behaviour logging = {.asks_for_an_option = true};
    MUST(alterrec_trainer_epoch(NULL, trainer, NULL));
    MUST(alterrec_trainer_on_progress(trainer, progress, &failing));
    MUST(alterrec_trainer_on_log(trainer, log_line, &logging));
    int before = logging.calls;
    check(alterrec_trainer_run(trainer), -5001, "the progress callback answered -5001");
    ck_assert_int_gt(logging.calls, before);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("callback_errors");
    TCase *cases = tcase_create("callback_errors");
    tcase_add_checked_fixture(cases, set_up, tear_down);
    tcase_add_test(cases, progress_in_training);
    tcase_add_test(cases, progress_in_evaluations);
    tcase_add_test(cases, schedules);
    tcase_add_test(cases, fusions);
    tcase_add_test(cases, negatives);
    tcase_add_test(cases, logs);
    tcase_add_test(cases, errors_that_are_passed_on);
    tcase_add_test(cases, errors_that_are_put_up_with);
    tcase_add_test(cases, the_first_error_of_a_run_is_told);
    suite_add_tcase(suite, cases);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
