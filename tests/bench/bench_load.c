/* What reading a file of sessions costs, beside a plain loop that splits its bytes: both in turns,
 * in processor time.
 *
 *   bench_load FILE MEGABYTES [items [seed]]   writes FILE first, one session a line; FILE.tsv as
 * well bench_load FILE                            reads a file that is there */
#include "alterrec/alterrec.h"
#include "core/file.h"
#include "core/random.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { RUNS = 5 };

static void check(alterrec_status status) {
    if (status != ALTERREC_OK) {
        fprintf(stderr, "%s\n", alterrec_last_error());
        exit(EXIT_FAILURE);
    }
}

/* Sessions of about 5 items, some items much more frequent than others. */
static void write_file(const char *path, int64_t size, int64_t items, uint64_t seed, int table) {
    FILE *file = fopen(path, "w");
    if (file == NULL) {
        perror(path);
        exit(EXIT_FAILURE);
    }
    ar_random random;
    ar_random_seed(&random, seed);
    int64_t written = table ? fprintf(file, "session\titem\n") : 0;
    for (int64_t s = 0; written < size; s++) {
        int64_t length = 1 + (int64_t)(log(1.0 - ar_random_uniform(&random)) / log(0.8));
        for (int64_t i = 0; i < length; i++) {
            double u = ar_random_uniform(&random);
            int64_t item = (int64_t)(u * u * (double)items) * 2654435761 % items;
            if (table)
                written += fprintf(file, "%lld\t%lld\n", (long long)s, (long long)(100000 + item));
            else
                written += fprintf(file, "%lld%c", (long long)(100000 + item),
                                   i + 1 < length ? ' ' : '\n');
        }
    }
    if (fclose(file) != 0) {
        perror(path);
        exit(EXIT_FAILURE);
    }
}

static double processor_seconds(void) {
    struct timespec now;
    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

/* How many keys stand in the file: the least that anybody who reads it has to do. */
static int64_t split(const char *path) {
    ar_map map;
    check(ar_map_open(&map, path));
    int64_t keys = 0;
    int inside = 0;
    for (const char *at = map.bytes, *end = map.bytes + map.size; at < end; at++) {
        int parts = (unsigned char)*at <= ' ';
        keys += inside & parts;
        inside = !parts;
    }
    ar_map_close(&map);
    return keys;
}

static int compare_doubles(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

static void bench_file(const char *path) {
    double plain[RUNS], sessions_only[RUNS], dataset_too[RUNS];
    int64_t keys = 0, interactions = 0;
    alterrec_config *config;
    check(alterrec_config_create(&config));
    check(alterrec_config_set(config, "data.train", path));
    for (int run = 0; run < RUNS; run++) {
        alterrec_dataset *dataset;
        alterrec_sessions *sessions;
        double start = processor_seconds();
        keys = split(path);
        plain[run] = processor_seconds() - start;
        start = processor_seconds();
        check(alterrec_dataset_read(&dataset, config));
        dataset_too[run] = processor_seconds() - start;
        start = processor_seconds();
        check(alterrec_sessions_read(&sessions, alterrec_dataset_catalog(dataset), path, config));
        sessions_only[run] = processor_seconds() - start;
        interactions = alterrec_sessions_interactions(sessions);
        alterrec_sessions_free(sessions);
        alterrec_dataset_free(dataset);
    }
    double *const all[] = {plain, sessions_only, dataset_too};
    for (int i = 0; i < 3; i++)
        qsort(all[i], RUNS, sizeof(double), compare_doubles);
    double p = plain[RUNS / 2], s = sessions_only[RUNS / 2], d = dataset_too[RUNS / 2];
    printf(
        "%s: %lld keys, %lld interactions kept\n"
        "  splitting %.2f s, sessions %.2f s (%.1f), sessions and catalog %.2f s (%.1f); the best "
        "runs %.2f, %.2f, %.2f\n",
        path, (long long)keys, (long long)interactions, p, s, s / p, d, d / p, plain[0],
        sessions_only[0], dataset_too[0]);
    alterrec_config_free(config);
}

int main(int count, char **arguments) {
    if (count < 2) {
        fprintf(stderr, "usage: bench_load FILE [MEGABYTES [items [seed]]]\n");
        return EXIT_FAILURE;
    }
    bool made = count > 2;
    char table[4096];
    (void)snprintf(table, sizeof table, "%s.tsv", arguments[1]);
    if (made) {
        int64_t size = atoll(arguments[2]) * 1000000,
                items = count > 3 ? atoll(arguments[3]) : 44600;
        uint64_t seed = count > 4 ? (uint64_t)atoll(arguments[4]) : 1;
        write_file(arguments[1], size, items, seed, 0);
        write_file(table, size, items, seed, 1);
    }
    bench_file(arguments[1]);
    if (made)
        bench_file(table);
    return EXIT_SUCCESS;
}
