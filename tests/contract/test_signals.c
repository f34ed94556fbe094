/* A host with timers: signals that arrive at any moment harm nothing (docs/internals/signals.md).
 */
#include "core/memory.h"
#include "support/shop.h"

#include <check.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>

#define MUST(call) ck_assert_msg((call) == ALTERREC_OK, "%s", alterrec_last_error())

static volatile sig_atomic_t arrived;

/* Writes to the stack, as a handler of some weight would. */
static void on_alarm(int number) {
    volatile char frame[2048];
    memset((char *)(size_t)frame, number, sizeof frame);
    arrived++;
}

static void start_timer(void) {
    struct sigaction action = {.sa_handler = on_alarm, .sa_flags = SA_RESTART};
    struct itimerval every = {{0, 300}, {0, 300}};
    ck_assert_int_eq(sigaction(SIGALRM, &action, NULL), 0);
    ck_assert_int_eq(setitimer(ITIMER_REAL, &every, NULL), 0);
}

static void stop_timer(void) {
    struct itimerval never = {0};
    ck_assert_int_eq(setitimer(ITIMER_REAL, &never, NULL), 0);
}

/* Sizes at which most of the time is spent inside products. */
static void open_shop(shop *s, const char *threads) {
    shop_open(s, 600, 200);
    shop_set(s, "model.dim", "96");
    shop_set(s, "train.epochs", "3");
    shop_set(s, "train.batch_size", "256");
    shop_set(s, "negatives.k2", "300");
    shop_set(s, "compute.threads", threads);
}

static const char *const thread_counts[] = {"1", "2"};

START_TEST(training_under_a_timer) {
    shop quiet, noisy;
    alterrec_model *models[2];
    open_shop(&quiet, thread_counts[_i]);
    open_shop(&noisy, thread_counts[_i]);
    shop *shops[2] = {&quiet, &noisy};
    for (int i = 0; i < 2; i++) {
        alterrec_trainer *trainer;
        MUST(alterrec_model_create(&models[i], shops[i]->catalog, shops[i]->config));
        MUST(alterrec_trainer_create(&trainer, models[i], shops[i]->train, shops[i]->valid, NULL));
        if (i == 1)
            start_timer();
        MUST(alterrec_trainer_run(trainer));
        if (i == 1)
            stop_timer();
        alterrec_trainer_free(trainer);
    }
    ck_assert_int_gt(arrived, 10);
    for (int64_t t = 0; t < alterrec_model_tensor_count(models[0]); t++) {
        alterrec_tensor tensor = {.struct_size = sizeof tensor};
        MUST(alterrec_model_tensor_describe(&tensor, models[0], t));
        float *a = ar_new(tensor.count, sizeof *a), *b = ar_new(tensor.count, sizeof *b);
        MUST(alterrec_model_get_tensor(a, models[0], tensor.name, tensor.count));
        MUST(alterrec_model_get_tensor(b, models[1], tensor.name, tensor.count));
        ck_assert_mem_eq(a, b, (size_t)tensor.count * sizeof *a);
        ar_free(a);
        ar_free(b);
    }
    alterrec_model_free(models[0]);
    alterrec_model_free(models[1]);
    shop_close(&quiet);
    shop_close(&noisy);
}
END_TEST

START_TEST(the_callers_mask_comes_back) {
    sigset_t before, after;
    shop s;
    alterrec_model *model;
    open_shop(&s, "2");
    MUST(alterrec_model_create(&model, s.catalog, s.config));
    float *vectors = ar_new(600 * 96, sizeof *vectors);
    ck_assert_int_eq(sigemptyset(&before), 0);
    ck_assert_int_eq(sigaddset(&before, SIGUSR2), 0);
    ck_assert_int_eq(pthread_sigmask(SIG_SETMASK, &before, NULL), 0);
    MUST(alterrec_model_item_vectors(vectors, model, ALTERREC_TEXT));
    ck_assert_int_eq(pthread_sigmask(SIG_SETMASK, NULL, &after), 0);
    for (int number = 1; number < 32; number++)
        ck_assert_int_eq(sigismember(&after, number), number == SIGUSR2);
    ar_free(vectors);
    alterrec_model_free(model);
    shop_close(&s);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("signals");
    TCase *group = tcase_create("signals");
    tcase_add_loop_test(group, training_under_a_timer, 0, 2);
    tcase_add_test(group, the_callers_mask_comes_back);
    suite_add_tcase(suite, group);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
