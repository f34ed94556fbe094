/* The ID embeddings of added items: their rows of the item table are the mean of their neighbours'.
 */
#include "core/memory.h"
#include "model/new_items.h"
#include "nn/layer_norm.h"
#include "support/small_model.h"

#include <check.h>
#include <math.h>
#include <string.h>

enum { FEATURE_DIM = 12, ITEMS = 40, NEW = 37 };

static small_model small;
static float *features; /* [NEW, FEATURE_DIM] */
static float *rows;     /* [NEW, SMALL_DIM] */
static float table[ITEMS * SMALL_DIM];

static void set_up(void) {
    small_model_open(&small, ITEMS, true);
    for (int64_t c = 0; c < SMALL_DIM; c++) {
        small.model->id.weights.norm.scale[c] = 0.5f + (float)ar_random_uniform(&small.random);
        small.model->id.weights.norm.shift[c] = (float)ar_random_normal(&small.random);
    }
    features = ar_new(NEW * FEATURE_DIM, sizeof *features);
    rows = ar_new(NEW * SMALL_DIM, sizeof *rows);
    for (int64_t i = 0; i < NEW * FEATURE_DIM; i++)
        features[i] = (float)ar_random_normal(&small.random);
    MUST(alterrec_model_item_vectors(table, small.model, ALTERREC_ID));
}

static void tear_down(void) {
    ar_free(features);
    ar_free(rows);
    small_model_close(&small);
}

static void set(const char *key, const char *value) {
    MUST(alterrec_config_set(small.model->config, key, value));
}

/* The item table's row of an embedding. */
static void table_row(float *row, const float *embedding) {
    ar_norm norm = small.model->id.weights.norm;
    ar_layer_norm_forward(row, NULL, NULL, embedding, norm.scale, norm.shift, 1, SMALL_DIM,
                          AR_TABLE_EPSILON);
}

/* The mean of the rows of the items whose place in `chosen` is true; without norm: before the
 * table's scale and shift. */
static void mean_row(double mean[SMALL_DIM], const bool chosen[ITEMS], bool with_norm) {
    ar_norm norm = small.model->id.weights.norm;
    for (int64_t c = 0; c < SMALL_DIM; c++) {
        double sum = 0.0;
        int count = 0;
        for (int64_t i = 0; i < ITEMS; i++)
            if (chosen[i]) {
                double value = (double)table[i * SMALL_DIM + c];
                sum += with_norm ? value : (value - (double)norm.shift[c]) / (double)norm.scale[c];
                count++;
            }
        mean[c] = sum / count;
    }
}

/* Checks that the embedding's row is the mean of those. */
static void check_mean(const float *embedding, const bool chosen[ITEMS]) {
    float row[SMALL_DIM];
    double mean[SMALL_DIM];
    table_row(row, embedding);
    mean_row(mean, chosen, true);
    for (int64_t c = 0; c < SMALL_DIM; c++)
        ck_assert_double_eq_tol((double)row[c], mean[c], 1e-5);
}

static double deviation(const float *embedding) {
    double sum = 0.0, squares = 0.0;
    for (int64_t c = 0; c < SMALL_DIM; c++) {
        sum += (double)embedding[c];
        squares += (double)embedding[c] * (double)embedding[c];
    }
    return sqrt(squares / SMALL_DIM - sum * sum / SMALL_DIM / SMALL_DIM);
}

/* Checks that the embedding has the direction of the mean of those and their deviation. */
static void check_direction(const float *embedding, const bool chosen[ITEMS]) {
    double mean[SMALL_DIM], squares = 0.0, variance = 0.0;
    int count = 0;
    mean_row(mean, chosen, false);
    for (int64_t c = 0; c < SMALL_DIM; c++)
        squares += mean[c] * mean[c] / SMALL_DIM;
    for (int64_t i = 0; i < ITEMS; i++)
        if (chosen[i]) {
            double own = deviation(small.model->id.weights.embedding + i * SMALL_DIM);
            variance += own * own;
            count++;
        }
    double expected = sqrt(variance / count);
    for (int64_t c = 0; c < SMALL_DIM; c++)
        ck_assert_double_eq_tol((double)embedding[c], mean[c] / sqrt(squares) * expected, 1e-5);
}

static double cosine(const float *a, const float *b) {
    double product = 0.0, squares[2] = {0.0, 0.0};
    for (int64_t c = 0; c < FEATURE_DIM; c++) {
        product += (double)a[c] * (double)b[c];
        squares[0] += (double)a[c] * (double)a[c];
        squares[1] += (double)b[c] * (double)b[c];
    }
    return product / sqrt(squares[0] * squares[1]);
}

/* The k items of greatest cosine above 0, found by counting for each how many are before it. */
static void naive_neighbours(bool chosen[ITEMS], const float *row, int k) {
    double cosines[ITEMS];
    for (int64_t i = 0; i < ITEMS; i++)
        cosines[i] = cosine(row, small.catalog->features + i * FEATURE_DIM);
    for (int i = 0; i < ITEMS; i++) {
        int before = 0;
        for (int j = 0; j < ITEMS; j++) {
            /* Twins differ by rounding in this way of computing, never in the library's. */
            bool tie = j / 5 == i / 5 && i % 5 >= 3 && j % 5 >= 3;
            before += tie ? j < i : cosines[j] > cosines[i];
        }
        chosen[i] = cosines[i] > 0.0 && before < k;
    }
}

START_TEST(row_points_where_neighbours_do) {
    static const char *const values[] = {"1", "3", "10", "1000"};
    static const int numbers[] = {1, 3, 10, 1000};
    for (int v = 0; v < 4; v++) {
        set("model.new_item_neighbours", values[v]);
        MUST(ar_new_item_rows(rows, small.model, features, NEW));
        for (int64_t i = 0; i < NEW; i++) {
            bool chosen[ITEMS];
            naive_neighbours(chosen, features + i * FEATURE_DIM, numbers[v]);
            check_direction(rows + i * SMALL_DIM, chosen);
        }
    }
}
END_TEST

START_TEST(length_of_features_does_not_matter) {
    float *again = ar_new(NEW * SMALL_DIM, sizeof *again);
    MUST(ar_new_item_rows(rows, small.model, features, NEW));
    for (int64_t i = 0; i < NEW * FEATURE_DIM; i++)
        features[i] *= 4.0f;
    MUST(ar_new_item_rows(again, small.model, features, NEW));
    ck_assert_mem_eq(rows, again, NEW * SMALL_DIM * sizeof *rows);
    ar_free(again);
}
END_TEST

START_TEST(item_does_not_depend_on_those_beside_it) {
    MUST(ar_new_item_rows(rows, small.model, features, NEW));
    for (int64_t i = 0; i < NEW; i++) {
        float alone[SMALL_DIM];
        MUST(ar_new_item_rows(alone, small.model, features + i * FEATURE_DIM, 1));
        ck_assert_mem_eq(alone, rows + i * SMALL_DIM, sizeof alone);
    }
}
END_TEST

static void check_all(const float *embedding) {
    bool chosen[ITEMS];
    for (int i = 0; i < ITEMS; i++)
        chosen[i] = true;
    check_mean(embedding, chosen);
}

START_TEST(without_neighbours_all_items) {
    memset(features, 0, FEATURE_DIM * sizeof *features);
    MUST(ar_new_item_rows(rows, small.model, features, 2));
    check_all(rows);
    set("model.new_items", "mean");
    MUST(ar_new_item_rows(rows, small.model, features, NEW));
    for (int64_t i = 0; i < NEW; i++)
        check_all(rows + i * SMALL_DIM);
}
END_TEST

START_TEST(without_text_tower_all_items) {
    small_model_close(&small);
    small_model_open(&small, ITEMS, false);
    MUST(alterrec_model_item_vectors(table, small.model, ALTERREC_ID));
    MUST(ar_new_item_rows(rows, small.model, NULL, 3));
    for (int64_t i = 0; i < 3; i++)
        check_all(rows + i * SMALL_DIM);
}
END_TEST

START_TEST(extreme_embeddings_stay_finite) {
    float *embedding = small.model->id.weights.embedding;
    for (int64_t i = 0; i < ITEMS * SMALL_DIM; i++)
        embedding[i] = i / SMALL_DIM % 2 == 0 ? 0.0f : embedding[i] * 1e12f;
    MUST(ar_new_item_rows(rows, small.model, features, NEW));
    for (int64_t i = 0; i < NEW * SMALL_DIM; i++)
        ck_assert(isfinite(rows[i]));
}
END_TEST

int main(void) {
    Suite *suite = suite_create("new_items");
    TCase *tests = tcase_create("new_items");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, row_points_where_neighbours_do);
    tcase_add_test(tests, length_of_features_does_not_matter);
    tcase_add_test(tests, item_does_not_depend_on_those_beside_it);
    tcase_add_test(tests, without_neighbours_all_items);
    tcase_add_test(tests, without_text_tower_all_items);
    tcase_add_test(tests, extreme_embeddings_stay_finite);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
