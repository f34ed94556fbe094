/* A model is changed under load: requests end with the recommender they began with, their answers
 * are those of one thread alone, and nothing stays behind. */
#include "core/memory.h"
#include "support/small_model.h"

#include <check.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { ITEMS = 120, VISITORS = 24, K = 10, WORKERS = 8, VERSIONS = 2 };

/* What the threads share, as a server would have it. */
typedef struct server {
    pthread_mutex_t lock;
    alterrec_recommender *recommender;
    int version;
} server;

static server shop = {.lock = PTHREAD_MUTEX_INITIALIZER};
static small_model models[VERSIONS];
static alterrec_sessions *sessions;
static int32_t expected_items[VERSIONS][VISITORS][K];
static float expected_scores[VERSIONS][VISITORS][K];

static alterrec_recommender *take_current(int *version) {
    (void)pthread_mutex_lock(&shop.lock);
    alterrec_recommender *held = alterrec_recommender_hold(shop.recommender);
    *version = shop.version;
    (void)pthread_mutex_unlock(&shop.lock);
    return held;
}

static void put_current(alterrec_recommender *recommender, int version) {
    (void)pthread_mutex_lock(&shop.lock);
    alterrec_recommender *old = shop.recommender;
    shop.recommender = recommender;
    shop.version = version;
    (void)pthread_mutex_unlock(&shop.lock);
    alterrec_recommender_free(old);
}

static void open_models(void) {
    for (int v = 0; v < VERSIONS; v++) {
        small_model_open(&models[v], ITEMS, true);
        float values[SMALL_DIM];
        MUST(alterrec_config_set(models[v].config, "compute.threads", "1"));
        for (int i = 0; i < SMALL_DIM; i++)
            values[i] = 1.0f + (float)(i * v) / SMALL_DIM;
        MUST(alterrec_model_set_tensor(
            models[v].model, "id.encoder.blocks.1.feed_forward.norm.weight", values, SMALL_DIM));
    }
    sessions = small_sessions(&models[0], VISITORS, 2 * SMALL_MAX_LEN);
    for (int v = 0; v < VERSIONS; v++) {
        alterrec_batch *batch;
        alterrec_recommender *recommender;
        MUST(alterrec_batch_create(&batch));
        for (int64_t s = 0; s < VISITORS; s++)
            small_add(batch, sessions, s);
        MUST(alterrec_recommender_create(&recommender, models[v].model, NULL));
        MUST(alterrec_recommender_top_k(expected_items[v][0], expected_scores[v][0], NULL,
                                        recommender, batch, K, NULL));
        alterrec_recommender_free(recommender);
        alterrec_batch_free(batch);
    }
    ck_assert_mem_ne(expected_scores[0], expected_scores[1], sizeof expected_scores[0]);
}

static void close_models(void) {
    put_current(NULL, 0);
    alterrec_sessions_free(sessions);
    for (int v = 0; v < VERSIONS; v++)
        small_model_close(&models[v]);
}

typedef struct worker {
    pthread_t thread;
    alterrec_status status;
    int64_t answers[VERSIONS], wrong;
    atomic_bool done;
} worker;

static worker workers[WORKERS];

static bool differs(const int32_t *best, const float *scores, int version, int64_t visitor) {
    return memcmp(best, expected_items[version][visitor], K * sizeof *best) != 0 ||
           memcmp(scores, expected_scores[version][visitor], K * sizeof *scores) != 0;
}

/* A request with a batch, and one with a live session that outlives the request's own hold. */
static void serve(worker *w, alterrec_batch *batch, int64_t visitor) {
    const int32_t *items;
    int64_t length;
    int version;
    int32_t best[K];
    float scores[K];
    alterrec_search search = {.struct_size = sizeof search, .threads = 1};
    alterrec_recommender *recommender = take_current(&version);
    (void)alterrec_batch_clear(batch);
    (void)alterrec_sessions_get(&items, &length, sessions, visitor);
    w->status = alterrec_batch_add(batch, items, length);
    if (w->status == ALTERREC_OK)
        w->status = alterrec_recommender_top_k(best, scores, NULL, recommender, batch, K, &search);
    w->answers[version]++;
    w->wrong += differs(best, scores, version, visitor);
    alterrec_live_session *live = NULL;
    if (w->status == ALTERREC_OK)
        w->status = alterrec_live_session_create(&live, recommender);
    alterrec_recommender_free(recommender); /* the live session has it */
    for (int64_t i = 0; i < length && w->status == ALTERREC_OK; i++)
        w->status = alterrec_live_session_push(live, items[i]);
    if (w->status == ALTERREC_OK)
        w->status = alterrec_live_session_top_k(best, scores, NULL, live, K, &search);
    w->wrong += differs(best, scores, version, visitor);
    alterrec_live_session_free(live);
}

/* Twenty rounds, and as many as it takes to have met both models. */
static void *work(void *argument) {
    worker *w = argument;
    alterrec_batch *batch = NULL;
    w->status = alterrec_batch_create(&batch);
    for (int round = 0; (round < 20 || w->answers[0] == 0 || w->answers[1] == 0) &&
                        w->status == ALTERREC_OK;
         round++)
        for (int64_t visitor = 0; visitor < VISITORS && w->status == ALTERREC_OK; visitor++)
            serve(w, batch, visitor);
    alterrec_batch_free(batch);
    atomic_store(&w->done, true);
    return NULL;
}

static bool all_done(void) {
    for (int i = 0; i < WORKERS; i++)
        if (!atomic_load(&workers[i].done))
            return false;
    return true;
}

START_TEST(a_model_is_changed_under_load) {
    alterrec_recommender *made;
    int64_t swaps = 0, answers[VERSIONS] = {0};
    open_models();
    MUST(alterrec_recommender_create(&made, models[0].model, NULL));
    put_current(made, 0);
    for (int i = 0; i < WORKERS; i++)
        ck_assert_int_eq(pthread_create(&workers[i].thread, NULL, work, &workers[i]), 0);
    for (; !all_done(); swaps++) {
        int version = (int)(swaps % VERSIONS);
        MUST(alterrec_recommender_create(&made, models[version].model, models[version].config));
        put_current(made, version);
    }
    for (int i = 0; i < WORKERS; i++) {
        ck_assert_int_eq(pthread_join(workers[i].thread, NULL), 0);
        ck_assert_int_eq(workers[i].status, ALTERREC_OK);
        ck_assert_int_eq(workers[i].wrong, 0);
        for (int v = 0; v < VERSIONS; v++)
            answers[v] += workers[i].answers[v];
    }
    ck_assert_int_ge(swaps, VERSIONS);
    ck_assert_int_ge(answers[0] + answers[1], 20 * VISITORS * WORKERS);
    ck_assert(answers[0] > 0 && answers[1] > 0);
    close_models();
}
END_TEST

#ifndef AR_NO_CLONES
/* Bytes of the process that lie in memory. */
static int64_t resident(void) {
    long long total = 0, pages = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    ck_assert_ptr_nonnull(file);
    ck_assert_int_eq(fscanf(file, "%lld %lld", &total, &pages), 2);
    (void)fclose(file);
    return pages * sysconf(_SC_PAGESIZE);
}
#endif

static void swap_often(small_model *small, int count) {
    MUST(alterrec_config_set(small->config, "compute.threads", "1"));
    for (int i = 0; i < count; i++) {
        alterrec_recommender *made;
        int version;
        MUST(alterrec_recommender_create(&made, small->model, small->config));
        put_current(made, 0);
        alterrec_recommender *held = take_current(&version);
        ck_assert_ptr_eq(held, made);
        alterrec_recommender_free(held);
    }
}

/* A recommender of this model has more than 10 KB: one in a hundred that stayed would show. A
 * sanitizer looks for what stays by itself, and keeps freed memory for a while. */
START_TEST(swaps_leave_nothing_behind) {
    small_model small;
    small_model_open(&small, 40, true);
    swap_often(&small, 1000);
#ifndef AR_NO_CLONES
    enum { SWAPS = 100000 };
    int64_t before = resident();
    swap_often(&small, SWAPS);
    ck_assert_int_lt(resident() - before, (int64_t)SWAPS / 100 * 10240 + (1 << 20));
#endif
    put_current(NULL, 0);
    small_model_close(&small);
}
END_TEST

/* The last holder frees, whoever it is; what a batch keeps is of no recommender. */
START_TEST(holders_may_go_in_any_order) {
    small_model small;
    small_model_open(&small, 40, true);
    int32_t session[] = {3, 4}, best[3], again[3];
    alterrec_batch *batch;
    alterrec_recommender *made;
    MUST(alterrec_batch_create(&batch));
    MUST(alterrec_batch_add(batch, session, 2));
    MUST(alterrec_recommender_create(&made, small.model, NULL));
    MUST(alterrec_recommender_top_k(best, NULL, NULL, made, batch, 3, NULL));
    alterrec_recommender *one = alterrec_recommender_hold(made);
    alterrec_recommender *other = alterrec_recommender_hold(one);
    ck_assert(one == made && other == made);
    ck_assert_ptr_null(alterrec_recommender_hold(NULL));
    alterrec_recommender_free(made);
    alterrec_recommender_free(one);
    small_model_close(&small);
    MUST(alterrec_recommender_top_k(again, NULL, NULL, other, batch, 3, NULL));
    ck_assert_mem_eq(again, best, sizeof best);
    alterrec_recommender_free(other);
    alterrec_batch_free(batch);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("hot_swap");
    TCase *cases = tcase_create("contract");
    suite_add_tcase(suite, cases);
    tcase_add_test(cases, a_model_is_changed_under_load);
    tcase_add_test(cases, swaps_leave_nothing_behind);
    tcase_add_test(cases, holders_may_go_in_any_order);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
