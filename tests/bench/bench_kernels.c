/* Times the kernels of lib/nn side by side with what could stand in their place. Medians of runs
 * that take turns, so that a busy moment of the machine meets both sides.
 *
 *   bench_kernels [threads [best]]     best: the fastest run instead of the median, for a machine
 *                                      that is not quiet */
#include "bench/primitives.h"
#include "core/memory.h"
#include "core/random.h"
#include "core/threads.h"
#include "nn/adam.h"
#include "nn/attention.h"
#include "nn/layer_norm.h"
#include "nn/linear.h"
#include "nn/loss.h"
#include "train/negatives.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DIM = 300, HEADS = 2, RUNS = 41, TOKENS = 2048, LONGEST = 50 };

static ar_random stream;
static int quantile = RUNS / 2; /* of the sorted runs */

static int compare_doubles(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

/* Something to time. */
typedef void (*work)(void *context);

/* Medians of `count` works that take turns. */
static void time_works(double *medians, const work *works, int count, void *context) {
    enum { MOST = 4 };
    static double seconds[MOST][RUNS];
    for (int run = -2; run < RUNS; run++)
        for (int w = 0; w < count; w++) {
            double start = ar_clock_seconds();
            works[w](context);
            if (run >= 0)
                seconds[w][run] = ar_clock_seconds() - start;
        }
    for (int w = 0; w < count; w++) {
        qsort(seconds[w], RUNS, sizeof(double), compare_doubles);
        medians[w] = seconds[w][quantile];
    }
}

static void check(alterrec_status status) {
    if (status != ALTERREC_OK) {
        fprintf(stderr, "%s\n", alterrec_last_error());
        exit(EXIT_FAILURE);
    }
}

/* `count` standard normal numbers. */
static float *floats(int64_t count) {
    float *values = ar_new(count, sizeof *values);
    for (int64_t i = 0; i < count; i++)
        values[i] = (float)ar_random_normal(&stream);
    return values;
}

/* ---- products ---- */

typedef struct product_bench {
    ar_onednn *onednn;
    fixed_product *fixed;
    float *dst, *src, *weights;
    int64_t m, n, k;
} product_bench;

static void run_product(void *context) {
    product_bench *b = context;
    check(ar_matmul(b->onednn, b->dst, b->src, b->weights, NULL, b->m, b->n, b->k,
                    AR_WEIGHTS_TRANSPOSED));
}

static void run_fixed_product(void *context) {
    product_bench *b = context;
    fixed_product_run(b->fixed);
}

static void bench_products(void) {
    static const int64_t shapes[][3] = {{2048, 1200, 300}, {2048, 300, 1200}, {512, 900, 300},
                                        {128, 300, 300},   {256, 20000, 300}, {16, 20000, 300},
                                        {1, 20000, 300},   {4096, 4096, 4096}};
    printf(
        "product [m, n, k]          runtime dims      fixed dims    ratio  scratchpad of fixed\n");
    for (size_t s = 0; s < sizeof shapes / sizeof shapes[0]; s++) {
        product_bench b = {.m = shapes[s][0], .n = shapes[s][1], .k = shapes[s][2]};
        b.src = floats(b.m * b.k);
        b.weights = floats(b.n * b.k);
        b.dst = ar_new(b.m * b.n, sizeof(float));
        check(ar_onednn_create(&b.onednn));
        b.fixed = fixed_product_create(b.dst, b.src, b.weights, b.m, b.n, b.k);
        double medians[2], work_done = 2e-9 * (double)(b.m * b.n * b.k);
        time_works(medians, (const work[]){run_product, run_fixed_product}, 2, &b);
        printf("%5d x %5d x %4d   %6.0f Gflop/s  %6.0f Gflop/s   %5.2f  %9lld bytes\n", (int)b.m,
               (int)b.n, (int)b.k, work_done / medians[0], work_done / medians[1],
               medians[1] / medians[0], (long long)fixed_product_scratchpad(b.fixed));
        fixed_product_free(b.fixed);
        ar_onednn_free(b.onednn);
        ar_free(b.src);
        ar_free(b.weights);
        ar_free(b.dst);
    }
}

/* ---- attention ---- */

typedef struct attention_bench {
    ar_packed packed; /* shortest first */
    int64_t *offsets;
    group_attention *groups[LONGEST + 1];
    float *qkv, *dst, *probabilities, *diff_dst, *diff_qkv;
    float *dst_beside, *diff_beside; /* of the groups */
} attention_bench;

static const ar_dropout no_dropout = {0.0f, 1};

static void run_forward(void *context) {
    attention_bench *b = context;
    ar_attention_forward(b->dst, b->probabilities, b->qkv, &b->packed, DIM, HEADS, no_dropout);
}

static void run_backward(void *context) {
    attention_bench *b = context;
    ar_attention_backward(b->diff_qkv, b->diff_dst, b->qkv, b->probabilities, &b->packed, DIM,
                          HEADS, no_dropout);
}

static void run_group_forward(void *context) {
    attention_bench *b = context;
    for (int64_t length = 1; length <= LONGEST; length++)
        if (b->groups[length] != NULL)
            group_attention_forward(b->groups[length]);
}

static void run_group_backward(void *context) {
    attention_bench *b = context;
    for (int64_t length = 1; length <= LONGEST; length++)
        if (b->groups[length] != NULL)
            group_attention_backward(b->groups[length]);
}

static int compare_lengths(const void *a, const void *b) {
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return x < y ? -1 : x > y;
}

static void open_attention(attention_bench *b, int64_t *lengths, int64_t sequences) {
    *b = (attention_bench){0};
    qsort(lengths, (size_t)sequences, sizeof *lengths, compare_lengths);
    b->offsets = ar_new(sequences + 1, sizeof *b->offsets);
    for (int64_t s = 0; s < sequences; s++)
        b->offsets[s + 1] = b->offsets[s] + lengths[s];
    b->packed = (ar_packed){NULL, b->offsets, sequences, b->offsets[sequences]};
    int64_t count = b->packed.tokens * DIM;
    b->qkv = floats(3 * count);
    b->diff_dst = floats(count);
    b->dst = ar_new(count, sizeof(float));
    b->dst_beside = ar_new(count, sizeof(float));
    b->diff_qkv = ar_new(3 * count, sizeof(float));
    b->diff_beside = ar_new(3 * count, sizeof(float));
    b->probabilities = ar_new(ar_attention_size(&b->packed, HEADS), sizeof(float));
    for (int64_t s = 0, next; s < sequences; s = next) {
        for (next = s; next < sequences && lengths[next] == lengths[s];)
            next++;
        int64_t first = b->offsets[s] * DIM;
        b->groups[lengths[s]] = group_attention_create(
            b->dst_beside + first, b->diff_beside + 3 * first, b->qkv + 3 * first,
            b->diff_dst + first, next - s, lengths[s], DIM, HEADS);
    }
}

/* Both must have computed the same, or the comparison is worth nothing. */
static void compare_results(const char *what, const float *ours, const float *theirs,
                            int64_t count) {
    for (int64_t i = 0; i < count; i++)
        if (!(fabsf(ours[i] - theirs[i]) < 1e-3f)) {
            fprintf(stderr, "%s[%lld]: %g, oneDNN %g\n", what, (long long)i, (double)ours[i],
                    (double)theirs[i]);
            exit(EXIT_FAILURE);
        }
}

static void close_attention(attention_bench *b) {
    for (int64_t length = 1; length <= LONGEST; length++)
        if (b->groups[length] != NULL)
            group_attention_free(b->groups[length]);
    ar_free(b->offsets);
    ar_free(b->qkv);
    ar_free(b->dst);
    ar_free(b->dst_beside);
    ar_free(b->diff_dst);
    ar_free(b->diff_qkv);
    ar_free(b->diff_beside);
    ar_free(b->probabilities);
}

static void bench_attention_of(const char *name, int64_t *lengths, int64_t sequences) {
    attention_bench b;
    double medians[4];
    open_attention(&b, lengths, sequences);
    time_works(medians,
               (const work[]){run_forward, run_group_forward, run_backward, run_group_backward}, 4,
               &b);
    int64_t count = b.packed.tokens * DIM;
    compare_results("attention", b.dst, b.dst_beside, count);
    compare_results("its gradient", b.diff_qkv, b.diff_beside, 3 * count);
    double tokens = 1e-6 * (double)b.packed.tokens;
    printf("%-22s %8.3f %8.3f   %5.2f    %8.3f %8.3f   %5.2f\n", name, medians[0] / tokens,
           medians[1] / tokens, medians[1] / medians[0], medians[2] / tokens, medians[3] / tokens,
           medians[3] / medians[2]);
    close_attention(&b);
}

static void bench_attention(void) {
    enum { SESSIONS = 512 };
    static const int64_t lengths[] = {1, 2, 4, 8, 10, 20, 30, 50};
    int64_t all[TOKENS];
    printf("\nattention, microseconds a token\n"
           "length                 forward   oneDNN   ratio    backward   oneDNN   ratio\n");
    for (size_t l = 0; l < sizeof lengths / sizeof lengths[0]; l++) {
        char name[32];
        int64_t sequences = TOKENS / lengths[l];
        for (int64_t s = 0; s < sequences; s++)
            all[s] = lengths[l];
        (void)snprintf(name, sizeof name, "%d (%d sequences)", (int)lengths[l], (int)sequences);
        bench_attention_of(name, all, sequences);
    }
    for (int64_t s = 0; s < SESSIONS; s++) { /* geometric, mean about 4.5 */
        all[s] = 1 + (int64_t)(log(1.0 - ar_random_uniform(&stream)) / log(1.0 - 1.0 / 4.5));
        all[s] = all[s] < LONGEST ? all[s] : LONGEST;
    }
    bench_attention_of("mixed (512 sequences)", all, SESSIONS);
}

/* ---- layer normalisation ---- */

typedef struct norm_bench {
    fixed_norm *forward, *backward;
    float *src, *dst, *diff, *diff_src, *scale, *mean, *variance, *diff_scale, *diff_shift;
    int64_t rows;
} norm_bench;

static void run_norm(void *context) {
    norm_bench *n = context;
    ar_layer_norm_forward(n->dst, n->mean, n->variance, n->src, n->scale, n->scale, n->rows, DIM,
                          1e-6f);
}

static void run_fixed_norm(void *context) {
    norm_bench *n = context;
    fixed_norm_run(n->forward);
}

static void run_norm_backward(void *context) {
    norm_bench *n = context;
    check(ar_layer_norm_backward(n->diff_src, n->diff_scale, n->diff_shift, n->diff, n->src,
                                 n->mean, n->variance, n->scale, n->rows, DIM, 1e-6f));
}

static void run_fixed_norm_backward(void *context) {
    norm_bench *n = context;
    fixed_norm_run(n->backward);
}

static void bench_norms(void) {
    static const int64_t rows[] = {512, 2560, 16912, 44577};
    printf("\nlayer norm of rows of %d, microseconds\n"
           "rows                   forward   oneDNN   ratio    backward   oneDNN   ratio\n",
           DIM);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        norm_bench n = {.rows = rows[i]};
        double m[4];
        n.src = floats(n.rows * DIM);
        n.dst = ar_new(n.rows * DIM, sizeof(float));
        n.diff = floats(n.rows * DIM);
        n.diff_src = ar_new(n.rows * DIM, sizeof(float));
        n.scale = floats(DIM);
        n.mean = ar_new(n.rows, sizeof(float));
        n.variance = ar_new(n.rows, sizeof(float));
        n.diff_scale = ar_new(DIM, sizeof(float));
        n.diff_shift = ar_new(DIM, sizeof(float));
        n.forward = fixed_norm_create(n.dst, n.mean, n.variance, n.src, n.scale, n.scale, n.rows,
                                      DIM, 1e-6f);
        n.backward =
            fixed_norm_backward_create(n.diff_src, n.diff_scale, n.diff_shift, n.diff, n.src,
                                       n.mean, n.variance, n.scale, n.rows, DIM, 1e-6f);
        time_works(
            m, (const work[]){run_norm, run_norm_backward, run_fixed_norm, run_fixed_norm_backward},
            4, &n);
        printf("%5d                   %7.0f  %7.0f   %5.2f     %7.0f  %7.0f   %5.2f\n", (int)n.rows,
               1e6 * m[0], 1e6 * m[2], m[2] / m[0], 1e6 * m[1], 1e6 * m[3], m[3] / m[1]);
        fixed_norm_free(n.forward);
        fixed_norm_free(n.backward);
        void *const arrays[] = {n.src,  n.dst,      n.diff,       n.diff_src,  n.scale,
                                n.mean, n.variance, n.diff_scale, n.diff_shift};
        for (size_t a = 0; a < sizeof arrays / sizeof arrays[0]; a++)
            ar_free(arrays[a]);
    }
}

/* ---- the rest ---- */

typedef struct rest {
    ar_onednn *onednn;
    ar_adam adam;
    float *a, *b, *c;
    uint32_t *keys;
    int64_t count;
} rest;

enum { ITEMS = 44600, ROWS = 2048 };

static void run_copy(void *context) {
    rest *r = context;
    memcpy(r->b, r->a, ROWS * DIM * sizeof(float));
}

static void run_dropout(void *context) {
    rest *r = context;
    ar_dropout_apply(r->b, r->a, r->c, ROWS, DIM, (ar_dropout){0.1f, 5});
}

static void run_adam(void *context) {
    rest *r = context;
    ar_adam_options options = {1e-3, 0.9, 0.999, 1e-8, 0.0};
    ar_adam_step(&r->adam, r->b, r->a, &options);
}

static void run_copy_row(void *context) {
    rest *r = context;
    memcpy(r->c, r->a, ITEMS * sizeof(float));
}

static void run_loss(void *context) {
    rest *r = context;
    double loss, positives_loss;
    ar_targets targets = {.label = 7, .label_weight = 1.0f};
    memcpy(r->c, r->a, ITEMS * sizeof(float));
    ar_loss_row(&loss, &positives_loss, r->c, r->c, r->b, ITEMS, &targets);
}

static void run_hard(void *context) {
    rest *r = context;
    memset(r->b, 0, ITEMS * sizeof(float));
    ar_negatives_hard(r->b, r->keys, r->a, NULL, ITEMS, 20, 20000, 9990, &stream);
}

static void run_random(void *context) {
    rest *r = context;
    memset(r->b, 0, ITEMS * sizeof(float));
    ar_negatives_random(r->b, ITEMS, 9990, &stream);
}

static void bench_rest(void) {
    rest r = {.count = (int64_t)ROWS * DIM};
    check(ar_onednn_create(&r.onednn));
    check(ar_adam_create(&r.adam, r.count));
    r.a = floats(r.count);
    r.b = floats(r.count);
    r.c = floats(r.count);
    r.keys = ar_new(ITEMS, sizeof *r.keys);
    double m[4];
    printf("\n%d x %d floats, microseconds, and as multiples of a copy\n", ROWS, DIM);
    time_works(m, (const work[]){run_copy, run_dropout}, 2, &r);
    printf("copy %.0f, dropout and add %.0f (%.1f)\n", 1e6 * m[0], 1e6 * m[1], m[1] / m[0]);
    time_works(m, (const work[]){run_copy, run_adam}, 2, &r);
    printf("copy %.0f, Adam %.0f (%.1f)\n", 1e6 * m[0], 1e6 * m[1], m[1] / m[0]);
    printf("\none row of %d items, microseconds, and as multiples of a copy\n", ITEMS);
    for (int64_t i = 0; i < r.count; i++)
        r.b[i] = ar_random_below(&stream, 4) == 0 ? 1.0f : 0.0f;
    time_works(m, (const work[]){run_copy_row, run_loss}, 2, &r);
    printf("copy %.0f, loss row %.0f (%.1f)\n", 1e6 * m[0], 1e6 * m[1], m[1] / m[0]);
    time_works(m, (const work[]){run_copy_row, run_hard, run_random}, 3, &r);
    printf("copy %.0f, 9990 hard negatives %.0f (%.1f), 9990 random ones %.0f (%.1f)\n", 1e6 * m[0],
           1e6 * m[1], m[1] / m[0], 1e6 * m[2], m[2] / m[0]);
    ar_onednn_free(r.onednn);
    ar_adam_free(&r.adam);
    void *const arrays[] = {r.a, r.b, r.c, r.keys};
    for (size_t a = 0; a < sizeof arrays / sizeof arrays[0]; a++)
        ar_free(arrays[a]);
}

int main(int count, char **arguments) {
    int threads = count > 1 ? atoi(arguments[1]) : 0;
    if (count > 2 && strcmp(arguments[2], "best") == 0)
        quantile = 0;
    ar_random_seed(&stream, 1);
    int before = ar_threads_enter(threads);
    printf("%s, %d threads, %s of %d runs\n\n", ar_onednn_info(), ar_threads_count(),
           quantile == 0 ? "best" : "medians", RUNS);
    bench_products();
    bench_attention();
    bench_norms();
    bench_rest();
    ar_threads_leave(before);
    return EXIT_SUCCESS;
}
