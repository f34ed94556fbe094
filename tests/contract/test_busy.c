/* A trainer that is inside a call, and its model, are busy: for what a callback calls, whichever
 * callback it is, for other trainers of the model, and for other threads. */
#include "core/memory.h"
#include "scratch.h"
#include "support/model_bytes.h"
#include "support/shop.h"

#include <check.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

#define MUST(call) ck_assert_msg((call) == ALTERREC_OK, "%s", alterrec_last_error())

enum { ITEMS = 40, EPOCHS = 4 };

/* A trainer, and another one of the same model. */
typedef struct world {
    shop shop;
    alterrec_model *model;
    alterrec_trainer *trainer, *other;
    const char *path; /* a checkpoint of the other's, one epoch */
    int calls;
} world;

static void open_world(world *w) {
    scratch_open();
    *w = (world){.path = scratch_path("checkpoint.safetensors")};
    shop_open(&w->shop, ITEMS, 60);
    shop_set(&w->shop, "compute.threads", "1");
    shop_set(&w->shop, "train.epochs", "4");
    shop_set(&w->shop, "fusion.alpha", "auto");
    MUST(alterrec_model_create(&w->model, w->shop.catalog, w->shop.config));
    MUST(alterrec_trainer_create(&w->trainer, w->model, w->shop.train, w->shop.valid, NULL));
    MUST(alterrec_trainer_create(&w->other, w->model, w->shop.train, w->shop.valid, NULL));
    MUST(alterrec_trainer_epoch(NULL, w->other, NULL));
    MUST(alterrec_trainer_save(w->other, w->path));
}

static void close_world(world *w) {
    alterrec_trainer_free(w->trainer);
    alterrec_trainer_free(w->other);
    alterrec_model_free(w->model);
    shop_close(&w->shop);
    scratch_close();
}

static void is_busy(alterrec_status status, const char *function) {
    ck_assert_msg(status == ALTERREC_ERROR_BUSY, "%s: %s", function, alterrec_status_name(status));
    ck_assert_msg(strncmp(alterrec_last_error(), function, strlen(function)) == 0, "%s",
                  alterrec_last_error());
}

/* Calls that change a trainer's place or its model's weights. */
static void train_with(alterrec_trainer *trainer, const world *w) {
    alterrec_batch *batch;
    MUST(alterrec_batch_create(&batch));
    MUST(alterrec_batch_add_labelled(batch, (int32_t[]){1, 2}, (int32_t[]){-1, 3}, 2));
    is_busy(alterrec_trainer_step(NULL, trainer, batch, NULL), "alterrec_trainer_step");
    alterrec_batch_free(batch);
    is_busy(alterrec_trainer_end_epoch(NULL, trainer), "alterrec_trainer_end_epoch");
    is_busy(alterrec_trainer_epoch(NULL, trainer, NULL), "alterrec_trainer_epoch");
    is_busy(alterrec_trainer_run(trainer), "alterrec_trainer_run");
    is_busy(alterrec_trainer_use_best(trainer), "alterrec_trainer_use_best");
    is_busy(alterrec_trainer_resume(trainer, w->path), "alterrec_trainer_resume");
}

static void change_model(const world *w) {
    float values[8] = {0};
    const char *key = "one more";
    is_busy(
        alterrec_model_set_tensor(w->model, "id.encoder.blocks.0.attention.norm.weight", values, 8),
        "alterrec_model_set_tensor");
    is_busy(alterrec_model_import(w->model, w->path), "alterrec_model_import");
    is_busy(alterrec_model_add_items(w->model, &key, NULL, NULL, 1), "alterrec_model_add_items");
    is_busy(alterrec_model_choose_alpha(NULL, NULL, w->model, w->shop.valid, 3, NULL),
            "alterrec_model_choose_alpha");
}

static int32_t may_save;

static void intrude(world *w) {
    w->calls++;
    train_with(w->trainer, w);
    train_with(w->other, w);
    change_model(w);
    is_busy(alterrec_trainer_save(w->other, w->path), "alterrec_trainer_save");
    if (!may_save)
        is_busy(alterrec_trainer_save(w->trainer, w->path), "alterrec_trainer_save");
    is_busy(alterrec_trainer_on_progress(w->trainer, NULL, NULL), "alterrec_trainer_on_progress");
    is_busy(alterrec_trainer_on_schedule(w->trainer, NULL, NULL), "alterrec_trainer_on_schedule");
    is_busy(alterrec_trainer_on_negatives(w->trainer, NULL, NULL), "alterrec_trainer_on_negatives");
    is_busy(alterrec_trainer_on_fusion(w->trainer, NULL, NULL), "alterrec_trainer_on_fusion");
    is_busy(alterrec_trainer_on_log(w->trainer, NULL, NULL), "alterrec_trainer_on_log");
}

static int32_t progress(const alterrec_progress *at, void *w) {
    may_save = at->stage == ALTERREC_STAGE_EPOCH;
    intrude(w);
    may_save = 0;
    return 0;
}

static int32_t schedule(alterrec_plan *plan, const alterrec_epoch_report *last, void *w) {
    (void)last;
    intrude(w);
    plan->negatives = ALTERREC_NEGATIVES_HOST;
    plan->negative_count = 2;
    return 0;
}

static int32_t name_negatives(int32_t *negatives, const alterrec_examples *examples,
                              int64_t per_example, void *w) {
    (void)negatives;
    (void)examples;
    (void)per_example;
    intrude(w);
    return 1;
}

static int32_t fuse(const alterrec_fusion_tile *tile, void *w) {
    (void)tile;
    intrude(w);
    return 1;
}

static int32_t log_line(int32_t level, const char *message, void *w) {
    (void)level;
    (void)message;
    intrude(w);
    return 0;
}

enum { PROGRESS, SCHEDULE, NEGATIVES, FUSION, LOG, CALLBACKS };

static void set_callback(world *w, int callback) {
    switch (callback) {
    case PROGRESS:
        MUST(alterrec_trainer_on_progress(w->trainer, progress, w));
        break;
    case NEGATIVES:
        MUST(alterrec_trainer_on_negatives(w->trainer, name_negatives, w));
        break;
    case FUSION:
        MUST(alterrec_trainer_on_fusion(w->trainer, fuse, w));
        break;
    case LOG:
        MUST(alterrec_trainer_on_log(w->trainer, log_line, w));
        break;
    default:
        break;
    }
}

static int32_t host_negatives(alterrec_plan *plan, const alterrec_epoch_report *last, void *w) {
    (void)last;
    (void)w;
    plan->negatives = ALTERREC_NEGATIVES_HOST;
    plan->negative_count = 2;
    return 0;
}

static int32_t leave_negatives(int32_t *negatives, const alterrec_examples *examples,
                               int64_t per_example, void *w) {
    (void)negatives;
    (void)examples;
    (void)per_example;
    (void)w;
    return 1;
}

START_TEST(in_every_callback) {
    world w;
    open_world(&w);
    MUST(alterrec_trainer_on_schedule(w.trainer, _i == SCHEDULE ? schedule : host_negatives, &w));
    MUST(alterrec_trainer_on_negatives(w.trainer, leave_negatives, &w));
    set_callback(&w, _i);
    MUST(alterrec_trainer_run(w.trainer));
    ck_assert_int_ge(w.calls, EPOCHS);
    ck_assert_int_eq(alterrec_trainer_epochs(w.trainer), EPOCHS);
    ck_assert_int_eq(alterrec_trainer_epochs(w.other), 1);
    /* Afterwards nothing is. */
    MUST(alterrec_trainer_on_log(w.trainer, NULL, NULL));
    MUST(alterrec_trainer_use_best(w.trainer));
    MUST(alterrec_trainer_save(w.other, w.path));
    MUST(alterrec_trainer_resume(w.other, w.path));
    MUST(alterrec_model_choose_alpha(NULL, NULL, w.model, w.shop.valid, 3, NULL));
    MUST(alterrec_trainer_run(w.other));
    close_world(&w);
}
END_TEST

/* What the log hears of, outside of epochs: the best epoch, alpha, checkpoints. */
START_TEST(in_every_log_line) {
    world w;
    open_world(&w);
    MUST(alterrec_trainer_epoch(NULL, w.trainer, NULL));
    MUST(alterrec_trainer_on_log(w.trainer, log_line, &w));
    MUST(alterrec_trainer_use_best(w.trainer));
    MUST(alterrec_trainer_save(w.trainer, scratch_path("another.safetensors")));
    MUST(alterrec_trainer_resume(w.trainer, w.path));
    ck_assert_int_eq(w.calls, 3);
    close_world(&w);
}
END_TEST

/* ---- Threads ---- */

enum { WORKERS = 4 };

static atomic_int inside;

typedef struct worker {
    pthread_t thread;
    alterrec_trainer *trainer;
    alterrec_status status;
} worker;

static int32_t alone(const alterrec_progress *at, void *user_data) {
    const struct timespec moment = {.tv_nsec = 200000};
    (void)at;
    (void)user_data;
    bool another = atomic_fetch_add(&inside, 1) > 0;
    (void)nanosleep(&moment, NULL);
    atomic_fetch_sub(&inside, 1);
    return another ? -5001 : 0;
}

static void *run(void *user_data) {
    worker *self = user_data;
    self->status = alterrec_trainer_run(self->trainer);
    return NULL;
}

/* Trainers of one model, each on its thread: one at a time is inside a call, the others hear so. */
START_TEST(trainers_of_one_model_exclude_each_other) {
    world w;
    worker workers[WORKERS];
    int ran = 0;
    open_world(&w);
    for (int i = 0; i < WORKERS; i++) {
        MUST(alterrec_trainer_create(&workers[i].trainer, w.model, w.shop.train, w.shop.valid,
                                     NULL));
        MUST(alterrec_trainer_on_progress(workers[i].trainer, alone, NULL));
    }
    for (int i = 0; i < WORKERS; i++)
        ck_assert_int_eq(pthread_create(&workers[i].thread, NULL, run, &workers[i]), 0);
    for (int i = 0; i < WORKERS; i++) {
        ck_assert_int_eq(pthread_join(workers[i].thread, NULL), 0);
        ck_assert_msg(workers[i].status == ALTERREC_OK || workers[i].status == ALTERREC_ERROR_BUSY,
                      "worker %d: %d", i, (int)workers[i].status);
        ran += workers[i].status == ALTERREC_OK;
    }
    ck_assert_int_ge(ran, 1);
    for (int i = 0; i < WORKERS; i++) {
        MUST(alterrec_trainer_run(workers[i].trainer)); /* it goes on where it was told so */
        ck_assert_int_eq(alterrec_trainer_epochs(workers[i].trainer), EPOCHS);
        alterrec_trainer_free(workers[i].trainer);
    }
    close_world(&w);
}
END_TEST

static void *intrude_from_outside(void *user_data) {
    intrude(user_data);
    return NULL;
}

static int32_t wait_for_intruder(const alterrec_progress *at, void *w) {
    pthread_t thread;
    may_save = at->stage == ALTERREC_STAGE_EPOCH;
    ck_assert_int_eq(pthread_create(&thread, NULL, intrude_from_outside, w), 0);
    ck_assert_int_eq(pthread_join(thread, NULL), 0);
    may_save = 0;
    return 0;
}

START_TEST(other_threads_hear_so) {
    world w;
    open_world(&w);
    MUST(alterrec_trainer_on_progress(w.trainer, wait_for_intruder, &w));
    MUST(alterrec_trainer_epoch(NULL, w.trainer, NULL));
    ck_assert_int_ge(w.calls, 3);
    close_world(&w);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("busy");
    TCase *group = tcase_create("busy");
    tcase_add_loop_test(group, in_every_callback, 0, CALLBACKS);
    tcase_add_test(group, in_every_log_line);
    tcase_add_test(group, trainers_of_one_model_exclude_each_other);
    tcase_add_test(group, other_threads_hear_so);
    suite_add_tcase(suite, group);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
