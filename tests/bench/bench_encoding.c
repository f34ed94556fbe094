/* Times the encoder of serving side by side with what could stand in its place: panels beside
 * oneDNN's products, whole sessions beside the training encoder, one push beside reading the
 * weights. Runs take turns, so that a busy moment of the machine meets both sides.
 *
 *   bench_encoding [threads [best | busy]]
 *
 *   best: the fastest run instead of the median, for a machine that is not quiet; busy: for one
 * that is never quiet, the fastest run by the time that the threads were given, divided by their
 *   number: what a quiet machine would show if they ended together */
#include "core/memory.h"
#include "core/random.h"
#include "core/threads.h"
#include "model/workspace.h"
#include "nn/linear.h"
#include "nn/panels.h"
#include "serve/session_encoder.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { RUNS = 41, TOWERS = 2, ITEMS = 44577, SESSIONS = 64, LENGTH = 5, LONG = 20, MOST_WORKS = 4 };

static const ar_encoder_shape shape = {.dim = 300, .heads = 2, .blocks = 2, .max_len = 50};
static ar_random stream;
static int quantile = RUNS / 2; /* of the sorted runs */
static bool by_work;            /* the threads' time, not that on the wall */

static int compare_doubles(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

typedef void (*work)(void *context);

static double now(void) {
    struct timespec time;
    if (!by_work)
        return ar_clock_seconds();
    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return ((double)time.tv_sec + 1e-9 * (double)time.tv_nsec) / ar_threads_count();
}

/* Reads more than the caches hold, as the search between two encodings does. */
static void chill(void) {
    enum { FLOATS = 16 << 20 };
    static float *memory;
    if (memory == NULL)
        memory = ar_new(FLOATS, sizeof *memory);
    for (int64_t i = 0; memory != NULL && i < FLOATS; i += 16)
        memory[i] += 1.0f;
}

/* Seconds of `count` works that take turns, with cold caches if asked for. */
static void time_works(double *seconds, const work *works, int count, void *context, bool cold) {
    static double runs[MOST_WORKS][RUNS];
    for (int run = -2; run < RUNS; run++)
        for (int w = 0; w < count; w++) {
            if (cold)
                chill();
            double start = now();
            works[w](context);
            if (run >= 0)
                runs[w][run] = now() - start;
        }
    for (int w = 0; w < count; w++) {
        qsort(runs[w], RUNS, sizeof(double), compare_doubles);
        seconds[w] = runs[w][quantile];
    }
}

static void check(alterrec_status status) {
    if (status != ALTERREC_OK) {
        fprintf(stderr, "%s\n", alterrec_last_error());
        exit(EXIT_FAILURE);
    }
}

static float *floats(int64_t count, float scale) {
    float *values = ar_new(count, sizeof *values);
    for (int64_t i = 0; i < count; i++)
        values[i] = scale * (float)ar_random_normal(&stream);
    return values;
}

/* ---- products ---- */

typedef struct product {
    ar_onednn *onednn;
    int64_t m, n, k;
    float *src, *weights, *dst;
    ar_panels panels;
    ar_weight_matrix bf16, int8;
    void *work;
} product;

static void run_panels(void *context) {
    product *p = context;
    ar_panels_multiply(p->dst, p->n, p->src, p->k, p->m, &p->panels, NULL, false);
}

static void run_rounded(const product *p, const ar_weight_matrix *matrix) {
    int64_t stride = ar_panels_count(p->n) * AR_PANEL_ROWS;
    ar_weight_matrix_multiply(p->dst, stride, p->src, p->k, p->m, matrix, NULL, false, p->work);
}

static void run_bf16(void *context) {
    product *p = context;
    run_rounded(p, &p->bf16);
}

static void run_int8(void *context) {
    product *p = context;
    run_rounded(p, &p->int8);
}

static void run_onednn(void *context) {
    product *p = context;
    int64_t rows = p->m < AR_PRODUCT_ROWS ? AR_PRODUCT_ROWS : p->m;
    check(ar_linear_forward(p->onednn, p->dst, p->src, p->weights, NULL, rows, p->k, p->n, false));
}

/* The matrix and one row of src stay in the first cache: what multiply-adds alone allow. */
static double peak(void) {
    product p = {.m = 1, .n = 64, .k = 64};
    float *src = floats(6 * p.k, 1.0f), *matrix = floats(p.n * p.k, 1.0f), *dst = floats(6 * 64, 1);
    void *values = ar_new(ar_panels_bytes(4, p.k), 1);
    ar_panels panels = ar_panels_pack(values, matrix, p.n, p.k);
    double best = 0.0;
    for (int run = 0; run < RUNS; run++) {
        enum { TIMES = 2000 };
        double start = now();
        for (int i = 0; i < TIMES; i++)
            ar_panels_multiply(dst, p.n, src, p.k, 6, &panels, NULL, false);
        double rate = 2e-9 * TIMES * 6 * 64 * 64 / (now() - start);
        best = rate > best ? rate : best;
    }
    ar_free(src);
    ar_free(matrix);
    ar_free(dst);
    ar_free(values);
    return best;
}

static void bench_products(void) {
    static const int64_t shapes[][3] = {{1, 1200, 300},   {1, 300, 1200},  {4, 1200, 300},
                                        {12, 1200, 300},  {16, 1200, 300}, {64, 300, 300},
                                        {128, 1200, 300}, {128, 300, 1200}};
    int before = ar_threads_enter(1);
    printf("one thread; small blocks in the first cache: %.0f Gflop/s\n", peak());
    printf("product [m, n, k]          panels      bf16      int8    oneDNN   (Gflop/s)  panels / "
           "oneDNN\n");
    for (size_t s = 0; s < sizeof shapes / sizeof shapes[0]; s++) {
        product p = {.m = shapes[s][0], .n = shapes[s][1], .k = shapes[s][2]};
        int64_t panels = ar_panels_count(p.n), rows = ar_row_bucket(p.m);
        p.src = floats(rows * p.k, 1.0f);
        p.weights = floats(p.n * p.k, 1.0f);
        p.dst = floats(rows * panels * AR_PANEL_ROWS, 1.0f);
        void *values = ar_new(ar_panels_bytes(panels, p.k), 1);
        void *halves = ar_new(ar_weight_matrix_bytes(p.n, p.k, AR_WEIGHTS_BF16), 1);
        void *bytes = ar_new(ar_weight_matrix_bytes(p.n, p.k, AR_WEIGHTS_INT8), 1);
        p.work = ar_new(ar_weight_matrix_work(rows, p.k, AR_WEIGHTS_INT8), sizeof(float));
        p.panels = ar_panels_pack(values, p.weights, p.n, p.k);
        p.bf16 = ar_weight_matrix_pack(halves, p.weights, p.n, p.k, AR_WEIGHTS_BF16);
        p.int8 = ar_weight_matrix_pack(bytes, p.weights, p.n, p.k, AR_WEIGHTS_INT8);
        check(ar_onednn_create(&p.onednn));
        double seconds[4], done = 2e-9 * (double)(p.m * p.n * p.k);
        time_works(seconds, (const work[]){run_panels, run_bf16, run_int8, run_onednn}, 4, &p,
                   false);
        printf("%5d x %5d x %4d   %9.0f %9.0f %9.0f %9.0f   %22.2f\n", (int)p.m, (int)p.n, (int)p.k,
               done / seconds[0], done / seconds[1], done / seconds[2], done / seconds[3],
               seconds[3] / seconds[0]);
        ar_onednn_free(p.onednn);
        void *const arrays[] = {p.src, p.weights, p.dst, values, halves, bytes, p.work};
        for (size_t a = 0; a < sizeof arrays / sizeof arrays[0]; a++)
            ar_free(arrays[a]);
    }
    ar_threads_leave(before);
}

/* ---- encoders ---- */

typedef struct encoders {
    float *block, *table, *part, *vectors, *caches, *moved;
    ar_encoder_weights weights;
    ar_session_encoder f32, bf16, int8;
    ar_session_memory memory;
    ar_workspace *workspace;
    int64_t count, *offsets, weight_floats;
    int32_t *items;
    int threads;
    ar_session_part parts[SESSIONS];
} encoders;

static void run_whole(void *context) {
    encoders *e = context;
    check(ar_session_encode(e->vectors, &e->f32, &e->memory, e->table, e->items, e->offsets,
                            e->count, e->threads));
}

static void run_whole_bf16(void *context) {
    encoders *e = context;
    check(ar_session_encode(e->vectors, &e->bf16, &e->memory, e->table, e->items, e->offsets,
                            e->count, e->threads));
}

static void run_whole_int8(void *context) {
    encoders *e = context;
    check(ar_session_encode(e->vectors, &e->int8, &e->memory, e->table, e->items, e->offsets,
                            e->count, e->threads));
}

static void run_training(void *context) {
    encoders *e = context;
    for (int t = 0; t < TOWERS; t++)
        check(ar_workspace_encode(e->vectors, e->workspace, &e->weights, &shape, e->part, e->items,
                                  e->offsets, e->count));
}

static void run_push(void *context) {
    encoders *e = context;
    check(ar_session_encoder_step(&e->f32, &e->memory, e->table, e->parts, e->count, e->threads));
}

static void run_push_bf16(void *context) {
    encoders *e = context;
    check(ar_session_encoder_step(&e->bf16, &e->memory, e->table, e->parts, e->count, e->threads));
}

static void run_push_int8(void *context) {
    encoders *e = context;
    check(ar_session_encoder_step(&e->int8, &e->memory, e->table, e->parts, e->count, e->threads));
}

/* Reads what the towers' weights take, once. */
static void run_read(void *context) {
    encoders *e = context;
    float sum = 0.0f;
    for (int t = 0; t < TOWERS; t++) {
        const float *from = e->f32.inferences[t].memory;
#pragma omp parallel for num_threads(e->threads) reduction(+ : sum) if (e->threads > 1)
        for (int64_t p = 0; p < e->weight_floats / 64; p++) {
            float part = 0.0f;
#pragma omp simd reduction(+ : part)
            for (int i = 0; i < 64; i++)
                part += from[p * 64 + i];
            sum += part;
        }
    }
    e->vectors[0] += sum * 1e-30f;
}

static void open_encoders(encoders *e, int threads) {
    *e = (encoders){.threads = threads, .weight_floats = ar_encoder_weights_count(&shape)};
    int64_t width = TOWERS * shape.dim;
    e->block = floats(e->weight_floats, 0.06f);
    e->table = floats(ITEMS * width, 0.06f);
    e->part = floats(ITEMS * shape.dim, 0.06f);
    e->vectors = floats((SESSIONS + AR_PRODUCT_ROWS) * width, 1.0f);
    e->weights = ar_encoder_weights_at(e->block, &shape);
    const ar_encoder_weights *const both[] = {&e->weights, &e->weights};
    check(ar_session_encoder_create(&e->f32, both, TOWERS, &shape, AR_WEIGHTS_F32));
    check(ar_session_encoder_create(&e->bf16, both, TOWERS, &shape, AR_WEIGHTS_BF16));
    check(ar_session_encoder_create(&e->int8, both, TOWERS, &shape, AR_WEIGHTS_INT8));
    check(ar_workspace_create(&e->workspace));
    int64_t row = ar_session_encoder_cache(&e->f32);
    e->caches = floats(SESSIONS * shape.max_len * row, 0.1f);
    e->items = ar_new(SESSIONS * shape.max_len, sizeof *e->items);
    e->offsets = ar_new(SESSIONS + 1, sizeof *e->offsets);
    for (int64_t i = 0; i < SESSIONS * shape.max_len; i++)
        e->items[i] = (int32_t)ar_random_below(&stream, ITEMS);
    for (int64_t s = 0; s < SESSIONS; s++)
        e->parts[s] = (ar_session_part){.items = e->items + s,
                                        .count = 1,
                                        .past = LONG - 1,
                                        .cache = e->caches + s * shape.max_len * row,
                                        .dst = e->vectors + s * width};
}

static void close_encoders(encoders *e) {
    void *const arrays[] = {e->block,  e->table, e->part,   e->vectors,
                            e->caches, e->items, e->offsets};
    for (size_t a = 0; a < sizeof arrays / sizeof arrays[0]; a++)
        ar_free(arrays[a]);
    ar_session_encoder_free(&e->f32);
    ar_session_encoder_free(&e->bf16);
    ar_session_encoder_free(&e->int8);
    ar_session_memory_free(&e->memory);
    ar_workspace_free(e->workspace);
}

/* Flops that whole sessions need: the last block computes keys and values of every token, all else
 * of the last one only. */
static double whole_flops(int64_t tokens, int64_t sessions) {
    double square = 2.0 * (double)(shape.dim * shape.dim);
    return TOWERS * square *
           (12.0 * (double)((shape.blocks - 1) * tokens) + 2.0 * (double)tokens +
            10.0 * (double)sessions);
}

/* Lengths 1..2 LENGTH - 1 in turn, or all LONG. */
static void set_sessions(encoders *e, int64_t count, bool all_long) {
    e->count = count;
    for (int64_t s = 0; s < count; s++)
        e->offsets[s + 1] = e->offsets[s] + (all_long    ? LONG
                                             : count > 1 ? 1 + s % (2 * LENGTH - 1)
                                                         : LENGTH);
}

static void bench_encoders(int threads, double rate) {
    encoders e;
    double m[4];
    open_encoders(&e, threads);
    printf("\ntwo towers, dim %d, %d blocks, %d threads; milliseconds from cold caches\n",
           (int)shape.dim, (int)shape.blocks, threads);
    for (int i = 0; i < 3; i++) {
        set_sessions(&e, i == 1 ? SESSIONS : 1, i == 2);
        time_works(m, (const work[]){run_whole, run_whole_bf16, run_whole_int8, run_training}, 4,
                   &e, true);
        double gflop = 1e-9 * whole_flops(e.offsets[e.count], e.count);
        printf("%2d sessions, %3d items: f32 %.3f (%.0f Gflop/s, %.2f of %d x %.0f), bf16 %.3f, "
               "int8 %.3f, training encoder %.3f\n",
               (int)e.count, (int)e.offsets[e.count], 1e3 * m[0], gflop / m[0],
               gflop / m[0] / (rate * threads), threads, rate, 1e3 * m[1], 1e3 * m[2], 1e3 * m[3]);
    }
    for (int i = 0; i < 2; i++) {
        e.count = i == 0 ? 1 : SESSIONS;
        time_works(m, (const work[]){run_push, run_push_bf16, run_push_int8, run_read}, 4, &e,
                   true);
        printf("%2d sessions, one item pushed onto %d: f32 %.3f, bf16 %.3f, int8 %.3f, reading the "
               "f32 weights (%.1f MB) %.3f\n",
               (int)e.count, LONG - 1, 1e3 * m[0], 1e3 * m[1], 1e3 * m[2],
               4e-6 * (double)(TOWERS * e.weight_floats), 1e3 * m[3]);
    }
    close_encoders(&e);
}

int main(int count, char **arguments) {
    int threads = count > 1 ? atoi(arguments[1]) : 0;
    by_work = count > 2 && strcmp(arguments[2], "busy") == 0;
    if (count > 2)
        quantile = 0;
    ar_random_seed(&stream, 1);
    int before = ar_threads_enter(threads);
    printf("%s, %s of %d runs\n", ar_onednn_info(),
           quantile == 0 ? (by_work ? "best by work" : "best") : "medians", RUNS);
    bench_products();
    int threads_there = ar_threads_count();
    int team = ar_threads_enter(1);
    double rate = peak();
    ar_threads_leave(team);
    bench_encoders(threads_there, rate);
    ar_threads_leave(before);
    return EXIT_SUCCESS;
}
