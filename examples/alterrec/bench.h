/* What the benchmarks share: lists on the command line, latencies, the report as table and JSON. */
#ifndef BENCH_H
#define BENCH_H

#include "arguments.h"
#include "machine.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

enum { BENCH_LIST_MOST = 16, BENCH_THREADS_MOST = 64 };

/* The benchmarks: each reads its own command line and returns an exit code. */
int bench_serve_command(int argc, char **argv);
int bench_train_command(int argc, char **argv);

typedef struct bench_list {
    int64_t numbers[BENCH_LIST_MOST];
    int64_t count;
} bench_list;

/* Reads "10000,1000000", each number in low..high; an exit code, what is wrong has been said. */
int bench_list_read(bench_list *list, const command_line *line, const char *flag, const char *text,
                    int64_t low, int64_t high);

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

/* The file that rows go to as JSON: NULL of no path, stdout of "-". Exit codes. */
int bench_json_open(FILE **json, const char *path);
int bench_json_close(FILE *json, const char *path);

/* A further member of the object that is being written. */
void bench_json_field(FILE *json, const char *name, double value);

/* Where tables for people go: stdout, unless JSON goes there. */
FILE *bench_stream(FILE *json);

#endif
