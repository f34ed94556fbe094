/* A joint model, naive fusion by concatenation: what its scores are, and that everything a model is
 * good for is so of it too. */
#include "core/memory.h"
#include "model/model.h"
#include "scratch.h"
#include "support/fusing.h"
#include "support/model_bytes.h"
#include "support/shop.h"

#include <math.h>
#include <string.h>

enum { ITEMS = 40, DIM = 8, FEATURES = 6, SESSIONS = 20, K = 7 };

static const int32_t scorers[] = {ALTERREC_ID, ALTERREC_TEXT, ALTERREC_FUSED};

static shop data;
static alterrec_model *model;
static alterrec_batch *batch;

static void set_up(void) {
    scratch_open();
    shop_open(&data, ITEMS, 60);
    shop_set(&data, "schedule.system", "naive_concat");
    MUST(alterrec_model_create(&model, data.catalog, data.config));
    MUST(alterrec_batch_create(&batch));
    for (int32_t s = 0; s < SESSIONS; s++)
        MUST(alterrec_batch_add(batch, (int32_t[]){s, 2 * s + 1, 39 - s}, 1 + s % 3));
}

static void tear_down(void) {
    alterrec_batch_free(batch);
    alterrec_model_free(model);
    shop_close(&data);
    scratch_close();
}

static void check_fails(alterrec_status status, alterrec_status expected, const char *text) {
    ck_assert_msg(status == expected, "%d, %d expected: %s", (int)status, (int)expected,
                  alterrec_last_error());
    ck_assert_msg(strstr(alterrec_last_error(), text) != NULL, "\"%s\" lacks \"%s\"",
                  alterrec_last_error(), text);
}

static float *scores_of(const alterrec_model *of, int32_t scorer) {
    int64_t items = alterrec_catalog_items(alterrec_model_catalog(of));
    float *scores = ar_new(SESSIONS * items, sizeof *scores);
    MUST(alterrec_model_score(scores, of, scorer, batch));
    return scores;
}

static void check_same_scores(const alterrec_model *a, const alterrec_model *b) {
    int64_t items = alterrec_catalog_items(alterrec_model_catalog(a));
    for (int i = 0; i < 3; i++) {
        float *x = scores_of(a, scorers[i]), *y = scores_of(b, scorers[i]);
        ck_assert_mem_eq(x, y, (size_t)(SESSIONS * items) * sizeof *x);
        ar_free(x);
        ar_free(y);
    }
}

static void fill_tensor(const char *name, int64_t count, float value) {
    float *values = ar_new(count, sizeof *values);
    for (int64_t i = 0; i < count; i++)
        values[i] = value;
    MUST(alterrec_model_set_tensor(model, name, values, count));
    ar_free(values);
}

static alterrec_trainer *new_trainer(void) {
    alterrec_trainer *trainer;
    MUST(alterrec_trainer_create(&trainer, model, data.train, data.valid, NULL));
    return trainer;
}

/* Its tensors are those of one tower, and each kind of score is the product of its vectors. */
START_TEST(scores_are_products_of_vectors) {
    float tables[ITEMS * DIM], vectors[SESSIONS * DIM];
    alterrec_tensor tensor = {.struct_size = sizeof tensor};
    ck_assert_int_eq(alterrec_model_tensor_count(model), 27);
    for (int64_t t = 0; t < alterrec_model_tensor_count(model); t++) {
        MUST(alterrec_model_tensor_describe(&tensor, model, t));
        ck_assert_msg(strncmp(tensor.name, "joint.", 6) == 0, "%s", tensor.name);
    }
    for (int i = 0; i < 3; i++) {
        float *scores = scores_of(model, scorers[i]);
        MUST(alterrec_model_item_vectors(tables, model, scorers[i]));
        MUST(alterrec_model_session_vectors(vectors, model, scorers[i], batch));
        for (int64_t s = 0; s < SESSIONS; s++)
            for (int64_t j = 0; j < ITEMS; j++) {
                double sum = 0.0;
                for (int64_t c = 0; c < DIM; c++)
                    sum += (double)vectors[s * DIM + c] * (double)tables[j * DIM + c];
                ck_assert_double_eq_tol((double)scores[s * ITEMS + j], sum, 1e-5);
            }
        ar_free(scores);
    }
    check_fails(alterrec_model_item_vectors(tables, model, ALTERREC_POPULARITY),
                ALTERREC_ERROR_INVALID_ARGUMENT, "tower 4 is neither");
    check_fails(alterrec_model_session_vectors(vectors, model, 0, batch),
                ALTERREC_ERROR_INVALID_ARGUMENT, "tower 0 is neither");
}
END_TEST

/* A part does not look at what belongs to the other one; with the other's half of the fusion at 0
 * the whole is that part. */
START_TEST(parts_leave_the_other_out) {
    static const char *const halves[] = {"joint.fusion.id.weight", "joint.fusion.text.weight"};
    int part = _i, other = 1 - _i;
    float *before = scores_of(model, scorers[part]), *whole = scores_of(model, ALTERREC_FUSED);
    float *other_before = scores_of(model, scorers[other]);
    ck_assert_mem_ne(before, whole, SESSIONS * ITEMS * sizeof *before);
    ck_assert_mem_ne(before, other_before, SESSIONS * ITEMS * sizeof *before);
    fill_tensor(halves[other], DIM * DIM, 0.0f);
    float *after = scores_of(model, scorers[part]), *emptied = scores_of(model, ALTERREC_FUSED);
    float *other_after = scores_of(model, scorers[other]);
    ck_assert_mem_eq(after, before, SESSIONS * ITEMS * sizeof *before);
    ck_assert_mem_ne(other_after, other_before, SESSIONS * ITEMS * sizeof *before);
    for (int64_t i = 0; i < SESSIONS * ITEMS; i++)
        ck_assert(emptied[i] == before[i]);
    ar_free(before);
    ar_free(whole);
    ar_free(other_before);
    ar_free(after);
    ar_free(emptied);
    ar_free(other_after);
}
END_TEST

START_TEST(recommender_goes_by_the_whole) {
    alterrec_recommender *recommender;
    int32_t items[SESSIONS * K];
    float best[SESSIONS * K], *scores = scores_of(model, ALTERREC_FUSED);
    MUST(alterrec_recommender_create(&recommender, model, NULL));
    MUST(alterrec_recommender_top_k(items, best, NULL, recommender, batch, K, NULL));
    for (int64_t s = 0; s < SESSIONS; s++)
        for (int64_t k = 0; k < K; k++) {
            const float *row = scores + s * ITEMS;
            int64_t ahead = 0;
            for (int64_t j = 0; j < ITEMS; j++)
                ahead += row[j] > row[items[s * K + k]] ||
                         (row[j] == row[items[s * K + k]] && j < items[s * K + k]);
            ck_assert_int_eq(ahead, k);
            ck_assert(fabsf(best[s * K + k] - row[items[s * K + k]]) <= 1e-5f);
        }
    float again[SESSIONS * K], part[SESSIONS * K];
    MUST(alterrec_recommender_score(again, NULL, NULL, recommender, batch, items, K, NULL));
    ck_assert_mem_eq(again, best, sizeof best);
    check_fails(alterrec_recommender_score(NULL, part, NULL, recommender, batch, items, K, NULL),
                ALTERREC_ERROR_MISMATCH, "joint");
    check_fails(alterrec_recommender_score(NULL, NULL, part, recommender, batch, items, K, NULL),
                ALTERREC_ERROR_MISMATCH, "no text tower");
    ck_assert_int_eq(alterrec_recommender_width(recommender), DIM);
    alterrec_recommender_free(recommender);
    ar_free(scores);
}
END_TEST

/* Mean of 1 / rank over every example, from the public scores; ties go to the lower index. */
static double mean_reciprocal_rank(int32_t scorer) {
    double sum = 0.0;
    int64_t examples = 0;
    float row[ITEMS];
    for (int64_t s = 0; s < alterrec_sessions_count(data.valid); s++) {
        const int32_t *items;
        int64_t length;
        MUST(alterrec_sessions_get(&items, &length, data.valid, s));
        for (int64_t t = 1; t < length; t++) {
            int rank = 1;
            MUST(alterrec_batch_clear(batch));
            MUST(alterrec_batch_add(batch, items, t));
            MUST(alterrec_model_score(row, model, scorer, batch));
            for (int32_t j = 0; j < ITEMS; j++)
                rank += row[j] > row[items[t]] || (row[j] == row[items[t]] && j < items[t]);
            sum += rank <= 20 ? 1.0 / rank : 0.0;
            examples++;
        }
    }
    return sum / (double)examples;
}

static int32_t must_not_be_called(const alterrec_fusion_tile *tile, void *user_data) {
    (void)tile;
    (void)user_data;
    return -100;
}

START_TEST(evaluation_has_the_whole_and_both_parts) {
    alterrec_evaluator *evaluator;
    alterrec_evaluation *evaluation;
    MUST(alterrec_evaluator_create(&evaluator, model, NULL));
    MUST(alterrec_evaluator_on_fusion(evaluator, must_not_be_called, NULL));
    MUST(alterrec_evaluator_run(&evaluation, evaluator, data.valid, data.train));
    for (int i = 0; i < 3; i++) {
        double value;
        MUST(alterrec_evaluation_metric(&value, evaluation, scorers[i], ALTERREC_MRR, 20, -1));
        ck_assert_double_eq_tol(value, mean_reciprocal_rank(scorers[i]), 1e-9);
    }
    alterrec_evaluation_free(evaluation);
    alterrec_evaluator_free(evaluator);
}
END_TEST

START_TEST(a_file_holds_it) {
    const char *path = scratch_path("joint.safetensors");
    alterrec_model *loaded, *other;
    MUST(alterrec_model_save(model, path));
    MUST(alterrec_model_load(&loaded, path));
    check_same_scores(model, loaded);
    alterrec_model_free(loaded);

    shop_set(&data, "train.seed", "77");
    MUST(alterrec_model_create(&other, data.catalog, data.config));
    MUST(alterrec_model_import(other, path));
    check_same_scores(model, other);
    alterrec_model_free(other);

    /* Neither kind of model takes the other's parameters. */
    shop_set(&data, "schedule.system", "alterrec");
    MUST(alterrec_model_create(&other, data.catalog, data.config));
    check_fails(alterrec_model_import(other, path), ALTERREC_ERROR_NOT_FOUND,
                "\"id.embedding.weight\"");
    const char *towers = scratch_path("towers.safetensors");
    MUST(alterrec_model_save(other, towers));
    check_fails(alterrec_model_import(model, towers), ALTERREC_ERROR_NOT_FOUND,
                "\"joint.id.embedding.weight\"");
    alterrec_model_free(other);
}
END_TEST

START_TEST(a_damaged_file_is_refused) {
    static const struct {
        const char *from, *to, *text;
    } edits[] = {
        {"\"joint.fusion.bias\"", "\"joint.fusion.base\"", "no tensor \"joint.fusion.bias\""},
        {"\"joint.norm.weight\"", "\"joint.norm.wait\"", "no tensor \"joint.norm.weight\""},
        {"\"catalog.features\"", "\"catalog.feature\"", "no tensor \"catalog.features\""},
        {"system: naive_concat", "system: alterrec", "no tensor \"id.embedding.weight\""}};
    const char *path = scratch_path("joint.safetensors");
    MUST(alterrec_model_save(model, path));
    for (size_t i = 0; i < sizeof edits / sizeof edits[0]; i++) {
        model_bytes file;
        alterrec_model *loaded;
        model_bytes_read(&file, path);
        model_bytes_edit(&file, edits[i].from, edits[i].to);
        model_bytes_drop_checksum(&file);
        const char *edited = scratch_write_bytes("edited", file.bytes, file.size);
        check_fails(alterrec_model_load(&loaded, edited), ALTERREC_ERROR_PARSE, edits[i].text);
        ck_assert_ptr_null(loaded);
        model_bytes_free(&file);
    }
}
END_TEST

/* What was there keeps its bits; a new item with the features of an old one and next to it stands
 * beside it. */
START_TEST(items_are_added) {
    enum { NEW = 2 };
    float *before[3], features[NEW * FEATURES];
    for (int i = 0; i < 3; i++)
        before[i] = scores_of(model, scorers[i]);
    memcpy(features, alterrec_catalog_features(data.catalog) + 5 * FEATURES, sizeof features);
    MUST(alterrec_model_add_items(model, (const char *const[]){"x", "y"}, NULL, features, NEW));
    for (int i = 0; i < 3; i++) {
        float *after = scores_of(model, scorers[i]);
        for (int64_t s = 0; s < SESSIONS; s++) {
            ck_assert_mem_eq(after + s * (ITEMS + NEW), before[i] + s * ITEMS,
                             ITEMS * sizeof *after);
            for (int n = 0; n < NEW && scorers[i] == ALTERREC_TEXT; n++)
                ck_assert(after[s * (ITEMS + NEW) + ITEMS + n] == before[i][s * ITEMS + 5 + n]);
        }
        ar_free(after);
        ar_free(before[i]);
    }
    /* With one neighbour, which is the item of the same features, even the ID part is that item's.
     */
    alterrec_model_free(model);
    shop_set(&data, "model.new_item_neighbours", "1");
    MUST(alterrec_model_create(&model, data.catalog, data.config));
    MUST(alterrec_model_add_items(model, (const char *const[]){"x", "y"}, NULL, features, NEW));
    float *scores = scores_of(model, ALTERREC_FUSED);
    for (int64_t s = 0; s < SESSIONS; s++)
        for (int n = 0; n < NEW; n++)
            ck_assert(fabsf(scores[s * (ITEMS + NEW) + ITEMS + n] -
                            scores[s * (ITEMS + NEW) + 5 + n]) <= 1e-3f);
    ar_free(scores);
    alterrec_trainer *trainer;
    check_fails(alterrec_trainer_create(&trainer, model, data.train, data.valid, NULL),
                ALTERREC_ERROR_MISMATCH, "items");
}
END_TEST

START_TEST(training_learns_and_reports_its_parts) {
    shop_set(&data, "optimizer.learning_rate", "0.02");
    shop_set(&data, "train.epochs", "15");
    shop_set(&data, "train.seed", "4"); /* reaches .5; others .3 to .5 */
    alterrec_trainer *trainer;
    MUST(alterrec_trainer_create(&trainer, model, data.train, data.valid, data.config));
    MUST(alterrec_trainer_on_fusion(trainer, must_not_be_called, NULL));
    MUST(alterrec_trainer_run(trainer));
    alterrec_epoch_report first = {.struct_size = sizeof first}, last = first;
    MUST(alterrec_trainer_report(&first, trainer, 0));
    MUST(alterrec_trainer_report(&last, trainer, 14));
    ck_assert_int_eq(last.tower, ALTERREC_FUSED);
    ck_assert_int_eq(last.negatives, ALTERREC_NEGATIVES_RANDOM);
    ck_assert_double_lt(last.loss, 0.8 * first.loss);
    /* The next item is one of three, of 40. */
    ck_assert_double_gt(last.valid_metric[0], 0.3);
    for (int part = 0; part < 2; part++) {
        ck_assert_double_gt(last.part_loss[part], last.loss);
        ck_assert_double_gt(last.valid_metric[1 + part], 0.0);
        ck_assert_double_ne(last.valid_metric[1 + part], last.valid_metric[0]);
    }
    /* The model has the best weights, and its metric is the best report's. */
    double best = 0.0;
    for (int64_t e = 0; e < 15; e++) {
        MUST(alterrec_trainer_report(&last, trainer, e));
        best = fmax(best, last.valid_metric[0]);
    }
    ck_assert_double_eq_tol(mean_reciprocal_rank(ALTERREC_FUSED), best, 1e-9);
    alterrec_trainer_free(trainer);
}
END_TEST

static void train(float *block, const char *seed) {
    shop_set(&data, "train.seed", seed);
    shop_set(&data, "model.dropout", "0.2");
    alterrec_model_free(model);
    MUST(alterrec_model_create(&model, data.catalog, data.config));
    alterrec_trainer *trainer = new_trainer();
    MUST(alterrec_trainer_run(trainer));
    memcpy(block, model->joint.block, (size_t)model->joint.list.count * sizeof *block);
    alterrec_trainer_free(trainer);
}

START_TEST(same_seed_same_bits) {
    int64_t count = model->joint.list.count;
    float *first = ar_new(count, sizeof *first), *again = ar_new(count, sizeof *again);
    train(first, "5");
    train(again, "5");
    ck_assert_mem_eq(first, again, (size_t)count * sizeof *first);
    train(again, "6");
    ck_assert_mem_ne(first, again, (size_t)count * sizeof *first);
    ar_free(first);
    ar_free(again);
}
END_TEST

/* The parts of a step are what the public scores of the parts lose. */
START_TEST(a_step_reports_what_its_parts_lose) {
    float *scores[3];
    double expected[3] = {0.0, 0.0, 0.0};
    alterrec_batch *labelled;
    for (int i = 0; i < 3; i++)
        scores[i] = scores_of(model, scorers[i]);
    MUST(alterrec_batch_create(&labelled));
    for (int32_t s = 0; s < SESSIONS; s++) {
        int32_t label = (3 * s + 1) % ITEMS, length = 1 + s % 3, labels[] = {-1, -1, -1};
        labels[length - 1] = label;
        MUST(alterrec_batch_add_labelled(labelled, (int32_t[]){s, 2 * s + 1, 39 - s}, labels,
                                         length));
        for (int i = 0; i < 3; i++) {
            double sum = 0.0;
            for (int64_t j = 0; j < ITEMS; j++)
                sum += exp((double)scores[i][s * ITEMS + j]);
            expected[i] += (log(sum) - (double)scores[i][s * ITEMS + label]) / SESSIONS;
        }
    }
    alterrec_trainer *trainer = new_trainer();
    alterrec_plan plan = {.struct_size = sizeof plan};
    alterrec_step_report report = {.struct_size = sizeof report};
    MUST(alterrec_trainer_plan(&plan, trainer));
    plan.negatives = ALTERREC_NEGATIVES_FULL;
    MUST(alterrec_trainer_step(&report, trainer, labelled, &plan));
    ck_assert_int_eq(report.tower, ALTERREC_FUSED);
    ck_assert_double_eq_tol(report.part_loss[0], expected[0], 1e-5 * expected[0]);
    ck_assert_double_eq_tol(report.part_loss[1], expected[1], 1e-5 * expected[1]);
    ck_assert_double_eq_tol(report.loss, expected[2], 1e-5 * expected[2]);
    alterrec_trainer_free(trainer);
    alterrec_batch_free(labelled);
    for (int i = 0; i < 3; i++)
        ar_free(scores[i]);
}
END_TEST

START_TEST(what_it_cannot_do_is_an_error) {
    alterrec_trainer *trainer = new_trainer();
    alterrec_plan plan = {.struct_size = sizeof plan};
    MUST(alterrec_trainer_plan(&plan, trainer));
    for (int32_t tower = ALTERREC_ID; tower <= ALTERREC_TEXT; tower++) {
        plan.tower = tower;
        check_fails(alterrec_trainer_epoch(NULL, trainer, &plan), ALTERREC_ERROR_MISMATCH, "joint");
    }
    plan.tower = ALTERREC_FUSED;
    plan.negatives = ALTERREC_NEGATIVES_HARD;
    check_fails(alterrec_trainer_epoch(NULL, trainer, &plan), ALTERREC_ERROR_INVALID_ARGUMENT,
                "hard negatives");
    plan.negatives = ALTERREC_NEGATIVES_RANDOM;
    MUST(alterrec_trainer_epoch(NULL, trainer, &plan));
    alterrec_trainer_free(trainer);
    check_fails(alterrec_model_choose_alpha(NULL, NULL, model, data.valid, 3, NULL),
                ALTERREC_ERROR_MISMATCH, "nothing to weigh");

    /* A trainer of another system, another system's model, a catalog without texts. */
    alterrec_model *other;
    shop_set(&data, "schedule.system", "naive_sum");
    check_fails(alterrec_trainer_create(&trainer, model, data.train, NULL, data.config),
                ALTERREC_ERROR_MISMATCH, "naive_concat");
    MUST(alterrec_model_create(&other, data.catalog, data.config));
    shop_set(&data, "schedule.system", "naive_concat");
    check_fails(alterrec_trainer_create(&trainer, other, data.train, NULL, data.config),
                ALTERREC_ERROR_MISMATCH, "naive_concat");
    alterrec_model_free(other);
    alterrec_catalog *plain;
    MUST(alterrec_catalog_create(&plain, NULL, NULL, ITEMS));
    check_fails(alterrec_model_create(&other, plain, data.config), ALTERREC_ERROR_MISMATCH,
                "no text features");
    ck_assert_ptr_null(other);
    alterrec_catalog_free(plain);
}
END_TEST

/* There is nothing to choose: training goes on as if alpha were any number. */
START_TEST(automatic_alpha_is_passed_over) {
    alterrec_model_free(model);
    shop_set(&data, "fusion.alpha", "auto");
    MUST(alterrec_model_create(&model, data.catalog, data.config));
    alterrec_trainer *trainer = new_trainer();
    MUST(alterrec_trainer_run(trainer));
    alterrec_trainer_free(trainer);
    const char *alpha;
    MUST(alterrec_config_get(&alpha, alterrec_model_config(model), "fusion.alpha"));
    ck_assert_str_eq(alpha, "auto");
}
END_TEST

int main(void) {
    TCase *group = tcase_create("joint");
    tcase_add_checked_fixture(group, set_up, tear_down);
    tcase_add_test(group, scores_are_products_of_vectors);
    tcase_add_loop_test(group, parts_leave_the_other_out, 0, 2);
    tcase_add_test(group, recommender_goes_by_the_whole);
    tcase_add_test(group, evaluation_has_the_whole_and_both_parts);
    tcase_add_test(group, a_file_holds_it);
    tcase_add_test(group, a_damaged_file_is_refused);
    tcase_add_test(group, items_are_added);
    tcase_add_test(group, training_learns_and_reports_its_parts);
    tcase_add_test(group, same_seed_same_bits);
    tcase_add_test(group, a_step_reports_what_its_parts_lose);
    tcase_add_test(group, what_it_cannot_do_is_an_error);
    tcase_add_test(group, automatic_alpha_is_passed_over);
    Suite *suite = suite_create("joint");
    suite_add_tcase(suite, group);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
