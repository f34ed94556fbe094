/* NULL, for every pointer argument of every public function: refused by name, or accepted as the
 * header says. What is tried is compared with the header, so that no argument is forgotten. */
#include "scratch.h"
#include "support/header.h"
#include "support/shop.h"
#include "support/small_model.h"

#include <math.h>

/* ---- What was tried ---- */

enum { MOST_TRIED = 512 };

static struct { const char *function, *argument; } tried[MOST_TRIED];
static int tried_count;

/* `argument` "": the function has none that points. */
static void note(const char *function, const char *argument) {
    ck_assert_int_lt(tried_count, MOST_TRIED);
    tried[tried_count].function = function;
    tried[tried_count++].argument = argument;
}

static bool was_tried(const char *function, const char *argument) {
    for (int i = 0; i < tried_count; i++)
        if (strcmp(tried[i].function, function) == 0 && strcmp(tried[i].argument, argument) == 0)
            return true;
    return false;
}

static void check_refused(const char *function, const char *argument, alterrec_status status) {
    char expected[256];
    note(function, argument);
    ck_assert_msg(status == ALTERREC_ERROR_INVALID_ARGUMENT, "%s, %s NULL: %s", function, argument,
                  alterrec_status_name(status));
    (void)snprintf(expected, sizeof expected, "%s: argument `%s` is NULL", function, argument);
    ck_assert_str_eq(alterrec_last_error(), expected);
}

/* Calls the function with NULL for `argument`: it must say that. */
#define REFUSES(function, argument, ...) check_refused(#function, #argument, function(__VA_ARGS__))

/* It must take it. */
#define TAKES(function, argument, ...)                                                             \
    do {                                                                                           \
        note(#function, #argument);                                                                \
        MUST(function(__VA_ARGS__));                                                               \
    } while (0)

/* It has no status and must return `expected`. */
#define GIVES(function, argument, expected, ...)                                                   \
    do {                                                                                           \
        note(#function, #argument);                                                                \
        ck_assert(function(__VA_ARGS__) == (expected));                                            \
    } while (0)

#define FREES(function, argument)                                                                  \
    do {                                                                                           \
        note(#function, #argument);                                                                \
        function(NULL);                                                                            \
    } while (0)

/* ---- Handles that work ---- */

enum { ITEMS = 40 };

static shop s;
static alterrec_batch *batch;
static alterrec_model *model;
static alterrec_trainer *trainer;
static alterrec_evaluation *evaluation;
static alterrec_recommender *recommender;
static alterrec_dataset *dataset;
static float scores[ITEMS * 16];
static int32_t top[ITEMS];

static void open_dataset(void) {
    alterrec_config *config;
    const char *path = scratch_write("shop.txt", "a b c\nb c\nc a b\na c\nb a c\n");
    MUST(alterrec_config_create(&config));
    MUST(alterrec_config_set(config, "data.train", path));
    MUST(alterrec_dataset_read(&dataset, config));
    alterrec_config_free(config);
}

static void set_up(void) {
    scratch_open();
    shop_open(&s, ITEMS, 30);
    shop_set(&s, "compute.threads", "1");
    MUST(alterrec_model_create(&model, s.catalog, s.config));
    MUST(alterrec_batch_create(&batch));
    MUST(alterrec_batch_add(batch, (int32_t[]){1, 2, 3}, 3));
    MUST(alterrec_trainer_create(&trainer, model, s.train, s.valid, NULL));
    MUST(alterrec_trainer_epoch(NULL, trainer, NULL));
    MUST(alterrec_evaluate(&evaluation, model, s.valid, s.train, NULL, NULL, NULL));
    MUST(alterrec_recommender_create(&recommender, model, NULL));
    open_dataset();
}

static void tear_down(void) {
    alterrec_dataset_free(dataset);
    alterrec_recommender_free(recommender);
    alterrec_evaluation_free(evaluation);
    alterrec_trainer_free(trainer);
    alterrec_batch_free(batch);
    alterrec_model_free(model);
    shop_close(&s);
    scratch_close();
}

/* ---- The functions, in the order of the header ---- */

static void try_version_and_errors(void) {
    char text[8];
    note("alterrec_version", "");
    ck_assert_uint_eq(alterrec_version(), ALTERREC_VERSION_MAJOR * 1000000 +
                                              ALTERREC_VERSION_MINOR * 1000 +
                                              ALTERREC_VERSION_PATCH);
    note("alterrec_build_info", "");
    ck_assert_ptr_nonnull(strstr(alterrec_build_info(), "oneDNN"));
    note("alterrec_status_name", "");
    ck_assert_str_eq(alterrec_status_name(1), "UNKNOWN");
    ck_assert_str_eq(alterrec_status_name(INT32_MIN), "UNKNOWN");
    note("alterrec_last_error", "");
    ck_assert_ptr_nonnull(alterrec_last_error());
    (void)alterrec_batch_clear(NULL);
    size_t length = strlen(alterrec_last_error());
    GIVES(alterrec_last_error_copy, buffer, length, NULL, 100);
    ck_assert_uint_eq(alterrec_last_error_copy(text, sizeof text), length);
    ck_assert_str_eq(text, "alterre");
    ck_assert_uint_eq(alterrec_last_error_copy(text, 0), length);
    ck_assert_str_eq(text, "alterre");
}

static void try_config(void) {
    alterrec_config *made = NULL;
    const char *value;
    REFUSES(alterrec_config_create, config, NULL);
    REFUSES(alterrec_config_clone, config, NULL, s.config);
    TAKES(alterrec_config_clone, source, &made, NULL);
    FREES(alterrec_config_free, config);
    REFUSES(alterrec_config_set, config, NULL, "model.dim", "8");
    REFUSES(alterrec_config_set, key, made, NULL, "8");
    REFUSES(alterrec_config_set, value, made, "model.dim", NULL);
    REFUSES(alterrec_config_get, value, NULL, made, "model.dim");
    TAKES(alterrec_config_get, config, &value, NULL, "model.dim");
    ck_assert_str_eq(value, "300");
    REFUSES(alterrec_config_get, key, &value, made, NULL);
    REFUSES(alterrec_config_read, config, NULL, "options.yaml");
    REFUSES(alterrec_config_read, path, made, NULL);
    REFUSES(alterrec_config_read_text, config, NULL, "", 0);
    REFUSES(alterrec_config_read_text, text, made, NULL, 1);
    TAKES(alterrec_config_write, config, NULL, scratch_path("options.yaml"));
    REFUSES(alterrec_config_write, path, made, NULL);
    note("alterrec_option_count", "");
    ck_assert_int_gt(alterrec_option_count(), 50);
    REFUSES(alterrec_option_describe, option, NULL, 0);
    MUST(alterrec_config_set(made, "model.dim", "8"));
    MUST(alterrec_config_get(&value, made, "model.dim"));
    ck_assert_str_eq(value, "8");
    alterrec_config_free(made);
}

static void try_catalog(void) {
    static const char *const keys[] = {"a", "b"};
    static const float features[2] = {1, 2};
    alterrec_catalog *made;
    REFUSES(alterrec_catalog_create, catalog, NULL, keys, keys, 2);
    TAKES(alterrec_catalog_create, keys, &made, NULL, keys, 2);
    alterrec_catalog_free(made);
    TAKES(alterrec_catalog_create, texts, &made, keys, NULL, 2);
    alterrec_catalog_free(made);
    const char *path = scratch_write("items.tsv", "item\ttext\na\tone\n");
    REFUSES(alterrec_catalog_read, catalog, NULL, path, NULL);
    REFUSES(alterrec_catalog_read, path, &made, NULL, NULL);
    ck_assert_ptr_null(made);
    TAKES(alterrec_catalog_read, config, &made, path, NULL);
    GIVES(alterrec_catalog_hold, catalog, NULL, NULL);
    FREES(alterrec_catalog_free, catalog);
    REFUSES(alterrec_catalog_set_features, catalog, NULL, features, 1, 2);
    REFUSES(alterrec_catalog_set_features, features, made, NULL, 1, 2);
    REFUSES(alterrec_catalog_read_features, catalog, NULL, "features.npy");
    REFUSES(alterrec_catalog_read_features, path, made, NULL);
    REFUSES(alterrec_catalog_hash_features, catalog, NULL, NULL);
    TAKES(alterrec_catalog_hash_features, config, made, NULL);
    GIVES(alterrec_catalog_items, catalog, 0, NULL);
    GIVES(alterrec_catalog_key, catalog, NULL, NULL, 0);
    GIVES(alterrec_catalog_text, catalog, NULL, NULL, 0);
    GIVES(alterrec_catalog_find, catalog, -1, NULL, "a");
    GIVES(alterrec_catalog_find, key, -1, made, NULL);
    GIVES(alterrec_catalog_feature_dim, catalog, 0, NULL);
    GIVES(alterrec_catalog_features, catalog, NULL, NULL);
    ck_assert_int_eq(alterrec_catalog_find(made, "a"), 0);
    alterrec_catalog_free(made);
}

static void try_sessions(void) {
    static const int32_t items[] = {0, 1};
    static const int64_t offsets[] = {0, 2};
    alterrec_sessions *made;
    alterrec_data_report report = {.struct_size = sizeof report};
    const int32_t *got;
    int64_t length;
    REFUSES(alterrec_sessions_create, sessions, NULL, s.catalog, items, offsets, 1);
    REFUSES(alterrec_sessions_create, catalog, &made, NULL, items, offsets, 1);
    ck_assert_ptr_null(made);
    REFUSES(alterrec_sessions_create, items, &made, s.catalog, NULL, offsets, 1);
    REFUSES(alterrec_sessions_create, offsets, &made, s.catalog, items, NULL, 1);
    const char *path = scratch_write("sessions.txt", "0 1 2\n");
    REFUSES(alterrec_sessions_read, sessions, NULL, s.catalog, path, NULL);
    REFUSES(alterrec_sessions_read, catalog, &made, NULL, path, NULL);
    REFUSES(alterrec_sessions_read, path, &made, s.catalog, NULL, NULL);
    ck_assert_ptr_null(made);
    TAKES(alterrec_sessions_read, config, &made, s.catalog, path, NULL);
    REFUSES(alterrec_sessions_report, report, NULL, made);
    REFUSES(alterrec_sessions_report, sessions, &report, NULL);
    MUST(alterrec_sessions_report(&report, made));
    ck_assert_int_eq(report.rows_read, 1);
    FREES(alterrec_sessions_free, sessions);
    GIVES(alterrec_sessions_count, sessions, 0, NULL);
    GIVES(alterrec_sessions_interactions, sessions, 0, NULL);
    REFUSES(alterrec_sessions_get, items, NULL, &length, made, 0);
    REFUSES(alterrec_sessions_get, length, &got, NULL, made, 0);
    REFUSES(alterrec_sessions_get, sessions, &got, &length, NULL, 0);
    MUST(alterrec_sessions_get(&got, &length, made, 0));
    ck_assert_int_eq(length, 3);
    alterrec_sessions_free(made);
}

static void try_dataset(void) {
    alterrec_data_report report = {.struct_size = sizeof report};
    alterrec_dataset *made = dataset;
    REFUSES(alterrec_dataset_read, dataset, NULL, NULL);
    /* The defaults name no file. */
    note("alterrec_dataset_read", "config");
    ck_assert_int_eq(alterrec_dataset_read(&made, NULL), ALTERREC_ERROR_INVALID_ARGUMENT);
    ck_assert_ptr_nonnull(strstr(alterrec_last_error(), "data.interactions"));
    ck_assert_ptr_null(made);
    FREES(alterrec_dataset_free, dataset);
    GIVES(alterrec_dataset_catalog, dataset, NULL, NULL);
    GIVES(alterrec_dataset_sessions, dataset, NULL, NULL, ALTERREC_SPLIT_TRAIN);
    REFUSES(alterrec_dataset_report, report, NULL, dataset);
    REFUSES(alterrec_dataset_report, dataset, &report, NULL);
    MUST(alterrec_dataset_report(&report, dataset));
    ck_assert_int_eq(report.items, 3);
}

static void try_batch(void) {
    static const int32_t items[] = {0, 1};
    REFUSES(alterrec_batch_create, batch, NULL);
    FREES(alterrec_batch_free, batch);
    REFUSES(alterrec_batch_clear, batch, NULL);
    REFUSES(alterrec_batch_add, batch, NULL, items, 2);
    REFUSES(alterrec_batch_add, items, batch, NULL, 2);
    REFUSES(alterrec_batch_add_labelled, batch, NULL, items, items, 2);
    REFUSES(alterrec_batch_add_labelled, items, batch, NULL, items, 2);
    REFUSES(alterrec_batch_add_labelled, labels, batch, items, NULL, 2);
    REFUSES(alterrec_batch_set_negatives, batch, NULL, items, 0, 2);
    REFUSES(alterrec_batch_set_negatives, negatives, batch, NULL, 1, 2);
    GIVES(alterrec_batch_examples, batch, 0, NULL);
    GIVES(alterrec_batch_count, batch, 0, NULL);
    REFUSES(alterrec_batch_exclude, batch, NULL, -1, items, 2);
    REFUSES(alterrec_batch_exclude, items, batch, -1, NULL, 2);
    REFUSES(alterrec_batch_exclude_own, batch, NULL, 1);
    ck_assert_int_eq(alterrec_batch_count(batch), 1);
}

static void try_model(void) {
    const char *path = scratch_path("model.safetensors");
    alterrec_model *made = model;
    REFUSES(alterrec_model_create, model, NULL, s.catalog, s.config);
    REFUSES(alterrec_model_create, catalog, &made, NULL, s.config);
    ck_assert_ptr_null(made);
    TAKES(alterrec_model_create, config, &made, s.catalog, NULL);
    alterrec_model_free(made);
    REFUSES(alterrec_model_save, model, NULL, path);
    REFUSES(alterrec_model_save, path, model, NULL);
    MUST(alterrec_model_save(model, path));
    REFUSES(alterrec_model_load, model, NULL, path);
    made = model;
    REFUSES(alterrec_model_load, path, &made, NULL);
    ck_assert_ptr_null(made);
    FREES(alterrec_model_free, model);
    REFUSES(alterrec_model_import, model, NULL, path);
    REFUSES(alterrec_model_import, path, model, NULL);
    GIVES(alterrec_model_catalog, model, NULL, NULL);
    GIVES(alterrec_model_config, model, NULL, NULL);
    MUST(alterrec_model_import(model, path));
    const char *keys[] = {"added", "added too"};
    MUST(alterrec_model_create(&made, s.catalog, NULL));
    REFUSES(alterrec_model_add_items, model, NULL, keys, NULL, scores, 1);
    REFUSES(alterrec_model_add_items, keys, made, NULL, NULL, scores, 1);
    TAKES(alterrec_model_add_items, texts, made, keys, NULL, scores, 1);
    note("alterrec_model_add_items", "features"); /* taken if the features were hashed */
    ck_assert_int_eq(alterrec_model_add_items(made, keys + 1, keys, NULL, 1),
                     ALTERREC_ERROR_MISMATCH);
    alterrec_model_free(made);
}

static void try_model_tensors(void) {
    alterrec_tensor tensor = {.struct_size = sizeof tensor};
    static const char name[] = "id.norm.bias";
    GIVES(alterrec_model_tensor_count, model, 0, NULL);
    REFUSES(alterrec_model_tensor_find, tensor, NULL, model, "id.norm.bias");
    REFUSES(alterrec_model_tensor_find, model, &tensor, NULL, "id.norm.bias");
    REFUSES(alterrec_model_tensor_find, name, &tensor, model, NULL);
    GIVES(alterrec_model_dim, model, 0, NULL);
    REFUSES(alterrec_model_tensor_describe, tensor, NULL, model, 0);
    REFUSES(alterrec_model_tensor_describe, model, &tensor, NULL, 0);
    REFUSES(alterrec_model_get_tensor, values, NULL, model, name, 8);
    REFUSES(alterrec_model_get_tensor, model, scores, NULL, name, 8);
    REFUSES(alterrec_model_get_tensor, name, scores, model, NULL, 8);
    MUST(alterrec_model_get_tensor(scores, model, name, 8));
    REFUSES(alterrec_model_set_tensor, model, NULL, name, scores, 8);
    REFUSES(alterrec_model_set_tensor, name, model, NULL, scores, 8);
    REFUSES(alterrec_model_set_tensor, values, model, name, NULL, 8);
    MUST(alterrec_model_set_tensor(model, name, scores, 8));
}

static void try_model_scores(void) {
    REFUSES(alterrec_model_item_vectors, vectors, NULL, model, ALTERREC_ID);
    REFUSES(alterrec_model_item_vectors, model, scores, NULL, ALTERREC_ID);
    REFUSES(alterrec_model_session_vectors, vectors, NULL, model, ALTERREC_ID, batch);
    REFUSES(alterrec_model_session_vectors, model, scores, NULL, ALTERREC_ID, batch);
    REFUSES(alterrec_model_session_vectors, batch, scores, model, ALTERREC_ID, NULL);
    REFUSES(alterrec_model_score, scores, NULL, model, ALTERREC_ID, batch);
    REFUSES(alterrec_model_score, model, scores, NULL, ALTERREC_ID, batch);
    REFUSES(alterrec_model_score, batch, scores, model, ALTERREC_ID, NULL);
    MUST(alterrec_model_score(scores, model, ALTERREC_FUSED, batch));
}

static int32_t never_stops(const alterrec_progress *progress, void *user_data) {
    (void)progress;
    return user_data == NULL ? 0 : 1;
}

static int32_t keeps_plan(alterrec_plan *plan, const alterrec_epoch_report *last, void *user_data) {
    (void)plan;
    (void)last;
    (void)user_data;
    return 0;
}

static int32_t log_nothing(int32_t level, const char *message, void *user_data) {
    (void)level;
    (void)message;
    (void)user_data;
    return 0;
}

static int32_t names_none(int32_t *negatives, const alterrec_examples *examples,
                          int64_t per_example, void *user_data) {
    (void)negatives;
    (void)examples;
    (void)per_example;
    (void)user_data;
    return 1;
}

static void try_steps(alterrec_plan *plan) {
    alterrec_batch *steps;
    alterrec_step_report report = {.struct_size = sizeof report};
    MUST(alterrec_batch_create(&steps));
    GIVES(alterrec_trainer_batches, trainer, 0, NULL);
    REFUSES(alterrec_trainer_batch, batch, NULL, trainer, 0);
    REFUSES(alterrec_trainer_batch, trainer, steps, NULL, 0);
    MUST(alterrec_trainer_batch(steps, trainer, 0));
    REFUSES(alterrec_trainer_step, trainer, &report, NULL, steps, plan);
    REFUSES(alterrec_trainer_step, batch, &report, trainer, NULL, plan);
    TAKES(alterrec_trainer_step, report, NULL, trainer, steps, plan);
    TAKES(alterrec_trainer_step, plan, &report, trainer, steps, NULL);
    REFUSES(alterrec_trainer_end_epoch, trainer, NULL, NULL);
    TAKES(alterrec_trainer_end_epoch, report, NULL, trainer);
    alterrec_batch_free(steps);
}

static int32_t declines(const alterrec_fusion_tile *tile, void *user_data) {
    (void)tile;
    return user_data == NULL ? 1 : 2;
}

static void try_trainer(void) {
    alterrec_plan plan = {.struct_size = sizeof plan};
    alterrec_epoch_report report = {.struct_size = sizeof report};
    alterrec_trainer *made = trainer;
    REFUSES(alterrec_trainer_create, trainer, NULL, model, s.train, s.valid, NULL);
    REFUSES(alterrec_trainer_create, model, &made, NULL, s.train, s.valid, NULL);
    ck_assert_ptr_null(made);
    REFUSES(alterrec_trainer_create, train, &made, model, NULL, s.valid, NULL);
    TAKES(alterrec_trainer_create, valid, &made, model, s.train, NULL, s.config);
    alterrec_trainer_free(made);
    TAKES(alterrec_trainer_create, config, &made, model, s.train, s.valid, NULL);
    alterrec_trainer_free(made);
    FREES(alterrec_trainer_free, trainer);
    REFUSES(alterrec_trainer_on_progress, trainer, NULL, never_stops, &plan);
    TAKES(alterrec_trainer_on_progress, progress, trainer, NULL, &plan);
    TAKES(alterrec_trainer_on_progress, user_data, trainer, never_stops, NULL);
    REFUSES(alterrec_trainer_on_fusion, trainer, NULL, declines, &plan);
    TAKES(alterrec_trainer_on_fusion, fusion, trainer, NULL, &plan);
    TAKES(alterrec_trainer_on_fusion, user_data, trainer, declines, NULL);
    REFUSES(alterrec_trainer_on_schedule, trainer, NULL, keeps_plan, &plan);
    TAKES(alterrec_trainer_on_schedule, schedule, trainer, NULL, &plan);
    TAKES(alterrec_trainer_on_schedule, user_data, trainer, keeps_plan, NULL);
    REFUSES(alterrec_trainer_on_negatives, trainer, NULL, names_none, &plan);
    TAKES(alterrec_trainer_on_negatives, negatives, trainer, NULL, &plan);
    TAKES(alterrec_trainer_on_negatives, user_data, trainer, names_none, NULL);
    REFUSES(alterrec_trainer_on_log, trainer, NULL, log_nothing, &plan);
    TAKES(alterrec_trainer_on_log, log, trainer, NULL, &plan);
    TAKES(alterrec_trainer_on_log, user_data, trainer, log_nothing, NULL);
    REFUSES(alterrec_trainer_cancel, trainer, NULL);
    REFUSES(alterrec_trainer_plan, plan, NULL, trainer);
    REFUSES(alterrec_trainer_plan, trainer, &plan, NULL);
    MUST(alterrec_trainer_plan(&plan, trainer));
    TAKES(alterrec_trainer_epoch, report, NULL, trainer, &plan);
    REFUSES(alterrec_trainer_epoch, trainer, &report, NULL, &plan);
    TAKES(alterrec_trainer_epoch, plan, &report, trainer, NULL);
    try_steps(&plan);
    REFUSES(alterrec_trainer_use_best, trainer, NULL);
    REFUSES(alterrec_trainer_run, trainer, NULL);
    const char *path = scratch_path("checkpoint.safetensors");
    REFUSES(alterrec_trainer_save, trainer, NULL, path);
    REFUSES(alterrec_trainer_save, path, trainer, NULL);
    MUST(alterrec_trainer_save(trainer, path));
    REFUSES(alterrec_trainer_resume, trainer, NULL, path);
    REFUSES(alterrec_trainer_resume, path, trainer, NULL);
    GIVES(alterrec_trainer_epochs, trainer, 0, NULL);
    REFUSES(alterrec_trainer_report, report, NULL, trainer, 0);
    REFUSES(alterrec_trainer_report, trainer, &report, NULL, 0);
    ck_assert_int_eq(alterrec_trainer_epochs(trainer), 4);
    MUST(alterrec_trainer_report(&report, trainer, 3));
}

static void try_evaluator(void) {
    alterrec_evaluator *evaluator = (alterrec_evaluator *)&s;
    alterrec_evaluation *made = evaluation;
    REFUSES(alterrec_evaluator_create, evaluator, NULL, model, NULL);
    REFUSES(alterrec_evaluator_create, model, &evaluator, NULL, NULL);
    ck_assert_ptr_null(evaluator);
    TAKES(alterrec_evaluator_create, config, &evaluator, model, NULL);
    FREES(alterrec_evaluator_free, evaluator);
    REFUSES(alterrec_evaluator_on_progress, evaluator, NULL, never_stops, &made);
    TAKES(alterrec_evaluator_on_progress, progress, evaluator, NULL, &made);
    TAKES(alterrec_evaluator_on_progress, user_data, evaluator, never_stops, NULL);
    REFUSES(alterrec_evaluator_on_fusion, evaluator, NULL, declines, &made);
    TAKES(alterrec_evaluator_on_fusion, fusion, evaluator, NULL, &made);
    TAKES(alterrec_evaluator_on_fusion, user_data, evaluator, declines, NULL);
    REFUSES(alterrec_evaluator_run, evaluation, NULL, evaluator, s.valid, s.train);
    REFUSES(alterrec_evaluator_run, evaluator, &made, NULL, s.valid, s.train);
    ck_assert_ptr_null(made);
    REFUSES(alterrec_evaluator_run, held_out, &made, evaluator, NULL, s.train);
    TAKES(alterrec_evaluator_run, train, &made, evaluator, s.valid, NULL);
    alterrec_evaluation_free(made);
    alterrec_evaluator_free(evaluator);
}

static void try_alpha(void) {
    double alpha, curve[3];
    REFUSES(alterrec_model_choose_alpha, model, &alpha, curve, NULL, s.valid, 3, NULL);
    REFUSES(alterrec_model_choose_alpha, valid, &alpha, curve, model, NULL, 3, NULL);
    TAKES(alterrec_model_choose_alpha, alpha, NULL, curve, model, s.valid, 3, s.config);
    TAKES(alterrec_model_choose_alpha, curve, &alpha, NULL, model, s.valid, 3, s.config);
    TAKES(alterrec_model_choose_alpha, config, &alpha, curve, model, s.valid, 3, NULL);
}

static void try_evaluation(void) {
    double value;
    int64_t low, high, examples;
    alterrec_evaluation *made = evaluation;
    REFUSES(alterrec_evaluate, evaluation, NULL, model, s.valid, s.train, NULL, NULL, NULL);
    REFUSES(alterrec_evaluate, model, &made, NULL, s.valid, s.train, NULL, NULL, NULL);
    ck_assert_ptr_null(made);
    REFUSES(alterrec_evaluate, held_out, &made, model, NULL, s.train, NULL, NULL, NULL);
    TAKES(alterrec_evaluate, train, &made, model, s.valid, NULL, s.config, NULL, NULL);
    alterrec_evaluation_free(made);
    TAKES(alterrec_evaluate, config, &made, model, s.valid, s.train, NULL, never_stops, NULL);
    alterrec_evaluation_free(made);
    TAKES(alterrec_evaluate, progress, &made, model, s.valid, s.train, s.config, NULL, &value);
    alterrec_evaluation_free(made);
    TAKES(alterrec_evaluate, user_data, &made, model, s.valid, s.train, NULL, never_stops, NULL);
    alterrec_evaluation_free(made);
    FREES(alterrec_evaluation_free, evaluation);
    GIVES(alterrec_evaluation_examples, evaluation, 0, NULL);
    GIVES(alterrec_evaluation_groups, evaluation, 0, NULL);
    TAKES(alterrec_evaluation_group, low, NULL, &high, &examples, evaluation, 0);
    TAKES(alterrec_evaluation_group, high, &low, NULL, &examples, evaluation, 0);
    TAKES(alterrec_evaluation_group, examples, &low, &high, NULL, evaluation, 0);
    REFUSES(alterrec_evaluation_group, evaluation, &low, &high, &examples, NULL, 0);
    REFUSES(alterrec_evaluation_metric, value, NULL, evaluation, ALTERREC_ID, ALTERREC_MRR, 10, -1);
    REFUSES(alterrec_evaluation_metric, evaluation, &value, NULL, ALTERREC_ID, ALTERREC_MRR, 10,
            -1);
    MUST(alterrec_evaluation_metric(&value, evaluation, ALTERREC_ID, ALTERREC_MRR, 10, -1));
    GIVES(alterrec_evaluation_json, evaluation, NULL, NULL);
}

static void try_recommender(void) {
    alterrec_recommender *made = recommender;
    REFUSES(alterrec_recommender_create, recommender, NULL, model, NULL);
    REFUSES(alterrec_recommender_create, model, &made, NULL, NULL);
    ck_assert_ptr_null(made);
    TAKES(alterrec_recommender_create, config, &made, model, NULL);
    alterrec_recommender_free(made);
    FREES(alterrec_recommender_free, recommender);
    GIVES(alterrec_recommender_catalog, recommender, NULL, NULL);
    alterrec_search search = {
        .struct_size = sizeof search, .fusion = declines, .user_data = &search};
    alterrec_search_report report = {.struct_size = sizeof report};
    REFUSES(alterrec_recommender_top_k, items, NULL, scores, &report, recommender, batch, 5,
            &search);
    TAKES(alterrec_recommender_top_k, scores, top, NULL, &report, recommender, batch, 5, &search);
    TAKES(alterrec_recommender_top_k, report, top, scores, NULL, recommender, batch, 5, &search);
    REFUSES(alterrec_recommender_top_k, recommender, top, scores, &report, NULL, batch, 5, &search);
    REFUSES(alterrec_recommender_top_k, batch, top, scores, &report, recommender, NULL, 5, &search);
    TAKES(alterrec_recommender_top_k, search, top, scores, &report, recommender, batch, 5, NULL);
}

static void try_recommender_vectors(void) {
    float *vectors = scores, fused[2], id[2], text[2];
    alterrec_search search = {.struct_size = sizeof search};
    GIVES(alterrec_recommender_hold, recommender, NULL, NULL);
    GIVES(alterrec_recommender_width, recommender, 0, NULL);
    REFUSES(alterrec_recommender_item_vectors, vectors, NULL, recommender, 0, 1);
    REFUSES(alterrec_recommender_item_vectors, recommender, vectors, NULL, 0, 1);
    REFUSES(alterrec_recommender_session_vectors, vectors, NULL, recommender, batch);
    REFUSES(alterrec_recommender_session_vectors, recommender, vectors, NULL, batch);
    REFUSES(alterrec_recommender_session_vectors, batch, vectors, recommender, NULL);
    const char *path = scratch_path("vectors.npy");
    REFUSES(alterrec_recommender_write_item_vectors, recommender, NULL, path);
    REFUSES(alterrec_recommender_write_item_vectors, path, recommender, NULL);
    REFUSES(alterrec_recommender_write_session_vectors, recommender, NULL, batch, path);
    REFUSES(alterrec_recommender_write_session_vectors, batch, recommender, NULL, path);
    REFUSES(alterrec_recommender_write_session_vectors, path, recommender, batch, NULL);
#define SCORE(argument, expects, ...) expects(alterrec_recommender_score, argument, __VA_ARGS__)
    SCORE(fused, TAKES, NULL, id, text, recommender, batch, top, 1, &search);
    SCORE(id, TAKES, fused, NULL, text, recommender, batch, top, 1, &search);
    SCORE(text, TAKES, fused, id, NULL, recommender, batch, top, 1, &search);
    SCORE(recommender, REFUSES, fused, id, text, NULL, batch, top, 1, &search);
    SCORE(batch, REFUSES, fused, id, text, recommender, NULL, top, 1, &search);
    SCORE(items, REFUSES, fused, id, text, recommender, batch, NULL, 1, &search);
    SCORE(search, TAKES, fused, id, text, recommender, batch, top, 1, NULL);
#undef SCORE
}

static void try_recommender_file(void) {
    const char *path = scratch_path("snapshot");
    alterrec_recommender *opened = recommender;
    REFUSES(alterrec_recommender_save, recommender, NULL, path);
    REFUSES(alterrec_recommender_save, path, recommender, NULL);
    MUST(alterrec_recommender_save(recommender, path));
    REFUSES(alterrec_recommender_open, recommender, NULL, path, NULL);
    REFUSES(alterrec_recommender_open, path, &opened, NULL, NULL);
    ck_assert_ptr_null(opened);
    TAKES(alterrec_recommender_open, config, &opened, path, NULL);
    alterrec_recommender_free(opened);
}

static void try_live_session(void) {
    alterrec_live_session *live = NULL, *of_none = NULL;
    REFUSES(alterrec_live_session_create, live, NULL, recommender);
    REFUSES(alterrec_live_session_create, recommender, &of_none, NULL);
    ck_assert_ptr_null(of_none);
    MUST(alterrec_live_session_create(&live, recommender));
    REFUSES(alterrec_live_session_push, live, NULL, 1);
    REFUSES(alterrec_live_sessions_push, sessions, NULL, top, 1, 1);
    REFUSES(alterrec_live_sessions_push, items, &live, NULL, 1, 1);
    GIVES(alterrec_live_session_length, live, 0, NULL);
    GIVES(alterrec_live_session_items, live, NULL, NULL);
    FREES(alterrec_live_session_reset, live);
    REFUSES(alterrec_live_session_exclude_own, live, NULL, 1);
    REFUSES(alterrec_live_session_exclude, live, NULL, top, 1);
    REFUSES(alterrec_live_session_exclude, items, live, NULL, 1);
    MUST(alterrec_live_session_push(live, 1));
    alterrec_search search = {.struct_size = sizeof search};
    alterrec_search_report report = {.struct_size = sizeof report};
    REFUSES(alterrec_live_session_top_k, items, NULL, scores, &report, live, 5, &search);
    TAKES(alterrec_live_session_top_k, scores, top, NULL, &report, live, 5, &search);
    TAKES(alterrec_live_session_top_k, report, top, scores, NULL, live, 5, &search);
    REFUSES(alterrec_live_session_top_k, live, top, scores, &report, NULL, 5, &search);
    TAKES(alterrec_live_session_top_k, search, top, scores, &report, live, 5, NULL);
    REFUSES(alterrec_live_sessions_top_k, items, NULL, scores, &report, &live, 1, 5, &search);
    TAKES(alterrec_live_sessions_top_k, scores, top, NULL, &report, &live, 1, 5, &search);
    TAKES(alterrec_live_sessions_top_k, report, top, scores, NULL, &live, 1, 5, &search);
    REFUSES(alterrec_live_sessions_top_k, sessions, top, scores, &report, NULL, 1, 5, &search);
    TAKES(alterrec_live_sessions_top_k, search, top, scores, &report, &live, 1, 5, NULL);
    float fused[2], id[2], text[2];
    TAKES(alterrec_live_session_score, fused, NULL, id, text, live, top, 1, &search);
    TAKES(alterrec_live_session_score, id, fused, NULL, text, live, top, 1, &search);
    TAKES(alterrec_live_session_score, text, fused, id, NULL, live, top, 1, &search);
    REFUSES(alterrec_live_session_score, live, fused, id, text, NULL, top, 1, &search);
    REFUSES(alterrec_live_session_score, items, fused, id, text, live, NULL, 1, &search);
    TAKES(alterrec_live_session_score, search, fused, id, text, live, top, 1, NULL);
    unsigned char bytes[64];
    size_t size = alterrec_live_session_size(live);
    GIVES(alterrec_live_session_size, live, 0, NULL);
    REFUSES(alterrec_live_session_serialize, bytes, NULL, live, size);
    REFUSES(alterrec_live_session_serialize, live, bytes, NULL, size);
    MUST(alterrec_live_session_serialize(bytes, live, size));
    REFUSES(alterrec_live_session_restore, live, NULL, bytes, size);
    REFUSES(alterrec_live_session_restore, bytes, live, NULL, size);
    FREES(alterrec_live_session_free, live);
    alterrec_live_session_free(live);
}

static void try_filter(void) {
    static const int32_t categories[ITEMS];
    static const uint8_t bits[ITEMS / 8];
    alterrec_filter *filter;
    REFUSES(alterrec_filter_create, filter, NULL, ITEMS);
    FREES(alterrec_filter_free, filter);
    MUST(alterrec_filter_create(&filter, ITEMS));
    REFUSES(alterrec_filter_allow_bitmap, filter, NULL, bits, ITEMS);
    REFUSES(alterrec_filter_allow_bitmap, bits, filter, NULL, ITEMS);
    REFUSES(alterrec_filter_allow_only, filter, NULL, top, 1);
    REFUSES(alterrec_filter_allow_only, items, filter, NULL, 1);
    REFUSES(alterrec_filter_exclude, filter, NULL, top, 1);
    REFUSES(alterrec_filter_exclude, items, filter, NULL, 1);
    MUST(alterrec_filter_exclude(filter, NULL, 0));
    alterrec_filter *nothing;
    MUST(alterrec_filter_create(&nothing, 5));
    MUST(alterrec_filter_allow_only(nothing, NULL, 0));
    alterrec_filter_free(nothing);
    REFUSES(alterrec_filter_cap, filter, NULL, categories, ITEMS, 1);
    REFUSES(alterrec_filter_cap, categories, filter, NULL, ITEMS, 1);
    alterrec_filter_free(filter);
}

static void try_all(void) {
    tried_count = 0;
    try_version_and_errors();
    try_config();
    try_catalog();
    try_sessions();
    try_dataset();
    try_batch();
    try_model();
    try_model_tensors();
    try_model_scores();
    try_trainer();
    try_evaluator();
    try_alpha();
    try_evaluation();
    try_recommender();
    try_recommender_vectors();
    try_recommender_file();
    try_live_session();
    try_filter();
}

START_TEST(test_null_for_every_argument) {
    static header declared;
    try_all();
    header_read(&declared);
    for (int i = 0; i < declared.count; i++) {
        const header_function *function = &declared.functions[i];
        if (function->pointer_count == 0)
            ck_assert_msg(was_tried(function->name, ""), "%s is not tried: add it here",
                          function->name);
        for (int j = 0; j < function->pointer_count; j++)
            ck_assert_msg(was_tried(function->name, function->pointers[j]),
                          "%s is not tried with NULL for `%s`: add it here", function->name,
                          function->pointers[j]);
    }
}
END_TEST

/* After all refusals, everything still does what it did. */
START_TEST(test_refusals_change_nothing) {
    float before[ITEMS], after[ITEMS];
    MUST(alterrec_model_score(before, model, ALTERREC_FUSED, batch));
    try_config();
    try_catalog();
    try_sessions();
    try_dataset();
    try_batch();
    try_model();
    try_model_tensors();
    try_model_scores();
    try_evaluator();
    try_evaluation();
    try_recommender();
    MUST(alterrec_model_score(after, model, ALTERREC_FUSED, batch));
    ck_assert_mem_eq(before, after, sizeof before);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("arguments");
    TCase *cases = tcase_create("arguments");
    tcase_add_checked_fixture(cases, set_up, tear_down);
    tcase_add_test(cases, test_null_for_every_argument);
    tcase_add_test(cases, test_refusals_change_nothing);
    suite_add_tcase(suite, cases);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
