/* Out of memory at every allocation of training, evaluating and serving, one after the other: the
 * call says so, nothing leaks (the sanitizers look), and what the host holds goes on as if nothing
 * had been. */
#include "core/memory.h"
#include "scratch.h"
#include "support/model_bytes.h"
#include "support/shop.h"
#include "support/small_model.h"
#include "support/torture.h"

enum { ITEMS = 40, K = 5 };

static shop s;
static alterrec_model *model;

static void set_up(void) {
    scratch_open();
    shop_open(&s, ITEMS, 20);
    shop_set(&s, "compute.threads", "1"); /* the countdown is its thread's own */
    MUST(alterrec_model_create(&model, s.catalog, s.config));
}

static void tear_down(void) {
    alterrec_model_free(model);
    shop_close(&s);
    scratch_close();
}

static const char *path;

static void nothing(void) {
}

static void free_model(void) {
    alterrec_model_free(model);
    model = NULL;
}

static alterrec_status create_model(void) {
    alterrec_status status = alterrec_model_create(&model, s.catalog, s.config);
    return torture_made(status, model);
}

/* A joint model in the place of the one with two towers. */
static void join_towers(void) {
    free_model();
    shop_set(&s, "schedule.system", "naive_concat");
    torture(create_model, free_model, 6);
    MUST(create_model());
}

/* ---- Training ---- */

static alterrec_trainer *trainer;
static alterrec_plan plan;

static void free_trainer(void) {
    alterrec_trainer_free(trainer);
}

static alterrec_status create_trainer(void) {
    alterrec_status status = alterrec_trainer_create(&trainer, model, s.train, s.valid, NULL);
    return torture_made(status, trainer);
}

/* Every tensor of one tower, to tell whether it changed. */
static float *weights_of(const char *tower, int64_t *count) {
    float *weights = NULL;
    int64_t capacity = 0;
    *count = 0;
    for (int64_t i = 0; i < alterrec_model_tensor_count(model); i++) {
        alterrec_tensor tensor = {.struct_size = sizeof tensor};
        MUST(alterrec_model_tensor_describe(&tensor, model, i));
        if (strncmp(tensor.name, tower, strlen(tower)) != 0)
            continue;
        void *grown = weights;
        MUST(ar_grow(&grown, &capacity, *count + tensor.count, sizeof *weights));
        weights = grown;
        MUST(alterrec_model_get_tensor(weights + *count, model, tensor.name, tensor.count));
        *count += tensor.count;
    }
    return weights;
}

/* A first epoch with all that an epoch may need: it fails, is not counted, leaves the tower that is
 * not trained as it is, and can be done again. */
static bool fail_epoch(int64_t n) {
    alterrec_epoch_report report = {.struct_size = sizeof report, .steps = -7};
    int64_t count;
    const char *frozen = plan.tower == ALTERREC_ID ? "text." : "id.";
    float *before = weights_of(frozen, &count);
    MUST(create_trainer());
    ar_memory_fail_after(n);
    alterrec_status status = alterrec_trainer_epoch(&report, trainer, &plan);
    ar_memory_fail_after(0);
    bool failed = status != ALTERREC_OK;
    if (failed) {
        ck_assert_msg(status == ALTERREC_ERROR_OUT_OF_MEMORY, "allocation %lld: %s, %s",
                      (long long)n, alterrec_status_name(status), alterrec_last_error());
        ck_assert_int_eq(report.steps, -7);
        ck_assert_int_eq(alterrec_trainer_epochs(trainer), 0);
        MUST(alterrec_trainer_epoch(&report, trainer, &plan));
        ck_assert_int_eq(alterrec_trainer_epochs(trainer), 1);
        ck_assert_int_gt(report.steps, 0);
    }
    float *after = weights_of(frozen, &count);
    ck_assert(plan.tower == ALTERREC_FUSED || count > 0);
    for (int64_t i = 0; i < count; i++)
        ck_assert(before[i] == after[i]);
    ar_free(before);
    ar_free(after);
    free_trainer();
    return failed;
}

START_TEST(test_epochs) {
    torture(create_trainer, free_trainer, 4);
    for (int32_t tower = ALTERREC_ID; tower <= ALTERREC_FUSED; tower++) {
        if (tower == ALTERREC_FUSED)
            join_towers();
        MUST(create_trainer());
        plan = (alterrec_plan){.struct_size = sizeof plan};
        MUST(alterrec_trainer_plan(&plan, trainer));
        free_trainer();
        plan.tower = tower;
        if (tower != ALTERREC_FUSED) {
            plan.negatives = ALTERREC_NEGATIVES_HARD;
            plan.positive_count = 2;
        }
        int64_t n = 1;
        while (fail_epoch(n))
            n++;
        ck_assert_int_gt(n, 30);
    }
}
END_TEST

/* An epoch that could not be ended is not counted, and can still be ended: its steps are kept.
 * Small batches, of which every epoch has another number. */
START_TEST(test_ends_of_epochs) {
    alterrec_epoch_report report = {.struct_size = sizeof report};
    alterrec_batch *batch;
    int64_t failures = 0, fewest = INT64_MAX, most = 0;
    shop_set(&s, "train.batch_size", "2");
    free_model();
    MUST(create_model());
    MUST(create_trainer());
    MUST(alterrec_batch_create(&batch));
    for (int32_t epoch = 0; epoch < 6; epoch++) {
        int64_t batches = alterrec_trainer_batches(trainer);
        fewest = batches < fewest ? batches : fewest;
        most = batches > most ? batches : most;
        MUST(alterrec_trainer_batch(batch, trainer, 0));
        MUST(alterrec_trainer_step(NULL, trainer, batch, NULL));
        alterrec_status status = ALTERREC_ERROR_OUT_OF_MEMORY;
        for (int64_t n = 1; status != ALTERREC_OK; n++, failures++) {
            ck_assert_int_eq(status, ALTERREC_ERROR_OUT_OF_MEMORY);
            ck_assert_int_eq(alterrec_trainer_epochs(trainer), epoch);
            ar_memory_fail_after(n);
            status = alterrec_trainer_end_epoch(&report, trainer);
            ar_memory_fail_after(0);
        }
        ck_assert_int_eq(alterrec_trainer_epochs(trainer), epoch + 1);
        ck_assert_int_eq(report.epoch, epoch);
        ck_assert_int_eq(report.steps, 1);
        ck_assert_int_eq(report.examples, alterrec_batch_examples(batch));
    }
    ck_assert_int_gt(failures, 30);
    ck_assert_int_lt(fewest, most);
    alterrec_batch_free(batch);
    free_trainer();
}
END_TEST

static alterrec_status save_trainer(void) {
    return alterrec_trainer_save(trainer, path);
}

static alterrec_status resume_trainer(void) {
    int64_t epochs = alterrec_trainer_epochs(trainer);
    alterrec_status status = alterrec_trainer_resume(trainer, path);
    ck_assert_int_eq(alterrec_trainer_epochs(trainer), status == ALTERREC_OK ? 2 : epochs);
    return status;
}

/* A trainer that has trained less than the checkpoint. */
static void begin_anew(void) {
    free_trainer();
    MUST(create_trainer());
}

/* A resume that failed has changed nothing: the same checkpoint is written as before. */
static void check_failed_resume(void) {
    model_bytes before, after;
    for (int64_t n = 1;; n++) {
        begin_anew();
        MUST(alterrec_trainer_epoch(NULL, trainer, NULL));
        MUST(alterrec_trainer_save(trainer, scratch_path("before")));
        ar_memory_fail_after(n);
        alterrec_status status = alterrec_trainer_resume(trainer, path);
        ar_memory_fail_after(0);
        if (status == ALTERREC_OK)
            break;
        MUST(alterrec_trainer_save(trainer, scratch_path("after")));
        model_bytes_read(&before, scratch_path("before"));
        model_bytes_read(&after, scratch_path("after"));
        ck_assert_uint_eq(before.size, after.size);
        ck_assert_msg(memcmp(before.bytes, after.bytes, before.size) == 0,
                      "after allocation %lld failed, the trainer is another", (long long)n);
        model_bytes_free(&before);
        model_bytes_free(&after);
    }
}

START_TEST(test_checkpoints) {
    path = scratch_path("checkpoint.safetensors");
    if (_i == 1)
        join_towers();
    MUST(create_trainer());
    MUST(alterrec_trainer_epoch(NULL, trainer, NULL));
    MUST(alterrec_trainer_epoch(NULL, trainer, NULL));
    torture(save_trainer, nothing, 10);
    ck_assert_int_eq(scratch_count(), 1);
    begin_anew();
    torture(resume_trainer, begin_anew, 10);
    check_failed_resume();
    free_trainer();
}
END_TEST

/* ---- Evaluating and serving ---- */

static alterrec_evaluation *evaluation;
static alterrec_recommender *recommender;
static int32_t top[2 * K], expected_top[2 * K];

static void free_evaluation(void) {
    alterrec_evaluation_free(evaluation);
}

static alterrec_status evaluate(void) {
    alterrec_status status =
        alterrec_evaluate(&evaluation, model, s.valid, s.train, NULL, NULL, NULL);
    return torture_made(status, evaluation);
}

static void free_recommender(void) {
    alterrec_recommender_free(recommender);
}

static alterrec_status create_recommender(void) {
    alterrec_status status = alterrec_recommender_create(&recommender, model, NULL);
    return torture_made(status, recommender);
}

START_TEST(test_evaluations) {
    if (_i == 1)
        join_towers();
    torture(evaluate, free_evaluation, 15);
}
END_TEST

static void open_excluding(alterrec_batch **fresh) {
    MUST(alterrec_batch_create(fresh));
    MUST(alterrec_batch_add(*fresh, (int32_t[]){1, 2, 3}, 3));
    MUST(alterrec_batch_add(*fresh, (int32_t[]){9, 8, 7, 6, 5, 4}, 6));
    MUST(alterrec_batch_exclude(*fresh, -1, (int32_t[]){11, 12}, 2));
    MUST(alterrec_batch_exclude(*fresh, 1, (int32_t[]){13}, 1));
    MUST(alterrec_batch_exclude_own(*fresh, 1));
}

START_TEST(test_recommenders) {
    alterrec_batch *fresh;
    int64_t n = 0;
    if (_i == 1)
        join_towers();
    torture(create_recommender, free_recommender, 6);
    MUST(create_recommender());
    open_excluding(&fresh);
    MUST(alterrec_recommender_top_k(expected_top, NULL, NULL, recommender, fresh, K, NULL));
    alterrec_batch_free(fresh);
    for (alterrec_status status = ALTERREC_ERROR_OUT_OF_MEMORY; status != ALTERREC_OK;) {
        open_excluding(&fresh);
        ar_memory_fail_after(++n);
        status = alterrec_recommender_top_k(top, NULL, NULL, recommender, fresh, K, NULL);
        ar_memory_fail_after(0);
        ck_assert(status == ALTERREC_OK || status == ALTERREC_ERROR_OUT_OF_MEMORY);
        MUST(alterrec_recommender_top_k(top, NULL, NULL, recommender, fresh, K, NULL));
        ck_assert_mem_eq(top, expected_top, sizeof top);
        alterrec_batch_free(fresh);
    }
    ck_assert_int_gt(n, 10);
    free_recommender();
}
END_TEST

int main(void) {
    Suite *suite = suite_create("memory_training");
    TCase *cases = tcase_create("memory_training");
    tcase_add_checked_fixture(cases, set_up, tear_down);
    tcase_add_test(cases, test_epochs);
    tcase_add_test(cases, test_ends_of_epochs);
    tcase_add_loop_test(cases, test_checkpoints, 0, 2);
    tcase_add_loop_test(cases, test_evaluations, 0, 2);
    tcase_add_loop_test(cases, test_recommenders, 0, 2);
    suite_add_tcase(suite, cases);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
