/* The model: making it, its tensors by name, its scores. */
#include "core/memory.h"
#include "support/small_model.h"

#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static small_model small;
static alterrec_batch *batch;

static void open_small(int64_t items, bool text) {
    small_model_open(&small, items, text);
    MUST(alterrec_batch_create(&batch));
}

static void close_small(void) {
    alterrec_batch_free(batch);
    small_model_close(&small);
}

static void check_fails(alterrec_status status, alterrec_status expected, const char *text) {
    ck_assert_msg(status == expected, "status %s, \"%s\"", alterrec_status_name(status),
                  alterrec_last_error());
    ck_assert_msg(strstr(alterrec_last_error(), text) != NULL, "\"%s\" lacks \"%s\"",
                  alterrec_last_error(), text);
}

static void add(const int32_t *items, int64_t length) {
    MUST(alterrec_batch_add(batch, items, length));
}

static float *new_floats(int64_t count) {
    float *values = ar_new(count, sizeof *values);
    ck_assert_ptr_nonnull(values);
    return values;
}

/* ---- Making ---- */

START_TEST(test_without_features_there_is_one_tower) {
    open_small(9, false);
    ck_assert_int_eq(alterrec_model_tensor_count(small.model), 6 + 2 * 12);
    for (int64_t i = 0; i < alterrec_model_tensor_count(small.model); i++) {
        alterrec_tensor tensor = {.struct_size = sizeof tensor};
        MUST(alterrec_model_tensor_describe(&tensor, small.model, i));
        ck_assert_ptr_eq(strstr(tensor.name, "id."), tensor.name);
    }
    close_small();
}
END_TEST

START_TEST(test_with_features_there_are_two) {
    open_small(9, true);
    ck_assert_int_eq(alterrec_model_tensor_count(small.model), 6 + 7 + 2 * 2 * 12);
    ck_assert_ptr_eq(alterrec_model_catalog(small.model), small.catalog);
    close_small();
}
END_TEST

START_TEST(test_dim_must_be_a_multiple_of_heads) {
    alterrec_model *model;
    open_small(3, true);
    MUST(alterrec_config_set(small.config, "model.dim", "10"));
    MUST(alterrec_config_set(small.config, "model.heads", "4"));
    for (int round = 0; round < 2; round++) {
        model = small.model;
        check_fails(alterrec_model_create(&model, small.catalog, small.config),
                    ALTERREC_ERROR_INVALID_ARGUMENT,
                    "model.dim 10 is not a multiple of model.heads 4");
        ck_assert_ptr_null(model);
    }
    MUST(alterrec_config_set(small.config, "model.heads", "5"));
    MUST(alterrec_model_create(&model, small.catalog, small.config));
    alterrec_model_free(model);
    close_small();
}
END_TEST

START_TEST(test_options_are_a_copy_and_handles_go_in_any_order) {
    const char *value;
    alterrec_model *model;
    float scores[9];
    open_small(9, true);
    MUST(alterrec_config_set(small.config, "model.dim", "8"));
    MUST(alterrec_model_create(&model, small.catalog, small.config));
    MUST(alterrec_config_set(small.config, "model.dim", "12"));
    small_model_close(&small);
    MUST(alterrec_config_get(&value, alterrec_model_config(model), "model.dim"));
    ck_assert_str_eq(value, "8");
    ck_assert_str_eq(alterrec_catalog_key(alterrec_model_catalog(model), 8), "8");
    add((int32_t[]){1, 8}, 2);
    MUST(alterrec_model_score(scores, model, ALTERREC_FUSED, batch));
    alterrec_model_free(model);
    alterrec_batch_free(batch);
}
END_TEST

START_TEST(test_no_config_means_the_defaults) {
    alterrec_model *model;
    alterrec_tensor tensor = {.struct_size = sizeof tensor};
    open_small(3, false);
    MUST(alterrec_model_create(&model, small.catalog, NULL));
    MUST(alterrec_model_tensor_describe(&tensor, model, 0));
    ck_assert_str_eq(tensor.name, "id.embedding.weight");
    ck_assert_int_eq(tensor.shape[0], 3);
    ck_assert_int_eq(tensor.shape[1], 300);
    alterrec_model_free(model);
    close_small();
}
END_TEST

/* The text tower has the features' shape, and training reads them where they are. */
START_TEST(test_features_stay_while_a_model_lives) {
    const float one[] = {1, 2, 3};
    open_small(3, true);
    int64_t dim = alterrec_catalog_feature_dim(small.catalog);
    for (int round = 0; round < 2; round++) {
        check_fails(alterrec_catalog_set_features(small.catalog, one, 3, 1), ALTERREC_ERROR_BUSY,
                    "alterrec_catalog_set_features: a model holds the catalog");
        check_fails(alterrec_catalog_read_features(small.catalog, "none.npy"), ALTERREC_ERROR_BUSY,
                    "alterrec_catalog_read_features: a model holds the catalog");
        check_fails(alterrec_catalog_hash_features(small.catalog, NULL), ALTERREC_ERROR_BUSY,
                    "alterrec_catalog_hash_features: a model holds the catalog");
        ck_assert_int_eq(alterrec_catalog_feature_dim(small.catalog), dim);
    }
    alterrec_model_free(small.model);
    small.model = NULL;
    MUST(alterrec_catalog_set_features(small.catalog, one, 3, 1));
    ck_assert_int_eq(alterrec_catalog_feature_dim(small.catalog), 1);
    close_small();
}
END_TEST

/* ---- Tensors by name ---- */

START_TEST(test_describe) {
    open_small(9, true);
    int64_t count = alterrec_model_tensor_count(small.model);
    alterrec_tensor tensor = {.struct_size = sizeof tensor};
    for (int64_t i = 0; i < count; i++) {
        MUST(alterrec_model_tensor_describe(&tensor, small.model, i));
        ck_assert(tensor.dims == 1 || tensor.dims == 2);
        ck_assert_int_eq(tensor.count, tensor.shape[0] * tensor.shape[1]);
        for (int64_t j = 0; j < i; j++) {
            alterrec_tensor other = {.struct_size = sizeof other};
            MUST(alterrec_model_tensor_describe(&other, small.model, j));
            ck_assert_str_ne(other.name, tensor.name);
        }
    }
    char text[128];
    (void)snprintf(text, sizeof text,
                   "alterrec_model_tensor_describe: index %lld is outside 0..%lld",
                   (long long)count, (long long)count - 1);
    check_fails(alterrec_model_tensor_describe(&tensor, small.model, count),
                ALTERREC_ERROR_INVALID_ARGUMENT, text);
    static const int64_t bad[] = {-1, INT64_MIN, INT64_MAX};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        check_fails(alterrec_model_tensor_describe(&tensor, small.model, bad[i]),
                    ALTERREC_ERROR_INVALID_ARGUMENT, "is outside 0..");
    MUST(alterrec_model_tensor_describe(&tensor, small.model, 0));
    ck_assert_str_eq(tensor.name, "id.embedding.weight");
    alterrec_tensor found = {.struct_size = sizeof found};
    MUST(alterrec_model_tensor_find(&found, small.model, "id.embedding.weight"));
    ck_assert_mem_eq(&found, &tensor, sizeof found);
    check_fails(alterrec_model_tensor_find(&found, small.model, "id.embedding"),
                ALTERREC_ERROR_NOT_FOUND, "no tensor \"id.embedding\"");
    ck_assert_mem_eq(&found, &tensor, sizeof found);
    ck_assert_int_eq(tensor.shape[1], alterrec_model_dim(small.model));
    close_small();
}
END_TEST

/* A host that knows more fields than the library gets those that there are; one that knows fewer
 * has not set struct_size. */
START_TEST(test_describe_looks_at_the_size) {
    struct {
        alterrec_tensor tensor;
        char later[16];
    } larger = {.tensor = {.struct_size = sizeof larger}, .later = "untouched"};
    open_small(3, false);
    MUST(alterrec_model_tensor_describe(&larger.tensor, small.model, 0));
    ck_assert_str_eq(larger.later, "untouched");
    ck_assert_uint_eq(larger.tensor.struct_size, sizeof larger);
    alterrec_tensor tensor = {.struct_size = sizeof tensor - 1, .name = "as before"};
    check_fails(alterrec_model_tensor_describe(&tensor, small.model, 0),
                ALTERREC_ERROR_INVALID_ARGUMENT, "struct_size is");
    ck_assert_str_eq(tensor.name, "as before");
    close_small();
}
END_TEST

START_TEST(test_what_is_set_is_got) {
    open_small(9, true);
    for (int64_t i = 0; i < alterrec_model_tensor_count(small.model); i++) {
        alterrec_tensor tensor = {.struct_size = sizeof tensor};
        MUST(alterrec_model_tensor_describe(&tensor, small.model, i));
        float *given = new_floats(tensor.count), *got = new_floats(tensor.count);
        for (int64_t j = 0; j < tensor.count; j++)
            given[j] = (float)(i * 1000 + j) * 0.001f;
        MUST(alterrec_model_set_tensor(small.model, tensor.name, given, tensor.count));
        MUST(alterrec_model_get_tensor(got, small.model, tensor.name, tensor.count));
        ck_assert_mem_eq(got, given, (size_t)tensor.count * sizeof *got);
        ar_free(given);
        ar_free(got);
    }
    /* Setting one has left the others. */
    float first;
    float *embedding = new_floats(9 * SMALL_DIM);
    MUST(alterrec_model_get_tensor(embedding, small.model, "id.embedding.weight", 9 * SMALL_DIM));
    first = embedding[1];
    ck_assert(first >= 0.001f && first <= 0.001f);
    ar_free(embedding);
    close_small();
}
END_TEST

START_TEST(test_bad_tensors_change_nothing) {
    float values[SMALL_DIM], before[SMALL_DIM], after[SMALL_DIM];
    open_small(9, true);
    MUST(alterrec_model_get_tensor(before, small.model, "text.norm.weight", SMALL_DIM));
    memcpy(values, before, sizeof values);
    static const char *const unknown[] = {"", "id", "norm.weight", "text.norm.weight ",
                                          "id.encoder.blocks.2.attention.query.weight"};
    for (size_t i = 0; i < sizeof unknown / sizeof *unknown; i++) {
        char text[128];
        (void)snprintf(text, sizeof text, "the model has no tensor \"%s\"", unknown[i]);
        check_fails(alterrec_model_set_tensor(small.model, unknown[i], values, SMALL_DIM),
                    ALTERREC_ERROR_NOT_FOUND, text);
        check_fails(alterrec_model_get_tensor(values, small.model, unknown[i], SMALL_DIM),
                    ALTERREC_ERROR_NOT_FOUND, text);
    }
    static const int64_t counts[] = {SMALL_DIM - 1, SMALL_DIM + 1, 0, -1, INT64_MAX};
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        char text[128];
        (void)snprintf(text, sizeof text, "tensor \"text.norm.weight\" has 16 values, not %lld",
                       (long long)counts[i]);
        check_fails(alterrec_model_set_tensor(small.model, "text.norm.weight", values, counts[i]),
                    ALTERREC_ERROR_MISMATCH, text);
        check_fails(alterrec_model_get_tensor(values, small.model, "text.norm.weight", counts[i]),
                    ALTERREC_ERROR_MISMATCH, text);
    }
    for (int i = 0; i < 3; i++) {
        static const float bad[] = {NAN, INFINITY, -INFINITY};
        memset(values, 0, sizeof values);
        values[SMALL_DIM - 1] = bad[i];
        check_fails(alterrec_model_set_tensor(small.model, "text.norm.weight", values, SMALL_DIM),
                    ALTERREC_ERROR_INVALID_ARGUMENT,
                    "value 15 of tensor \"text.norm.weight\" is not finite");
    }
    MUST(alterrec_model_get_tensor(after, small.model, "text.norm.weight", SMALL_DIM));
    ck_assert_mem_eq(after, before, sizeof after);
    MUST(alterrec_model_set_tensor(small.model, "text.norm.weight", before, SMALL_DIM));
    close_small();
}
END_TEST

/* ---- Scores ---- */

static float *score(int32_t scorer) {
    float *scores = new_floats(alterrec_batch_count(batch) * small.items);
    MUST(alterrec_model_score(scores, small.model, scorer, batch));
    return scores;
}

static void add_sessions(int64_t count) {
    alterrec_sessions *sessions = small_sessions(&small, count, 2 * SMALL_MAX_LEN);
    for (int64_t s = 0; s < count; s++)
        small_add(batch, sessions, s);
    alterrec_sessions_free(sessions);
}

/* One, few, as many as a product's least rows, more. */
static const int64_t counts_of_sessions[] = {1, 3, 16, 40};

START_TEST(test_fused_is_the_weighted_sum) {
    static const char *const alphas[] = {"0", "0.3", "0.5", "1"};
    for (size_t a = 0; a < sizeof alphas / sizeof *alphas; a++) {
        open_small(37, true);
        alterrec_model_free(small.model);
        MUST(alterrec_config_set(small.config, "fusion.alpha", alphas[a]));
        MUST(alterrec_model_create(&small.model, small.catalog, small.config));
        add_sessions(counts_of_sessions[_i]);
        float *id = score(ALTERREC_ID), *text = score(ALTERREC_TEXT),
              *fused = score(ALTERREC_FUSED);
        float alpha = strtof(alphas[a], NULL), rest = 1.0f - alpha;
        for (int64_t i = 0; i < counts_of_sessions[_i] * small.items; i++) {
            float one = alpha * id[i], other = rest * text[i];
            float sum = one + other;
            ck_assert_mem_eq(&sum, &fused[i], sizeof sum);
        }
        ar_free(id);
        ar_free(text);
        ar_free(fused);
        close_small();
    }
}
END_TEST

/* score = session vector · item vector, the text tower's divided by the temperature. */
START_TEST(test_scores_are_products_of_the_vectors) {
    open_small(37, true);
    int64_t count = counts_of_sessions[_i], items = small.items;
    add_sessions(count);
    for (int32_t tower = ALTERREC_ID; tower <= ALTERREC_TEXT; tower++) {
        float *table = new_floats(items * SMALL_DIM), *sessions = new_floats(count * SMALL_DIM);
        float *scores = score(tower);
        double divisor = tower == ALTERREC_TEXT ? 0.07 : 1.0;
        MUST(alterrec_model_item_vectors(table, small.model, tower));
        MUST(alterrec_model_session_vectors(sessions, small.model, tower, batch));
        for (int64_t s = 0; s < count; s++)
            for (int64_t i = 0; i < items; i++) {
                double product = 0.0;
                for (int64_t d = 0; d < SMALL_DIM; d++)
                    product +=
                        (double)table[i * SMALL_DIM + d] * (double)sessions[s * SMALL_DIM + d];
                ck_assert_double_eq_tol((double)scores[s * items + i], product / divisor,
                                        1e-4 / divisor);
            }
        ar_free(table);
        ar_free(sessions);
        ar_free(scores);
    }
    close_small();
}
END_TEST

/* A session's scores are its own: not its neighbours', not those of the batch before. */
START_TEST(test_a_row_does_not_depend_on_the_others) {
    open_small(37, true);
    alterrec_sessions *sessions = small_sessions(&small, 40, 2 * SMALL_MAX_LEN);
    for (int64_t s = 0; s < 40; s++)
        small_add(batch, sessions, s);
    for (int32_t scorer = ALTERREC_ID; scorer <= ALTERREC_FUSED; scorer++) {
        float *all = score(scorer);
        for (int64_t s = 0; s < 40; s += 13) {
            alterrec_batch *whole = batch;
            MUST(alterrec_batch_create(&batch));
            small_add(batch, sessions, s);
            float *alone = score(scorer);
            ck_assert_mem_eq(alone, all + s * small.items, (size_t)small.items * sizeof *alone);
            ar_free(alone);
            alterrec_batch_free(batch);
            batch = whole;
        }
        ar_free(all);
    }
    alterrec_sessions_free(sessions);
    close_small();
}
END_TEST

START_TEST(test_a_long_session_keeps_its_last_items) {
    static const int32_t items[] = {5, 0, 3, 3, 1, 4, 2, 0, 6};
    enum { LENGTH = sizeof items / sizeof *items };
    open_small(7, true);
    add(items, LENGTH);
    add(items + LENGTH - SMALL_MAX_LEN, SMALL_MAX_LEN);
    add(items + LENGTH - SMALL_MAX_LEN + 1, SMALL_MAX_LEN - 1);
    float *scores = score(ALTERREC_FUSED);
    ck_assert_mem_eq(scores, scores + 7, 7 * sizeof *scores);
    ck_assert_mem_ne(scores, scores + 14, 7 * sizeof *scores);
    ar_free(scores);
    close_small();
}
END_TEST

START_TEST(test_a_model_without_text_scores_by_id) {
    float vectors[9 * SMALL_DIM];
    open_small(9, false);
    add_sessions(3);
    float *id = score(ALTERREC_ID), *fused = score(ALTERREC_FUSED);
    ck_assert_mem_eq(id, fused, 3 * 9 * sizeof *id);
    for (int round = 0; round < 2; round++) {
        check_fails(alterrec_model_score(fused, small.model, ALTERREC_TEXT, batch),
                    ALTERREC_ERROR_MISMATCH, "alterrec_model_score: the model has no text tower");
        check_fails(alterrec_model_item_vectors(vectors, small.model, ALTERREC_TEXT),
                    ALTERREC_ERROR_MISMATCH, "alterrec_model_item_vectors: the model has no text");
        check_fails(alterrec_model_session_vectors(vectors, small.model, ALTERREC_TEXT, batch),
                    ALTERREC_ERROR_MISMATCH,
                    "alterrec_model_session_vectors: the model has no text");
    }
    ck_assert_mem_eq(id, fused, 3 * 9 * sizeof *id);
    ar_free(id);
    ar_free(fused);
    close_small();
}
END_TEST

START_TEST(test_bad_batches_are_refused) {
    float scores[9], vectors[SMALL_DIM];
    open_small(9, true);
    for (int round = 0; round < 2; round++) {
        check_fails(alterrec_model_score(scores, small.model, ALTERREC_FUSED, batch),
                    ALTERREC_ERROR_INVALID_ARGUMENT, "alterrec_model_score: ");
        check_fails(alterrec_model_session_vectors(vectors, small.model, ALTERREC_ID, batch),
                    ALTERREC_ERROR_INVALID_ARGUMENT, "alterrec_model_session_vectors: ");
    }
    add((int32_t[]){0, 9}, 2);
    for (int round = 0; round < 2; round++) {
        check_fails(alterrec_model_score(scores, small.model, ALTERREC_FUSED, batch),
                    ALTERREC_ERROR_INVALID_ARGUMENT, "9");
        check_fails(alterrec_model_session_vectors(vectors, small.model, ALTERREC_ID, batch),
                    ALTERREC_ERROR_INVALID_ARGUMENT, "9");
    }
    MUST(alterrec_batch_clear(batch));
    add((int32_t[]){0, 8}, 2);
    MUST(alterrec_model_score(scores, small.model, ALTERREC_FUSED, batch));
    static const int32_t scorers[] = {0, ALTERREC_POPULARITY, -1, INT32_MAX, INT32_MIN};
    for (size_t i = 0; i < sizeof scorers / sizeof *scorers; i++) {
        char text[64];
        (void)snprintf(text, sizeof text, "scorer %d is not ALTERREC_ID", (int)scorers[i]);
        check_fails(alterrec_model_score(scores, small.model, scorers[i], batch),
                    ALTERREC_ERROR_INVALID_ARGUMENT, text);
    }
    check_fails(alterrec_model_item_vectors(scores, small.model, ALTERREC_FUSED),
                ALTERREC_ERROR_INVALID_ARGUMENT, "tower 3 is neither");
    check_fails(alterrec_model_session_vectors(scores, small.model, 0, batch),
                ALTERREC_ERROR_INVALID_ARGUMENT, "tower 0 is neither");
    MUST(alterrec_model_score(scores, small.model, ALTERREC_FUSED, batch));
    close_small();
}
END_TEST

int main(void) {
    Suite *suite = suite_create("model");
    TCase *cases = tcase_create("model");
    tcase_add_test(cases, test_without_features_there_is_one_tower);
    tcase_add_test(cases, test_with_features_there_are_two);
    tcase_add_test(cases, test_dim_must_be_a_multiple_of_heads);
    tcase_add_test(cases, test_options_are_a_copy_and_handles_go_in_any_order);
    tcase_add_test(cases, test_no_config_means_the_defaults);
    tcase_add_test(cases, test_features_stay_while_a_model_lives);
    tcase_add_test(cases, test_describe);
    tcase_add_test(cases, test_describe_looks_at_the_size);
    tcase_add_test(cases, test_what_is_set_is_got);
    tcase_add_test(cases, test_bad_tensors_change_nothing);
    tcase_add_loop_test(cases, test_fused_is_the_weighted_sum, 0, 4);
    tcase_add_loop_test(cases, test_scores_are_products_of_the_vectors, 0, 4);
    tcase_add_test(cases, test_a_row_does_not_depend_on_the_others);
    tcase_add_test(cases, test_a_long_session_keeps_its_last_items);
    tcase_add_test(cases, test_a_model_without_text_scores_by_id);
    tcase_add_test(cases, test_bad_batches_are_refused);
    suite_add_tcase(suite, cases);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
