/* Arguments that are not NULL and still wrong: sizes, indices, counts, numbers that are none. Each
 * is refused twice, and the handle goes on. */
#include "support/shop.h"
#include "support/small_model.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { ITEMS = 40 };

static shop s;
static alterrec_model *model;
static alterrec_batch *batch;

static void set_up(void) {
    shop_open(&s, ITEMS, 30);
    shop_set(&s, "compute.threads", "1");
    MUST(alterrec_model_create(&model, s.catalog, s.config));
    MUST(alterrec_batch_create(&batch));
}

static void tear_down(void) {
    alterrec_batch_free(batch);
    alterrec_model_free(model);
    shop_close(&s);
}

/* The text begins with the function's name and holds `text`. */
static void check_refused(alterrec_status status, const char *function, const char *text) {
    ck_assert_msg(status == ALTERREC_ERROR_INVALID_ARGUMENT, "%s: %s, %s", function,
                  alterrec_status_name(status), alterrec_last_error());
    ck_assert_msg(strncmp(alterrec_last_error(), function, strlen(function)) == 0,
                  "\"%s\" does not begin with %s", alterrec_last_error(), function);
    ck_assert_msg(strstr(alterrec_last_error(), text) != NULL, "\"%s\" lacks \"%s\"",
                  alterrec_last_error(), text);
}

#define REFUSES(text, function, ...)                                                               \
    do {                                                                                           \
        check_refused(function(__VA_ARGS__), #function, text);                                     \
        check_refused(function(__VA_ARGS__), #function, text);                                     \
    } while (0)

/* A struct whose struct_size is 0, as in one that was zeroed, or a byte less than the least; and
 * that of a host which knows more fields. */
#define REFUSES_SIZES(type, function, ...)                                                         \
    do {                                                                                           \
        type record;                                                                               \
        static const uint32_t sizes[] = {0, 1, 4, 8, sizeof(type) - 1};                            \
        for (size_t size = 0; size < sizeof sizes / sizeof *sizes; size++) {                       \
            memset(&record, 0x55, sizeof record);                                                  \
            record.struct_size = sizes[size];                                                      \
            type before = record;                                                                  \
            REFUSES("struct_size", function, &record, __VA_ARGS__);                                \
            ck_assert_mem_eq(&record, &before, sizeof record);                                     \
        }                                                                                          \
        struct {                                                                                   \
            type record;                                                                           \
            char beyond[16];                                                                       \
        } larger = {.record = {.struct_size = sizeof larger}, .beyond = "untouched"};              \
        MUST(function(&larger.record, __VA_ARGS__));                                               \
        ck_assert_uint_eq(larger.record.struct_size, sizeof larger);                               \
        ck_assert_str_eq(larger.beyond, "untouched");                                              \
    } while (0)

START_TEST(test_struct_sizes) {
    alterrec_trainer *trainer;
    MUST(alterrec_trainer_create(&trainer, model, s.train, NULL, NULL));
    REFUSES_SIZES(alterrec_option, alterrec_option_describe, 0);
    REFUSES_SIZES(alterrec_tensor, alterrec_model_tensor_describe, model, 0);
    REFUSES_SIZES(alterrec_plan, alterrec_trainer_plan, trainer);
    REFUSES_SIZES(alterrec_epoch_report, alterrec_trainer_epoch, trainer, NULL);
    ck_assert_int_eq(alterrec_trainer_epochs(trainer), 1);
    REFUSES_SIZES(alterrec_epoch_report, alterrec_trainer_report, trainer, 0);
    const int32_t items[] = {1, 2, 3}, labels[] = {2, 3, 4};
    MUST(alterrec_batch_add_labelled(batch, items, labels, 3));
    REFUSES_SIZES(alterrec_step_report, alterrec_trainer_step, trainer, batch, NULL);
    REFUSES_SIZES(alterrec_epoch_report, alterrec_trainer_end_epoch, trainer);
    ck_assert_int_eq(alterrec_trainer_epochs(trainer), 2);
    alterrec_trainer_free(trainer);
}
END_TEST

START_TEST(test_sizes_of_plans) {
    alterrec_trainer *trainer;
    struct {
        alterrec_plan plan;
        char beyond[16];
    } larger = {.plan = {.struct_size = sizeof larger}, .beyond = "untouched"};
    MUST(alterrec_trainer_create(&trainer, model, s.train, NULL, NULL));
    MUST(alterrec_trainer_plan(&larger.plan, trainer));
    MUST(alterrec_trainer_epoch(NULL, trainer, &larger.plan));
    ck_assert_uint_eq(larger.plan.struct_size, sizeof larger);
    ck_assert_str_eq(larger.beyond, "untouched");
    larger.plan.struct_size = sizeof(alterrec_plan) - 1;
    REFUSES("alterrec_plan: struct_size", alterrec_trainer_epoch, NULL, trainer, &larger.plan);
    ck_assert_int_eq(alterrec_trainer_epochs(trainer), 1);
    alterrec_trainer_free(trainer);
}
END_TEST

START_TEST(test_sizes_of_searches) {
    alterrec_recommender *recommender;
    int32_t top;
    struct {
        alterrec_search_report report;
        char beyond[16];
    } larger = {.report = {.struct_size = sizeof larger}, .beyond = "untouched"};
    alterrec_search search = {.struct_size = sizeof search + 16}; /* of a later version */
    MUST(alterrec_recommender_create(&recommender, model, NULL));
    MUST(alterrec_batch_add(batch, &(int32_t){3}, 1));
    MUST(alterrec_recommender_top_k(&top, NULL, &larger.report, recommender, batch, 1, &search));
    ck_assert_int_eq(larger.report.guaranteed, 1);
    ck_assert_uint_eq(larger.report.struct_size, sizeof larger);
    ck_assert_str_eq(larger.beyond, "untouched");
    larger.report.struct_size = sizeof(alterrec_search_report) - 1;
    REFUSES("alterrec_search_report: struct_size", alterrec_recommender_top_k, &top, NULL,
            &larger.report, recommender, batch, 1, NULL);
    search.struct_size = sizeof search - 1;
    REFUSES("alterrec_search: struct_size", alterrec_recommender_top_k, &top, NULL, NULL,
            recommender, batch, 1, &search);
    alterrec_recommender_free(recommender);
}
END_TEST

/* The range of compute.threads: for more, OpenMP would end the process. */
START_TEST(test_threads_of_searches) {
    static const int32_t wrong[] = {-1, 1025, INT32_MAX, INT32_MIN};
    const int32_t items[] = {1, 2, 3};
    int32_t top;
    float score;
    alterrec_recommender *recommender;
    alterrec_search search = {.struct_size = sizeof search};
    MUST(alterrec_recommender_create(&recommender, model, NULL));
    MUST(alterrec_batch_add(batch, items, 3));
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        search.threads = wrong[i];
        REFUSES("search->threads is ", alterrec_recommender_top_k, &top, NULL, NULL, recommender,
                batch, 1, &search);
        REFUSES("outside 0..1024", alterrec_recommender_score, &score, NULL, NULL, recommender,
                batch, items, 1, &search);
    }
    search.threads = 1;
    MUST(alterrec_recommender_top_k(&top, NULL, NULL, recommender, batch, 1, &search));
    alterrec_recommender_free(recommender);
    MUST(alterrec_config_set(s.config, "compute.threads", "1024"));
    ck_assert_int_eq(alterrec_config_set(s.config, "compute.threads", "1025"),
                     ALTERREC_ERROR_INVALID_ARGUMENT);
}
END_TEST

static const int64_t outside[] = {-1, -2, INT64_MIN, INT64_MAX, 1000000};
enum { OUTSIDE = sizeof outside / sizeof *outside };

START_TEST(test_indices) {
    alterrec_option option = {.struct_size = sizeof option};
    alterrec_tensor tensor = {.struct_size = sizeof tensor};
    const int32_t *items = NULL;
    int64_t length = 7;
    for (int i = 0; i < OUTSIDE; i++) {
        REFUSES("", alterrec_option_describe, &option, outside[i]);
        REFUSES("", alterrec_model_tensor_describe, &tensor, model, outside[i]);
        REFUSES("", alterrec_sessions_get, &items, &length, s.train, outside[i]);
    }
    REFUSES("", alterrec_option_describe, &option, alterrec_option_count());
    REFUSES("", alterrec_model_tensor_describe, &tensor, model, alterrec_model_tensor_count(model));
    REFUSES("", alterrec_sessions_get, &items, &length, s.train, alterrec_sessions_count(s.train));
    ck_assert_ptr_null(items);
    ck_assert_int_eq(length, 7);
    static const int32_t no_items[] = {-1, ITEMS, INT32_MIN, INT32_MAX};
    for (int i = 0; i < 4; i++) {
        ck_assert_ptr_null(alterrec_catalog_key(s.catalog, no_items[i]));
        ck_assert_ptr_null(alterrec_catalog_text(s.catalog, no_items[i]));
    }
    ck_assert_int_eq(alterrec_catalog_find(s.catalog, ""), -1);
    ck_assert_ptr_null(alterrec_dataset_sessions(NULL, 7));
    ck_assert_str_eq(alterrec_catalog_key(s.catalog, ITEMS - 1), "39");
}
END_TEST

START_TEST(test_catalogs) {
    static const char *const keys[] = {"a", NULL, "b", "", "a", "\xFF"};
    static const char *const bad_texts[] = {"x", "\xC3"};
    static const float features[] = {1, 2, NAN, 4, INFINITY, 6};
    alterrec_catalog *made = s.catalog;
    static const int64_t counts[] = {0, -1, INT64_MIN, INT32_MAX, INT64_MAX};
    for (int i = 0; i < 5; i++) {
        REFUSES("items ", alterrec_catalog_create, &made, NULL, NULL, counts[i]);
        ck_assert_ptr_null(made);
    }
    REFUSES("item 1 is NULL", alterrec_catalog_create, &made, keys, NULL, 2);
    REFUSES("item 1 is empty", alterrec_catalog_create, &made, keys + 2, NULL, 2);
    const char *const same[] = {"a", "b", "a"};
    REFUSES("items 0 and 2 have the same key `a`", alterrec_catalog_create, &made, same, NULL, 3);
    REFUSES("item 1 is not UTF-8", alterrec_catalog_create, &made, keys + 4, NULL, 2);
    REFUSES("item 1 is not UTF-8", alterrec_catalog_create, &made, NULL, bad_texts, 2);
    ck_assert_ptr_null(made);
    MUST(alterrec_catalog_create(&made, same, NULL, 2));
    REFUSES("dim is 0", alterrec_catalog_set_features, made, features, 2, 0);
    REFUSES("dim is -1", alterrec_catalog_set_features, made, features, 2, -1);
    REFUSES("dim is", alterrec_catalog_set_features, made, features, 2, INT64_MAX);
    REFUSES("row 1, column 0", alterrec_catalog_set_features, made, features, 2, 2);
    REFUSES("row 0, column 2", alterrec_catalog_set_features, made, features, 2, 3);
    ck_assert_int_eq(alterrec_catalog_set_features(made, features, 3, 1), ALTERREC_ERROR_MISMATCH);
    ck_assert_int_eq(alterrec_catalog_feature_dim(made), 0);
    MUST(alterrec_catalog_set_features(made, features, 2, 1));
    REFUSES("row 1, column 0", alterrec_catalog_set_features, made, features, 2, 2);
    ck_assert_mem_eq(alterrec_catalog_features(made), features, 2 * sizeof(float));
    alterrec_catalog_free(made);
}
END_TEST

START_TEST(test_session_arrays) {
    static const int32_t items[] = {0, 1, ITEMS, 3, -1};
    static const int64_t good[] = {0, 2}, late[] = {1, 2}, falling[] = {0, 2, 1}, bad[] = {0, 3},
                         negative[] = {0, 5};
    alterrec_sessions *made = s.train;
    REFUSES("count is -1", alterrec_sessions_create, &made, s.catalog, items, good, -1);
    ck_assert_ptr_null(made);
    REFUSES("offsets[0] is 1", alterrec_sessions_create, &made, s.catalog, items, late, 1);
    REFUSES("offsets", alterrec_sessions_create, &made, s.catalog, items, falling, 2);
    REFUSES("40", alterrec_sessions_create, &made, s.catalog, items, bad, 1);
    REFUSES("-1", alterrec_sessions_create, &made, s.catalog, items + 3, negative, 1);
    ck_assert_ptr_null(made);
    MUST(alterrec_sessions_create(&made, s.catalog, items, good, 1));
    ck_assert_int_eq(alterrec_sessions_interactions(made), 2);
    alterrec_sessions_free(made);
}
END_TEST

START_TEST(test_batches) {
    static const int32_t items[] = {0, 1, -3};
    float scores[ITEMS];
    REFUSES("length is 0", alterrec_batch_add, batch, items, 0);
    REFUSES("length is -1", alterrec_batch_add, batch, items, -1);
    REFUSES("item -3 at position 2", alterrec_batch_add, batch, items, 3);
    ck_assert_int_eq(alterrec_batch_count(batch), 0);
    REFUSES("session is 0", alterrec_batch_exclude, batch, 0, items, 2);
    MUST(alterrec_batch_add(batch, items, 2));
    REFUSES("session is 1", alterrec_batch_exclude, batch, 1, items, 2);
    REFUSES("session is -2", alterrec_batch_exclude, batch, -2, items, 2);
    REFUSES("count is -1", alterrec_batch_exclude, batch, 0, items, -1);
    REFUSES("item -3 at position 2", alterrec_batch_exclude, batch, -1, items, 3);
    MUST(alterrec_batch_exclude(batch, -1, items, 0));
    MUST(alterrec_model_score(scores, model, ALTERREC_FUSED, batch));
}
END_TEST

START_TEST(test_top_k) {
    static const int64_t bad[] = {0, -1, ITEMS + 1, INT64_MIN, INT64_MAX};
    static const int32_t item = 5, far = ITEMS;
    int32_t items[ITEMS];
    alterrec_recommender *recommender;
    MUST(alterrec_recommender_create(&recommender, model, NULL));
    REFUSES("the batch has no session", alterrec_recommender_top_k, items, NULL, NULL, recommender,
            batch, 1, NULL);
    MUST(alterrec_batch_add(batch, &item, 1));
    for (int i = 0; i < 5; i++)
        REFUSES("is outside 1..40", alterrec_recommender_top_k, items, NULL, NULL, recommender,
                batch, bad[i], NULL);
    MUST(alterrec_recommender_top_k(items, NULL, NULL, recommender, batch, ITEMS, NULL));
    MUST(alterrec_batch_exclude(batch, 0, &far, 1));
    REFUSES("excluded item 40", alterrec_recommender_top_k, items, NULL, NULL, recommender, batch,
            1, NULL);
    MUST(alterrec_batch_clear(batch));
    MUST(alterrec_batch_add(batch, &far, 1));
    REFUSES("item 40", alterrec_recommender_top_k, items, NULL, NULL, recommender, batch, 1, NULL);
    MUST(alterrec_batch_clear(batch));
    MUST(alterrec_batch_add(batch, &item, 1));
    MUST(alterrec_recommender_top_k(items, NULL, NULL, recommender, batch, 1, NULL));
    ck_assert_int_ge(items[0], 0);
    alterrec_recommender_free(recommender);
}
END_TEST

START_TEST(test_evaluation_figures) {
    double value = 7.0;
    int64_t low = 7;
    alterrec_evaluation *evaluation;
    MUST(alterrec_evaluate(&evaluation, model, s.valid, s.train, NULL, NULL, NULL));
    static const int32_t scorers[] = {0, -1, 5, INT32_MAX}, metrics[] = {-1, 3, INT32_MIN};
    for (int i = 0; i < 4; i++)
        REFUSES("scorer", alterrec_evaluation_metric, &value, evaluation, scorers[i], ALTERREC_HITS,
                10, -1);
    for (int i = 0; i < 3; i++)
        REFUSES("metric", alterrec_evaluation_metric, &value, evaluation, ALTERREC_ID, metrics[i],
                10, -1);
    int64_t groups = alterrec_evaluation_groups(evaluation);
    const int64_t bad[] = {-2, groups, INT64_MAX, INT64_MIN};
    for (int i = 0; i < 4; i++) {
        REFUSES("group", alterrec_evaluation_metric, &value, evaluation, ALTERREC_ID, ALTERREC_HITS,
                10, bad[i]);
        REFUSES("group", alterrec_evaluation_group, &low, NULL, NULL, evaluation, bad[i]);
    }
    REFUSES("group", alterrec_evaluation_group, &low, NULL, NULL, evaluation, -1);
    for (int round = 0; round < 2; round++)
        ck_assert_int_eq(
            alterrec_evaluation_metric(&value, evaluation, ALTERREC_ID, ALTERREC_HITS, 11, -1),
            ALTERREC_ERROR_NOT_FOUND);
    ck_assert_double_eq(value, 7.0);
    ck_assert_int_eq(low, 7);
    MUST(alterrec_evaluation_metric(&value, evaluation, ALTERREC_ID, ALTERREC_HITS, 10, -1));
    ck_assert_double_ne(value, 7.0);
    alterrec_evaluation_free(evaluation);
}
END_TEST

START_TEST(test_trainer_reports) {
    alterrec_trainer *trainer;
    alterrec_epoch_report report = {.struct_size = sizeof report, .examples = 7};
    MUST(alterrec_trainer_create(&trainer, model, s.train, NULL, NULL));
    REFUSES("epoch 0", alterrec_trainer_report, &report, trainer, 0);
    MUST(alterrec_trainer_epoch(NULL, trainer, NULL));
    for (int i = 0; i < OUTSIDE; i++)
        REFUSES("epoch", alterrec_trainer_report, &report, trainer, outside[i]);
    REFUSES("epoch 1", alterrec_trainer_report, &report, trainer, 1);
    ck_assert_int_eq(report.examples, 7);
    MUST(alterrec_trainer_report(&report, trainer, 0));
    ck_assert_int_ne(report.examples, 7);
    alterrec_trainer_free(trainer);
}
END_TEST

/* Things that are each right and do not belong together. */
START_TEST(test_other_catalogs) {
    static const char *const keys[] = {"x", "y", "z"};
    static const int32_t items[] = {0, 1};
    static const int64_t offsets[] = {0, 2};
    alterrec_catalog *other;
    alterrec_sessions *sessions;
    alterrec_trainer *trainer;
    alterrec_evaluation *evaluation;
    MUST(alterrec_catalog_create(&other, keys, NULL, 3));
    MUST(alterrec_sessions_create(&sessions, other, items, offsets, 1));
    for (int round = 0; round < 2; round++) {
        ck_assert_int_eq(alterrec_trainer_create(&trainer, model, sessions, NULL, NULL),
                         ALTERREC_ERROR_MISMATCH);
        ck_assert_ptr_null(trainer);
        ck_assert_int_eq(alterrec_trainer_create(&trainer, model, s.train, sessions, NULL),
                         ALTERREC_ERROR_MISMATCH);
        ck_assert_int_eq(alterrec_evaluate(&evaluation, model, sessions, NULL, NULL, NULL, NULL),
                         ALTERREC_ERROR_MISMATCH);
        ck_assert_ptr_null(evaluation);
        ck_assert_int_eq(alterrec_evaluate(&evaluation, model, s.valid, sessions, NULL, NULL, NULL),
                         ALTERREC_ERROR_MISMATCH);
    }
    MUST(alterrec_evaluate(&evaluation, model, s.valid, s.train, NULL, NULL, NULL));
    alterrec_evaluation_free(evaluation);
    alterrec_sessions_free(sessions);
    alterrec_catalog_free(other);
}
END_TEST

/* No elements, and no array: of none it is an error, where none are allowed at all. */
START_TEST(test_arrays_of_nothing) {
    alterrec_sessions *sessions;
    MUST(alterrec_sessions_create(&sessions, s.catalog, NULL, NULL, 0));
    ck_assert_int_eq(alterrec_sessions_count(sessions), 0);
    ck_assert_int_eq(alterrec_sessions_interactions(sessions), 0);
    alterrec_sessions_free(sessions);
    const int64_t offsets[] = {0, 0, 0, 1};
    MUST(alterrec_sessions_create(&sessions, s.catalog, NULL, offsets, 2));
    ck_assert_int_eq(alterrec_sessions_count(sessions), 2);
    ck_assert_int_eq(alterrec_sessions_interactions(sessions), 0);
    alterrec_sessions_free(sessions);
    REFUSES("`items`", alterrec_sessions_create, &sessions, s.catalog, NULL, offsets, 3);
    REFUSES("`offsets`", alterrec_sessions_create, &sessions, s.catalog, NULL, NULL, 1);
    REFUSES("", alterrec_sessions_create, &sessions, s.catalog, NULL, NULL, -1);
    REFUSES("", alterrec_sessions_create, &sessions, s.catalog, NULL, offsets, -1);

    const int32_t item = 3;
    MUST(alterrec_batch_set_negatives(batch, NULL, 0, 4));
    MUST(alterrec_batch_add_labelled(batch, &item, &item, 1));
    REFUSES("`negatives`", alterrec_batch_set_negatives, batch, NULL, 1, 4);
    for (int64_t session = -1; session <= 0; session++) {
        MUST(alterrec_batch_exclude(batch, session, NULL, 0));
        REFUSES("`items`", alterrec_batch_exclude, batch, session, NULL, 1);
        REFUSES("", alterrec_batch_exclude, batch, session, NULL, -1);
    }

    MUST(alterrec_config_read_text(s.config, NULL, 0));
    MUST(alterrec_config_read_text(s.config, "", 0));
    REFUSES("`text`", alterrec_config_read_text, s.config, NULL, 1);
}
END_TEST

/* The sizes of arrays of one value each. Were they believed, reading would end the process. */
START_TEST(test_counts_of_no_array) {
    static const int32_t item = 3;
    static const int64_t counts[] = {INT64_MAX, INT64_MAX / 2, INT64_MAX / 8 + 1};
    static const float value = 1;
    alterrec_sessions *sessions;
    alterrec_catalog *catalog;
    alterrec_recommender *recommender;
    alterrec_filter *filter;
    alterrec_live_session *live;
    float score = 7;
    int32_t best = 7;
    MUST(alterrec_catalog_create(&catalog, NULL, NULL, 1));
    MUST(alterrec_recommender_create(&recommender, model, NULL));
    MUST(alterrec_filter_create(&filter, ITEMS));
    MUST(alterrec_live_session_create(&live, recommender));
    MUST(alterrec_live_session_push(live, item));
    MUST(alterrec_batch_add_labelled(batch, &item, &item, 1));
    for (int i = 0; i < 3; i++) {
        int64_t n = counts[i], offsets[] = {0, n};
        REFUSES("dim", alterrec_catalog_set_features, catalog, &value, 1, n);
        REFUSES("count", alterrec_sessions_create, &sessions, s.catalog, &item, offsets, n);
        REFUSES("offset", alterrec_sessions_create, &sessions, s.catalog, &item, offsets, 1);
        REFUSES("length", alterrec_batch_add, batch, &item, n);
        REFUSES("length", alterrec_batch_add_labelled, batch, &item, &item, n);
        REFUSES("count", alterrec_batch_set_negatives, batch, &item, 1, n);
        REFUSES("count", alterrec_batch_exclude, batch, 0, &item, n);
        REFUSES("count", alterrec_batch_exclude, batch, -1, &item, n);
        REFUSES("session", alterrec_batch_exclude, batch, n, &item, 1);
        REFUSES("count", alterrec_filter_allow_only, filter, &item, n);
        REFUSES("count", alterrec_filter_exclude, filter, &item, n);
        REFUSES("count", alterrec_recommender_score, &score, NULL, NULL, recommender, batch, &item,
                n, NULL);
        REFUSES("items", alterrec_recommender_item_vectors, &score, recommender, 0, n);
        REFUSES("items", alterrec_recommender_item_vectors, &score, recommender, n, 1);
        REFUSES("items", alterrec_recommender_item_vectors, &score, recommender, n, n);
        REFUSES("count", alterrec_live_sessions_push, &live, &item, n, 1);
        REFUSES("count", alterrec_live_session_exclude, live, &item, n);
        REFUSES("k ", alterrec_live_session_top_k, &best, NULL, NULL, live, n, NULL);
        REFUSES("k ", alterrec_live_sessions_top_k, &best, NULL, NULL, &live, 1, n, NULL);
        REFUSES("count", alterrec_live_sessions_top_k, &best, NULL, NULL, &live, n, 1, NULL);
        REFUSES("count", alterrec_live_session_score, &score, NULL, NULL, live, &item, n, NULL);
        ck_assert_int_eq(alterrec_filter_allow_bitmap(filter, (const uint8_t *)"", n),
                         ALTERREC_ERROR_MISMATCH);
        ck_assert_int_eq(alterrec_filter_cap(filter, &item, n, 1), ALTERREC_ERROR_MISMATCH);
    }
    /* Two rows, of which only both together are too much. */
    MUST(alterrec_batch_add_labelled(batch, &item, &item, 1));
    REFUSES("count", alterrec_batch_set_negatives, batch, &item, 2, INT64_MAX / 8);
    REFUSES("count", alterrec_recommender_score, &score, NULL, NULL, recommender, batch, &item,
            INT64_MAX / 8, NULL);
    ck_assert_int_eq(alterrec_batch_count(batch), 2);
    ck_assert_int_eq(best, 7);
    ck_assert_double_eq((double)score, 7);
    MUST(alterrec_live_session_top_k(&best, NULL, NULL, live, 1, NULL));
    alterrec_live_session_free(live);
    alterrec_filter_free(filter);
    alterrec_recommender_free(recommender);
    alterrec_catalog_free(catalog);
}
END_TEST

/* More candidates, or more of a category, than there are items: no other list than with all. */
START_TEST(test_more_than_all) {
    enum { K = 10 };
    static const int64_t much[] = {ITEMS, ITEMS + 1, INT64_MAX / 8, INT64_MAX / 2 + 1, INT64_MAX};
    int32_t categories[ITEMS], expected[K], items[K];
    float scores[K], other[K];
    alterrec_recommender *recommender;
    alterrec_filter *filter;
    alterrec_search search = {.struct_size = sizeof search};
    for (int i = 0; i < ITEMS; i++)
        categories[i] = i % 2;
    MUST(alterrec_recommender_create(&recommender, model, NULL));
    MUST(alterrec_filter_create(&filter, ITEMS));
    MUST(alterrec_batch_add(batch, (int32_t[]){5, 6}, 2));
    MUST(alterrec_recommender_top_k(expected, scores, NULL, recommender, batch, K, NULL));
    for (int i = 0; i < 5; i++) {
        search.candidates = much[i];
        MUST(alterrec_filter_cap(filter, categories, ITEMS, much[i]));
        for (int capped = 0; capped < 2; capped++) {
            search.filter = capped ? filter : NULL;
            MUST(alterrec_recommender_top_k(items, other, NULL, recommender, batch, K, &search));
            ck_assert_mem_eq(items, expected, sizeof items);
            ck_assert_mem_eq(other, scores, sizeof scores);
        }
    }
    alterrec_filter_free(filter);
    alterrec_recommender_free(recommender);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("arguments_ranges");
    TCase *cases = tcase_create("arguments_ranges");
    tcase_add_checked_fixture(cases, set_up, tear_down);
    tcase_add_test(cases, test_struct_sizes);
    tcase_add_test(cases, test_sizes_of_plans);
    tcase_add_test(cases, test_sizes_of_searches);
    tcase_add_test(cases, test_threads_of_searches);
    tcase_add_test(cases, test_indices);
    tcase_add_test(cases, test_catalogs);
    tcase_add_test(cases, test_session_arrays);
    tcase_add_test(cases, test_batches);
    tcase_add_test(cases, test_top_k);
    tcase_add_test(cases, test_evaluation_figures);
    tcase_add_test(cases, test_trainer_reports);
    tcase_add_test(cases, test_other_catalogs);
    tcase_add_test(cases, test_arrays_of_nothing);
    tcase_add_test(cases, test_counts_of_no_array);
    tcase_add_test(cases, test_more_than_all);
    suite_add_tcase(suite, cases);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
