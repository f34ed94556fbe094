/* The choice of alpha: what alterrec_model_choose_alpha and fusion.alpha "auto" promise. */
#include "core/memory.h"
#include "model/alpha.h"
#include "model/fusion.h"
#include "scratch.h"
#include "support/shop.h"
#include "support/small_model.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static void check_fails(alterrec_status status, alterrec_status expected, const char *text) {
    ck_assert_int_eq(status, expected);
    ck_assert_msg(strstr(alterrec_last_error(), text) != NULL, "\"%s\" lacks \"%s\"",
                  alterrec_last_error(), text);
}

static const char *alpha_of(const alterrec_model *model) {
    const char *value;
    MUST(alterrec_config_get(&value, alterrec_model_config(model), "fusion.alpha"));
    return value;
}

START_TEST(the_best_point) {
    static const struct {
        double curve[6];
        int64_t points, best;
    } cases[] = {
        {{1, 2, 3, 4, 5}, 5, 4},
        {{5, 4, 3, 2, 1}, 5, 0},
        {{1, 1, 1, 1, 1}, 5, 2},
        {{2, 1, 1, 2, 1}, 5, 3},
        {{1, 2, 1, 2, 1}, 5, 1},
        {{3, 1, 2, 2, 1, 3}, 6, 0},
        {{0, 0, 0, 0, 0, 0}, 6, 2},
        {{1, 1}, 2, 0},
        {{1, 2}, 2, 1},
        {{0, 1, 0, 0, 1, 1}, 6, 1},
        {{0, 0, 0, 0, 1, 1}, 6, 4},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        ck_assert_int_eq(ar_alpha_best(cases[i].curve, cases[i].points), cases[i].best);
    ck_assert(ar_alpha_at(0, 21) == 0.0 && ar_alpha_at(20, 21) == 1.0);
    ck_assert(ar_alpha_at(13, 21) == 0.65 && ar_alpha_at(3, 21) == 0.15);
}
END_TEST

/* The fused figure of an evaluation with this alpha. */
static double evaluate_at(const small_model *small, const alterrec_sessions *valid, double alpha,
                          int metric, int64_t k) {
    char text[32];
    double value;
    alterrec_evaluation *evaluation;
    (void)snprintf(text, sizeof text, "%.17g", alpha);
    MUST(alterrec_config_set(small->config, "fusion.alpha", text));
    MUST(alterrec_evaluate(&evaluation, small->model, valid, NULL, small->config, NULL, NULL));
    MUST(alterrec_evaluation_metric(&value, evaluation, ALTERREC_FUSED, metric, k, -1));
    alterrec_evaluation_free(evaluation);
    return value;
}

/* Twins make ties; 4300 items are several blocks. */
static const struct {
    int64_t items, sessions, points;
    const char *metric;
    int kind;
} cases[] = {{90, 200, 21, "mrr", ALTERREC_MRR},
             {90, 200, 2, "hits", ALTERREC_HITS},
             {2, 40, 7, "ndcg", ALTERREC_NDCG},
             {4300, 150, 5, "ndcg", ALTERREC_NDCG}};

START_TEST(the_curve_is_that_of_single_evaluations) {
    int64_t points = cases[_i].points, best = 0;
    double alpha, *curve = ar_new(points, sizeof *curve);
    small_model small;
    small_model_open(&small, cases[_i].items, true);
    alterrec_sessions *valid = small_sessions(&small, cases[_i].sessions, 2 * SMALL_MAX_LEN);
    MUST(alterrec_config_set(small.config, "train.valid_metric", cases[_i].metric));
    MUST(alterrec_config_set(small.config, "train.valid_k", "10"));
    MUST(alterrec_model_choose_alpha(&alpha, curve, small.model, valid, points, small.config));
    for (int64_t p = 0; p < points; p++) {
        double expected =
            evaluate_at(&small, valid, (double)p / (double)(points - 1), cases[_i].kind, 10);
        ck_assert_msg(curve[p] == expected, "point %d: %.17g, not %.17g", (int)p, curve[p],
                      expected);
        best = curve[p] > curve[best] ? p : best;
    }
    ck_assert(curve[best] > 0.0);
    ck_assert(curve[ar_alpha_best(curve, points)] == curve[best]);
    ck_assert(alpha == ar_alpha_at(ar_alpha_best(curve, points), points));
    ck_assert(ar_fusion_alpha(alterrec_model_config(small.model), NULL) == alpha);
    ar_free(curve);
    alterrec_sessions_free(valid);
    small_model_close(&small);
}
END_TEST

/* The model's own weight: scored with, saved, and what "auto" elsewhere means. */
START_TEST(the_choice_belongs_to_the_model) {
    small_model small;
    small_model_open(&small, 40, true);
    alterrec_sessions *valid = small_sessions(&small, 50, 6);
    alterrec_batch *batch;
    alterrec_model *loaded;
    alterrec_recommender *own, *automatic;
    float before[40], after[40], scores[2][40];
    int32_t best[2][40];
    double alpha;
    const char *path = scratch_path("model.safetensors");
    MUST(alterrec_batch_create(&batch));
    small_add(batch, valid, 0);
    MUST(alterrec_model_score(before, small.model, ALTERREC_FUSED, batch));
    MUST(alterrec_model_choose_alpha(&alpha, NULL, small.model, valid, 2, NULL));
    ck_assert_str_eq(alpha_of(small.model), alpha == 0.0 ? "0" : "1");
    MUST(alterrec_model_score(after, small.model, ALTERREC_FUSED, batch));
    ck_assert_mem_ne(before, after, sizeof before);
    MUST(alterrec_model_score(before, small.model, alpha == 0.0 ? ALTERREC_TEXT : ALTERREC_ID,
                              batch));
    ck_assert_mem_eq(before, after, sizeof before);
    MUST(alterrec_model_save(small.model, path));
    MUST(alterrec_model_load(&loaded, path));
    ck_assert_str_eq(alpha_of(loaded), alpha_of(small.model));
    MUST(alterrec_config_set(small.config, "fusion.alpha", "auto"));
    MUST(alterrec_recommender_create(&own, loaded, NULL));
    MUST(alterrec_recommender_create(&automatic, loaded, small.config));
    MUST(alterrec_recommender_top_k(best[0], scores[0], NULL, own, batch, 40, NULL));
    MUST(alterrec_recommender_top_k(best[1], scores[1], NULL, automatic, batch, 40, NULL));
    ck_assert_mem_eq(best[0], best[1], sizeof best[0]);
    ck_assert_mem_eq(scores[0], scores[1], sizeof scores[0]);
    alterrec_recommender_free(own);
    alterrec_recommender_free(automatic);
    alterrec_model_free(loaded);
    alterrec_batch_free(batch);
    alterrec_sessions_free(valid);
    small_model_close(&small);
}
END_TEST

/* A model that was never trained, or trained without a choice: 0.5. */
START_TEST(auto_without_a_choice_is_a_half) {
    small_model small;
    small_model_open(&small, 40, true);
    alterrec_model *models[2];
    alterrec_batch *batch;
    float scores[2][40];
    const char *const alphas[] = {"auto", "0.5"};
    MUST(alterrec_batch_create(&batch));
    MUST(alterrec_batch_add(batch, (int32_t[]){3, 14}, 2));
    for (int i = 0; i < 2; i++) {
        MUST(alterrec_config_set(small.config, "fusion.alpha", alphas[i]));
        MUST(alterrec_model_create(&models[i], small.catalog, small.config));
        MUST(alterrec_model_score(scores[i], models[i], ALTERREC_FUSED, batch));
        const char *path = scratch_path("model.safetensors");
        alterrec_model *loaded;
        float again[40];
        MUST(alterrec_model_save(models[i], path));
        MUST(alterrec_model_load(&loaded, path));
        ck_assert_str_eq(alpha_of(loaded), alphas[i]);
        MUST(alterrec_model_score(again, loaded, ALTERREC_FUSED, batch));
        ck_assert_mem_eq(again, scores[i], sizeof again);
        alterrec_model_free(loaded);
    }
    ck_assert_mem_eq(scores[0], scores[1], sizeof scores[0]);
    for (int i = 0; i < 2; i++)
        alterrec_model_free(models[i]);
    alterrec_batch_free(batch);
    small_model_close(&small);
}
END_TEST

static int32_t stop(const alterrec_progress *progress, void *user_data) {
    (void)user_data;
    return progress->stage == ALTERREC_STAGE_EPOCH && progress->epoch == 1;
}

static int32_t refuse(const alterrec_progress *progress, void *user_data) {
    (void)user_data;
    return progress->epoch == 1 ? -4711 : 0;
}

static int32_t decline(const alterrec_fusion_tile *tile, void *user_data) {
    (void)tile;
    (void)user_data;
    return 1;
}

typedef struct training {
    const char *alpha, *system;
    bool valid;
    alterrec_progress_fn progress;
    alterrec_fusion_fn fusion;
    alterrec_status expected;
    bool chosen; /* what is expected */
} training;

static const training trainings[] = {
    {.alpha = "auto", .system = "alterrec", .valid = true, .chosen = true},
    {.alpha = "auto", .system = "alterrec", .valid = true, .progress = stop, .chosen = true},
    {.alpha = "auto", .system = "id", .valid = true, .chosen = true},
    {.alpha = "auto", .system = "alterrec"},
    {.alpha = "auto", .system = "alterrec", .valid = true, .fusion = decline},
    {.alpha = "auto", .system = "alterrec", .valid = true, .progress = refuse, .expected = -4711},
    {.alpha = "0.5", .system = "alterrec", .valid = true},
};

START_TEST(training_ends_with_the_choice) {
    const training *t = &trainings[_i];
    shop s;
    alterrec_model *model;
    alterrec_trainer *trainer;
    shop_open(&s, 40, 60);
    shop_set(&s, "schedule.system", t->system);
    shop_set(&s, "optimizer.learning_rate", "0.02");
    shop_set(&s, "fusion.alpha", t->alpha);
    MUST(alterrec_model_create(&model, s.catalog, s.config));
    MUST(alterrec_trainer_create(&trainer, model, s.train, t->valid ? s.valid : NULL, NULL));
    MUST(alterrec_trainer_on_progress(trainer, t->progress, NULL));
    MUST(alterrec_trainer_on_fusion(trainer, t->fusion, NULL));
    ck_assert_int_eq(alterrec_trainer_run(trainer), t->expected);
    double trained = ar_fusion_alpha(alterrec_model_config(model), NULL), alpha, curve[21];
    if (!t->chosen)
        ck_assert_str_eq(alpha_of(model), t->alpha);
    else
        ck_assert_str_ne(alpha_of(model), "auto");
    if (t->chosen) {
        MUST(alterrec_model_choose_alpha(&alpha, curve, model, s.valid, 21, NULL));
        ck_assert(alpha == trained);
    }
    alterrec_trainer_free(trainer);
    alterrec_model_free(model);
    shop_close(&s);
}
END_TEST

/* Until the choice, "auto" is 0.5: the weights and the reports are the same. */
START_TEST(auto_changes_nothing_else_in_training) {
    const char *const alphas[] = {"auto", "0.5"};
    alterrec_epoch_report reports[2][6];
    float *tables[2];
    for (int i = 0; i < 2; i++) {
        shop s;
        alterrec_model *model;
        alterrec_trainer *trainer;
        shop_open(&s, 40, 60);
        shop_set(&s, "fusion.alpha", alphas[i]);
        MUST(alterrec_model_create(&model, s.catalog, s.config));
        MUST(alterrec_trainer_create(&trainer, model, s.train, s.valid, NULL));
        MUST(alterrec_trainer_run(trainer));
        ck_assert_int_eq(alterrec_trainer_epochs(trainer), 6);
        for (int e = 0; e < 6; e++) {
            reports[i][e].struct_size = sizeof reports[i][e];
            MUST(alterrec_trainer_report(&reports[i][e], trainer, e));
        }
        tables[i] = ar_new(40 * 8, sizeof *tables[i]);
        MUST(alterrec_model_item_vectors(tables[i], model, ALTERREC_TEXT));
        alterrec_trainer_free(trainer);
        alterrec_model_free(model);
        shop_close(&s);
    }
    for (int e = 0; e < 6; e++) {
        ck_assert(reports[0][e].loss == reports[1][e].loss);
        for (int scorer = 0; scorer < 3; scorer++)
            ck_assert(reports[0][e].valid_metric[scorer] == reports[1][e].valid_metric[scorer]);
    }
    ck_assert_mem_eq(tables[0], tables[1], 40 * 8 * sizeof(float));
    ar_free(tables[0]);
    ar_free(tables[1]);
}
END_TEST

typedef struct intruder {
    alterrec_model *model;
    const alterrec_sessions *valid;
    int calls;
} intruder;

static int32_t intrude(const alterrec_progress *progress, void *user_data) {
    intruder *i = user_data;
    (void)progress;
    i->calls++;
    check_fails(alterrec_model_choose_alpha(NULL, NULL, i->model, i->valid, 3, NULL),
                ALTERREC_ERROR_BUSY, "another call is using the model");
    return 0;
}

START_TEST(a_model_in_training_is_busy) {
    shop s;
    intruder i = {0};
    alterrec_trainer *trainer;
    shop_open(&s, 40, 60);
    MUST(alterrec_model_create(&i.model, s.catalog, s.config));
    MUST(alterrec_trainer_create(&trainer, i.model, s.train, s.valid, NULL));
    i.valid = s.valid;
    MUST(alterrec_trainer_on_progress(trainer, intrude, &i));
    MUST(alterrec_trainer_epoch(NULL, trainer, NULL));
    ck_assert_int_gt(i.calls, 1);
    MUST(alterrec_model_choose_alpha(NULL, NULL, i.model, s.valid, 3, NULL));
    alterrec_trainer_free(trainer);
    alterrec_model_free(i.model);
    shop_close(&s);
}
END_TEST

START_TEST(wrong_arguments) {
    const alterrec_status wrong = ALTERREC_ERROR_INVALID_ARGUMENT;
    const int64_t points[] = {-1, 0, 1, 1002, INT64_MAX};
    small_model small, other, bare;
    double alpha = 7.0, curve[3] = {7.0, 7.0, 7.0};
    small_model_open(&small, 20, true);
    small_model_open(&other, 21, true);
    small_model_open(&bare, 20, false);
    alterrec_sessions *valid = small_sessions(&small, 20, 5);
    alterrec_sessions *singles = small_sessions(&small, 20, 1);
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < 5; i++)
            check_fails(
                alterrec_model_choose_alpha(&alpha, curve, small.model, valid, points[i], NULL),
                wrong, "outside 2..1001");
        check_fails(alterrec_model_choose_alpha(&alpha, curve, small.model, singles, 3, NULL),
                    wrong, "two items");
        check_fails(alterrec_model_choose_alpha(&alpha, curve, other.model, valid, 3, NULL),
                    ALTERREC_ERROR_MISMATCH, "`valid`");
        check_fails(alterrec_model_choose_alpha(&alpha, curve, bare.model, valid, 3, NULL),
                    ALTERREC_ERROR_MISMATCH, "no text tower");
    }
    ck_assert(alpha == 7.0 && curve[0] == 7.0);
    ck_assert_str_eq(alpha_of(small.model), "0.3");
    float values[SMALL_DIM];
    for (int i = 0; i < SMALL_DIM; i++)
        values[i] = 3e38F;
    MUST(alterrec_model_set_tensor(small.model, "text.norm.bias", values, SMALL_DIM));
    check_fails(alterrec_model_choose_alpha(&alpha, curve, small.model, valid, 3, NULL),
                ALTERREC_ERROR_NOT_FINITE, "held-out example 0");
    memset(values, 0, sizeof values);
    MUST(alterrec_model_set_tensor(small.model, "text.norm.bias", values, SMALL_DIM));
    ck_assert(alpha == 7.0 && curve[0] == 7.0);
    MUST(alterrec_model_choose_alpha(&alpha, curve, small.model, valid, 3, NULL));
    ck_assert(alpha != 7.0 && curve[0] != 7.0);
    alterrec_sessions_free(valid);
    alterrec_sessions_free(singles);
    small_model_close(&small);
    small_model_close(&other);
    small_model_close(&bare);
}
END_TEST

START_TEST(out_of_memory) {
    small_model small;
    small_model_open(&small, 20, true);
    alterrec_sessions *valid = small_sessions(&small, 10, 5);
    alterrec_status status = ALTERREC_ERROR_OUT_OF_MEMORY;
    int64_t countdown = 0;
    while (status != ALTERREC_OK) {
        ar_memory_fail_after(++countdown);
        status = alterrec_model_choose_alpha(NULL, NULL, small.model, valid, 4, NULL);
        ar_memory_fail_after(0);
        if (status != ALTERREC_OK) {
            ck_assert_int_eq(status, ALTERREC_ERROR_OUT_OF_MEMORY);
            ck_assert_str_eq(alpha_of(small.model), "0.3");
        }
    }
    ck_assert_int_gt(countdown, 15);
    alterrec_sessions_free(valid);
    small_model_close(&small);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("alpha");
    TCase *group = tcase_create("alpha");
    tcase_add_checked_fixture(group, scratch_open, scratch_close);
    tcase_add_test(group, the_best_point);
    tcase_add_loop_test(group, the_curve_is_that_of_single_evaluations, 0,
                        (int)(sizeof cases / sizeof *cases));
    tcase_add_test(group, the_choice_belongs_to_the_model);
    tcase_add_test(group, auto_without_a_choice_is_a_half);
    tcase_add_loop_test(group, training_ends_with_the_choice, 0,
                        (int)(sizeof trainings / sizeof *trainings));
    tcase_add_test(group, auto_changes_nothing_else_in_training);
    tcase_add_test(group, a_model_in_training_is_busy);
    tcase_add_test(group, wrong_arguments);
    tcase_add_test(group, out_of_memory);
    suite_add_tcase(suite, group);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
