/* What the trainer promises: which tower changes, when it stops, what a callback may do. */
#include "core/memory.h"
#include "model/model.h"
#include "support/shop.h"

#include <check.h>
#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define MUST(call) ck_assert_msg((call) == ALTERREC_OK, "%s", alterrec_last_error())

typedef struct training {
    shop shop;
    alterrec_model *model;
    alterrec_trainer *trainer;
} training;

static void open_training(training *t) {
    MUST(alterrec_model_create(&t->model, t->shop.catalog, t->shop.config));
    MUST(alterrec_trainer_create(&t->trainer, t->model, t->shop.train, t->shop.valid, NULL));
}

static void close_training(training *t) {
    alterrec_trainer_free(t->trainer);
    alterrec_model_free(t->model);
    shop_close(&t->shop);
}

/* A copy of one tower's parameters. */
static float *copy_of(const ar_tower *tower) {
    float *copy = ar_new(tower->list.count, sizeof *copy);
    memcpy(copy, tower->block, (size_t)tower->list.count * sizeof *copy);
    return copy;
}

static bool same(const float *copy, const ar_tower *tower) {
    return memcmp(copy, tower->block, (size_t)tower->list.count * sizeof *copy) == 0;
}

START_TEST(frozen_tower_keeps_every_bit) {
    training t;
    shop_open(&t.shop, 40, 60);
    shop_set(&t.shop, "model.dropout", "0.2");
    shop_set(&t.shop, "positives.count", "3");
    open_training(&t);
    for (int epoch = 0; epoch < 6; epoch++) {
        float *id = copy_of(&t.model->id), *text = copy_of(&t.model->text);
        alterrec_epoch_report report = {.struct_size = sizeof report};
        MUST(alterrec_trainer_epoch(&report, t.trainer, NULL));
        int32_t tower = epoch % 2 == 0 ? ALTERREC_ID : ALTERREC_TEXT;
        ck_assert_int_eq(report.tower, tower);
        ck_assert_int_eq(report.negatives,
                         epoch < 2 ? ALTERREC_NEGATIVES_RANDOM : ALTERREC_NEGATIVES_HARD);
        ck_assert_int_eq(report.positives_loss > 0.0, epoch >= 2);
        ck_assert_int_eq(same(id, &t.model->id), tower != ALTERREC_ID);
        ck_assert_int_eq(same(text, &t.model->text), tower != ALTERREC_TEXT);
        ar_free(id);
        ar_free(text);
    }
    close_training(&t);
}
END_TEST

/* Trains a fresh model with the options given; the caller frees the copies. */
static void train_twice(float *blocks[2], const char *key, const char *value) {
    training t;
    shop_open(&t.shop, 40, 60);
    shop_set(&t.shop, "model.dropout", "0.2");
    shop_set(&t.shop, key, value);
    open_training(&t);
    MUST(alterrec_trainer_run(t.trainer));
    blocks[0] = copy_of(&t.model->id);
    blocks[1] = copy_of(&t.model->text);
    close_training(&t);
}

START_TEST(same_seed_same_bits) {
    float *first[2], *again[2], *other[2];
    train_twice(first, "train.seed", "5");
    train_twice(again, "train.seed", "5");
    train_twice(other, "train.seed", "6");
    for (int side = 0; side < 2; side++) {
        ck_assert_mem_eq(first[side], again[side], 100 * sizeof(float));
        ck_assert_mem_ne(first[side], other[side], 100 * sizeof(float));
        ar_free(first[side]);
        ar_free(again[side]);
        ar_free(other[side]);
    }
}
END_TEST

/* Six epochs, of which the last four have hard negatives. */
static void train_pooled(float *blocks[2], const char *pool) {
    training t;
    shop_open(&t.shop, 40, 60);
    shop_set(&t.shop, "negatives.pool", pool);
    open_training(&t);
    for (int epoch = 0; epoch < 6; epoch++)
        MUST(alterrec_trainer_epoch(NULL, t.trainer, NULL));
    blocks[0] = copy_of(&t.model->id);
    blocks[1] = copy_of(&t.model->text);
    close_training(&t);
}

/* The pool of candidates changes what is learnt, by the seed alone; one as large as the catalog is
 * the catalog. */
START_TEST(pools_are_drawn_from_the_seed) {
    float *whole[2], *none[2], *pooled[2], *again[2], *single[2];
    train_pooled(none, "0");
    train_pooled(whole, "40");
    train_pooled(pooled, "15");
    train_pooled(again, "15");
    train_pooled(single, "1");
    for (int side = 0; side < 2; side++) {
        ck_assert_mem_eq(whole[side], none[side], 100 * sizeof(float));
        ck_assert_mem_eq(pooled[side], again[side], 100 * sizeof(float));
        ck_assert_mem_ne(pooled[side], none[side], 100 * sizeof(float));
        ck_assert_mem_ne(single[side], none[side], 100 * sizeof(float));
        ar_free(whole[side]);
        ar_free(none[side]);
        ar_free(pooled[side]);
        ar_free(again[side]);
        ar_free(single[side]);
    }
}
END_TEST

START_TEST(loss_falls_and_beats_chance) {
    training t;
    shop_open(&t.shop, 40, 400);
    shop_set(&t.shop, "train.epochs", "12");
    shop_set(&t.shop, "optimizer.learning_rate", "0.01");
    shop_set(&t.shop, "train.valid_k", "5");
    shop_set(&t.shop, "train.valid_metric", "hits");
    shop_set(&t.shop, "schedule.system", "separate"); /* hard negatives raise the loss */
    open_training(&t);
    MUST(alterrec_trainer_run(t.trainer));
    alterrec_epoch_report first = {.struct_size = sizeof first}, last = first;
    MUST(alterrec_trainer_report(&first, t.trainer, 0));
    MUST(alterrec_trainer_report(&last, t.trainer, 10)); /* the ID tower's last */
    /* The next item is one of three: chance is 5 / 40, and the best possible is near 1. */
    ck_assert_double_gt(last.valid_metric[0], 0.5);
    ck_assert_double_gt(last.valid_metric[1], 0.5);
    ck_assert_double_lt(last.loss, first.loss);
    close_training(&t);
}
END_TEST

START_TEST(best_weights_come_back) {
    training t;
    shop_open(&t.shop, 40, 60);
    /* Strides this long make the metric jump, so that the best epoch is not the last. */
    shop_set(&t.shop, "optimizer.learning_rate", "0.3");
    shop_set(&t.shop, "train.epochs", "8");
    open_training(&t);
    float *best = NULL;
    double best_metric = -1.0;
    for (int epoch = 0; epoch < 8; epoch++) {
        alterrec_epoch_report report = {.struct_size = sizeof report};
        MUST(alterrec_trainer_epoch(&report, t.trainer, NULL));
        ck_assert_int_eq(report.best != 0, report.valid_metric[0] > best_metric);
        if (report.best != 0) {
            best_metric = report.valid_metric[0];
            ar_free(best);
            best = copy_of(&t.model->id);
        }
    }
    MUST(alterrec_trainer_use_best(t.trainer));
    ck_assert(same(best, &t.model->id));
    ar_free(best);
    close_training(&t);
}
END_TEST

START_TEST(patience_ends_the_run) {
    training t;
    shop_open(&t.shop, 40, 60);
    shop_set(&t.shop, "train.epochs", "50");
    shop_set(&t.shop, "train.patience", "3");
    shop_set(&t.shop, "optimizer.learning_rate", "0.3");
    open_training(&t);
    MUST(alterrec_trainer_run(t.trainer));
    int64_t epochs = alterrec_trainer_epochs(t.trainer);
    alterrec_epoch_report last = {.struct_size = sizeof last};
    MUST(alterrec_trainer_report(&last, t.trainer, epochs - 1));
    ck_assert_int_lt(epochs, 50);
    ck_assert_int_eq(last.epochs_since_best, 3);
    close_training(&t);
}
END_TEST

START_TEST(no_validation_keeps_the_last_weights) {
    training t;
    shop_open(&t.shop, 40, 60);
    MUST(alterrec_model_create(&t.model, t.shop.catalog, t.shop.config));
    MUST(alterrec_trainer_create(&t.trainer, t.model, t.shop.train, NULL, NULL));
    MUST(alterrec_trainer_run(t.trainer));
    ck_assert_int_eq(alterrec_trainer_epochs(t.trainer), 6);
    float *last = copy_of(&t.model->id);
    MUST(alterrec_trainer_use_best(t.trainer));
    ck_assert(same(last, &t.model->id));
    ar_free(last);
    close_training(&t);
}
END_TEST

/* A callback that answers `answer` at its call number `at` of stage `stage`. */
typedef struct answering {
    int32_t stage, answer;
    int64_t at, calls;
    alterrec_trainer *trainer;
    alterrec_status inner;
} answering;

static int32_t answer(const alterrec_progress *progress, void *user_data) {
    answering *a = user_data;
    ck_assert_uint_eq(progress->struct_size, sizeof *progress);
    ck_assert_int_le(progress->step, progress->steps);
    ck_assert_int_eq(progress->report != NULL, progress->stage == ALTERREC_STAGE_EPOCH);
    return progress->stage == a->stage && ++a->calls == a->at ? a->answer : 0;
}

START_TEST(stopping_and_failing_callbacks) {
    static const int32_t stages[] = {ALTERREC_STAGE_TRAIN, ALTERREC_STAGE_VALIDATE,
                                     ALTERREC_STAGE_EPOCH};
    for (int s = 0; s < 3; s++)
        for (int32_t reply = -77; reply <= 1; reply += 78) {
            training t;
            shop_open(&t.shop, 40, 60);
            open_training(&t);
            answering a = {.stage = stages[s], .answer = reply, .at = 2};
            MUST(alterrec_trainer_on_progress(t.trainer, answer, &a));
            alterrec_status status = alterrec_trainer_run(t.trainer);
            ck_assert_int_eq(status, reply < 0 ? reply : ALTERREC_OK);
            ck_assert_int_eq(a.calls, 2);
            int64_t epochs = alterrec_trainer_epochs(t.trainer);
            ck_assert_int_eq(epochs, stages[s] == ALTERREC_STAGE_EPOCH      ? 2
                                     : stages[s] == ALTERREC_STAGE_VALIDATE ? 1
                                                                            : 0);
            /* The trainer goes on as if nothing had been. */
            MUST(alterrec_trainer_on_progress(t.trainer, NULL, NULL));
            MUST(alterrec_trainer_run(t.trainer));
            ck_assert_int_eq(alterrec_trainer_epochs(t.trainer), 6);
            close_training(&t);
        }
}
END_TEST

static int32_t call_back_in(const alterrec_progress *progress, void *user_data) {
    answering *a = user_data;
    (void)progress;
    a->calls++;
    a->inner = alterrec_trainer_epoch(NULL, a->trainer, NULL);
    ck_assert_int_eq(a->inner, ALTERREC_ERROR_BUSY);
    ck_assert_int_eq(alterrec_trainer_run(a->trainer), ALTERREC_ERROR_BUSY);
    ck_assert_int_eq(alterrec_trainer_use_best(a->trainer), ALTERREC_ERROR_BUSY);
    ck_assert_int_eq(alterrec_trainer_on_progress(a->trainer, NULL, NULL), ALTERREC_ERROR_BUSY);
    return 0;
}

/* A schedule callback that keeps what it was given, and answers at call number `at`. */
typedef struct scheduling {
    int64_t calls, at;
    int32_t answer, tower; /* tower 0: the plan's own */
} scheduling;

static int32_t schedule(alterrec_plan *plan, const alterrec_epoch_report *last, void *user_data) {
    scheduling *s = user_data;
    ck_assert_int_eq(last != NULL, s->calls > 0);
    if (last != NULL)
        ck_assert_int_eq(last->epoch, (int32_t)s->calls - 1);
    if (s->tower != 0) {
        plan->tower = s->tower;
        plan->negatives = ALTERREC_NEGATIVES_RANDOM;
        plan->positive_count = 0;
    }
    return ++s->calls == s->at ? s->answer : 0;
}

/* Turns the towers round; at call 3 it also says a rate. */
static int32_t other_tower(alterrec_plan *plan, const alterrec_epoch_report *last,
                           void *user_data) {
    int *calls = user_data;
    (void)last;
    plan->tower = plan->tower == ALTERREC_ID ? ALTERREC_TEXT : ALTERREC_ID;
    if ((*calls)++ == 3)
        plan->learning_rate = 0.007;
    return 0;
}

START_TEST(a_changed_tower_has_its_own_learning_rate) {
    training t;
    int calls = 0;
    shop_open(&t.shop, 40, 60);
    shop_set(&t.shop, "optimizer.decay", "step");
    shop_set(&t.shop, "optimizer.learning_rate", "0.01");
    shop_set(&t.shop, "optimizer.decay_factor", "0.5");
    shop_set(&t.shop, "optimizer.id_decay_epochs", "1");
    shop_set(&t.shop, "optimizer.text_decay_epochs", "2");
    open_training(&t);
    MUST(alterrec_trainer_on_schedule(t.trainer, other_tower, &calls));
    MUST(alterrec_trainer_run(t.trainer));
    /* text, ID, text, ID, text, ID: the text tower's falls every second of its epochs. */
    static const double expected[] = {0.01, 0.01, 0.01, 0.007, 0.005, 0.0025};
    for (int epoch = 0; epoch < 6; epoch++) {
        alterrec_epoch_report report = {.struct_size = sizeof report};
        MUST(alterrec_trainer_report(&report, t.trainer, epoch));
        ck_assert_int_eq(report.tower, epoch % 2 == 0 ? ALTERREC_TEXT : ALTERREC_ID);
        ck_assert_double_eq_tol(report.learning_rate, expected[epoch], 1e-12);
    }
    close_training(&t);
}
END_TEST

START_TEST(schedule_callback_drives) {
    training built_in, unchanged, id_only;
    scheduling keep = {.at = -1}, only_id = {.at = -1, .tower = ALTERREC_ID};
    shop_open(&built_in.shop, 40, 60);
    shop_open(&unchanged.shop, 40, 60);
    shop_open(&id_only.shop, 40, 60);
    open_training(&built_in);
    open_training(&unchanged);
    open_training(&id_only);
    MUST(alterrec_trainer_run(built_in.trainer));
    MUST(alterrec_trainer_on_schedule(unchanged.trainer, schedule, &keep));
    MUST(alterrec_trainer_run(unchanged.trainer));
    ck_assert_int_eq(keep.calls, 7); /* six epochs, and the plan that says stop */
    ck_assert(same(built_in.model->id.block, &unchanged.model->id));
    ck_assert(same(built_in.model->text.block, &unchanged.model->text));
    float *text = copy_of(&id_only.model->text);
    MUST(alterrec_trainer_on_schedule(id_only.trainer, schedule, &only_id));
    MUST(alterrec_trainer_run(id_only.trainer));
    ck_assert(same(text, &id_only.model->text));
    ar_free(text);
    close_training(&built_in);
    close_training(&unchanged);
    close_training(&id_only);
}
END_TEST

START_TEST(schedule_callback_stops_and_fails) {
    for (int64_t at = 1; at <= 4; at += 3)
        for (int32_t reply = -5; reply <= 5; reply += 10) {
            training t;
            shop_open(&t.shop, 40, 60);
            open_training(&t);
            scheduling s = {.at = at, .answer = reply};
            MUST(alterrec_trainer_on_schedule(t.trainer, schedule, &s));
            ck_assert_int_eq(alterrec_trainer_run(t.trainer), reply < 0 ? reply : ALTERREC_OK);
            ck_assert_int_eq(alterrec_trainer_epochs(t.trainer), at - 1);
            MUST(alterrec_trainer_on_schedule(t.trainer, NULL, NULL));
            MUST(alterrec_trainer_run(t.trainer));
            ck_assert_int_eq(alterrec_trainer_epochs(t.trainer), 6);
            close_training(&t);
        }
}
END_TEST

static int32_t cancel_at_third_step(const alterrec_progress *progress, void *user_data) {
    if (progress->stage == ALTERREC_STAGE_TRAIN && progress->step == 3)
        MUST(alterrec_trainer_cancel(user_data));
    return 0;
}

START_TEST(cancel_stops_once) {
    training t;
    shop_open(&t.shop, 40, 60);
    open_training(&t);
    MUST(alterrec_trainer_on_progress(t.trainer, cancel_at_third_step, t.trainer));
    alterrec_epoch_report report = {.struct_size = sizeof report};
    MUST(alterrec_trainer_epoch(&report, t.trainer, NULL));
    ck_assert_int_ne(report.stopped, 0);
    ck_assert_int_eq(report.steps, 3);
    ck_assert_int_eq(alterrec_trainer_epochs(t.trainer), 0);
    MUST(alterrec_trainer_on_progress(t.trainer, NULL, NULL));
    MUST(alterrec_trainer_epoch(&report, t.trainer, NULL));
    ck_assert_int_eq(report.stopped, 0);
    MUST(alterrec_trainer_cancel(t.trainer));
    MUST(alterrec_trainer_epoch(&report, t.trainer, NULL));
    ck_assert_int_ne(report.stopped, 0);
    ck_assert_int_eq(report.steps, 1);
    close_training(&t);
}
END_TEST

static void *cancel_soon(void *trainer) {
    struct timespec time = {.tv_nsec = 20000000};
    (void)nanosleep(&time, NULL);
    MUST(alterrec_trainer_cancel(trainer));
    return NULL;
}

START_TEST(cancel_from_another_thread) {
    training t;
    shop_open(&t.shop, 40, 60);
    shop_set(&t.shop, "train.epochs", "100000");
    shop_set(&t.shop, "compute.threads", "1");
    open_training(&t);
    pthread_t thread;
    ck_assert_int_eq(pthread_create(&thread, NULL, cancel_soon, t.trainer), 0);
    MUST(alterrec_trainer_run(t.trainer));
    ck_assert_int_eq(pthread_join(thread, NULL), 0);
    ck_assert_int_lt(alterrec_trainer_epochs(t.trainer), 100000);
    MUST(alterrec_trainer_epoch(NULL, t.trainer, NULL));
    close_training(&t);
}
END_TEST

/* bf16 that the processor does not have is refused before anything is trained, by the option's
 * name; one that only ranks leaves the epochs without hard negatives as they were, to the bit. */
START_TEST(ranking_in_bf16) {
    static const char *const options[] = {"compute.ranking", "compute.precision"};
    training plain, ranked;
    alterrec_trainer *trainer;
    shop_open(&plain.shop, 40, 60);
    open_training(&plain);
    shop_open(&ranked.shop, 40, 60);
    shop_set(&ranked.shop, options[_i], "bf16");
    MUST(alterrec_model_create(&ranked.model, ranked.shop.catalog, ranked.shop.config));
    alterrec_status status = alterrec_trainer_create(&trainer, ranked.model, ranked.shop.train,
                                                     ranked.shop.valid, ranked.shop.config);
    if (status == ALTERREC_OK) {
        ranked.trainer = trainer;
        for (int epoch = 0; epoch < 6; epoch++) {
            alterrec_epoch_report report = {.struct_size = sizeof report};
            MUST(alterrec_trainer_epoch(NULL, plain.trainer, NULL));
            MUST(alterrec_trainer_epoch(&report, ranked.trainer, NULL));
            ck_assert(isfinite(report.loss));
            float *id = copy_of(&plain.model->id);
            if (epoch < 2)
                ck_assert_int_eq(same(id, &ranked.model->id), _i == 0);
            ar_free(id);
        }
    } else {
        ck_assert_int_eq(status, ALTERREC_ERROR_UNSUPPORTED);
        ck_assert_ptr_nonnull(strstr(alterrec_last_error(), options[_i]));
        ranked.trainer = NULL;
    }
    close_training(&plain);
    close_training(&ranked);
}
END_TEST

START_TEST(calling_back_in_is_busy) {
    training t;
    shop_open(&t.shop, 40, 60);
    open_training(&t);
    answering a = {.trainer = t.trainer};
    MUST(alterrec_trainer_on_progress(t.trainer, call_back_in, &a));
    MUST(alterrec_trainer_epoch(NULL, t.trainer, NULL));
    ck_assert_int_gt(a.calls, 0);
    close_training(&t);
}
END_TEST

START_TEST(nan_stops_with_the_last_good_weights) {
    training t;
    shop_open(&t.shop, 40, 60);
    open_training(&t);
    MUST(alterrec_trainer_epoch(NULL, t.trainer, NULL));
    float *best = copy_of(&t.model->id);
    t.model->id.block[3] = NAN;
    float *text = copy_of(&t.model->text);
    alterrec_plan plan = {.struct_size = sizeof plan};
    MUST(alterrec_trainer_plan(&plan, t.trainer));
    plan.tower = ALTERREC_ID;
    ck_assert_int_eq(alterrec_trainer_epoch(NULL, t.trainer, &plan), ALTERREC_ERROR_NOT_FINITE);
    ck_assert_ptr_nonnull(strstr(alterrec_last_error(), "not finite"));
    ck_assert_int_eq(alterrec_trainer_epochs(t.trainer), 1);
    ck_assert(same(text, &t.model->text));
    MUST(alterrec_trainer_use_best(t.trainer));
    ck_assert(same(best, &t.model->id));
    MUST(alterrec_trainer_epoch(NULL, t.trainer, NULL));
    ar_free(best);
    ar_free(text);
    close_training(&t);
}
END_TEST

START_TEST(bad_plans_are_named) {
    training t;
    shop_open(&t.shop, 40, 60);
    open_training(&t);
    alterrec_plan good = {.struct_size = sizeof good};
    MUST(alterrec_trainer_plan(&good, t.trainer));
#define BAD(field, value)                                                                          \
    do {                                                                                           \
        alterrec_plan bad = good;                                                                  \
        bad.field = (value);                                                                       \
        ck_assert_int_eq(alterrec_trainer_epoch(NULL, t.trainer, &bad),                            \
                         ALTERREC_ERROR_INVALID_ARGUMENT);                                         \
        ck_assert_ptr_nonnull(strstr(alterrec_last_error(), #field));                              \
    } while (0)
    BAD(struct_size, 8);
    BAD(tower, 4);
    BAD(tower, 0);
    BAD(negatives, 9);
    BAD(positive_count, -1);
    BAD(positive_count, 41);
    BAD(k1, -1);
    BAD(k1, 40);
    BAD(negative_count, 0);
    BAD(hard_share, 1.5);
    BAD(hard_share, (double)NAN);
    BAD(positives_weight, -1.0);
    BAD(learning_rate, -0.1);
    BAD(learning_rate, (double)INFINITY);
#undef BAD
    ck_assert_int_eq(alterrec_trainer_epochs(t.trainer), 0);
    MUST(alterrec_trainer_epoch(NULL, t.trainer, &good));
    close_training(&t);
}
END_TEST

START_TEST(systems_train_what_they_say) {
    static const char *const systems[] = {"alterrec", "separate", "id", "text"};
    for (int s = 0; s < 4; s++) {
        training t;
        shop_open(&t.shop, 40, 60);
        shop_set(&t.shop, "schedule.system", systems[s]);
        open_training(&t);
        MUST(alterrec_trainer_run(t.trainer));
        for (int64_t e = 0; e < alterrec_trainer_epochs(t.trainer); e++) {
            alterrec_epoch_report report = {.struct_size = sizeof report};
            MUST(alterrec_trainer_report(&report, t.trainer, e));
            int32_t in_turn = e % 2 == 0 ? ALTERREC_ID : ALTERREC_TEXT;
            ck_assert_int_eq(report.tower, s == 2 ? ALTERREC_ID : s == 3 ? ALTERREC_TEXT : in_turn);
            ck_assert_int_eq(report.negatives, s == 0 && e >= 2 ? ALTERREC_NEGATIVES_HARD
                                                                : ALTERREC_NEGATIVES_RANDOM);
        }
        close_training(&t);
    }
}
END_TEST

START_TEST(decay_counts_trained_epochs) {
    training t;
    shop_open(&t.shop, 40, 60);
    shop_set(&t.shop, "optimizer.decay", "step");
    shop_set(&t.shop, "optimizer.learning_rate", "0.01");
    shop_set(&t.shop, "optimizer.decay_factor", "0.5");
    shop_set(&t.shop, "optimizer.id_decay_epochs", "1");
    shop_set(&t.shop, "optimizer.text_decay_epochs", "2");
    open_training(&t);
    static const double expected[] = {0.01, 0.01, 0.005, 0.01, 0.0025, 0.005};
    for (int epoch = 0; epoch < 6; epoch++) {
        alterrec_epoch_report report = {.struct_size = sizeof report};
        MUST(alterrec_trainer_epoch(&report, t.trainer, NULL));
        ck_assert_double_eq_tol(report.learning_rate, expected[epoch], 1e-12);
    }
    alterrec_plan plan = {.struct_size = sizeof plan};
    MUST(alterrec_trainer_plan(&plan, t.trainer));
    ck_assert_int_ne(plan.stop, 0);
    close_training(&t);
}
END_TEST

START_TEST(what_does_not_fit_is_refused) {
    training t;
    shop other;
    shop_open(&t.shop, 40, 60);
    shop_open(&other, 41, 10);
    MUST(alterrec_model_create(&t.model, t.shop.catalog, t.shop.config));
    ck_assert_int_eq(alterrec_trainer_create(&t.trainer, t.model, other.train, NULL, NULL),
                     ALTERREC_ERROR_MISMATCH);
    ck_assert_ptr_null(t.trainer);
    alterrec_sessions *single;
    MUST(alterrec_sessions_create(&single, t.shop.catalog, (int32_t[]){1, 2}, (int64_t[]){0, 1, 2},
                                  2));
    ck_assert_int_eq(alterrec_trainer_create(&t.trainer, t.model, single, NULL, NULL),
                     ALTERREC_ERROR_INVALID_ARGUMENT);
    alterrec_sessions_free(single);
    shop_set(&t.shop, "negatives.k1", "20");
    ck_assert_int_eq(
        alterrec_trainer_create(&t.trainer, t.model, t.shop.train, NULL, t.shop.config),
        ALTERREC_ERROR_INVALID_ARGUMENT);
    ck_assert_ptr_nonnull(strstr(alterrec_last_error(), "negatives.k1"));
    shop_close(&other);
    close_training(&t);
}
END_TEST

START_TEST(an_id_only_model_trains_alone) {
    training t;
    shop_open(&t.shop, 40, 60);
    alterrec_catalog *bare;
    MUST(alterrec_catalog_create(&bare, NULL, NULL, 40));
    MUST(alterrec_model_create(&t.model, bare, t.shop.config));
    alterrec_catalog_free(bare);
    ck_assert_int_eq(
        alterrec_trainer_create(&t.trainer, t.model, t.shop.train, t.shop.valid, t.shop.config),
        ALTERREC_ERROR_MISMATCH);
    ck_assert_ptr_nonnull(strstr(alterrec_last_error(), "schedule.system"));
    shop_set(&t.shop, "schedule.system", "id");
    MUST(alterrec_trainer_create(&t.trainer, t.model, t.shop.train, t.shop.valid, t.shop.config));
    MUST(alterrec_trainer_run(t.trainer));
    alterrec_plan plan = {.struct_size = sizeof plan};
    MUST(alterrec_trainer_plan(&plan, t.trainer));
    plan.tower = ALTERREC_TEXT;
    ck_assert_int_eq(alterrec_trainer_epoch(NULL, t.trainer, &plan), ALTERREC_ERROR_MISMATCH);
    close_training(&t);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("trainer");
    TCase *group = tcase_create("trainer");
    tcase_add_test(group, frozen_tower_keeps_every_bit);
    tcase_add_test(group, same_seed_same_bits);
    tcase_add_test(group, pools_are_drawn_from_the_seed);
    tcase_add_test(group, loss_falls_and_beats_chance);
    tcase_add_test(group, best_weights_come_back);
    tcase_add_test(group, patience_ends_the_run);
    tcase_add_test(group, no_validation_keeps_the_last_weights);
    tcase_add_test(group, stopping_and_failing_callbacks);
    tcase_add_test(group, a_changed_tower_has_its_own_learning_rate);
    tcase_add_test(group, schedule_callback_drives);
    tcase_add_test(group, schedule_callback_stops_and_fails);
    tcase_add_test(group, cancel_stops_once);
    tcase_add_test(group, cancel_from_another_thread);
    tcase_add_loop_test(group, ranking_in_bf16, 0, 2);
    tcase_add_test(group, calling_back_in_is_busy);
    tcase_add_test(group, nan_stops_with_the_last_good_weights);
    tcase_add_test(group, bad_plans_are_named);
    tcase_add_test(group, systems_train_what_they_say);
    tcase_add_test(group, decay_counts_trained_epochs);
    tcase_add_test(group, what_does_not_fit_is_refused);
    tcase_add_test(group, an_id_only_model_trains_alone);
    suite_add_tcase(suite, group);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
