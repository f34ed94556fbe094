/* Processes forked of one whose calls have used several threads: OpenMP's workers are not in the
 * child, and a call there does without them instead of waiting for ever. */
#include "support/shop.h"
#include "support/small_model.h"

#include <check.h>
#include <dirent.h>
#include <omp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ITEMS = 3000, SESSIONS = 40, K = 10, SHOP_ITEMS = 600, SHOP_SESSIONS = 200, SECONDS = 120 };

/* In a forked process, which is to know nothing of Check: ends it at the first failure. */
#define CHILD_MUST(call)                                                                           \
    do {                                                                                           \
        if ((call) != ALTERREC_OK) {                                                               \
            (void)fprintf(stderr, "%s\n", alterrec_last_error());                                  \
            _exit(2);                                                                              \
        }                                                                                          \
    } while (0)

static small_model small;
static alterrec_sessions *sessions;
static alterrec_recommender *recommender;
static shop s;

static void set_up_with(int threads) {
    omp_set_num_threads(threads);
    small_model_open(&small, ITEMS, true);
    sessions = small_sessions(&small, SESSIONS, SMALL_MAX_LEN);
    MUST(alterrec_recommender_create(&recommender, small.model, NULL));
    shop_open(&s, SHOP_ITEMS, SHOP_SESSIONS);
    shop_set(&s, "model.dim", "64");
    shop_set(&s, "train.epochs", "2");
    shop_set(&s, "schedule.random_epochs", "1");
}

static void set_up(void) {
    set_up_with(2);
}

static void set_up_alone(void) {
    set_up_with(1);
}

static void tear_down(void) {
    alterrec_recommender_free(recommender);
    alterrec_sessions_free(sessions);
    small_model_close(&small);
    shop_close(&s);
}

/* The child's exit code; the alarm ends a child that waits for ever. */
static int run_forked(void (*act)(void)) {
    int status;
    pid_t child = fork();
    ck_assert_int_ge(child, 0);
    if (child == 0) {
        (void)alarm(SECONDS);
        act();
        _exit(0);
    }
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_msg(!WIFSIGNALED(status), "the child was ended by signal %d", WTERMSIG(status));
    return WEXITSTATUS(status);
}

static void recommend(int32_t items[SESSIONS * K], int32_t threads) {
    alterrec_batch *batch;
    alterrec_search search = {.struct_size = sizeof search, .threads = threads};
    CHILD_MUST(alterrec_batch_create(&batch));
    for (int64_t i = 0; i < SESSIONS; i++) {
        const int32_t *session;
        int64_t length;
        CHILD_MUST(alterrec_sessions_get(&session, &length, sessions, i));
        CHILD_MUST(alterrec_batch_add(batch, session, length));
    }
    CHILD_MUST(alterrec_recommender_top_k(items, NULL, NULL, recommender, batch, K, &search));
    alterrec_batch_free(batch);
}

static int32_t expected[SESSIONS * K];

static void recommend_again(void) {
    for (int32_t threads = 0; threads <= 3; threads++) {
        int32_t items[SESSIONS * K];
        recommend(items, threads);
        if (memcmp(items, expected, sizeof expected) != 0)
            _exit(3);
    }
}

static void recommend_in_a_child_of_the_child(void) {
    recommend_again();
    int status;
    pid_t child = fork();
    if (child == 0) {
        (void)alarm(SECONDS);
        recommend_again();
        _exit(0);
    }
    if (waitpid(child, &status, 0) != child || !WIFEXITED(status) || WEXITSTATUS(status) != 0)
        _exit(4);
}

START_TEST(lists_are_the_same) {
    recommend(expected, 2);
    ck_assert_int_eq(run_forked(recommend_again), 0);
    ck_assert_int_eq(run_forked(recommend_in_a_child_of_the_child), 0);
    recommend(expected, 2); /* the parent has its workers as before */
    ck_assert_int_eq(omp_get_max_threads(), 2);
}
END_TEST

static void push_live(void) {
    enum { VISITORS = 64 };
    alterrec_live_session *visitors[VISITORS];
    int32_t items[VISITORS];
    for (int32_t v = 0; v < VISITORS; v++) {
        CHILD_MUST(alterrec_live_session_create(&visitors[v], recommender));
        items[v] = v;
    }
    for (int32_t threads = 0; threads <= 2; threads++)
        CHILD_MUST(alterrec_live_sessions_push(visitors, items, VISITORS, threads));
    for (int32_t v = 0; v < VISITORS; v++)
        alterrec_live_session_free(visitors[v]);
}

START_TEST(visitors_go_on) {
    push_live();
    ck_assert_int_eq(run_forked(push_live), 0);
}
END_TEST

/* A model trained from the beginning; the caller frees it. */
static alterrec_model *train(const char *threads) {
    alterrec_model *model;
    alterrec_trainer *trainer;
    CHILD_MUST(alterrec_config_set(s.config, "compute.threads", threads));
    CHILD_MUST(alterrec_model_create(&model, s.catalog, s.config));
    CHILD_MUST(alterrec_trainer_create(&trainer, model, s.train, s.valid, s.config));
    CHILD_MUST(alterrec_trainer_run(trainer));
    alterrec_trainer_free(trainer);
    return model;
}

static bool same_parameters(const alterrec_model *a, const alterrec_model *b) {
    bool same = true;
    for (int64_t t = 0; t < alterrec_model_tensor_count(a); t++) {
        alterrec_tensor tensor = {.struct_size = sizeof tensor};
        CHILD_MUST(alterrec_model_tensor_describe(&tensor, a, t));
        size_t size = (size_t)tensor.count * sizeof(float);
        float *left = malloc(size), *right = malloc(size);
        CHILD_MUST(alterrec_model_get_tensor(left, a, tensor.name, tensor.count));
        CHILD_MUST(alterrec_model_get_tensor(right, b, tensor.name, tensor.count));
        same = same && memcmp(left, right, size) == 0;
        free(left);
        free(right);
    }
    return same;
}

static alterrec_model *alone;

/* With the bits of one thread, whatever number is asked for. */
static void train_again(void) {
    alterrec_evaluation *evaluation;
    alterrec_model *model = train("2");
    if (!same_parameters(model, alone))
        _exit(3);
    CHILD_MUST(alterrec_evaluate(&evaluation, model, s.valid, s.train, s.config, NULL, NULL));
    alterrec_evaluation_free(evaluation);
    alterrec_model_free(model);
}

START_TEST(trainings_begin) {
    alone = train("1");
    alterrec_model_free(train("2"));
    ck_assert_int_eq(run_forked(train_again), 0);
    alterrec_model_free(alone);
}
END_TEST

static alterrec_trainer *begun;

static void train_on(void) {
    CHILD_MUST(alterrec_trainer_epoch(NULL, begun, NULL));
}

/* Its products were planned for two threads. */
START_TEST(a_training_of_the_parent_goes_on) {
    alterrec_model *model;
    MUST(alterrec_model_create(&model, s.catalog, s.config));
    MUST(alterrec_trainer_create(&begun, model, s.train, s.valid, s.config));
    MUST(alterrec_trainer_epoch(NULL, begun, NULL));
    ck_assert_int_eq(run_forked(train_on), 0);
    train_on();
    alterrec_trainer_free(begun);
    alterrec_model_free(model);
}
END_TEST

static int threads_of_this_process(void) {
    int count = 0;
    DIR *folder = opendir("/proc/self/task");
    if (folder == NULL)
        return -1;
    for (struct dirent *entry; (entry = readdir(folder)) != NULL;)
        count += entry->d_name[0] != '.';
    (void)closedir(folder);
    return count;
}

static void recommend_with_workers(void) {
    int32_t items[SESSIONS * K];
    int before = threads_of_this_process();
    recommend(items, 2);
    if (before > 0 && omp_get_thread_limit() > 1 && threads_of_this_process() <= before)
        _exit(3);
}

/* As a server does that opens its model and then forks: nothing is lost. */
START_TEST(a_parent_without_workers_costs_nothing) {
    ck_assert_int_eq(run_forked(recommend_with_workers), 0);
}
END_TEST

int main(void) {
    TCase *cases = tcase_create("fork");
    tcase_add_checked_fixture(cases, set_up, tear_down);
    tcase_add_test(cases, lists_are_the_same);
    tcase_add_test(cases, visitors_go_on);
    tcase_add_test(cases, trainings_begin);
    tcase_add_test(cases, a_training_of_the_parent_goes_on);
    TCase *prefork = tcase_create("prefork");
    tcase_add_checked_fixture(prefork, set_up_alone, tear_down);
    tcase_add_test(prefork, a_parent_without_workers_costs_nothing);
    Suite *suite = suite_create("fork");
    suite_add_tcase(suite, cases);
    suite_add_tcase(suite, prefork);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
