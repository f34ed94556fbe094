/* What hard negatives cost: the choice of an example's beside the product of its scores, and a step
 * with them beside one without.
 *
 *   bench_mining [threads [pool]]     pool: negatives.pool of the steps */
#include "alterrec/alterrec.h"
#include "core/memory.h"
#include "core/threads.h"
#include "nn/onednn.h"
#include "train/negatives.h"
#include "train/rank_window.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    ITEMS = 44600,
    DIM = 300,
    FEATURES = 512,
    ROWS = 256,
    BATCH = 512,
    K1 = 20,
    K2 = 20000,
    HARD = 9990,
    RUNS = 15
};

static ar_random stream;

static void check(alterrec_status status) {
    if (status != ALTERREC_OK) {
        fprintf(stderr, "%s\n", alterrec_last_error());
        exit(EXIT_FAILURE);
    }
}

static float *floats(int64_t count) {
    float *values = ar_new(count, sizeof *values);
    for (int64_t i = 0; i < count; i++)
        values[i] = (float)ar_random_normal(&stream);
    return values;
}

static int compare_doubles(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

static double median(double *seconds) {
    qsort(seconds, RUNS, sizeof *seconds, compare_doubles);
    return seconds[RUNS / 2];
}

/* Milliseconds an example, all threads at work, as in a step. */
static void bench_choice(int threads) {
    double product[RUNS], choice[RUNS];
    float *vectors = floats(ROWS * DIM), *table = floats((int64_t)ITEMS * DIM);
    float *scores = ar_new((int64_t)ROWS * ITEMS, sizeof *scores);
    float *negatives = ar_new((int64_t)threads * ITEMS, sizeof *negatives);
    char *work = ar_new((int64_t)threads * ITEMS, AR_RANK_WORK);
    ar_onednn *onednn;
    check(ar_onednn_create(&onednn));
    for (int run = -1; run < RUNS; run++) {
        double start = ar_clock_seconds();
        check(ar_matmul(onednn, scores, vectors, table, NULL, ROWS, ITEMS, DIM,
                        AR_WEIGHTS_TRANSPOSED));
        double between = ar_clock_seconds();
#pragma omp parallel for num_threads(threads)
        for (int t = 0; t < threads; t++)
            for (int64_t i = t; i < ROWS; i += threads) {
                ar_random random;
                ar_random_seed(&random, (uint64_t)i);
                ar_negatives_hard(negatives + (int64_t)t * ITEMS,
                                  work + (int64_t)t * ITEMS * AR_RANK_WORK, scores + i * ITEMS,
                                  NULL, ITEMS, K1, K2, HARD, &random);
            }
        if (run >= 0) {
            product[run] = 1e3 * (between - start) / ROWS;
            choice[run] = 1e3 * (ar_clock_seconds() - between) / ROWS;
        }
    }
    double p = median(product), c = median(choice);
    printf("an example: scores %.3f ms (%.0f Gflop/s), %d hard negatives of them %.3f ms (%.2f)\n",
           p, 2e-6 * ITEMS * DIM / p, HARD, c, c / p);
    ar_onednn_free(onednn);
    ar_free(vectors);
    ar_free(table);
    ar_free(scores);
    ar_free(negatives);
    ar_free(work);
}

static alterrec_catalog *make_catalog(void) {
    alterrec_catalog *catalog;
    char(*names)[16] = ar_new(ITEMS, sizeof *names);
    const char **keys = ar_new(ITEMS, sizeof *keys);
    for (int i = 0; i < ITEMS; i++) {
        (void)snprintf(names[i], sizeof names[i], "i%d", i);
        keys[i] = names[i];
    }
    check(alterrec_catalog_create(&catalog, keys, NULL, ITEMS));
    float *features = floats((int64_t)ITEMS * FEATURES);
    check(alterrec_catalog_set_features(catalog, features, ITEMS, FEATURES));
    ar_free(features);
    ar_free(names);
    ar_free(keys);
    return catalog;
}

/* Sessions of about 4.5 items, with BATCH labels together. */
static alterrec_batch *make_batch(void) {
    enum { LONGEST = 50 };
    alterrec_batch *batch;
    check(alterrec_batch_create(&batch));
    for (int64_t left = BATCH; left > 0;) {
        int32_t items[LONGEST], labels[LONGEST];
        int64_t length =
            1 + (int64_t)(log(1.0 - ar_random_uniform(&stream)) / log(1.0 - 1.0 / 4.5));
        length = length < LONGEST ? length : LONGEST;
        length = length < left ? length : left;
        for (int64_t i = 0; i < length; i++) {
            items[i] = (int32_t)ar_random_below(&stream, ITEMS);
            labels[i] = (int32_t)ar_random_below(&stream, ITEMS);
        }
        check(alterrec_batch_add_labelled(batch, items, labels, length));
        left -= length;
    }
    return batch;
}

static void bench_steps(const char *threads, const char *pool) {
    enum { RANDOM, MINED, KINDS };
    static const int32_t kinds[KINDS] = {ALTERREC_NEGATIVES_RANDOM, ALTERREC_NEGATIVES_HARD};
    static const int32_t towers[] = {ALTERREC_ID, ALTERREC_TEXT};
    alterrec_catalog *catalog = make_catalog();
    alterrec_batch *batch = make_batch();
    alterrec_config *config;
    alterrec_sessions *sessions;
    alterrec_model *model;
    alterrec_trainer *trainer;
    const int32_t items[] = {0, 1};
    const int64_t offsets[] = {0, 2};
    check(alterrec_config_create(&config));
    check(alterrec_config_set(config, "compute.threads", threads));
    check(alterrec_config_set(config, "negatives.pool", pool));
    check(alterrec_sessions_create(&sessions, catalog, items, offsets, 1));
    check(alterrec_model_create(&model, catalog, config));
    check(alterrec_trainer_create(&trainer, model, sessions, NULL, NULL));
    for (int t = 0; t < 2; t++) {
        double seconds[KINDS][RUNS];
        for (int run = -1; run < RUNS; run++)
            for (int k = 0; k < KINDS; k++) {
                alterrec_plan plan = {.struct_size = sizeof plan};
                check(alterrec_trainer_plan(&plan, trainer));
                plan.tower = towers[t];
                plan.negatives = kinds[k];
                double start = ar_clock_seconds();
                check(alterrec_trainer_step(NULL, trainer, batch, &plan));
                if (run >= 0)
                    seconds[k][run] = ar_clock_seconds() - start;
            }
        double random = median(seconds[RANDOM]), mined = median(seconds[MINED]);
        printf("a step of the %s tower: random negatives %.0f ms, hard ones %.0f ms (+%.0f %%)\n",
               t == 0 ? "ID" : "text", 1e3 * random, 1e3 * mined, 100.0 * (mined / random - 1.0));
    }
    alterrec_trainer_free(trainer);
    alterrec_model_free(model);
    alterrec_sessions_free(sessions);
    alterrec_config_free(config);
    alterrec_batch_free(batch);
    alterrec_catalog_free(catalog);
}

int main(int count, char **arguments) {
    const char *threads = count > 1 ? arguments[1] : "0";
    ar_random_seed(&stream, 1);
    int before = ar_threads_enter(atoi(threads));
    printf("%s, %d threads, medians of %d runs, %d items, dim %d\n", ar_onednn_info(),
           ar_threads_count(), RUNS, ITEMS, DIM);
    bench_choice(ar_threads_count());
    ar_threads_leave(before);
    bench_steps(threads, count > 2 ? arguments[2] : "0");
    return EXIT_SUCCESS;
}
