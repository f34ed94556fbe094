/* alterrec bench: how fast this library is on this machine. */
#include "bench.h"
#include "json.h"
#include "program.h"
#include "settings.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct benchmark {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *about;
} benchmark;

static const benchmark benchmarks[] = {
    {"serve", bench_serve_command, "latency and throughput of a recommender"},
    {"train", bench_train_command, "time of a training step, by its parts"},
    {"evaluate", bench_evaluate_command, "time of an evaluation by full ranking"},
};

enum { BENCHMARKS = sizeof benchmarks / sizeof benchmarks[0] };

static void print_usage(FILE *stream) {
    fputs("usage: alterrec bench NAME [flags]\n\n", stream);
    for (int i = 0; i < BENCHMARKS; i++)
        fprintf(stream, "  %-10s %s\n", benchmarks[i].name, benchmarks[i].about);
    fputs("\n  alterrec bench NAME --help    what a benchmark takes\n", stream);
}

int bench_command(int argc, char **argv) {
    if (argc >= 2 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)) {
        print_usage(stdout);
        return PROGRAM_OK;
    }
    for (int i = 0; argc >= 2 && i < BENCHMARKS; i++)
        if (strcmp(argv[1], benchmarks[i].name) == 0)
            return benchmarks[i].run(argc - 1, argv + 1);
    if (argc >= 2)
        fprintf(stderr, "alterrec: unknown benchmark %s\n", argv[1]);
    print_usage(stderr);
    return PROGRAM_USAGE;
}

int bench_list_read(bench_list *list, const command_line *line, const char *flag, const char *text,
                    int64_t low, int64_t high) {
    list->count = 0;
    for (const char *at = text;; at++) {
        char *end;
        errno = 0;
        long long number = strtoll(at, &end, 10);
        if (errno != 0 || end == at || (*end != ',' && *end != '\0') || number < low ||
            number > high)
            return arguments_wrong(line,
                                   "--%s is %s, it must be whole numbers in %" PRId64 "..%" PRId64
                                   " with commas between them",
                                   flag, text, low, high);
        if (list->count == BENCH_LIST_MOST)
            return arguments_wrong(line, "--%s has more than %d numbers", flag, BENCH_LIST_MOST);
        list->numbers[list->count++] = number;
        if (*end == '\0')
            return PROGRAM_OK;
        at = end;
    }
}

void bench_times_add(bench_times *times, double seconds) {
    if (times->count == times->capacity) {
        times->capacity = times->capacity < 1024 ? 1024 : 2 * times->capacity;
        times->seconds = program_resize(times->seconds, times->capacity, sizeof *times->seconds);
    }
    times->seconds[times->count++] = seconds;
}

void bench_times_join(bench_times *times, const bench_times *more) {
    for (int64_t i = 0; i < more->count; i++)
        bench_times_add(times, more->seconds[i]);
}

static int compare_doubles(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

void bench_times_sort(bench_times *times) {
    if (times->count > 0)
        qsort(times->seconds, (size_t)times->count, sizeof *times->seconds, compare_doubles);
}

void bench_times_free(bench_times *times) {
    free(times->seconds);
    *times = (bench_times){0};
}

double bench_quantile(const bench_times *times, double share) {
    if (times->count == 0)
        return (double)NAN;
    int64_t at = (int64_t)ceil(share * (double)times->count) - 1;
    return times->seconds[at < 0 ? 0 : at];
}

bool bench_machine_measure(bench_machine *machine, const bench_list *threads, FILE *stream) {
    fprintf(stream, "%-8s %12s %12s %12s %12s   the machine, measured\n", "threads", "read GB/s",
            "f32 GF/s", "bf16 GF/s", "int8 Gop/s");
    for (int64_t i = 0; i < threads->count; i++) {
        machine_rates *rates = &machine->rates[threads->numbers[i]];
        if (rates->f32 > 0.0)
            continue;
        if (!machine_measure(rates, (int)threads->numbers[i]))
            return false;
        fprintf(stream, "%-8" PRId64 " %12.1f %12.0f %12.0f %12.0f\n", threads->numbers[i],
                rates->bandwidth * 1e-9, rates->f32 * 1e-9, rates->bf16 * 1e-9, rates->int8 * 1e-9);
    }
    fputc('\n', stream);
    fflush(stream);
    return true;
}

/* The file that rows go to as JSON: NULL of no path, stdout of "-". */
static int open_json(FILE **json, const char *path) {
    *json = path == NULL ? NULL : strcmp(path, "-") == 0 ? stdout : fopen(path, "w");
    return path != NULL && *json == NULL ? program_error("%s: cannot be written", path)
                                         : PROGRAM_OK;
}

static int close_json(FILE *json, const char *path) {
    return json != NULL && json != stdout && fclose(json) != 0
               ? program_error("%s: cannot be written", path)
               : PROGRAM_OK;
}

void bench_setup_flags(cli_flag *flags, bench_setup *setup) {
    const cli_flag made[BENCH_SETUP_FLAGS] = {
        {.name = "items",
         .value_name = "LIST",
         .text = &setup->items_text,
         .help = "numbers of items, as 10000,1000000 (44577)"},
        {.name = "threads",
         .value_name = "LIST",
         .text = &setup->threads_text,
         .help = "numbers of threads, as 1,2"},
        {.name = "features",
         .value_name = "F",
         .number = &setup->features,
         .low = setup->least_features,
         .high = 8192,
         .help = setup->least_features == 0
                     ? "size of the random text features; 0: an ID tower only"
                     : "size of the random text features"},
        {.name = "length",
         .value_name = "N",
         .number = &setup->length,
         .low = setup->least_length,
         .high = 50,
         .help = "items of a session, on average (5)"},
        {.name = "set",
         .value_name = "KEY=VALUE",
         .list = &setup->assignments,
         .help = "an option, may be given several times: model.dim=64"},
        {.name = "json",
         .value_name = "FILE",
         .text = &setup->json_path,
         .help = "every row as a line of JSON as well; - for stdout"},
    };
    memcpy(flags, made, sizeof made);
}

int bench_setup_run(bench_setup *setup, const command_line *line, int (*measure)(void *settings),
                    void *settings) {
    int code = bench_list_read(&setup->items, line, "items", setup->items_text, 64, 100000000);
    if (code == PROGRAM_OK)
        code = bench_list_read(&setup->threads, line, "threads", setup->threads_text, 1,
                               BENCH_THREADS_MOST);
    if (code == PROGRAM_OK && alterrec_config_create(&setup->config) != ALTERREC_OK)
        code = program_library_error();
    if (code == PROGRAM_OK)
        code = settings_apply(setup->config, line, &line->operands, &setup->assignments);
    if (code == PROGRAM_OK)
        code = open_json(&setup->json, setup->json_path);
    if (code == PROGRAM_OK)
        code = measure(settings);
    if (close_json(setup->json, setup->json_path) != PROGRAM_OK)
        code = PROGRAM_ERROR;
    alterrec_config_free(setup->config);
    return code;
}

double bench_option(const bench_setup *setup, const char *key) {
    return strtod(settings_get(setup->config, key), NULL);
}

void bench_json_field(FILE *json, const char *name, double value) {
    fprintf(json, ",\"%s\":", name);
    json_number(json, value, 6);
}

FILE *bench_stream(FILE *json) {
    return json == stdout ? stderr : stdout;
}
