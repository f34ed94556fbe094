/* Where a config meets a model or its snapshot: what was never set in it is the model's own. */
#include "data/config.h"
#include "scratch.h"
#include "serve/recommender.h"
#include "support/shop.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#define MUST(call) ck_assert_msg((call) == ALTERREC_OK, "%s", alterrec_last_error())

enum { ITEMS = 40, K = 10 };

static shop s;
static alterrec_model *model;

/* A config that sets what `yaml` says and nothing else, or a copy of one. */
static alterrec_config *config_of(const char *yaml, bool cloned) {
    alterrec_config *made, *copy;
    MUST(alterrec_config_create(&made));
    MUST(alterrec_config_read_text(made, yaml, strlen(yaml)));
    if (!cloned)
        return made;
    MUST(alterrec_config_clone(&copy, made));
    alterrec_config_free(made);
    return copy;
}

static void set_up(void) {
    scratch_open();
    shop_open(&s, ITEMS, 60);
    static const char *const own[][2] = {{"fusion.alpha", "0.125"},
                                         {"serve.precision", "bf16"},
                                         {"serve.encoder", "bf16"},
                                         {"compute.threads", "2"},
                                         {"eval.ks", "3,7"},
                                         {"eval.groups", "[0,2) [2,inf)"},
                                         {"train.valid_metric", "mrr"},
                                         {"train.valid_k", "4"},
                                         {"train.epochs", "2"},
                                         {"optimizer.learning_rate", "0.004"}};
    for (size_t i = 0; i < sizeof own / sizeof own[0]; i++)
        shop_set(&s, own[i][0], own[i][1]);
    MUST(alterrec_model_create(&model, s.catalog, s.config));
}

static void tear_down(void) {
    alterrec_model_free(model);
    shop_close(&s);
    scratch_close();
}

static void check_option(const alterrec_config *config, const char *key, const char *expected) {
    const char *value;
    MUST(alterrec_config_get(&value, config, key));
    ck_assert_msg(strcmp(value, expected) == 0, "%s is %s, not %s", key, value, expected);
}

static void scores_of(float scores[K], const alterrec_recommender *recommender) {
    int32_t items[K];
    alterrec_batch *batch;
    MUST(alterrec_batch_create(&batch));
    MUST(alterrec_batch_add(batch, (int32_t[]){3, 5, 4}, 3));
    MUST(alterrec_recommender_top_k(items, scores, NULL, recommender, batch, K, NULL));
    alterrec_batch_free(batch);
}

/* The recommender of `yaml`, its options and its best scores. */
static void check_recommender(const char *yaml, bool cloned, const char *const options[4],
                              float scores[K]) {
    static const char *const keys[] = {"compute.threads", "fusion.alpha", "serve.precision",
                                       "serve.encoder"};
    alterrec_config *config = yaml != NULL ? config_of(yaml, cloned) : NULL;
    alterrec_recommender *recommender;
    MUST(alterrec_recommender_create(&recommender, model, config));
    for (int i = 0; i < 4; i++)
        check_option(recommender->config, keys[i], options[i]);
    scores_of(scores, recommender);
    alterrec_recommender_free(recommender);
    alterrec_config_free(config);
}

START_TEST(recommenders) {
    float own[K], scores[K], even[K];
    const char *const all_own[4] = {"2", "0.125", "bf16", "bf16"};
    check_recommender(NULL, false, all_own, own);
    for (int cloned = 0; cloned < 2; cloned++) {
        check_recommender("", cloned, all_own, scores);
        ck_assert_mem_eq(scores, own, sizeof own);
        check_recommender("compute.threads: 1", cloned,
                          (const char *const[]){"1", "0.125", "bf16", "bf16"}, scores);
        ck_assert_mem_eq(scores, own, sizeof own);
        check_recommender("serve: {precision: int8}", cloned,
                          (const char *const[]){"2", "0.125", "int8", "bf16"}, scores);
        ck_assert_mem_eq(scores, own, sizeof own);
        check_recommender("serve.encoder: f32", cloned,
                          (const char *const[]){"2", "0.125", "bf16", "f32"}, scores);
        ck_assert_mem_ne(scores, own, sizeof own);
        /* The default, but said. */
        check_recommender("fusion: {alpha: 0.5}", cloned,
                          (const char *const[]){"2", "0.5", "bf16", "bf16"}, even);
        ck_assert_mem_ne(even, own, sizeof own);
        check_recommender("fusion.alpha: auto", cloned, all_own, scores);
        ck_assert_mem_eq(scores, own, sizeof own);
    }
}
END_TEST

START_TEST(snapshots) {
    alterrec_recommender *recommender;
    const char *path = scratch_path("shop.snapshot");
    static const struct {
        const char *yaml;
        int64_t threads;
    } cases[] = {{"", 2},
                 {"serve.verify: true", 2},
                 {"compute.threads: 1", 1},
                 {"compute.threads: 0", 0},
                 {"{fusion.alpha: 1, serve.precision: f32}", 2}};
    MUST(alterrec_recommender_create(&recommender, model, NULL));
    MUST(alterrec_recommender_save(recommender, path));
    alterrec_recommender_free(recommender);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        alterrec_config *config = config_of(cases[i].yaml, false);
        MUST(alterrec_recommender_open(&recommender, path, config));
        ck_assert_int_eq(recommender->threads, cases[i].threads);
        check_option(recommender->config, "fusion.alpha", "0.125");
        check_option(recommender->config, "serve.precision", "bf16");
        alterrec_recommender_free(recommender);
        alterrec_config_free(config);
    }
}
END_TEST

static double fused_mrr(const char *yaml, int64_t k) {
    double value;
    alterrec_evaluation *evaluation;
    alterrec_config *config = yaml != NULL ? config_of(yaml, false) : NULL;
    MUST(alterrec_evaluate(&evaluation, model, s.valid, s.train, config, NULL, NULL));
    MUST(alterrec_evaluation_metric(&value, evaluation, ALTERREC_FUSED, ALTERREC_MRR, k, -1));
    ck_assert_int_eq(alterrec_evaluation_groups(evaluation), 2);
    alterrec_evaluation_free(evaluation);
    alterrec_config_free(config);
    return value;
}

START_TEST(evaluations) {
    double own = fused_mrr(NULL, 7);
    ck_assert(fused_mrr("", 7) == own);
    ck_assert(fused_mrr("compute.threads: 1", 7) == own);
    ck_assert(fused_mrr("{eval.ks: '9,40', compute.threads: 1}", 40) >= own);
    ck_assert(fused_mrr("fusion.alpha: auto", 7) == own);
    ck_assert(fused_mrr("fusion.alpha: 1", 7) != own);
}
END_TEST

START_TEST(trainers) {
    static const char *const yaml[] = {"", "compute.threads: 2", "train.patience: 3"};
    for (int i = 0; i < 3; i++) {
        alterrec_trainer *trainer;
        alterrec_plan plan = {.struct_size = sizeof plan};
        alterrec_config *config = config_of(yaml[i], false);
        MUST(alterrec_trainer_create(&trainer, model, s.train, s.valid, config));
        alterrec_config_free(config);
        MUST(alterrec_trainer_plan(&plan, trainer));
        ck_assert(plan.learning_rate == 0.004);
        MUST(alterrec_trainer_run(trainer));
        ck_assert_int_eq(alterrec_trainer_epochs(trainer), 2);
        alterrec_trainer_free(trainer);
    }
}
END_TEST

START_TEST(chosen_weights) {
    double curves[2][5];
    alterrec_config *config = config_of("compute.threads: 1", false);
    MUST(alterrec_model_choose_alpha(NULL, curves[0], model, s.valid, 5, NULL));
    MUST(alterrec_model_choose_alpha(NULL, curves[1], model, s.valid, 5, config));
    ck_assert_mem_eq(curves[0], curves[1], sizeof curves[0]);
    MUST(alterrec_config_set(config, "train.valid_k", "20"));
    MUST(alterrec_model_choose_alpha(NULL, curves[1], model, s.valid, 5, config));
    ck_assert_mem_ne(curves[0], curves[1], sizeof curves[0]);
    alterrec_config_free(config);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("own_options");
    TCase *cases = tcase_create("own_options");
    tcase_add_checked_fixture(cases, set_up, tear_down);
    tcase_add_test(cases, recommenders);
    tcase_add_test(cases, snapshots);
    tcase_add_test(cases, evaluations);
    tcase_add_test(cases, trainers);
    tcase_add_test(cases, chosen_weights);
    suite_add_tcase(suite, cases);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
