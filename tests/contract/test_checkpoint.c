/* A training that was interrupted and resumed ends with the bits of one that was not. */
#include "core/file.h"
#include "core/memory.h"
#include "core/random.h"
#include "model/model.h"
#include "scratch.h"
#include "support/shop.h"

#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>

#define MUST(call) ck_assert_msg((call) == ALTERREC_OK, "%s", alterrec_last_error())

typedef struct training {
    shop shop;
    alterrec_model *model;
    alterrec_trainer *trainer;
} training;

static const char *threads = "2", *sharing = "example";

/* Options that make every part of the state matter. */
static void open_training(training *t, const char *system, const char *seed) {
    shop_open(&t->shop, 40, 60);
    shop_set(&t->shop, "model.dropout", "0.1");
    shop_set(&t->shop, "positives.count", "2");
    shop_set(&t->shop, "optimizer.decay", "plateau");
    shop_set(&t->shop, "optimizer.id_decay_epochs", "1");
    shop_set(&t->shop, "optimizer.learning_rate", "0.02");
    shop_set(&t->shop, "train.epochs", "7");
    shop_set(&t->shop, "schedule.system", system);
    shop_set(&t->shop, "train.seed", seed);
    shop_set(&t->shop, "compute.threads", threads);
    shop_set(&t->shop, "negatives.sharing", sharing);
    if (strcmp(sharing, "batch") == 0) {
        shop_set(&t->shop, "negatives.count", "4");
        shop_set(&t->shop, "train.batch_size", "8");
    }
    MUST(alterrec_model_create(&t->model, t->shop.catalog, t->shop.config));
    MUST(alterrec_trainer_create(&t->trainer, t->model, t->shop.train, t->shop.valid, NULL));
}

static void close_training(training *t) {
    alterrec_trainer_free(t->trainer);
    alterrec_model_free(t->model);
    shop_close(&t->shop);
}

static void same_towers(const ar_tower *a, const ar_tower *b) {
    ck_assert_int_eq(a->list.count, b->list.count);
    ck_assert(a->list.count == 0 || /* a joint model has none on its other side */
              memcmp(a->block, b->block, (size_t)a->list.count * sizeof(float)) == 0);
}

/* The same weights and the same reports, but for the times that were measured. */
static void same_training(const training *a, const training *b) {
    for (int side = 0; side < AR_MODEL_SIDES; side++)
        same_towers(ar_model_side(a->model, side), ar_model_side(b->model, side));
    int64_t epochs = alterrec_trainer_epochs(a->trainer);
    ck_assert_int_eq(epochs, alterrec_trainer_epochs(b->trainer));
    for (int64_t e = 0; e < epochs; e++) {
        alterrec_epoch_report x = {.struct_size = sizeof x}, y = x;
        MUST(alterrec_trainer_report(&x, a->trainer, e));
        MUST(alterrec_trainer_report(&y, b->trainer, e));
        x.seconds = y.seconds = x.valid_seconds = y.valid_seconds = 0.0;
        ck_assert_mem_eq(&x, &y, sizeof x);
    }
}

static const char *const systems[] = {"alterrec", "separate",  "id",
                                      "text",     "naive_sum", "naive_concat"};
enum { SYSTEMS = sizeof systems / sizeof systems[0] };

START_TEST(resume_equals_uninterrupted) {
    scratch_open();
    const char *path = scratch_path("checkpoint.safetensors");
    training whole;
    open_training(&whole, systems[_i], "3");
    MUST(alterrec_trainer_run(whole.trainer));
    for (int stop = 0; stop <= 7; stop++) {
        training first, second;
        open_training(&first, systems[_i], "3");
        for (int epoch = 0; epoch < stop; epoch++)
            MUST(alterrec_trainer_epoch(NULL, first.trainer, NULL));
        MUST(alterrec_trainer_save(first.trainer, path));
        close_training(&first);
        open_training(&second, systems[_i], "3");
        MUST(alterrec_trainer_resume(second.trainer, path));
        ck_assert_int_eq(alterrec_trainer_epochs(second.trainer), stop);
        MUST(alterrec_trainer_run(second.trainer));
        same_training(&whole, &second);
        close_training(&second);
    }
    close_training(&whole);
    scratch_close();
}
END_TEST

/* Steps that touch only some rows of the embedding: at a checkpoint none of them lags. The count is
 * low, or every item of so small a shop would be touched. */
START_TEST(resume_with_shared_negatives) {
    sharing = "batch";
    scratch_open();
    const char *path = scratch_path("checkpoint.safetensors");
    training whole;
    open_training(&whole, "alterrec", "3");
    MUST(alterrec_trainer_run(whole.trainer));
    for (int stop = 1; stop <= 6; stop++) {
        training first, second;
        open_training(&first, "alterrec", "3");
        for (int epoch = 0; epoch < stop; epoch++)
            MUST(alterrec_trainer_epoch(NULL, first.trainer, NULL));
        MUST(alterrec_trainer_save(first.trainer, path));
        close_training(&first);
        open_training(&second, "alterrec", "3");
        MUST(alterrec_trainer_resume(second.trainer, path));
        MUST(alterrec_trainer_run(second.trainer));
        same_training(&whole, &second);
        close_training(&second);
    }
    close_training(&whole);
    scratch_close();
}
END_TEST

START_TEST(resume_goes_back_in_the_same_trainer) {
    scratch_open();
    const char *path = scratch_path("checkpoint.safetensors");
    training whole, other;
    open_training(&whole, "alterrec", "3");
    open_training(&other, "alterrec", "3");
    MUST(alterrec_trainer_save(other.trainer, path));
    for (int epoch = 0; epoch < 4; epoch++)
        MUST(alterrec_trainer_epoch(NULL, other.trainer, NULL));
    MUST(alterrec_trainer_resume(other.trainer, path));
    MUST(alterrec_trainer_run(other.trainer));
    MUST(alterrec_trainer_run(whole.trainer));
    same_training(&whole, &other);
    close_training(&whole);
    close_training(&other);
    scratch_close();
}
END_TEST

static void refused(const training *t, const char *path, alterrec_status status, const char *text) {
    float before = t->model->id.block[0];
    ck_assert_int_eq(alterrec_trainer_resume(t->trainer, path), status);
    ck_assert_msg(strstr(alterrec_last_error(), text) != NULL, "\"%s\" lacks \"%s\"",
                  alterrec_last_error(), text);
    ck_assert_int_eq(alterrec_trainer_epochs(t->trainer), 0);
    ck_assert(memcmp(&before, t->model->id.block, sizeof before) == 0);
}

START_TEST(what_does_not_belong_is_refused) {
    scratch_open();
    const char *path = scratch_path("checkpoint.safetensors");
    training t, other;
    open_training(&t, "alterrec", "3");
    MUST(alterrec_trainer_epoch(NULL, t.trainer, NULL));
    MUST(alterrec_trainer_save(t.trainer, path));
    close_training(&t);

    open_training(&other, "alterrec", "4");
    refused(&other, path, ALTERREC_ERROR_MISMATCH, "train.seed");
    close_training(&other);
    open_training(&other, "separate", "3");
    refused(&other, path, ALTERREC_ERROR_MISMATCH, "schedule.system");
    close_training(&other);

    open_training(&other, "alterrec", "3");
    alterrec_trainer_free(other.trainer);
    MUST(alterrec_trainer_create(&other.trainer, other.model, other.shop.valid, other.shop.train,
                                 NULL));
    refused(&other, path, ALTERREC_ERROR_MISMATCH, "sessions");
    refused(&other, scratch_path("missing"), ALTERREC_ERROR_IO, "missing");
    const char *model = scratch_path("model.safetensors");
    MUST(alterrec_model_save(other.model, model));
    refused(&other, model, ALTERREC_ERROR_PARSE, "not a checkpoint");
    close_training(&other);

    open_training(&other, "alterrec", "3");
    size_t size;
    char *bytes = scratch_read(path, &size);
    for (size_t cut = 0; cut < size; cut += size / 50)
        refused(&other, scratch_write_bytes("cut", bytes, cut), ALTERREC_ERROR_PARSE, "cut");
    path = scratch_path("checkpoint.safetensors");
    bytes[size - 9] ^= 0x10;
    refused(&other, scratch_write_bytes("flipped", bytes, size), ALTERREC_ERROR_PARSE, "flipped");
    free(bytes);
    MUST(alterrec_trainer_resume(other.trainer, path));
    ck_assert_int_eq(alterrec_trainer_epochs(other.trainer), 1);
    close_training(&other);
    scratch_close();
}
END_TEST

START_TEST(a_failed_write_keeps_the_old_checkpoint) {
    scratch_open();
    const char *path = scratch_path("checkpoint.safetensors");
    training t;
    open_training(&t, "alterrec", "3");
    MUST(alterrec_trainer_save(t.trainer, path));
    MUST(alterrec_trainer_epoch(NULL, t.trainer, NULL));
    ar_writer_fail_after(1);
    ck_assert_int_eq(alterrec_trainer_save(t.trainer, path), ALTERREC_ERROR_IO);
    ar_writer_fail_after(0);
    ck_assert_int_eq(scratch_count(), 1);
    MUST(alterrec_trainer_resume(t.trainer, path));
    ck_assert_int_eq(alterrec_trainer_epochs(t.trainer), 0);
    close_training(&t);
    scratch_close();
}
END_TEST

static int32_t save_after_epoch(const alterrec_progress *progress, void *user_data) {
    alterrec_trainer *trainer = user_data;
    alterrec_status status = alterrec_trainer_save(trainer, scratch_path("checkpoint.safetensors"));
    ck_assert_int_eq(status,
                     progress->stage == ALTERREC_STAGE_EPOCH ? ALTERREC_OK : ALTERREC_ERROR_BUSY);
    return 0;
}

START_TEST(callback_saves_between_epochs_only) {
    scratch_open();
    training t;
    open_training(&t, "alterrec", "3");
    MUST(alterrec_trainer_on_progress(t.trainer, save_after_epoch, t.trainer));
    MUST(alterrec_trainer_epoch(NULL, t.trainer, NULL));
    close_training(&t);
    scratch_close();
}
END_TEST

/* Trains to the end, saving after every epoch, from the checkpoint if there is one. */
_Noreturn static void train_in_child(const char *path) {
    training t;
    open_training(&t, "alterrec", "3");
    if (access(path, F_OK) == 0)
        MUST(alterrec_trainer_resume(t.trainer, path));
    MUST(alterrec_trainer_on_progress(t.trainer, save_after_epoch,
                                      t.trainer)); /* its assertion holds in every stage */
    MUST(alterrec_trainer_run(t.trainer));
    MUST(alterrec_trainer_save(t.trainer, path));
    close_training(&t);
    _exit(0);
}

START_TEST(killed_at_any_moment) {
    threads = "1"; /* a thread pool does not outlive a fork */
    scratch_open();
    const char *path = scratch_path("checkpoint.safetensors");
    const char *rounds_text = getenv("ALTERREC_KILLS");
    int rounds = rounds_text != NULL ? atoi(rounds_text) : 6;
    ar_random random;
    ar_random_seed(&random, 11);
    for (int round = 0; round < rounds; round++) {
        int kills = 0;
        for (bool done = false; !done;) {
            pid_t child = fork();
            ck_assert_int_ge(child, 0);
            if (child == 0)
                train_in_child(path);
            /* Later kills come later, so that even a slow machine ends. */
            long wait = (long)ar_random_below(&random, 60000000) + kills * 20000000L;
            struct timespec time = {.tv_sec = wait / 1000000000, .tv_nsec = wait % 1000000000};
            (void)nanosleep(&time, NULL);
            (void)kill(child, SIGKILL);
            int status;
            ck_assert_int_eq(waitpid(child, &status, 0), child);
            ck_assert(WIFSIGNALED(status) || WEXITSTATUS(status) == 0);
            done = WIFEXITED(status);
            kills++;
        }
        training whole, resumed;
        open_training(&whole, "alterrec", "3");
        open_training(&resumed, "alterrec", "3");
        MUST(alterrec_trainer_run(whole.trainer));
        MUST(alterrec_trainer_resume(resumed.trainer, path));
        same_training(&whole, &resumed);
        close_training(&whole);
        close_training(&resumed);
        ck_assert_int_eq(unlink(path), 0);
    }
    scratch_close();
}
END_TEST

int main(void) {
    Suite *suite = suite_create("checkpoint");
    TCase *group = tcase_create("checkpoint");
    tcase_add_loop_test(group, resume_equals_uninterrupted, 0, SYSTEMS);
    tcase_add_test(group, resume_with_shared_negatives);
    tcase_add_test(group, resume_goes_back_in_the_same_trainer);
    tcase_add_test(group, what_does_not_belong_is_refused);
    tcase_add_test(group, a_failed_write_keeps_the_old_checkpoint);
    tcase_add_test(group, callback_saves_between_epochs_only);
    tcase_add_test(group, killed_at_any_moment);
    suite_add_tcase(suite, group);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
