/* The item index: its bounds against exact sums in long double, views, refusals. */
#include "core/memory.h"
#include "nn/compact.h"
#include "serve/query.h"
#include "serve/search.h"
#include "support/numbers.h"

#include <check.h>
#include <float.h>
#include <math.h>
#include <string.h>

enum { ITEMS = 100, DIM = 25, WIDTH = 2 * DIM, PANELS = 7 };

static ar_random stream;
static float *tables[2], *weights, *offsets;

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
}

static void close_tables(void) {
    ar_free(tables[0]);
    ar_free(tables[1]);
    ar_free(weights);
    ar_free(offsets);
}

static void build(ar_item_index *index, ar_index_precision precision, bool weighted) {
    ar_index_shape shape = SHAPE;
    shape.precision = precision;
    MUST(ar_item_index_build(index, &shape, (const float *const *)tables, weighted ? weights : NULL,
                             weighted ? offsets : NULL, 1));
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

/* Every row's true and f32 scores lie in its bounds; returns the mean error over the scores'
 * spread. */
static double check_bounds(const ar_item_index *index, const float *vector, int parts) {
    ar_compact_kind kind = ar_index_kind(&index->shape);
    int64_t steps = ar_compact_steps(kind, WIDTH), rows = PANELS * 16;
    int32_t codes[2 * WIDTH], begins[2], order[ITEMS];
    int32_t sums[2 * PANELS * 16];
    uint16_t reach[PANELS];
    float estimates[PANELS * 16], errors[PANELS * 16], exact[ITEMS];
    double z[WIDTH], spread = 0.0, error = 0.0;
    ar_query query;
    ar_search_memory memory = {0};
    ar_query_make(&query, codes, begins, index, vector, parts, z);
    ck_assert(query.usable);
    ar_compact_job job = {kind, sums, rows, codes, parts, begins, index->codes, PANELS, steps, NULL};
    ar_compact_multiply(&job);
    ar_bounds bounds = {kind,
                        sums,
                        parts == 2 ? sums + rows : NULL,
                        index->terms,
                        PANELS,
                        query.scale,
                        query.row_error,
                        query.norm_error,
                        query.constant,
                        -INFINITY};
    ck_assert(ar_bounds_judge(reach, estimates, errors, &bounds));
    for (int32_t i = 0; i < ITEMS; i++)
        order[i] = i;
    MUST(ar_search_score(exact, NULL, NULL, index, vector, order, ITEMS, &memory));
    for (int64_t i = 0; i < ITEMS; i++) {
        double score = (double)true_score(index, vector, i), most = (double)errors[i];
        double middle = (double)estimates[i] + query.common;
        HOLDS(fabs(score - middle) <= most && fabs((double)exact[i] - middle) <= most,
              "precision %d, parts %d, item %d: %.9g, in f32 %.9g, is not %.9g +- %.9g",
              (int)index->shape.precision, parts, (int)i, score, (double)exact[i], middle, most);
        spread += score * score / ITEMS;
        error += most / ITEMS;
    }
    ar_search_memory_free(&memory);
    return spread > 0.0 ? error / sqrt(spread) : 0.0;
}

START_TEST(scores_lie_within_bounds) {
    open_tables();
    for (int round = 0; round < 60; round++) {
        float *vector = random_floats(WIDTH, &stream);
        for (int c = 0; c < WIDTH; c++)
            vector[c] = weights[c] * vector[c] + offsets[c];
        if (round % 5 == 4)
            for (int c = 0; c < WIDTH; c++)
                vector[c] *= powf(10.0f, (float)(round / 2 - 15));
        if (round == 7)
            memset(vector, 0, WIDTH * sizeof *vector);
        for (int precision = AR_INDEX_BF16; precision <= AR_INDEX_INT8; precision++)
            for (int parts = 1; parts <= 2; parts++) {
                ar_item_index index;
                build(&index, (ar_index_precision)precision, round % 2 == 0);
                double looseness = check_bounds(&index, vector, parts);
                /* Bounds that always hold would be worth nothing if they were wide. */
                if (round % 10 == 0)
                    ck_assert_msg(looseness < (precision == AR_INDEX_INT8 ? 0.2 : 0.05), "%g",
                                  looseness);
                ar_item_index_free(&index);
            }
        ar_free(vector);
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
        ck_assert(seen.table == index.table && seen.codes == index.codes);
        ck_assert_int_eq(seen.width, WIDTH);
        ar_item_index_free(&seen); /* what it looks at is not its own */
        if (precision != AR_INDEX_F32) {
            float *terms = index.owned[2], *columns = index.owned[3], *slack = index.owned[4];
            float *const bad[] = {terms + 70, terms, columns + 2, columns + WIDTH, slack};
            const float values[] = {NAN, -1.0f, 0.0f, INFINITY, NAN};
            for (int i = 0; i < 5; i++) {
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
            ar_index_shape shape = SHAPE;
            shape.precision = (ar_index_precision)precision;
            float before = tables[1][7 * DIM + 3];
            tables[1][7 * DIM + 3] = values[i];
            ck_assert_int_eq(
                ar_item_index_build(&index, &shape, (const float *const *)tables, NULL, NULL, 1),
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
    ar_index_shape shape = SHAPE;
    for (int64_t nth = 1;; nth++) {
        ar_item_index index;
        ar_memory_fail_after(nth);
        alterrec_status status =
            ar_item_index_build(&index, &shape, (const float *const *)tables, NULL, NULL, 1);
        ar_memory_fail_after(0);
        if (status == ALTERREC_OK) {
            ck_assert_int_eq(nth, 8);
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
