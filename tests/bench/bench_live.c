/* Times live sessions, two towers of dim 300, fresh weights or those of a model file: an item
 * pushed and 20 recommended, beside the same session encoded anew; and 64 visitors at once. Runs
 * take turns.
 *
 *   bench_live [precision [threads [items or MODEL [encoder [busy]]]]]
 *
 *   precision: of the table, int8, bf16 or f32; items: 44577; encoder: f32, bf16 or int8; busy: by
 *   the time that the threads were given, not on the wall */
#include <alterrec/alterrec.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { FEATURES = 64, VISITORS = 64, LENGTH = 20, K = 20, RUNS = 61, WORKS = 5 };

static alterrec_recommender *recommender;
static alterrec_batch *batch;
static alterrec_live_session *live[VISITORS];
static int32_t best[VISITORS * K];
static float scores[VISITORS * K];
static int32_t pushed, threads = 1;
static int64_t items_there = 44577;
static clockid_t kind = CLOCK_MONOTONIC;

static void check(alterrec_status status) {
    if (status != ALTERREC_OK) {
        fprintf(stderr, "%s\n", alterrec_last_error());
        exit(EXIT_FAILURE);
    }
}

static double now(void) {
    struct timespec time;
    (void)clock_gettime(kind, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

static int32_t any_item(void) {
    pushed = (int32_t)(((int64_t)pushed * 7919 + 12345) % items_there);
    return pushed;
}

static void recommend(alterrec_live_session *session) {
    alterrec_search search = {.struct_size = sizeof search, .threads = threads};
    check(alterrec_live_session_top_k(best, scores, NULL, session, K, &search));
}

/* A session of LENGTH - 1 items is pushed one more. */
static void begin_push(void) {
    alterrec_live_session_reset(live[0]);
    for (int i = 1; i < LENGTH; i++)
        check(alterrec_live_session_push(live[0], any_item()));
    recommend(live[0]); /* what a visitor's last page has left in the caches */
}

static void push(void) {
    check(alterrec_live_session_push(live[0], any_item()));
}

static void push_and_recommend(void) {
    push();
    recommend(live[0]);
}

static void begin_anew(void) {
    int32_t items[LENGTH];
    for (int i = 0; i < LENGTH; i++)
        items[i] = any_item();
    check(alterrec_batch_clear(batch));
    check(alterrec_batch_add(batch, items, LENGTH));
}

static void anew(void) {
    alterrec_search search = {.struct_size = sizeof search, .threads = threads};
    check(alterrec_recommender_top_k(best, scores, NULL, recommender, batch, K, &search));
}

static void begin_many(void) {
    int32_t items[VISITORS];
    for (int s = 0; s < VISITORS; s++)
        alterrec_live_session_reset(live[s]);
    for (int i = 0; i < 4; i++) {
        for (int s = 0; s < VISITORS; s++)
            items[s] = any_item();
        check(alterrec_live_sessions_push(live, items, VISITORS, threads));
    }
}

static void push_many(void) {
    int32_t items[VISITORS];
    for (int s = 0; s < VISITORS; s++)
        items[s] = any_item();
    check(alterrec_live_sessions_push(live, items, VISITORS, threads));
}

static void push_many_and_recommend(void) {
    alterrec_search search = {.struct_size = sizeof search, .threads = threads};
    push_many();
    check(alterrec_live_sessions_top_k(best, scores, NULL, live, VISITORS, K, &search));
}

static const struct {
    const char *name;
    void (*begin)(void), (*run)(void);
} works[WORKS] = {{"push", begin_push, push},
                  {"push + top 20", begin_push, push_and_recommend},
                  {"20 items anew + top 20", begin_anew, anew},
                  {"64 pushes", begin_many, push_many},
                  {"64 pushes + top 20", begin_many, push_many_and_recommend}};

static int compare(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

/* A model whose rows and sessions have no more in common than chance. */
static alterrec_model *make_model(void) {
    alterrec_config *config;
    alterrec_catalog *catalog;
    alterrec_model *model;
    float *features = malloc(sizeof *features * (size_t)items_there * FEATURES);
    uint32_t random = 1;
    for (int64_t i = 0; features != NULL && i < items_there * FEATURES; i++) {
        random = random * 1664525u + 1013904223u;
        features[i] = (float)(random >> 8) / 8388608.0f - 1.0f;
    }
    check(alterrec_config_create(&config));
    check(alterrec_config_set(config, "model.init", "usual"));
    check(alterrec_catalog_create(&catalog, NULL, NULL, items_there));
    check(alterrec_catalog_set_features(catalog, features, items_there, FEATURES));
    check(alterrec_model_create(&model, catalog, config));
    alterrec_catalog_free(catalog);
    alterrec_config_free(config);
    free(features);
    return model;
}

static void open_all(const char *precision, const char *encoder, const char *path) {
    alterrec_config *config;
    alterrec_model *model;
    if (path != NULL)
        check(alterrec_model_load(&model, path));
    else
        model = make_model();
    items_there = alterrec_catalog_items(alterrec_model_catalog(model));
    check(alterrec_config_create(&config));
    check(alterrec_config_set(config, "serve.precision", precision));
    check(alterrec_config_set(config, "serve.encoder", encoder));
    check(alterrec_recommender_create(&recommender, model, config));
    check(alterrec_batch_create(&batch));
    for (int s = 0; s < VISITORS; s++)
        check(alterrec_live_session_create(&live[s], recommender));
    alterrec_model_free(model);
    alterrec_config_free(config);
}

int main(int count, char **arguments) {
    static double seconds[WORKS][RUNS];
    const char *precision = count > 1 ? arguments[1] : "int8";
    threads = count > 2 ? atoi(arguments[2]) : 1;
    bool is_file = count > 3 && strspn(arguments[3], "0123456789") < strlen(arguments[3]);
    items_there = count > 3 && !is_file ? atoll(arguments[3]) : items_there;
    const char *encoder = count > 4 ? arguments[4] : "f32";
    if (count > 5 && strcmp(arguments[5], "busy") == 0)
        kind = CLOCK_PROCESS_CPUTIME_ID;
    if (items_there < 1 || items_there > INT32_MAX || threads < 1) {
        fprintf(stderr, "bench_live: items and threads are at least 1\n");
        return EXIT_FAILURE;
    }
    open_all(precision, encoder, is_file ? arguments[3] : NULL);
    for (int run = -3; run < RUNS; run++)
        for (int w = 0; w < WORKS; w++) {
            works[w].begin();
            double start = now();
            works[w].run();
            if (run >= 0)
                seconds[w][run] = now() - start;
        }
    printf(
        "%lld items, table %s, encoder %s, %d threads, %s; milliseconds: fastest, median, 9 of 10 "
        "within\n",
        (long long)items_there, precision, encoder, (int)threads,
        kind == CLOCK_MONOTONIC ? "on the wall" : "of all threads");
    for (int w = 0; w < WORKS; w++) {
        qsort(seconds[w], RUNS, sizeof(double), compare);
        printf("%-24s %8.3f %8.3f %8.3f\n", works[w].name, 1e3 * seconds[w][0],
               1e3 * seconds[w][RUNS / 2], 1e3 * seconds[w][RUNS * 9 / 10]);
    }
    for (int s = 0; s < VISITORS; s++)
        alterrec_live_session_free(live[s]);
    alterrec_batch_free(batch);
    alterrec_recommender_free(recommender);
    return EXIT_SUCCESS;
}
