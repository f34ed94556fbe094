/* Times the search against what the machine can do: reading the compact table once, and the rate of
 * the instruction that multiplies it, both measured in turns with it. Medians.
 *
 *   bench_search [items [dim [threads [runs [cpu]]]]]
 *
 * cpu: one thread's processor time instead of the time that passes, for a machine that is busy. */
#include "bench/limits.h"
#include "core/memory.h"
#include "core/random.h"
#include "core/threads.h"
#include "serve/compact_copy.h"
#include "serve/search.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { MOST_RUNS = 201, SESSIONS = 64, K = 20 };

static ar_random stream;
static int runs = 21;
static clockid_t clock_used = CLOCK_MONOTONIC;

static double now(void) {
    struct timespec time;
    (void)clock_gettime(clock_used, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

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

static double quantile(double *seconds, double share) {
    qsort(seconds, (size_t)runs, sizeof *seconds, compare_doubles);
    return seconds[(int)(share * (runs - 1))];
}

typedef struct bench {
    ar_item_index index;
    float *vectors; /* [SESSIONS, width] */
    int threads;
    ar_search_memory memory;
    int32_t items[SESSIONS * K];
    float scores[SESSIONS * K];
} bench;

static ar_search search_of(bench *b, int64_t first, int64_t count, int64_t candidates) {
    ar_search search = {.index = &b->index,
                        .vectors = b->vectors + first * b->index.width,
                        .count = count,
                        .k = K,
                        .candidates = candidates,
                        .threads = b->threads,
                        .items = b->items,
                        .scores = b->scores};
    check(ar_search_run(&search, &b->memory));
    return search;
}

static const char *const NAMES[] = {"f32", "bf16", "int8"};

static void bench_count(bench *b, int64_t count, int64_t candidates) {
    static double seconds[MOST_RUNS], reading[MOST_RUNS], rates[MOST_RUNS];
    int precision = (int)b->index.shape.precision;
    int64_t items = b->index.shape.items, width = b->index.width;
    const void *codes = precision == AR_INDEX_F32 ? b->index.table : b->index.heads;
    int64_t bytes = items * width *
                    (precision == AR_INDEX_F32    ? 4
                     : precision == AR_INDEX_BF16 ? 2
                                                  : 1);
    double work = 2.0 * (double)items * (double)width * (double)count;
    int64_t reranked = 0, rescans = 0, guaranteed = 0;
    for (int run = -1; run < runs; run++) {
        int64_t first = count == 1 ? (run + 1) % SESSIONS : 0;
        double start = now();
        ar_search search = search_of(b, first, count, candidates);
        double took = now() - start;
        start = now();
        limit_read(codes, bytes, b->threads);
        if (run < 0)
            continue;
        reading[run] = now() - start;
        seconds[run] = took;
        start = now();
        double operations = limit_run((limit_kind)precision, b->threads);
        rates[run] = operations / (now() - start);
        reranked += search.reranked;
        rescans += search.rescans;
        guaranteed += search.guaranteed;
    }
    double median = quantile(seconds, 0.5), read = quantile(reading, 0.5);
    double rate = quantile(rates, 0.5), searched = (double)(count * runs);
    printf("%-4s %3d sessions%s: %8.3f ms (p90 %8.3f); reading %7.3f ms, x %5.2f; %6.0f of %6.0f "
           "Gop/s, %3.0f %%; scored again %.1f, rescans %.3f, certain %.3f\n",
           NAMES[precision], (int)count, candidates > 0 ? " (recall)" : "", 1e3 * median,
           1e3 * quantile(seconds, 0.9), 1e3 * read, median / read, 1e-9 * work / median,
           1e-9 * rate, 100.0 * work / median / rate, (double)reranked / searched,
           (double)rescans / searched, (double)guaranteed / searched);
}

static void bench_precision(ar_index_shape shape, float *const *tables, const float *vectors,
                            int threads) {
    static const int64_t counts[] = {1, 8, SESSIONS};
    bench b = {.threads = threads};
    double start = now();
    check(ar_item_index_build(&b.index, &shape, (const float *const *)tables));
    if (shape.precision != AR_INDEX_F32)
        check(ar_compact_copy_make(&b.index, NULL, 0, threads));
    printf("%s: built in %.2f s, %.1f bytes an item\n", NAMES[shape.precision], now() - start,
           (double)ar_item_index_bytes(&b.index) / (double)shape.items);
    b.vectors = ar_new(SESSIONS * b.index.width, sizeof(float));
    memcpy(b.vectors, vectors, (size_t)(SESSIONS * b.index.width) * sizeof(float));
    for (size_t c = 0; c < sizeof counts / sizeof counts[0]; c++)
        bench_count(&b, counts[c], 0);
    if (shape.precision == AR_INDEX_INT8) {
        bench_count(&b, 1, 100);
        bench_count(&b, SESSIONS, 100);
    }
    ar_search_memory_free(&b.memory);
    ar_item_index_free(&b.index);
    ar_free(b.vectors);
}

int main(int count, char **arguments) {
    ar_index_shape shape = {.items = count > 1 ? atoll(arguments[1]) : 44577,
                            .dim = count > 2 ? atoll(arguments[2]) : 300,
                            .towers = 2,
                            .scales = {1.0f, 1.0f},
                            .alpha = 0.5f};
    int threads = count > 3 ? atoi(arguments[3]) : 1;
    runs = count > 4 ? atoi(arguments[4]) : runs;
    if (count > 5 && strcmp(arguments[5], "cpu") == 0)
        clock_used = CLOCK_THREAD_CPUTIME_ID;
    runs = runs > MOST_RUNS ? MOST_RUNS : runs;
    ar_random_seed(&stream, 1);
    int before = ar_threads_enter(threads);
    float *tables[2], *vectors = floats(SESSIONS * 2 * shape.dim);
    for (int t = 0; t < 2; t++)
        tables[t] = floats(shape.items * shape.dim);
    printf("%lld items, 2 towers of dim %lld, %d threads, medians of %d runs\n",
           (long long)shape.items, (long long)shape.dim, threads, runs);
    for (int precision = AR_INDEX_F32; precision <= AR_INDEX_INT8; precision++) {
        shape.precision = (ar_index_precision)precision;
        bench_precision(shape, tables, vectors, threads);
    }
    for (int t = 0; t < 2; t++)
        ar_free(tables[t]);
    ar_free(vectors);
    ar_threads_leave(before);
    return EXIT_SUCCESS;
}
