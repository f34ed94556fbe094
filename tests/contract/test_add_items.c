/* What alterrec_model_add_items promises: what is added, what stays, what a failure leaves. */
#include "core/memory.h"
#include "model/model.h"
#include "scratch.h"
#include "support/model_bytes.h"
#include "support/small_model.h"

#include <math.h>

enum { FEATURE_DIM = 12, ITEMS = 45, NEW = 23, ALL = ITEMS + NEW, SESSIONS = 8 };

static small_model small;
static char keys_text[NEW][16];
static const char *keys[NEW];
static float *features; /* [NEW, FEATURE_DIM] */

static void fill_new(void) {
    features = ar_new(NEW * FEATURE_DIM, sizeof *features);
    for (int i = 0; i < NEW; i++) {
        (void)snprintf(keys_text[i], sizeof keys_text[i], "new %d", i);
        keys[i] = keys_text[i];
    }
    for (int64_t i = 0; i < NEW * FEATURE_DIM; i++)
        features[i] = (float)ar_random_normal(&small.random);
}

static void set_up(void) {
    scratch_open();
    small_model_open(&small, ITEMS, true);
    fill_new();
}

static void tear_down(void) {
    ar_free(features);
    small_model_close(&small);
    scratch_close();
}

static alterrec_status add(void) {
    return alterrec_model_add_items(small.model, keys, NULL, features, NEW);
}

/* Scores of the same SESSIONS sessions of old items, [SESSIONS, items]; the caller frees. */
static float *score(const alterrec_model *model, int32_t scorer) {
    alterrec_batch *batch;
    MUST(alterrec_batch_create(&batch));
    for (int32_t s = 0; s < SESSIONS; s++)
        MUST(alterrec_batch_add(batch, (int32_t[]){s, 2 * s + 1, ITEMS - 1 - s}, 1 + s % 3));
    int64_t items = alterrec_catalog_items(alterrec_model_catalog(model));
    float *scores = ar_new(SESSIONS * items, sizeof *scores);
    MUST(alterrec_model_score(scores, model, scorer, batch));
    alterrec_batch_free(batch);
    return scores;
}

/* Everything of a model that a host can see. */
typedef struct snapshot {
    const alterrec_catalog *catalog;
    float *values; /* of all tensors */
    int64_t count;
    const char *last_name;
} snapshot;

static snapshot take_snapshot(const alterrec_model *model) {
    snapshot taken = {.catalog = alterrec_model_catalog(model)};
    int64_t tensors = alterrec_model_tensor_count(model);
    alterrec_tensor tensor = {.struct_size = sizeof tensor};
    for (int pass = 0; pass < 2; pass++) {
        int64_t count = 0;
        for (int64_t t = 0; t < tensors; t++) {
            MUST(alterrec_model_tensor_describe(&tensor, model, t));
            if (pass == 1)
                MUST(alterrec_model_get_tensor(taken.values + count, model, tensor.name,
                                               tensor.count));
            count += tensor.count;
        }
        if (pass == 0)
            taken.values = ar_new(count, sizeof *taken.values);
        taken.count = count;
    }
    taken.last_name = tensor.name;
    return taken;
}

static void check_unchanged(const snapshot *before) {
    snapshot after = take_snapshot(small.model);
    ck_assert_ptr_eq(after.catalog, before->catalog);
    ck_assert_int_eq(after.count, before->count);
    ck_assert_mem_eq(after.values, before->values, (size_t)after.count * sizeof *after.values);
    ar_free(after.values);
}

START_TEST(what_was_there_stays) {
    static const int32_t scorers[] = {ALTERREC_ID, ALTERREC_TEXT, ALTERREC_FUSED};
    snapshot before = take_snapshot(small.model);
    float *scores[3];
    for (int i = 0; i < 3; i++)
        scores[i] = score(small.model, scorers[i]);
    MUST(add());
    snapshot after = take_snapshot(small.model);
    ck_assert_int_eq(after.count, before.count + NEW * SMALL_DIM);
    ck_assert_mem_eq(after.values, before.values, ITEMS * SMALL_DIM * sizeof(float));
    ck_assert_mem_eq(after.values + ALL * SMALL_DIM, before.values + ITEMS * SMALL_DIM,
                     (size_t)(before.count - ITEMS * SMALL_DIM) * sizeof(float));
    ck_assert_ptr_eq(after.last_name, before.last_name);
    const alterrec_catalog *catalog = alterrec_model_catalog(small.model);
    ck_assert_int_eq(alterrec_catalog_items(catalog), ALL);
    for (int32_t i = 0; i < ALL; i++) {
        const char *key = i < ITEMS ? alterrec_catalog_key(small.catalog, i) : keys[i - ITEMS];
        ck_assert_str_eq(alterrec_catalog_key(catalog, i), key);
        ck_assert_int_eq(alterrec_catalog_find(catalog, key), i);
        ck_assert_str_eq(alterrec_catalog_text(catalog, i), "");
    }
    ck_assert_mem_eq(catalog->features, small.catalog->features,
                     ITEMS * FEATURE_DIM * sizeof(float));
    ck_assert_mem_eq(catalog->features + ITEMS * FEATURE_DIM, features,
                     NEW * FEATURE_DIM * sizeof(float));
    for (int i = 0; i < 3; i++) {
        float *larger = score(small.model, scorers[i]);
        for (int64_t s = 0; s < SESSIONS; s++)
            ck_assert_mem_eq(larger + s * ALL, scores[i] + s * ITEMS, ITEMS * sizeof(float));
        ar_free(larger);
        ar_free(scores[i]);
    }
    ar_free(before.values);
    ar_free(after.values);
}
END_TEST

/* A model over all items from the start, with the parameters of the small model's text tower. */
static alterrec_model *model_from_the_start(void) {
    alterrec_catalog *catalog;
    alterrec_model *model;
    float *all = ar_new(ALL * FEATURE_DIM, sizeof *all);
    memcpy(all, small.catalog->features, ITEMS * FEATURE_DIM * sizeof *all);
    memcpy(all + ITEMS * FEATURE_DIM, features, NEW * FEATURE_DIM * sizeof *all);
    MUST(alterrec_catalog_create(&catalog, NULL, NULL, ALL));
    MUST(alterrec_catalog_set_features(catalog, all, ALL, FEATURE_DIM));
    MUST(alterrec_model_create(&model, catalog, small.config));
    alterrec_catalog_free(catalog);
    ar_free(all);
    const ar_tower *text = &small.model->text;
    for (int64_t t = 0; t < text->list.tensor_count; t++)
        MUST(alterrec_model_set_tensor(model, text->list.tensors[t].name,
                                       text->block + text->list.tensors[t].offset,
                                       text->list.tensors[t].count));
    return model;
}

/* The catalog of before is nobody's but the model's: who holds it keeps it as it is. */
START_TEST(a_held_catalog_stays_as_it_is) {
    static const char *const later[] = {"one more"};
    MUST(add());
    const alterrec_catalog *lent = alterrec_model_catalog(small.model);
    alterrec_catalog *held = alterrec_catalog_hold(lent);
    ck_assert_ptr_eq(held, lent);
    MUST(alterrec_model_add_items(small.model, later, NULL, features, 1));
    ck_assert_ptr_ne(alterrec_model_catalog(small.model), held);
    alterrec_model_free(small.model);
    small.model = NULL;
    ck_assert_int_eq(alterrec_catalog_items(held), ALL);
    ck_assert_int_eq(alterrec_catalog_find(held, keys[NEW - 1]), ALL - 1);
    ck_assert_int_eq(alterrec_catalog_find(held, later[0]), -1);
    ck_assert_mem_eq(alterrec_catalog_features(held) + ITEMS * FEATURE_DIM, features,
                     NEW * FEATURE_DIM * sizeof(float));
    alterrec_catalog_free(held);
}
END_TEST

START_TEST(text_scores_are_as_if_from_the_start) {
    alterrec_model *model = model_from_the_start();
    MUST(add());
    float *tables[2] = {ar_new(ALL * SMALL_DIM, sizeof(float)),
                        ar_new(ALL * SMALL_DIM, sizeof(float))};
    MUST(alterrec_model_item_vectors(tables[0], small.model, ALTERREC_TEXT));
    MUST(alterrec_model_item_vectors(tables[1], model, ALTERREC_TEXT));
    ck_assert_mem_eq(tables[0], tables[1], ALL * SMALL_DIM * sizeof(float));
    float *scores[2] = {score(small.model, ALTERREC_TEXT), score(model, ALTERREC_TEXT)};
    ck_assert_mem_eq(scores[0], scores[1], SESSIONS * ALL * sizeof(float));
    for (int i = 0; i < 2; i++) {
        ar_free(tables[i]);
        ar_free(scores[i]);
    }
    alterrec_model_free(model);
}
END_TEST

/* With all items as neighbours, every new item's ID score is the mean score. */
static void check_mean_scores(int64_t added) {
    float *scores = score(small.model, ALTERREC_ID);
    int64_t items = ITEMS + added;
    for (int64_t s = 0; s < SESSIONS; s++) {
        double sum = 0.0;
        for (int64_t i = 0; i < ITEMS; i++)
            sum += (double)scores[s * items + i];
        for (int64_t i = ITEMS; i < items; i++)
            ck_assert_double_eq_tol((double)scores[s * items + i], sum / ITEMS, 1e-4);
    }
    ar_free(scores);
}

START_TEST(mean_leaves_the_ranks_to_the_text) {
    MUST(alterrec_config_set(small.model->config, "model.new_items", "mean"));
    MUST(add());
    check_mean_scores(NEW);
}
END_TEST

START_TEST(model_without_text) {
    small_model_close(&small);
    small_model_open(&small, ITEMS, false);
    ck_assert_int_eq(add(), ALTERREC_ERROR_MISMATCH);
    ck_assert_str_eq(alterrec_last_error(), "alterrec_model_add_items: features are given, the "
                                            "items of the catalog have none");
    const char *texts[NEW] = {"a text", NULL};
    MUST(alterrec_model_add_items(small.model, keys, texts, NULL, NEW));
    check_mean_scores(NEW);
    const alterrec_catalog *catalog = alterrec_model_catalog(small.model);
    ck_assert_str_eq(alterrec_catalog_text(catalog, 3), "");
    ck_assert_str_eq(alterrec_catalog_text(catalog, ITEMS), "a text");
    ck_assert_str_eq(alterrec_catalog_text(catalog, ITEMS + 1), "");
}
END_TEST

static void expect(alterrec_status status, alterrec_status expected, const char *text) {
    ck_assert_int_eq(status, expected);
    ck_assert_msg(strstr(alterrec_last_error(), text) != NULL, "\"%s\" without \"%s\"",
                  alterrec_last_error(), text);
}

START_TEST(bad_arguments_change_nothing) {
    snapshot before = take_snapshot(small.model);
    const char *other[NEW], *texts[NEW] = {NULL};
    memcpy(other, keys, sizeof keys);
    static const struct {
        const char *key, *error;
    } bad[] = {{"", "keys[7] is empty"},
               {NULL, "keys[7] is NULL"},
               {"\xff", "keys[7] is not UTF-8"},
               {"12", "keys[7], `12`, is the key of item 12 already"},
               {"new 2", "keys[2] and keys[7] are both `new 2`"}};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        other[7] = bad[i].key;
        expect(alterrec_model_add_items(small.model, other, NULL, features, NEW),
               ALTERREC_ERROR_INVALID_ARGUMENT, bad[i].error);
        check_unchanged(&before);
    }
    texts[3] = "\xc0";
    expect(alterrec_model_add_items(small.model, keys, texts, features, NEW),
           ALTERREC_ERROR_INVALID_ARGUMENT, "texts[3] is not UTF-8");
    texts[3] = NULL;
    expect(alterrec_model_add_items(small.model, keys, NULL, features, 0),
           ALTERREC_ERROR_INVALID_ARGUMENT, "count 0 is outside 1..2147483601");
    expect(alterrec_model_add_items(small.model, keys, NULL, features, INT32_MAX),
           ALTERREC_ERROR_INVALID_ARGUMENT, "count 2147483647 is outside");
    expect(alterrec_model_add_items(small.model, NULL, NULL, features, NEW),
           ALTERREC_ERROR_INVALID_ARGUMENT, "keys");
    expect(alterrec_model_add_items(NULL, keys, NULL, features, NEW),
           ALTERREC_ERROR_INVALID_ARGUMENT, "model");
    expect(alterrec_model_add_items(small.model, keys, texts, NULL, NEW), ALTERREC_ERROR_MISMATCH,
           "[23, 12] values are needed");
    features[2 * FEATURE_DIM + 1] = NAN;
    expect(add(), ALTERREC_ERROR_INVALID_ARGUMENT, "row 2, column 1 is not finite");
    check_unchanged(&before);
    features[2 * FEATURE_DIM + 1] = 0.5f;
    MUST(add());
    expect(add(), ALTERREC_ERROR_INVALID_ARGUMENT,
           "keys[0], `new 0`, is the key of item 45 already");
    ar_free(before.values);
}
END_TEST

START_TEST(failed_allocations_change_nothing) {
    snapshot before = take_snapshot(small.model);
    alterrec_status status = ALTERREC_ERROR_OUT_OF_MEMORY;
    int64_t allocation = 1;
    for (; status != ALTERREC_OK; allocation++) {
        ar_memory_fail_after(allocation);
        status = add();
        ar_memory_fail_after(0);
        if (status != ALTERREC_OK) {
            ck_assert_int_eq(status, ALTERREC_ERROR_OUT_OF_MEMORY);
            check_unchanged(&before);
        }
    }
    ck_assert_int_gt(allocation, 15);
    float *scores = score(small.model, ALTERREC_FUSED);
    for (int64_t i = 0; i < SESSIONS * ALL; i++)
        ck_assert(isfinite(scores[i]));
    ar_free(scores);
    ar_free(before.values);
}
END_TEST

/* How many of the session's recommendations are new items, of k = all. */
static int count_new(const alterrec_recommender *recommender, int64_t k) {
    alterrec_batch *batch;
    int32_t best[ALL];
    int found = 0;
    MUST(alterrec_batch_create(&batch));
    MUST(alterrec_batch_add(batch, (int32_t[]){5, 6}, 2));
    MUST(alterrec_recommender_top_k(best, NULL, NULL, recommender, batch, k, NULL));
    for (int64_t i = 0; i < k; i++)
        found += best[i] >= ITEMS;
    alterrec_batch_free(batch);
    return found;
}

START_TEST(recommender_is_of_its_moment) {
    alterrec_recommender *before, *after;
    MUST(alterrec_recommender_create(&before, small.model, NULL));
    alterrec_catalog_free(small.catalog);
    small.catalog = NULL;
    MUST(add());
    MUST(alterrec_recommender_create(&after, small.model, NULL));
    ck_assert_int_eq(alterrec_catalog_items(alterrec_recommender_catalog(before)), ITEMS);
    ck_assert_str_eq(alterrec_catalog_key(alterrec_recommender_catalog(before), 44), "44");
    ck_assert_int_eq(count_new(before, ITEMS), 0);
    ck_assert_int_eq(count_new(after, ALL), NEW);
    /* A session of new items is scored, too. */
    alterrec_batch *batch;
    int32_t best[3];
    MUST(alterrec_batch_create(&batch));
    MUST(alterrec_batch_add(batch, (int32_t[]){ITEMS, ALL - 1}, 2));
    ck_assert_int_eq(alterrec_recommender_top_k(best, NULL, NULL, before, batch, 3, NULL),
                     ALTERREC_ERROR_INVALID_ARGUMENT);
    MUST(alterrec_recommender_top_k(best, NULL, NULL, after, batch, 3, NULL));
    alterrec_batch_free(batch);
    alterrec_recommender_free(before);
    alterrec_recommender_free(after);
}
END_TEST

START_TEST(saved_and_loaded) {
    const char *path = scratch_path("model");
    MUST(add());
    MUST(alterrec_model_save(small.model, path));
    alterrec_model *loaded;
    MUST(alterrec_model_load(&loaded, path));
    ck_assert_str_eq(alterrec_catalog_key(alterrec_model_catalog(loaded), ALL - 1), keys[NEW - 1]);
    float *scores[2] = {score(small.model, ALTERREC_FUSED), score(loaded, ALTERREC_FUSED)};
    ck_assert_mem_eq(scores[0], scores[1], SESSIONS * ALL * sizeof(float));
    ar_free(scores[0]);
    ar_free(scores[1]);
    alterrec_model_free(loaded);
}
END_TEST

/* ---- Features hashed from texts ---- */

static const char *const shop_keys[] = {"a", "b", "c", "d", "e"};
static const char *const shop_texts[] = {"red cotton shirt", "blue cotton shirt", "steel teapot",
                                         "white porcelain teapot", ""};
static const char *const more_keys[] = {"f", "g", "h"};
static const char *const more_texts[] = {"blue cotton shirt", "green linen blouse", NULL};

static alterrec_model *hashed_model(void) {
    alterrec_catalog *catalog;
    alterrec_model *model;
    alterrec_config *config;
    MUST(alterrec_config_clone(&config, small.config));
    MUST(alterrec_config_set(config, "text.dim", "64"));
    MUST(alterrec_config_set(config, "text.word_ngrams", "1"));
    MUST(alterrec_catalog_create(&catalog, shop_keys, shop_texts, 5));
    MUST(alterrec_catalog_hash_features(catalog, config));
    /* The model's own options say nothing of how its catalog was hashed. */
    MUST(alterrec_model_create(&model, catalog, small.config));
    alterrec_config_free(config);
    alterrec_catalog_free(catalog);
    return model;
}

static const float *features_of(const alterrec_model *model, int64_t item) {
    const alterrec_catalog *catalog = alterrec_model_catalog(model);
    return alterrec_catalog_features(catalog) + item * alterrec_catalog_feature_dim(catalog);
}

START_TEST(texts_are_hashed_as_the_first_ones) {
    alterrec_model *model = hashed_model();
    float first[5 * 64];
    memcpy(first, features_of(model, 0), sizeof first);
    expect(alterrec_model_add_items(model, more_keys, NULL, NULL, 3), ALTERREC_ERROR_MISMATCH,
           "features and texts are both NULL");
    MUST(alterrec_model_add_items(model, more_keys, more_texts, NULL, 3));
    ck_assert_mem_eq(features_of(model, 0), first, sizeof first);
    ck_assert_mem_eq(features_of(model, 5), features_of(model, 1), 64 * sizeof(float));
    ck_assert_mem_eq(features_of(model, 7), features_of(model, 4), 64 * sizeof(float));
    double squares = 0.0;
    for (int i = 0; i < 64; i++)
        squares += (double)features_of(model, 6)[i] * (double)features_of(model, 6)[i];
    ck_assert_double_eq_tol(squares, 1.0, 1e-5);
    /* The text of an added item takes no part in the weights of those after it. */
    MUST(alterrec_model_add_items(model, (const char *[]){"i"}, (const char *[]){more_texts[1]},
                                  NULL, 1));
    ck_assert_mem_eq(features_of(model, 8), features_of(model, 6), 64 * sizeof(float));
    alterrec_model_free(model);
}
END_TEST

START_TEST(file_keeps_how_texts_are_hashed) {
    const char *path = scratch_path("model");
    alterrec_model *model = hashed_model(), *loaded;
    MUST(alterrec_model_add_items(model, more_keys, more_texts, NULL, 2));
    MUST(alterrec_model_save(model, path));
    MUST(alterrec_model_load(&loaded, path));
    const char *key[] = {"i"}, *text[] = {"a green steel shirt"};
    MUST(alterrec_model_add_items(model, key, text, NULL, 1));
    MUST(alterrec_model_add_items(loaded, key, text, NULL, 1));
    ck_assert_mem_eq(features_of(model, 0), features_of(loaded, 0), 8 * 64 * sizeof(float));
    alterrec_model_free(model);
    alterrec_model_free(loaded);
}
END_TEST

START_TEST(damaged_word_of_hashing_is_refused) {
    static const char *const bad[] = {"",          "5",           "5 1 3 5",     "0 1 3 5 1",
                                      "6 1 3 5 1", "5 1 3 5 1 1", "5 1 3 5 -1",  "5 1 x 5 1",
                                      "5 0 3 0 1", "5 1 6 5 1",   "5 1001 3 5 1"};
    alterrec_model *model = hashed_model();
    MUST(alterrec_model_save(model, scratch_path("hashed")));
    alterrec_model_free(model);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        model_bytes file;
        char entry[64];
        model_bytes_read(&file, scratch_path("hashed"));
        model_bytes_drop_checksum(&file);
        (void)snprintf(entry, sizeof entry, "\"text_hash\":\"%s\"", bad[i]);
        model_bytes_edit(&file, "\"text_hash\":\"5 1 3 5 1\"", entry);
        const char *path = scratch_write_bytes("damaged", file.bytes, file.size);
        expect(alterrec_model_load(&model, path), ALTERREC_ERROR_PARSE, path);
        ck_assert_ptr_null(model);
        model_bytes_free(&file);
    }
    MUST(alterrec_model_load(&model, scratch_path("hashed")));
    alterrec_model_free(model);
}
END_TEST

START_TEST(failed_allocations_while_hashing) {
    alterrec_model *model = hashed_model();
    alterrec_status status = ALTERREC_ERROR_OUT_OF_MEMORY;
    for (int64_t allocation = 1; status != ALTERREC_OK; allocation++) {
        ar_memory_fail_after(allocation);
        status = alterrec_model_add_items(model, more_keys, more_texts, NULL, 3);
        ar_memory_fail_after(0);
        ck_assert(status == ALTERREC_OK || status == ALTERREC_ERROR_OUT_OF_MEMORY);
        ck_assert_int_eq(alterrec_catalog_items(alterrec_model_catalog(model)),
                         status == ALTERREC_OK ? 8 : 5);
    }
    alterrec_model_free(model);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("add_items");
    TCase *tests = tcase_create("add_items");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, what_was_there_stays);
    tcase_add_test(tests, a_held_catalog_stays_as_it_is);
    tcase_add_test(tests, text_scores_are_as_if_from_the_start);
    tcase_add_test(tests, mean_leaves_the_ranks_to_the_text);
    tcase_add_test(tests, model_without_text);
    tcase_add_test(tests, bad_arguments_change_nothing);
    tcase_add_test(tests, failed_allocations_change_nothing);
    tcase_add_test(tests, recommender_is_of_its_moment);
    tcase_add_test(tests, saved_and_loaded);
    tcase_add_test(tests, texts_are_hashed_as_the_first_ones);
    tcase_add_test(tests, file_keeps_how_texts_are_hashed);
    tcase_add_test(tests, damaged_word_of_hashing_is_refused);
    tcase_add_test(tests, failed_allocations_while_hashing);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
