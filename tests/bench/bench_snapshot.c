/* How long a recommender's file takes to be opened, and what two processes share of it.
 *
 *   bench_snapshot FOLDER [ITEMS [DIM [PRECISION]]]     1,000,000 items, dim 300, int8
 *
 * Prints the size of the file, the times of opening and of the first list, and of the processes
 * that have it open the memory that each has to itself. */
#include "core/random.h"
#include "core/threads.h"

#include <alterrec/alterrec.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ROUNDS = 21, FEATURES = 8, K = 20 };

static void must(alterrec_status status) {
    if (status == ALTERREC_OK)
        return;
    fprintf(stderr, "%s\n", alterrec_last_error());
    exit(1);
}

static int compare(const void *left, const void *right) {
    double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

/* Saves the recommender of an untrained model of random features. */
static void save(const char *path, int64_t items, const char *dim, const char *precision) {
    alterrec_catalog *catalog;
    alterrec_config *config;
    alterrec_model *model;
    alterrec_recommender *recommender;
    ar_random random;
    ar_random_seed(&random, 1);
    float *features = malloc((size_t)items * FEATURES * sizeof *features);
    if (features == NULL)
        exit(1);
    for (int64_t i = 0; i < items * FEATURES; i++)
        features[i] = (float)ar_random_normal(&random);
    must(alterrec_config_create(&config));
    must(alterrec_config_set(config, "model.dim", dim));
    must(alterrec_config_set(config, "model.init", "usual"));
    must(alterrec_config_set(config, "serve.precision", precision));
    must(alterrec_catalog_create(&catalog, NULL, NULL, items));
    must(alterrec_catalog_set_features(catalog, features, items, FEATURES));
    free(features);
    must(alterrec_model_create(&model, catalog, config));
    alterrec_catalog_free(catalog);
    double start = ar_clock_seconds();
    must(alterrec_recommender_create(&recommender, model, config));
    printf("made of the model in    %9.1f ms\n", 1e3 * (ar_clock_seconds() - start));
    alterrec_model_free(model);
    start = ar_clock_seconds();
    must(alterrec_recommender_save(recommender, path));
    printf("saved in                %9.1f ms\n", 1e3 * (ar_clock_seconds() - start));
    alterrec_recommender_free(recommender);
    alterrec_config_free(config);
}

static void list(const alterrec_recommender *recommender) {
    alterrec_batch *batch;
    int32_t session[] = {0, 1, 2}, items[K];
    must(alterrec_batch_create(&batch));
    must(alterrec_batch_add(batch, session, 3));
    must(alterrec_recommender_top_k(items, NULL, NULL, recommender, batch, K, NULL));
    alterrec_batch_free(batch);
}

static void measure_opening(const char *path) {
    double opening[ROUNDS], first[ROUNDS];
    for (int i = 0; i < ROUNDS; i++) {
        alterrec_recommender *recommender;
        double start = ar_clock_seconds();
        must(alterrec_recommender_open(&recommender, path, NULL));
        opening[i] = 1e3 * (ar_clock_seconds() - start);
        start = ar_clock_seconds();
        list(recommender);
        first[i] = 1e3 * (ar_clock_seconds() - start);
        alterrec_recommender_free(recommender);
    }
    qsort(opening, ROUNDS, sizeof *opening, compare);
    qsort(first, ROUNDS, sizeof *first, compare);
    printf("opened in               %9.2f ms (median of %d, from %.2f to %.2f)\n",
           opening[ROUNDS / 2], ROUNDS, opening[0], opening[ROUNDS - 1]);
    printf("first list in           %9.2f ms (median)\n", first[ROUNDS / 2]);
}

/* A field of /proc/self/smaps_rollup in MB. */
static double memory(const char *field) {
    char line[256];
    double megabytes = 0.0;
    FILE *file = fopen("/proc/self/smaps_rollup", "r");
    while (file != NULL && fgets(line, sizeof line, file) != NULL)
        if (strncmp(line, field, strlen(field)) == 0)
            megabytes = (double)strtoll(line + strlen(field), NULL, 10) / 1024.0;
    if (file != NULL)
        (void)fclose(file);
    return megabytes;
}

/* Two processes that were there before any thread of OpenMP, which a fork does not survive. */
typedef struct readers {
    int ready[2], go[2];
} readers;

static void wait_for(int descriptor) {
    char byte;
    if (read(descriptor, &byte, 1) != 1)
        _exit(1);
}

static void tell(int descriptor, int count) {
    for (int i = 0; i < count; i++)
        if (write(descriptor, "", 1) != 1)
            _exit(1);
}

/* Opens the file, makes a list, and says what it has when both have. */
static void read_file(const readers *all, const char *path, int number) {
    alterrec_recommender *recommender;
    wait_for(all->go[0]);
    must(alterrec_recommender_open(&recommender, path, NULL));
    list(recommender);
    tell(all->ready[1], 1);
    wait_for(all->go[0]);
    printf("process %d               %9.1f MB in memory, %.1f MB of it its own\n", number,
           memory("Rss:"), memory("Private_Dirty:") + memory("Private_Clean:"));
    fflush(stdout);
    tell(all->ready[1], 1);
    wait_for(all->go[0]);
    _exit(0);
}

static void start_readers(readers *all, const char *path) {
    if (pipe(all->ready) != 0 || pipe(all->go) != 0)
        exit(1);
    for (int p = 0; p < 2; p++)
        if (fork() == 0)
            read_file(all, path, p + 1);
}

static void measure_sharing(const readers *all) {
    fflush(stdout);
    for (int turn = 0; turn < 2; turn++) {
        tell(all->go[1], 2);
        wait_for(all->ready[0]);
        wait_for(all->ready[0]);
    }
    tell(all->go[1], 2);
    while (wait(NULL) > 0)
        continue;
}

int main(int argc, char **argv) {
    if (argc < 2) {
        fprintf(stderr, "usage: bench_snapshot FOLDER [ITEMS [DIM [PRECISION]]]\n");
        return 2;
    }
    char path[4096];
    struct stat info;
    int64_t items = argc > 2 ? strtoll(argv[2], NULL, 10) : 1000000;
    (void)snprintf(path, sizeof path, "%s/bench.snapshot", argv[1]);
    readers all;
    start_readers(&all, path);
    save(path, items, argc > 3 ? argv[3] : "300", argc > 4 ? argv[4] : "int8");
    if (stat(path, &info) != 0)
        return 1;
    printf("the file of %" PRId64 " items %9.1f MB\n", items, (double)info.st_size / 1e6);
    measure_opening(path);
    measure_sharing(&all);
    return unlink(path) == 0 ? 0 : 1;
}
