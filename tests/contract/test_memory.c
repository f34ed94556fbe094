/* Out of memory at every allocation of the calls on data and models, one after the other: the call
 * says so, nothing leaks (the sanitizers look), and what the host holds goes on as if nothing had
 * been. */
#include "core/memory.h"
#include "scratch.h"
#include "support/shop.h"
#include "support/small_model.h"
#include "support/torture.h"

enum { ITEMS = 40 };

static shop s;
static alterrec_model *model;
static alterrec_batch *batch;

static void set_up(void) {
    scratch_open();
    shop_open(&s, ITEMS, 20);
    shop_set(&s, "compute.threads", "1"); /* the countdown is its thread's own */
    MUST(alterrec_model_create(&model, s.catalog, s.config));
    MUST(alterrec_batch_create(&batch));
    MUST(alterrec_batch_add(batch, (int32_t[]){1, 2, 3}, 3));
    MUST(alterrec_batch_add(batch, (int32_t[]){9, 8, 7, 6, 5, 4}, 6));
}

static void tear_down(void) {
    alterrec_batch_free(batch);
    alterrec_model_free(model);
    shop_close(&s);
    scratch_close();
}

static void nothing(void) {
}

/* ---- Data ---- */

static alterrec_catalog *catalog;

static void free_catalog(void) {
    alterrec_catalog_free(catalog);
}

static alterrec_status create_catalog(void) {
    static const char *const keys[] = {"a", "b", "c"};
    alterrec_status status = alterrec_catalog_create(&catalog, keys, keys, 3);
    return torture_made(status, catalog);
}

static alterrec_status read_catalog(void) {
    const char *path = scratch_path("items.tsv");
    alterrec_status status = alterrec_catalog_read(&catalog, path, NULL);
    return torture_made(status, catalog);
}

static alterrec_status hash_features(void) {
    alterrec_status status = alterrec_catalog_hash_features(catalog, NULL);
    ck_assert_int_eq(alterrec_catalog_feature_dim(catalog) > 0, status == ALTERREC_OK);
    return status;
}

static void forget_features(void) {
    free_catalog();
    MUST(create_catalog());
}

START_TEST(test_catalogs) {
    (void)scratch_write("items.tsv", "item\ttext\na\tone\nb\ttwo\nc\tthree\n");
    torture(create_catalog, free_catalog, 3);
    torture(read_catalog, free_catalog, 3);
    MUST(create_catalog());
    torture(hash_features, forget_features, 2);
    free_catalog();
}
END_TEST

static alterrec_sessions *sessions;
static alterrec_dataset *dataset;

static void free_sessions(void) {
    alterrec_sessions_free(sessions);
}

static alterrec_status create_sessions(void) {
    static const int32_t items[] = {1, 2, 3};
    static const int64_t offsets[] = {0, 2, 3};
    alterrec_status status = alterrec_sessions_create(&sessions, s.catalog, items, offsets, 2);
    return torture_made(status, sessions);
}

static alterrec_status read_sessions(void) {
    const char *path = scratch_path("sessions.txt");
    alterrec_status status = alterrec_sessions_read(&sessions, s.catalog, path, NULL);
    return torture_made(status, sessions);
}

static void free_dataset(void) {
    alterrec_dataset_free(dataset);
}

static alterrec_status read_dataset(void) {
    alterrec_status status = alterrec_dataset_read(&dataset, s.config);
    return torture_made(status, dataset);
}

START_TEST(test_sessions) {
    shop_set(&s, "data.interactions", scratch_write("sessions.txt", "1 2\n2 3 1\n3 1 2\n1 3\n"));
    shop_set(&s, "data.split", "random");
    shop_set(&s, "data.valid_share", "0.25");
    torture(create_sessions, free_sessions, 3);
    torture(read_sessions, free_sessions, 3);
    torture(read_dataset, free_dataset, 8);
}
END_TEST

static alterrec_config *config;

static void free_config(void) {
    alterrec_config_free(config);
}

static alterrec_status clone_config(void) {
    alterrec_status status = alterrec_config_clone(&config, s.config);
    return torture_made(status, config);
}

static alterrec_status read_config(void) {
    static const char text[] = "model: {dim: 16, heads: 4}\neval.ks: [1, 2]\n";
    const char *value;
    alterrec_status status = alterrec_config_read_text(s.config, text, sizeof text - 1);
    MUST(alterrec_config_get(&value, s.config, "model.dim"));
    ck_assert_str_eq(value, status == ALTERREC_OK ? "16" : "8");
    return status;
}

static void reset_config(void) {
    shop_set(&s, "model.dim", "8");
    shop_set(&s, "model.heads", "2");
}

START_TEST(test_configs) {
    torture(clone_config, free_config, 3);
    torture(read_config, reset_config, 3);
}
END_TEST

static alterrec_status fill_batch(void) {
    int32_t items[64] = {1};
    int64_t count = alterrec_batch_count(batch);
    alterrec_status status = alterrec_batch_add(batch, items, 64);
    ck_assert_int_eq(alterrec_batch_count(batch), count + (status == ALTERREC_OK));
    if (status == ALTERREC_OK)
        status = alterrec_batch_exclude(batch, 0, items, 64);
    return status == ALTERREC_OK ? alterrec_batch_exclude(batch, -1, items, 64) : status;
}

START_TEST(test_batches) {
    torture(fill_batch, nothing, 3);
}
END_TEST

/* ---- Model ---- */

static alterrec_model *other;
static float expected[2 * ITEMS], scores[2 * ITEMS];
static const char *path;

static void free_other(void) {
    alterrec_model_free(other);
}

static alterrec_status create_model(void) {
    alterrec_status status = alterrec_model_create(&other, s.catalog, s.config);
    return torture_made(status, other);
}

static alterrec_status load_model(void) {
    alterrec_status status = alterrec_model_load(&other, path);
    return torture_made(status, other);
}

static alterrec_status save_model(void) {
    return alterrec_model_save(model, path);
}

static void check_scores(void) {
    MUST(alterrec_model_score(scores, model, ALTERREC_FUSED, batch));
    ck_assert_mem_eq(scores, expected, sizeof scores);
}

static alterrec_status import_model(void) {
    return alterrec_model_import(model, path);
}

START_TEST(test_models) {
    path = scratch_path("model.safetensors");
    MUST(alterrec_model_score(expected, model, ALTERREC_FUSED, batch));
    torture(create_model, free_other, 6);
    torture(save_model, check_scores, 8);
    ck_assert_int_eq(scratch_count(), 1);
    torture(load_model, free_other, 15);
    torture(import_model, check_scores, 3);
}
END_TEST

static alterrec_status score_again(void) {
    return alterrec_model_score(scores, model, ALTERREC_FUSED, batch);
}

static alterrec_status score_anew(void) {
    alterrec_batch *fresh;
    alterrec_status status = alterrec_batch_create(&fresh);
    if (status == ALTERREC_OK)
        status = alterrec_batch_add(fresh, (int32_t[]){1, 2, 3}, 3);
    if (status == ALTERREC_OK)
        status = alterrec_batch_add(fresh, (int32_t[]){9, 8, 7, 6, 5, 4}, 6);
    if (status == ALTERREC_OK)
        status = alterrec_model_score(scores, model, ALTERREC_FUSED, fresh);
    alterrec_batch_free(fresh);
    return status;
}

static void check_expected(void) {
    ck_assert_mem_eq(scores, expected, sizeof scores);
    memset(scores, 0, sizeof scores);
}

/* Batches that lived through a failure at one allocation, then score. */
static void score_after_each_failure(void) {
    for (int64_t n = 1;; n++) {
        alterrec_batch *fresh;
        MUST(alterrec_batch_create(&fresh));
        MUST(alterrec_batch_add(fresh, (int32_t[]){1, 2, 3}, 3));
        MUST(alterrec_batch_add(fresh, (int32_t[]){9, 8, 7, 6, 5, 4}, 6));
        ar_memory_fail_after(n);
        alterrec_status status = alterrec_model_score(scores, model, ALTERREC_FUSED, fresh);
        ar_memory_fail_after(0);
        MUST(alterrec_model_score(scores, model, ALTERREC_FUSED, fresh));
        check_expected();
        alterrec_batch_free(fresh);
        if (status == ALTERREC_OK)
            break;
    }
}

/* `vectors` has room for either table. */
static float *vectors;

static alterrec_status item_vectors(void) {
    return alterrec_model_item_vectors(vectors, model, ALTERREC_TEXT);
}

static alterrec_status session_vectors(void) {
    return alterrec_model_session_vectors(vectors, model, ALTERREC_TEXT, batch);
}

START_TEST(test_scores) {
    MUST(alterrec_model_score(expected, model, ALTERREC_FUSED, batch));
    torture(score_again, check_expected, 5);
    torture(score_anew, check_expected, 10);
    score_after_each_failure();
    vectors = ar_new(ITEMS * 8, sizeof *vectors);
    torture(item_vectors, nothing, 1);
    torture(session_vectors, nothing, 1);
    ar_free(vectors);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("memory");
    TCase *cases = tcase_create("memory");
    tcase_add_checked_fixture(cases, set_up, tear_down);
    tcase_add_test(cases, test_catalogs);
    tcase_add_test(cases, test_sessions);
    tcase_add_test(cases, test_configs);
    tcase_add_test(cases, test_batches);
    tcase_add_test(cases, test_models);
    tcase_add_test(cases, test_scores);
    suite_add_tcase(suite, cases);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
