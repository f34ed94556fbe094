/* The item index: its bounds against exact sums in long double, views, refusals. */
#include "core/memory.h"
#include "nn/compact.h"
#include "serve/compact_copy.h"
#include "serve/scan.h"
#include "serve/search.h"
#include "support/numbers.h"

#include <check.h>
#include <float.h>
#include <math.h>
#include <string.h>

enum { ITEMS = 3250, DIM = 100, WIDTH = 2 * DIM, PANELS = 204, SAMPLES = 150 };

static ar_random stream;
static float *tables[2], *weights, *offsets, *samples;

/* A session vector like the samples. */
static float *make_vectors(int64_t count) {
    float *vectors = random_floats(count * WIDTH, &stream);
    for (int64_t i = 0; i < count * WIDTH; i++)
        vectors[i] = weights[i % WIDTH] * vectors[i] + offsets[i % WIDTH];
    return vectors;
}

static const ar_index_shape SHAPE = {.precision = AR_INDEX_INT8,
                                     .towers = 2,
                                     .items = ITEMS,
                                     .dim = DIM,
                                     .scales = {1.0f, 3.5f},
                                     .alpha = 0.3f};

static void open_tables(void) {
    ar_random_seed(&stream, 5);
    tables[0] = random_floats(ITEMS * DIM, &stream);
    tables[1] = random_floats(ITEMS * DIM, &stream);
    weights = random_floats(WIDTH, &stream);
    offsets = random_floats(WIDTH, &stream);
    /* Columns that count less and less: enough of them for a head to leave a tail. */
    for (int c = 0; c < WIDTH; c++) {
        weights[c] *= expf(-0.15f * (float)(c % DIM));
        for (int64_t r = 0; r < ITEMS; r++)
            tables[c / DIM][r * DIM + c % DIM] *= expf(-0.15f * (float)(c % DIM));
    }
    samples = make_vectors(SAMPLES);
}

static void close_tables(void) {
    ar_free(tables[0]);
    ar_free(tables[1]);
    ar_free(weights);
    ar_free(offsets);
    ar_free(samples);
}

static alterrec_status try_build(ar_item_index *index, ar_index_precision precision, bool sampled) {
    ar_index_shape shape = SHAPE;
    shape.precision = precision;
    alterrec_status status = ar_item_index_build(index, &shape, (const float *const *)tables);
    if (status != ALTERREC_OK || precision == AR_INDEX_F32)
        return status;
    return ar_compact_copy_make(index, sampled ? samples : NULL, sampled ? SAMPLES : 0, 1);
}

static void build(ar_item_index *index, ar_index_precision precision, bool sampled) {
    MUST(try_build(index, precision, sampled));
}

/* The score in long double, from the tables. */
static long double true_score(const ar_item_index *index, const float *vector, int64_t item) {
    const ar_index_shape *shape = &index->shape;
    long double score = 0.0L;
    for (int t = 0; t < shape->towers; t++) {
        long double sum = 0.0L, rest = 1.0L - (long double)shape->alpha;
        for (int64_t c = 0; c < DIM; c++)
            sum += (long double)vector[t * DIM + c] *
                   (long double)index->table[item * WIDTH + t * DIM + c];
        score += (t == 0 ? (long double)shape->alpha : rest) * (long double)shape->scales[t] * sum;
    }
    return score;
}

/* One query. */
typedef struct asked {
    ar_query query;
    int32_t head[2 * WIDTH], tail[2 * WIDTH], head_begins[2], tail_begins[2];
    ar_query_codes codes;
    int parts;
} asked;

static void ask(asked *a, const ar_item_index *index, const float *vector, int parts) {
    double work[2 * WIDTH];
    *a = (asked){.parts = parts};
    a->codes = (ar_query_codes){a->head, a->tail, a->head_begins, a->tail_begins};
    ar_query_make(&a->query, &a->codes, index, vector, parts, work);
    ck_assert(a->query.usable);
}

/* Heads alone: scores [ITEMS] are no higher than what lets a row through, and no lower than what
 * the tail may take away. */
static void check_heads(const asked *a, const ar_item_index *index, const double *scores) {
    ar_compact_kind kind = ar_index_kind(&index->shape);
    int64_t steps = ar_compact_steps(kind, index->shape.head), rows = PANELS * 16;
    int32_t *sums = ar_new(2 * rows, sizeof *sums);
    float *estimates = ar_new(2 * rows, sizeof *estimates), *errors = estimates + rows;
    uint16_t reach[PANELS];
    ar_compact_multiply(&(ar_compact_job){kind, sums, rows, a->head, a->parts, a->head_begins,
                                          index->heads, PANELS, steps, NULL});
    ar_bounds bounds = {.kind = kind,
                        .coarse = sums,
                        .fine = a->parts == 2 ? sums + rows : NULL,
                        .terms = index->terms,
                        .panels = PANELS,
                        .scale = a->query.scale,
                        .row_error = a->query.row_error,
                        .norm_error = a->query.norm_error,
                        .constant = a->query.constant,
                        .tail = a->query.tail_error,
                        .threshold = -INFINITY};
    ck_assert(ar_bounds_judge(reach, estimates, errors, &bounds));
    for (int64_t i = 0; i < ITEMS; i++) {
        const float *terms = index->terms + i / 16 * 16 * AR_BOUNDS_TERMS + i % 16;
        double most =
            (double)errors[i] + (double)a->query.tail_error * (double)terms[AR_BOUNDS_TAIL * 16];
        HOLDS(fabs(scores[i] - a->query.common - (double)estimates[i]) <= most,
              "item %d by its head: %.9g is not %.9g +- %.9g", (int)i, scores[i],
              (double)estimates[i] + a->query.common, most);
    }
    ar_free(sums);
    ar_free(estimates);
}

/* All rows' bounds as the walk finds them, tails included. */
static ar_candidates walk(const asked *a, const ar_item_index *index) {
    static const ar_allowed everything;
    enum { CAPACITY = 4 * ITEMS };
    int64_t session = 0;
    ar_candidates found, *list = &found;
    void *scratch = ar_new(ar_scan_scratch_bytes(index, a->parts), 1);
    void *work = ar_new(ar_candidates_work_bytes(CAPACITY, false), 1);
    float *best = ar_new(2 * ITEMS, sizeof *best);
    ar_candidates_begin(&found, ar_new(CAPACITY, sizeof(ar_candidate)), best, CAPACITY, 2 * ITEMS,
                        false, NULL, 0);
    ar_scan scan = {.index = index,
                    .allowed = &everything,
                    .sessions = &session,
                    .count = 1,
                    .parts = a->parts,
                    .queries = &a->query,
                    .codes = a->codes};
    ar_scan_compact(&list, &scan, 0, PANELS, scratch, work);
    ck_assert_int_eq(found.count, ITEMS);
    ar_free(scratch);
    ar_free(work);
    ar_free(best);
    return found;
}

/* Every row's true and f32 scores lie in its bounds; returns the mean error over the scores'
 * spread. */
static double check_bounds(const ar_item_index *index, const float *vector, int parts) {
    int32_t order[ITEMS];
    float exact[ITEMS];
    double scores[ITEMS], spread = 0.0, error = 0.0;
    ar_search_memory memory = {0};
    asked a;
    ask(&a, index, vector, parts);
    for (int32_t i = 0; i < ITEMS; i++) {
        order[i] = i;
        scores[i] = (double)true_score(index, vector, i);
    }
    MUST(ar_search_score(exact, NULL, NULL, index, vector, order, ITEMS, &memory));
    check_heads(&a, index, scores);
    ar_candidates found = walk(&a, index);
    for (int64_t i = 0; i < found.count; i++) {
        int32_t item = found.entries[i].item;
        double lower = (double)found.entries[i].lower + a.query.common;
        double upper = (double)found.entries[i].upper + a.query.common;
        HOLDS(lower <= scores[item] && scores[item] <= upper && lower <= (double)exact[item] &&
                  (double)exact[item] <= upper,
              "precision %d, parts %d, item %d: %.9g, in f32 %.9g, is not in %.9g .. %.9g",
              (int)index->shape.precision, parts, (int)item, scores[item], (double)exact[item],
              lower, upper);
        spread += scores[item] * scores[item] / ITEMS;
        error += (upper - lower) / 2.0 / ITEMS;
    }
    ar_free(found.entries);
    ar_search_memory_free(&memory);
    return spread > 0.0 ? error / sqrt(spread) : 0.0;
}

/* Vectors of all sizes, of which one is zero, against one index. */
static void check_vectors(const ar_item_index *index, bool sampled) {
    for (int round = 0; round < 16; round++) {
        float *vector = make_vectors(1);
        if (round % 4 == 3)
            for (int c = 0; c < WIDTH; c++)
                vector[c] *= powf(10.0f, (float)(2 * round - 15));
        if (round == 6)
            memset(vector, 0, WIDTH * sizeof *vector);
        for (int parts = 1; parts <= 2; parts++) {
            double looseness = check_bounds(index, vector, parts);
            /* Bounds that always hold would be worth nothing if they were wide. */
            if (round % 4 == 0 && sampled)
                ck_assert_msg(looseness < (index->shape.precision == AR_INDEX_INT8 ? 0.2 : 0.05),
                              "%g", looseness);
        }
        ar_free(vector);
    }
}

START_TEST(scores_lie_within_bounds) {
    open_tables();
    for (int precision = AR_INDEX_BF16; precision <= AR_INDEX_INT8; precision++)
        for (int sampled = 0; sampled < 2; sampled++) {
            ar_item_index index;
            build(&index, (ar_index_precision)precision, sampled != 0);
            ck_assert((index.tails != NULL) == (sampled != 0));
            check_vectors(&index, sampled != 0);
            ar_item_index_free(&index);
        }
    close_tables();
}
END_TEST

START_TEST(large_and_small_tables) {
    open_tables();
    for (int power = -40; power <= 8; power += 4) {
        float *vector = random_floats(WIDTH, &stream);
        for (int i = 0; i < ITEMS * DIM; i++)
            tables[power / 4 % 2 != 0][i] =
                (float)ar_random_normal(&stream) * powf(10.0f, (float)power);
        for (int precision = AR_INDEX_BF16; precision <= AR_INDEX_INT8; precision++) {
            ar_item_index index;
            build(&index, (ar_index_precision)precision, true);
            (void)check_bounds(&index, vector, 1);
            (void)check_bounds(&index, vector, 2);
            ar_item_index_free(&index);
        }
        ar_free(vector);
    }
    close_tables();
}
END_TEST

START_TEST(an_index_seen_again) {
    open_tables();
    for (int precision = AR_INDEX_F32; precision <= AR_INDEX_INT8; precision++) {
        ar_item_index index, seen;
        ar_index_array arrays[AR_INDEX_MOST_ARRAYS], sizes[AR_INDEX_MOST_ARRAYS];
        const void *data[AR_INDEX_MOST_ARRAYS];
        build(&index, (ar_index_precision)precision, true);
        int count = ar_item_index_arrays(arrays, &index);
        ck_assert_int_eq(count, ar_index_shape_arrays(sizes, &index.shape));
        int64_t bytes = 0;
        for (int i = 0; i < count; i++) {
            ck_assert_str_eq(arrays[i].name, sizes[i].name);
            ck_assert_int_eq(arrays[i].rows, sizes[i].rows);
            ck_assert_int_eq(arrays[i].columns, sizes[i].columns);
            bytes += arrays[i].rows * arrays[i].columns * (arrays[i].is_float ? 4 : 1);
            data[i] = arrays[i].data;
        }
        ck_assert_int_eq(bytes, ar_item_index_bytes(&index));
        MUST(ar_item_index_view(&seen, &index.shape, data));
        ck_assert(seen.table == index.table && seen.heads == index.heads);
        ck_assert(seen.tails == index.tails && (seen.tails == NULL) == (precision == AR_INDEX_F32));
        ck_assert_int_eq(seen.width, WIDTH);
        ar_item_index_free(&seen); /* what it looks at is not its own */
        if (precision != AR_INDEX_F32) {
            float *terms = index.owned[AR_INDEX_TERMS], *map = index.owned[AR_INDEX_MAP];
            float *counts = index.owned[AR_INDEX_COUNTS], *slack = index.owned[AR_INDEX_SLACK];
            float *columns = index.owned[AR_INDEX_PER_COLUMN];
            float *const bad[] = {terms + 90, terms, map + 2, counts, counts + 1, columns, slack};
            const float values[] = {NAN, -1.0f, INFINITY, 0.5f, 101.0f, INFINITY, NAN};
            for (int i = 0; i < 7; i++) {
                float before = *bad[i];
                *bad[i] = values[i];
                ck_assert_int_eq(ar_item_index_view(&seen, &index.shape, data),
                                 ALTERREC_ERROR_NOT_FINITE);
                ck_assert_ptr_null(seen.table);
                *bad[i] = before;
            }
            MUST(ar_item_index_view(&seen, &index.shape, data));
        }
        ar_item_index_free(&index);
    }
    close_tables();
}
END_TEST

START_TEST(tables_that_are_no_numbers) {
    open_tables();
    static const float values[] = {NAN, INFINITY, -INFINITY};
    for (int i = 0; i < 3; i++)
        for (int precision = AR_INDEX_F32; precision <= AR_INDEX_INT8; precision++) {
            ar_item_index index;
            float before = tables[1][7 * DIM + 3];
            tables[1][7 * DIM + 3] = values[i];
            ck_assert_int_eq(try_build(&index, (ar_index_precision)precision, true),
                             ALTERREC_ERROR_NOT_FINITE);
            ck_assert_ptr_nonnull(strstr(alterrec_last_error(), "item 7, tower 1, column 3"));
            ck_assert_ptr_null(index.table);
            tables[1][7 * DIM + 3] = before;
        }
    close_tables();
}
END_TEST

START_TEST(out_of_memory) {
    open_tables();
    for (int64_t nth = 1;; nth++) {
        ar_item_index index;
        ar_memory_fail_after(nth);
        alterrec_status status = try_build(&index, AR_INDEX_INT8, true);
        ar_memory_fail_after(0);
        if (status == ALTERREC_OK) {
            ck_assert_int_gt(nth, 30); /* the index, its coordinates and the choice of a head */
            ar_item_index_free(&index);
            break;
        }
        ck_assert_int_eq(status, ALTERREC_ERROR_OUT_OF_MEMORY);
        ck_assert_ptr_null(index.table);
    }
    close_tables();
}
END_TEST

START_TEST(parts_add_up) {
    open_tables();
    ar_item_index index;
    ar_search_memory memory = {0};
    build(&index, AR_INDEX_INT8, true);
    enum { COUNT = 130 };
    int32_t items[COUNT];
    float fused[COUNT], id[COUNT], text[COUNT], *vector = random_floats(WIDTH, &stream);
    for (int i = 0; i < COUNT; i++)
        items[i] = i % 9 == 0 ? -1 : i * 31 % ITEMS;
    MUST(ar_search_score(fused, id, text, &index, vector, items, COUNT, &memory));
    for (int i = 0; i < COUNT; i++) {
        if (items[i] < 0) {
            ck_assert(fused[i] == -INFINITY && id[i] == -INFINITY && text[i] == -INFINITY);
            continue;
        }
        ck_assert(fused[i] == SHAPE.alpha * id[i] + (1.0f - SHAPE.alpha) * text[i]);
        double dot = 0.0;
        for (int c = 0; c < DIM; c++)
            dot += (double)vector[c] * (double)tables[0][items[i] * DIM + c];
        ck_assert(fabs((double)id[i] - dot) < 1e-4);
    }
    ar_free(vector);
    ar_search_memory_free(&memory);
    ar_item_index_free(&index);
    close_tables();
}
END_TEST

int main(void) {
    TCase *group = tcase_create("item_index");
    tcase_add_test(group, scores_lie_within_bounds);
    tcase_add_test(group, large_and_small_tables);
    tcase_add_test(group, an_index_seen_again);
    tcase_add_test(group, tables_that_are_no_numbers);
    tcase_add_test(group, out_of_memory);
    tcase_add_test(group, parts_add_up);
    return run_tests(group, "item_index");
}
