/* What reading a file of sessions costs, beside a plain loop of one thread that splits its bytes:
 * both in turns, by the clock and in processor time.
 *
 *   bench_load FILE MEGABYTES [ITEMS [zipf|even [SEED]]]   writes FILE, one session a line,
 *       FILE.tsv with columns session and item, and FILE.times.tsv with column time as well.
 *       Popularity falls as 1 / rank, or all items are alike.
 *   bench_load FILE                                        reads such a file */
#include "alterrec/alterrec.h"
#include "core/file.h"
#include "core/random.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { RUNS = 3 };

static void check(alterrec_status status) {
    if (status != ALTERREC_OK) {
        fprintf(stderr, "%s\n", alterrec_last_error());
        exit(EXIT_FAILURE);
    }
}

typedef enum table_form { LINES, ROWS, TIMED_ROWS, FORMS } table_form;

static const char *const suffixes[FORMS] = {"", ".tsv", ".times.tsv"};

/* The keys of neighbours in rank have nothing in common. */
static long long draw_key(ar_random *random, int64_t items, bool zipf) {
    double u = ar_random_uniform(random);
    int64_t rank = zipf ? (int64_t)pow((double)items, u) - 1 : (int64_t)(u * (double)items);
    return (long long)(items + rank * 2654435761 % items);
}

/* Sessions of about 5 items, one after the other. */
static void write_file(const char *path, table_form form, int64_t size, int64_t items, bool zipf,
                       uint64_t seed) {
    FILE *file = fopen(path, "w");
    if (file == NULL) {
        perror(path);
        exit(EXIT_FAILURE);
    }
    ar_random random;
    ar_random_seed(&random, seed);
    int64_t written = form == ROWS    ? fprintf(file, "session\titem\n")
                      : form == LINES ? 0
                                      : fprintf(file, "session\titem\ttime\n");
    for (long long s = 0; written < size; s++) {
        int64_t length = 1 + (int64_t)(log(1.0 - ar_random_uniform(&random)) / log(0.8));
        for (int64_t i = 0; i < length; i++) {
            long long key = draw_key(&random, items, zipf);
            written += form == LINES  ? fprintf(file, "%lld%c", key, i + 1 < length ? ' ' : '\n')
                       : form == ROWS ? fprintf(file, "%lld\t%lld\n", s, key)
                                      : fprintf(file, "%lld\t%lld\t%lld\n", s, key,
                                                1600000000LL + s % 1000000 * 7 + (long long)i);
        }
    }
    if (fclose(file) != 0) {
        perror(path);
        exit(EXIT_FAILURE);
    }
}

/* By the clock, and of all threads' work. */
typedef struct moment {
    double clock, processor;
} moment;

static double seconds_of(clockid_t clock) {
    struct timespec now;
    (void)clock_gettime(clock, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static moment now(void) {
    return (moment){seconds_of(CLOCK_MONOTONIC), seconds_of(CLOCK_PROCESS_CPUTIME_ID)};
}

static moment since(moment start) {
    moment end = now();
    return (moment){end.clock - start.clock, end.processor - start.processor};
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

static int compare_moments(const void *a, const void *b) {
    double x = ((const moment *)a)->clock, y = ((const moment *)b)->clock;
    return x < y ? -1 : x > y;
}

static void print_times(const char *name, moment *times, const moment *plain) {
    qsort(times, RUNS, sizeof *times, compare_moments);
    const moment *median = &times[RUNS / 2];
    printf("  %-22s %6.2f s (%.2f..%.2f), %4.1f times the plain loop; processors %6.2f s, %4.1f\n",
           name, median->clock, times[0].clock, times[RUNS - 1].clock,
           median->clock / plain[RUNS / 2].clock, median->processor,
           median->processor / plain[RUNS / 2].processor);
}

static void bench_file(const char *path, table_form form) {
    moment plain[RUNS], sessions_only[RUNS], dataset_too[RUNS];
    int64_t keys = 0, interactions = 0;
    alterrec_config *config;
    check(alterrec_config_create(&config));
    check(alterrec_config_set(config, "data.train", path));
    if (form != LINES) {
        check(alterrec_config_set(config, "data.session_column", "session"));
        check(alterrec_config_set(config, "data.item_column", "item"));
    }
    check(alterrec_config_set(config, "data.time_column", form == TIMED_ROWS ? "time" : ""));
    for (int run = 0; run < RUNS; run++) {
        alterrec_dataset *dataset;
        alterrec_sessions *sessions;
        moment start = now();
        keys = split(path);
        plain[run] = since(start);
        start = now();
        check(alterrec_dataset_read(&dataset, config));
        dataset_too[run] = since(start);
        start = now();
        check(alterrec_sessions_read(&sessions, alterrec_dataset_catalog(dataset), path, config));
        sessions_only[run] = since(start);
        interactions = alterrec_sessions_interactions(sessions);
        alterrec_sessions_free(sessions);
        alterrec_dataset_free(dataset);
    }
    printf("%s: %lld words, %lld interactions kept\n", path, (long long)keys,
           (long long)interactions);
    qsort(plain, RUNS, sizeof *plain, compare_moments);
    print_times("plain loop", plain, plain);
    print_times("sessions", sessions_only, plain);
    print_times("sessions and catalog", dataset_too, plain);
    alterrec_config_free(config);
}

static bool ends_with(const char *text, const char *end) {
    size_t length = strlen(text), tail = strlen(end);
    return length >= tail && strcmp(text + length - tail, end) == 0;
}

int main(int count, char **arguments) {
    if (count < 2) {
        fprintf(stderr, "usage: bench_load FILE [MEGABYTES [ITEMS [zipf|even [SEED]]]]\n");
        return EXIT_FAILURE;
    }
    if (count == 2) {
        table_form form = ends_with(arguments[1], suffixes[TIMED_ROWS]) ? TIMED_ROWS
                          : ends_with(arguments[1], suffixes[ROWS])     ? ROWS
                                                                        : LINES;
        bench_file(arguments[1], form);
        return EXIT_SUCCESS;
    }
    int64_t size = atoll(arguments[2]) * 1000000, items = count > 3 ? atoll(arguments[3]) : 44600;
    bool zipf = count <= 4 || strcmp(arguments[4], "even") != 0;
    uint64_t seed = count > 5 ? (uint64_t)atoll(arguments[5]) : 1;
    for (int form = LINES; form < FORMS; form++) {
        char path[4096];
        (void)snprintf(path, sizeof path, "%s%s", arguments[1], suffixes[form]);
        write_file(path, (table_form)form, size, items, zipf, seed);
    }
    return EXIT_SUCCESS;
}
