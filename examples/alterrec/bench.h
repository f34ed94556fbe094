/* What the benchmarks share: lists on the command line, latencies, the report as table and JSON. */
#ifndef BENCH_H
#define BENCH_H

#include "arguments.h"
#include "machine.h"

#include <alterrec/alterrec.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

enum { BENCH_LIST_MOST = 16, BENCH_THREADS_MOST = 64 };

/* The benchmarks: each reads its own command line and returns an exit code. */
int bench_serve_command(int argc, char **argv);
int bench_train_command(int argc, char **argv);
int bench_evaluate_command(int argc, char **argv);

typedef struct bench_list {
    int64_t numbers[BENCH_LIST_MOST];
    int64_t count;
} bench_list;

/* Reads "10000,1000000", each number in low..high; an exit code, what is wrong has been said. */
int bench_list_read(bench_list *list, const command_line *line, const char *flag, const char *text,
                    int64_t low, int64_t high);

/* What every benchmark is asked for. The texts' and numbers' first values are what they are without
 * a flag. */
typedef struct bench_setup {
    const char *items_text, *threads_text, *json_path;
    text_list assignments;
    int64_t features, least_features, length, least_length;
    bench_list items, threads; /* of the texts */
    alterrec_config *config;
    FILE *json; /* NULL: no JSON */
} bench_setup;

/* Fills flags [BENCH_SETUP_FLAGS], which read into `setup`. */
enum { BENCH_SETUP_FLAGS = 6 };
void bench_setup_flags(cli_flag *flags, bench_setup *setup);

/* Reads what the command line says, has `measure` called with `settings` and closes everything; an
 * exit code. */
int bench_setup_run(bench_setup *setup, const command_line *line, int (*measure)(void *settings),
                    void *settings);

/* The value of an option that is a number. */
double bench_option(const bench_setup *setup, const char *key);

/* Times of single requests, in seconds. */
typedef struct bench_times {
    double *seconds;
    int64_t count;
    int64_t capacity;
} bench_times;

void bench_times_add(bench_times *times, double seconds);
void bench_times_join(bench_times *times, const bench_times *more);
void bench_times_sort(bench_times *times);
void bench_times_free(bench_times *times);

/* Of sorted times: the smallest that `share` of them do not exceed; NaN of none. */
double bench_quantile(const bench_times *times, double share);

/* The machine's own rates for each number of threads that a benchmark uses. */
typedef struct bench_machine {
    machine_rates rates[BENCH_THREADS_MOST + 1]; /* [threads]; zeroed where it was not measured */
} bench_machine;

/* Measures each number of threads in `threads` once and prints what was found (on stderr when
 * stdout is for JSON). */
bool bench_machine_measure(bench_machine *machine, const bench_list *threads, FILE *stream);

/* A further member of the object that is being written. */
void bench_json_field(FILE *json, const char *name, double value);

/* Where tables for people go: stdout, unless JSON goes there. */
FILE *bench_stream(FILE *json);

#endif
