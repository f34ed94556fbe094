/* What the log callback hears, and what its answers do. */
#include "core/memory.h"
#include "model/model.h"
#include "scratch.h"
#include "support/shop.h"

#include <pthread.h>
#include <string.h>

#define MUST(call) ck_assert_msg((call) == ALTERREC_OK, "%s", alterrec_last_error())

enum { MOST = 64, LINE = 256 };

typedef struct listener {
    char lines[MOST][LINE];
    int32_t levels[MOST];
    int count;
    int at; /* the call that gives `answer`, counted from 1; 0: none */
    int32_t answer;
    pthread_t thread;
} listener;

static int32_t listen(int32_t level, const char *message, void *user_data) {
    listener *heard = user_data;
    ck_assert(pthread_equal(pthread_self(), heard->thread));
    ck_assert_int_lt(heard->count, MOST);
    ck_assert_ptr_null(strchr(message, '\n'));
    (void)snprintf(heard->lines[heard->count], LINE, "%s", message);
    heard->levels[heard->count++] = level;
    return heard->count == heard->at ? heard->answer : 0;
}

typedef struct training {
    shop shop;
    alterrec_model *model;
    alterrec_trainer *trainer;
} training;

/* Alternates from epoch to epoch, hard negatives from 2 on, a rate that falls, alpha to choose. */
static void open_training(training *t) {
    shop_open(&t->shop, 40, 60);
    shop_set(&t->shop, "negatives.k2", "2000");
    shop_set(&t->shop, "optimizer.decay", "step");
    shop_set(&t->shop, "optimizer.decay_factor", "0.5");
    shop_set(&t->shop, "optimizer.learning_rate", "0.01");
    shop_set(&t->shop, "optimizer.id_decay_epochs", "1");
    shop_set(&t->shop, "optimizer.text_decay_epochs", "2");
    shop_set(&t->shop, "fusion.alpha", "auto");
    MUST(alterrec_model_create(&t->model, t->shop.catalog, t->shop.config));
    MUST(alterrec_trainer_create(&t->trainer, t->model, t->shop.train, t->shop.valid, NULL));
}

static void close_training(training *t) {
    alterrec_trainer_free(t->trainer);
    alterrec_model_free(t->model);
    shop_close(&t->shop);
}

static listener *listen_to(training *t) {
    listener *heard = ar_new(1, sizeof *heard);
    heard->thread = pthread_self();
    MUST(alterrec_trainer_on_log(t->trainer, listen, heard));
    return heard;
}

/* How many lines have this in them. */
static int lines_with(const listener *heard, const char *text) {
    int found = 0;
    for (int i = 0; i < heard->count; i++)
        found += strstr(heard->lines[i], text) != NULL;
    return found;
}

START_TEST(hears_what_belongs_into_a_log) {
    training t;
    open_training(&t);
    listener *heard = listen_to(&t);
    MUST(alterrec_trainer_run(t.trainer));
    ck_assert_str_eq(heard->lines[0],
                     "40 items are few for negatives.k1 2 and k2 2000: the window is k1 2, k2 40");
    ck_assert_int_eq(heard->levels[0], ALTERREC_LOG_WARNING);
    ck_assert_str_eq(heard->lines[1], "epoch 0: the ID tower, random negatives");
    ck_assert_int_eq(heard->levels[1], ALTERREC_LOG_INFO);
    ck_assert_int_eq(lines_with(heard, "epoch 1: the text tower, random negatives"), 1);
    ck_assert_int_eq(lines_with(heard, "epoch 2: the ID tower, hard negatives"), 1);
    ck_assert_int_eq(
        lines_with(heard, "epoch 2: the learning rate of the ID tower falls from 0.01 to 0.005"),
        1);
    /* ID at 2 and 4, text at 5. */
    ck_assert_int_eq(lines_with(heard, "falls from"), 3);
    int best = 0;
    for (int64_t e = 0; e < alterrec_trainer_epochs(t.trainer); e++) {
        alterrec_epoch_report report = {.struct_size = sizeof report};
        MUST(alterrec_trainer_report(&report, t.trainer, e));
        best += report.best != 0;
    }
    ck_assert_int_eq(lines_with(heard, "the best so far"), best);
    ck_assert_int_eq(lines_with(heard, "the model has the weights of epoch "), 1);
    char alpha[LINE];
    const char *chosen;
    MUST(alterrec_config_get(&chosen, alterrec_model_config(t.model), "fusion.alpha"));
    (void)snprintf(alpha, sizeof alpha, "fusion.alpha %s is the best, and the model's", chosen);
    ck_assert_str_eq(heard->lines[heard->count - 1], alpha);
    ar_free(heard);
    close_training(&t);
}
END_TEST

START_TEST(hears_of_patience_and_the_joint_tower) {
    training t;
    shop_open(&t.shop, 40, 60);
    shop_set(&t.shop, "schedule.system", "naive_concat");
    shop_set(&t.shop, "optimizer.learning_rate", "1e-12");
    shop_set(&t.shop, "train.patience", "2");
    MUST(alterrec_model_create(&t.model, t.shop.catalog, t.shop.config));
    MUST(alterrec_trainer_create(&t.trainer, t.model, t.shop.train, t.shop.valid, NULL));
    listener *heard = listen_to(&t);
    MUST(alterrec_trainer_run(t.trainer));
    ck_assert_int_eq(heard->count, 4);
    ck_assert_str_eq(heard->lines[0], "epoch 0: the joint tower, random negatives");
    ck_assert_ptr_nonnull(strstr(heard->lines[1], "epoch 0: the best so far, validation 0."));
    ck_assert_str_eq(heard->lines[2],
                     "epoch 2: none better for 2 epochs, the patience is exhausted");
    ck_assert_str_eq(heard->lines[3], "the model has the weights of epoch 0");
    ar_free(heard);
    close_training(&t);
}
END_TEST

START_TEST(hears_of_checkpoints) {
    scratch_open();
    const char *path = scratch_path("checkpoint.safetensors");
    training t;
    open_training(&t);
    MUST(alterrec_trainer_epoch(NULL, t.trainer, NULL));
    listener *heard = listen_to(&t);
    MUST(alterrec_trainer_save(t.trainer, path));
    MUST(alterrec_trainer_resume(t.trainer, path));
    ck_assert_int_eq(heard->count, 2);
    ck_assert_int_eq(lines_with(heard, "checkpoint written (epochs done: 1): "), 1);
    ck_assert_int_eq(lines_with(heard, "resumed (epochs done: 1): "), 1);
    ck_assert_int_eq(lines_with(heard, path), 2);
    MUST(alterrec_trainer_on_log(t.trainer, NULL, NULL));
    MUST(alterrec_trainer_save(t.trainer, path));
    ck_assert_int_eq(heard->count, 2);
    ar_free(heard);
    close_training(&t);
    scratch_close();
}
END_TEST

/* The callback fails at its first, second, ... call, until it is not called so often. */
START_TEST(failures_come_back_unchanged) {
    static const int32_t answers[] = {-4711, ALTERREC_ERROR_IO, INT32_MIN};
    int failed = 0;
    for (int at = 1;; at++) {
        training t;
        open_training(&t);
        listener *heard = listen_to(&t);
        heard->at = at;
        heard->answer = answers[at % 3];
        alterrec_status status = alterrec_trainer_run(t.trainer);
        bool reached = heard->count >= at;
        ck_assert_int_eq(status, reached ? answers[at % 3] : ALTERREC_OK);
        failed += reached;
        /* The trainer goes on as if nothing had been. */
        heard->at = 0;
        MUST(alterrec_trainer_epoch(NULL, t.trainer, NULL));
        ar_free(heard);
        close_training(&t);
        if (!reached)
            break;
    }
    ck_assert_int_ge(failed, 12);
}
END_TEST

START_TEST(a_positive_answer_stops) {
    training t;
    open_training(&t);
    listener *heard = listen_to(&t);
    heard->at = 2; /* the first epoch begins: it is broken off */
    heard->answer = 1;
    MUST(alterrec_trainer_run(t.trainer));
    ck_assert_int_eq(alterrec_trainer_epochs(t.trainer), 0);
    heard->count = 0;
    heard->at = 3; /* the first epoch is the best: it is the last */
    MUST(alterrec_trainer_run(t.trainer));
    ck_assert_int_eq(alterrec_trainer_epochs(t.trainer), 1);
    ar_free(heard);
    close_training(&t);
}
END_TEST

typedef struct intruder {
    training *training;
    const char *path;
    int calls;
} intruder;

/* Calls back into the trainer that is telling. */
static int32_t intrude(int32_t level, const char *message, void *user_data) {
    intruder *in = user_data;
    alterrec_trainer *trainer = in->training->trainer;
    (void)level;
    (void)message;
    in->calls++;
    ck_assert_int_eq(alterrec_trainer_epoch(NULL, trainer, NULL), ALTERREC_ERROR_BUSY);
    ck_assert_int_eq(alterrec_trainer_run(trainer), ALTERREC_ERROR_BUSY);
    ck_assert_int_eq(alterrec_trainer_use_best(trainer), ALTERREC_ERROR_BUSY);
    ck_assert_int_eq(alterrec_trainer_save(trainer, in->path), ALTERREC_ERROR_BUSY);
    ck_assert_int_eq(alterrec_trainer_resume(trainer, in->path), ALTERREC_ERROR_BUSY);
    ck_assert_int_eq(alterrec_trainer_on_log(trainer, NULL, NULL), ALTERREC_ERROR_BUSY);
    return 0;
}

static int32_t save_after_epoch(const alterrec_progress *progress, void *user_data) {
    const intruder *in = user_data;
    return progress->stage == ALTERREC_STAGE_EPOCH
               ? alterrec_trainer_save(in->training->trainer, in->path)
               : 0;
}

START_TEST(calls_back_are_busy) {
    scratch_open();
    training t;
    open_training(&t);
    intruder in = {.training = &t, .path = scratch_path("checkpoint.safetensors")};
    MUST(alterrec_trainer_on_log(t.trainer, intrude, &in));
    MUST(alterrec_trainer_on_progress(t.trainer, save_after_epoch, &in));
    MUST(alterrec_trainer_run(t.trainer));
    ck_assert_int_ge(in.calls, 18);
    int before = in.calls;
    MUST(alterrec_trainer_save(t.trainer, in.path));
    MUST(alterrec_trainer_resume(t.trainer, in.path));
    MUST(alterrec_trainer_use_best(t.trainer));
    ck_assert_int_eq(in.calls, before + 3);
    close_training(&t);
    scratch_close();
}
END_TEST

int main(void) {
    Suite *suite = suite_create("log");
    TCase *group = tcase_create("log");
    tcase_add_test(group, hears_what_belongs_into_a_log);
    tcase_add_test(group, hears_of_patience_and_the_joint_tower);
    tcase_add_test(group, hears_of_checkpoints);
    tcase_add_test(group, failures_come_back_unchanged);
    tcase_add_test(group, a_positive_answer_stops);
    tcase_add_test(group, calls_back_are_busy);
    suite_add_tcase(suite, group);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
