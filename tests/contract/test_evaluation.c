/* Evaluation: what alterrec.h promises, against ranks counted prefix by prefix from public scores.
 */
#include "core/json.h"
#include "core/memory.h"
#include "core/threads.h"
#include "model/ranker.h"
#include "support/small_model.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const int scorers[] = {ALTERREC_ID, ALTERREC_TEXT, ALTERREC_FUSED, ALTERREC_POPULARITY};
static const char *const scorer_names[] = {"id", "text", "fused", "popularity"};
static const char *const metric_names[] = {"hits", "mrr", "ndcg"};

static void check_fails(alterrec_status status, alterrec_status expected, const char *text) {
    ck_assert_int_eq(status, expected);
    ck_assert_msg(strstr(alterrec_last_error(), text) != NULL, "\"%s\" lacks \"%s\"",
                  alterrec_last_error(), text);
}

/* The naive evaluation. */

enum { MOST_EXAMPLES = 12000 };

typedef struct naive {
    int64_t examples;
    int32_t labels[MOST_EXAMPLES];
    int32_t ranks[4][MOST_EXAMPLES]; /* as `scorers` */
    int64_t *train_counts;
} naive;

static int32_t rank_of(const float *scores, int64_t items, int32_t label) {
    int32_t rank = 1;
    for (int32_t i = 0; i < items; i++)
        rank += scores[i] > scores[label] || (scores[i] == scores[label] && i < label);
    return rank;
}

static int32_t popularity_rank(const int64_t *counts, int64_t items, int32_t label) {
    int32_t rank = 1;
    for (int32_t i = 0; i < items; i++)
        rank += counts[i] > counts[label] || (counts[i] == counts[label] && i < label);
    return rank;
}

/* All prefixes of one session as a batch, whole: cutting to max_len is the model's affair. */
static void rank_session(naive *n, const small_model *small, alterrec_batch *batch,
                         const int32_t *items, int64_t length, bool text) {
    MUST(alterrec_batch_clear(batch));
    for (int64_t prefix = 1; prefix < length; prefix++)
        MUST(alterrec_batch_add(batch, items, prefix));
    float *scores = ar_new((length - 1) * small->items, sizeof *scores);
    for (int s = 0; s < 3; s++) {
        if (scorers[s] == ALTERREC_TEXT && !text)
            continue;
        MUST(alterrec_model_score(scores, small->model, scorers[s], batch));
        for (int64_t p = 0; p < length - 1; p++)
            n->ranks[s][n->examples + p] =
                rank_of(scores + p * small->items, small->items, items[p + 1]);
    }
    ar_free(scores);
    for (int64_t p = 0; p < length - 1; p++) {
        n->labels[n->examples + p] = items[p + 1];
        n->ranks[3][n->examples + p] = popularity_rank(n->train_counts, small->items, items[p + 1]);
    }
    n->examples += length - 1;
}

static naive *evaluate_naively(const small_model *small, const alterrec_sessions *held_out,
                               const alterrec_sessions *train, bool text) {
    naive *n = ar_new(1, sizeof *n);
    n->train_counts = ar_new(small->items, sizeof *n->train_counts);
    for (int64_t s = 0; s < alterrec_sessions_count(train); s++) {
        const int32_t *items;
        int64_t length;
        MUST(alterrec_sessions_get(&items, &length, train, s));
        for (int64_t i = 0; i < length; i++)
            n->train_counts[items[i]]++;
    }
    alterrec_batch *batch;
    MUST(alterrec_batch_create(&batch));
    for (int64_t s = 0; s < alterrec_sessions_count(held_out); s++) {
        const int32_t *items;
        int64_t length;
        MUST(alterrec_sessions_get(&items, &length, held_out, s));
        ck_assert_int_le(n->examples + length, MOST_EXAMPLES);
        if (length > 1)
            rank_session(n, small, batch, items, length, text);
    }
    alterrec_batch_free(batch);
    return n;
}

static void free_naive(naive *n) {
    ar_free(n->train_counts);
    ar_free(n);
}

/* The mean over the labels that occur low..high - 1 times (high -1: or more). */
static double naive_metric(int64_t *examples, const naive *n, int scorer, int metric, int64_t k,
                           int64_t low, int64_t high) {
    double sum = 0.0;
    *examples = 0;
    for (int64_t e = 0; e < n->examples; e++) {
        int64_t count = n->train_counts[n->labels[e]];
        if (count < low || (high >= 0 && count >= high))
            continue;
        double rank = n->ranks[scorer][e];
        ++*examples;
        if (rank <= (double)k)
            sum += metric == ALTERREC_HITS  ? 1.0
                   : metric == ALTERREC_MRR ? 1.0 / rank
                                            : log(2.0) / log(rank + 1.0);
    }
    return *examples > 0 ? sum / (double)*examples : 0.0;
}

static const int64_t ks[] = {1, 3, 5, 10, 20, 50};

/* Every figure of one group (-1: all) against the naive one. */
static void check_group(const alterrec_evaluation *evaluation, const naive *n, bool text,
                        int64_t group) {
    int64_t low = 0, high = -1, examples = alterrec_evaluation_examples(evaluation), expected;
    if (group >= 0)
        MUST(alterrec_evaluation_group(&low, &high, &examples, evaluation, group));
    for (int s = 0; s < 4; s++)
        for (int metric = 0; metric < 3; metric++)
            for (int i = 0; i < 6; i++) {
                double value, wanted = naive_metric(&expected, n, s, metric, ks[i], low, high);
                alterrec_status status = alterrec_evaluation_metric(&value, evaluation, scorers[s],
                                                                    metric, ks[i], group);
                ck_assert_int_eq(examples, expected);
                if (scorers[s] == ALTERREC_TEXT && !text) {
                    ck_assert_int_eq(status, ALTERREC_ERROR_NOT_FOUND);
                    continue;
                }
                MUST(status);
                ck_assert_msg(fabs(value - wanted) < 1e-12,
                              "%s %s@%d of group %d: %.17g, not %.17g", scorer_names[s],
                              metric_names[metric], (int)ks[i], (int)group, value, wanted);
            }
}

typedef struct evaluation_case {
    int64_t items, sessions, longest;
    bool text;
} evaluation_case;

/* Prefixes beyond max_len, one item alone, several chunks and tiles, no text tower. */
static const evaluation_case cases[] = {
    {40, 30, 3 * SMALL_MAX_LEN, true},
    {40, 30, 3 * SMALL_MAX_LEN, false},
    {2, 40, 4, true},
    {90, 900, 2 * SMALL_MAX_LEN, true},
};

START_TEST(equals_a_naive_evaluation) {
    const evaluation_case *c = &cases[_i];
    small_model small;
    small_model_open(&small, c->items, c->text);
    alterrec_sessions *train = small_sessions(&small, 5 * c->items, 4);
    alterrec_sessions *held_out = small_sessions(&small, c->sessions, c->longest);
    MUST(alterrec_config_set(small.config, "eval.groups",
                             "[0,10) [10,14) [0,12] [14,inf) [900,901)"));
    alterrec_evaluation *evaluation;
    MUST(alterrec_evaluate(&evaluation, small.model, held_out, train, small.config, NULL, NULL));
    naive *n = evaluate_naively(&small, held_out, train, c->text);
    ck_assert_int_eq(alterrec_evaluation_examples(evaluation), n->examples);
    ck_assert_int_eq(alterrec_evaluation_groups(evaluation), 5);
    for (int64_t group = -1; group < 5; group++)
        check_group(evaluation, n, c->text, group);
    free_naive(n);
    alterrec_evaluation_free(evaluation);
    alterrec_sessions_free(train);
    alterrec_sessions_free(held_out);
    small_model_close(&small);
}
END_TEST

START_TEST(ranks_equal_the_naive_ones) {
    const evaluation_case *c = &cases[_i];
    small_model small;
    small_model_open(&small, c->items, c->text);
    alterrec_sessions *held_out = small_sessions(&small, c->sessions, c->longest);
    naive *n = evaluate_naively(&small, held_out, NULL, c->text);
    ar_ranks ranks;
    MUST(ar_ranker_run(&ranks, small.model, held_out, &(ar_fusion){.alpha = 0.3F}, NULL));
    ck_assert_int_eq(ranks.count, n->examples);
    ck_assert_int_eq(ar_held_out_examples(held_out), n->examples);
    ck_assert(!ranks.stopped);
    size_t bytes = (size_t)ranks.count * sizeof(int32_t);
    ck_assert_mem_eq(ranks.labels, n->labels, bytes);
    ck_assert_mem_eq(ranks.id, n->ranks[0], bytes);
    ck_assert_mem_eq(ranks.text, n->ranks[1], bytes); /* zeros without a text tower */
    ck_assert_mem_eq(ranks.fused, n->ranks[2], bytes);
    ar_ranks_free(&ranks);
    free_naive(n);
    alterrec_sessions_free(held_out);
    small_model_close(&small);
}
END_TEST

START_TEST(threads_change_no_figure) {
    small_model small;
    small_model_open(&small, 90, true);
    alterrec_sessions *held_out = small_sessions(&small, 500, 2 * SMALL_MAX_LEN);
    const char *const threads[] = {"1", "2", "3"};
    alterrec_evaluation *evaluations[3];
    int before = ar_threads_count();
    for (int i = 0; i < 3; i++) {
        MUST(alterrec_config_set(small.config, "compute.threads", threads[i]));
        MUST(alterrec_evaluate(&evaluations[i], small.model, held_out, held_out, small.config, NULL,
                               NULL));
        ck_assert_int_eq(ar_threads_count(), before);
        ck_assert_str_eq(alterrec_evaluation_json(evaluations[i]),
                         alterrec_evaluation_json(evaluations[0]));
    }
    for (int i = 0; i < 3; i++)
        alterrec_evaluation_free(evaluations[i]);
    alterrec_sessions_free(held_out);
    small_model_close(&small);
}
END_TEST

static void check_json_scorers(const ar_json *object, const alterrec_evaluation *evaluation,
                               int64_t group) {
    for (int s = 0; s < 4; s++)
        for (int metric = 0; metric < 3; metric++) {
            const ar_json *figures =
                ar_json_member(ar_json_member(object, scorer_names[s]), metric_names[metric]);
            double value;
            ck_assert_ptr_nonnull(figures);
            ck_assert_int_eq(figures->count, 2);
            ck_assert_str_eq(figures->first->key, "2");
            MUST(alterrec_evaluation_metric(&value, evaluation, scorers[s], metric, 2, group));
            ck_assert(figures->first->number == value);
            MUST(alterrec_evaluation_metric(&value, evaluation, scorers[s], metric, 7, group));
            ck_assert(figures->first->next->number == value);
        }
}

START_TEST(json_holds_every_figure) {
    small_model small;
    small_model_open(&small, 40, true);
    alterrec_sessions *held_out = small_sessions(&small, 30, 9);
    alterrec_evaluation *evaluation;
    MUST(alterrec_config_set(small.config, "eval.ks", "2,7"));
    MUST(alterrec_config_set(small.config, "eval.groups", "[0,4) [4,inf)"));
    MUST(alterrec_evaluate(&evaluation, small.model, held_out, held_out, small.config, NULL, NULL));
    const char *json = alterrec_evaluation_json(evaluation);
    ck_assert_ptr_null(strchr(json, '\n'));
    ar_json_document document;
    MUST(ar_json_parse(&document, json, strlen(json)));
    ck_assert_int_eq(ar_json_member(document.root, "examples")->integer,
                     alterrec_evaluation_examples(evaluation));
    ck_assert_int_eq(ar_json_member(document.root, "ks")->count, 2);
    check_json_scorers(document.root, evaluation, -1);
    const ar_json *groups = ar_json_member(document.root, "groups");
    ck_assert_int_eq(groups->count, 2);
    int64_t group = 0, examples;
    for (const ar_json *g = groups->first; g != NULL; g = g->next, group++) {
        MUST(alterrec_evaluation_group(NULL, NULL, &examples, evaluation, group));
        ck_assert_int_eq(ar_json_member(g, "low")->integer, group == 0 ? 0 : 4);
        ck_assert_int_eq(ar_json_member(g, "high")->kind, group == 0 ? AR_JSON_INT : AR_JSON_NULL);
        ck_assert_int_eq(ar_json_member(g, "examples")->integer, examples);
        check_json_scorers(g, evaluation, group);
    }
    ar_json_free(&document);
    alterrec_evaluation_free(evaluation);
    alterrec_sessions_free(held_out);
    small_model_close(&small);
}
END_TEST

START_TEST(without_train_there_is_no_baseline) {
    small_model small;
    small_model_open(&small, 20, false);
    alterrec_sessions *held_out = small_sessions(&small, 30, 5);
    alterrec_evaluation *evaluation;
    double value, id;
    MUST(alterrec_evaluate(&evaluation, small.model, held_out, NULL, NULL, NULL, NULL));
    ck_assert_int_eq(alterrec_evaluation_groups(evaluation), 0);
    check_fails(alterrec_evaluation_metric(&value, evaluation, ALTERREC_POPULARITY, 0, 5, -1),
                ALTERREC_ERROR_NOT_FOUND, "popularity");
    check_fails(alterrec_evaluation_metric(&value, evaluation, ALTERREC_TEXT, 0, 5, -1),
                ALTERREC_ERROR_NOT_FOUND, "text tower");
    MUST(alterrec_evaluation_metric(&value, evaluation, ALTERREC_FUSED, ALTERREC_MRR, 20, -1));
    MUST(alterrec_evaluation_metric(&id, evaluation, ALTERREC_ID, ALTERREC_MRR, 20, -1));
    ck_assert(value == id && value > 0.0);
    ck_assert_ptr_null(strstr(alterrec_evaluation_json(evaluation), "text"));
    alterrec_evaluation_free(evaluation);
    alterrec_sessions_free(held_out);
    small_model_close(&small);
}
END_TEST

typedef struct listener {
    int64_t calls, step, steps, examples;
    int64_t answer_at; /* the call that is answered with `answer` */
    int32_t answer;
} listener;

static int32_t listen(const alterrec_progress *progress, void *user_data) {
    listener *l = user_data;
    ck_assert_int_eq(progress->struct_size, sizeof *progress);
    ck_assert_int_eq(progress->stage, ALTERREC_STAGE_VALIDATE);
    ck_assert_int_eq(progress->step, l->step + 1);
    ck_assert_int_gt(progress->examples, l->examples);
    ck_assert(progress->seconds >= 0.0);
    ck_assert_ptr_null(progress->report);
    l->step = progress->step;
    l->steps = progress->steps;
    l->examples = progress->examples;
    return ++l->calls == l->answer_at ? l->answer : 0;
}

START_TEST(progress_tells_stops_and_fails) {
    small_model small;
    small_model_open(&small, 40, true);
    alterrec_sessions *held_out = small_sessions(&small, 1500, 2 * SMALL_MAX_LEN);
    MUST(alterrec_config_set(small.config, "compute.threads", "1"));
    int threads = ar_threads_count();
    listener whole = {0}, stopped = {.answer_at = 2, .answer = 5};
    listener failed = {.answer_at = 2, .answer = -4711};
    alterrec_evaluation *evaluation;
    MUST(alterrec_evaluate(&evaluation, small.model, held_out, NULL, small.config, listen, &whole));
    ck_assert_int_gt(whole.calls, 2);
    ck_assert_int_eq(whole.calls, whole.steps);
    ck_assert_int_eq(whole.examples, ar_held_out_examples(held_out));
    ck_assert_int_eq(alterrec_evaluation_examples(evaluation), whole.examples);
    alterrec_evaluation_free(evaluation);

    MUST(alterrec_evaluate(&evaluation, small.model, held_out, NULL, small.config, listen,
                           &stopped));
    ck_assert_int_eq(stopped.calls, 2);
    ck_assert_int_eq(alterrec_evaluation_examples(evaluation), stopped.examples);
    ck_assert_int_lt(stopped.examples, whole.examples);
    alterrec_evaluation_free(evaluation);

    ck_assert_int_eq(
        alterrec_evaluate(&evaluation, small.model, held_out, NULL, small.config, listen, &failed),
        -4711);
    ck_assert_ptr_null(evaluation);
    ck_assert_int_eq(ar_threads_count(), threads);
    alterrec_sessions_free(held_out);
    small_model_close(&small);
}
END_TEST

START_TEST(scores_that_are_not_finite) {
    small_model small;
    small_model_open(&small, 20, _i == 1);
    alterrec_sessions *held_out = small_sessions(&small, 30, 5);
    alterrec_evaluation *evaluation = (alterrec_evaluation *)&small;
    const char *name = _i == 1 ? "text.norm.bias" : "id.norm.bias";
    float values[SMALL_DIM];
    for (int i = 0; i < SMALL_DIM; i++)
        values[i] = 3e38f;
    MUST(alterrec_model_set_tensor(small.model, name, values, SMALL_DIM));
    check_fails(alterrec_evaluate(&evaluation, small.model, held_out, NULL, NULL, NULL, NULL),
                ALTERREC_ERROR_NOT_FINITE, "not finite");
    ck_assert_ptr_null(evaluation);
    memset(values, 0, sizeof values);
    MUST(alterrec_model_set_tensor(small.model, name, values, SMALL_DIM));
    MUST(alterrec_evaluate(&evaluation, small.model, held_out, NULL, NULL, NULL, NULL));
    alterrec_evaluation_free(evaluation);
    alterrec_sessions_free(held_out);
    small_model_close(&small);
}
END_TEST

/* Sessions belong to a model if the keys agree, whoever made the catalog. */
START_TEST(catalogs_are_compared_by_keys) {
    const char *const keys[] = {"a", "b", "c"}, *const swapped[] = {"a", "c", "b"};
    const int32_t items[] = {0, 1, 2};
    const int64_t offsets[] = {0, 3};
    alterrec_catalog *catalogs[3];
    alterrec_sessions *sessions[3];
    MUST(alterrec_catalog_create(&catalogs[0], keys, NULL, 3));
    MUST(alterrec_catalog_create(&catalogs[1], keys, NULL, 3));
    MUST(alterrec_catalog_create(&catalogs[2], swapped, NULL, 3));
    for (int i = 0; i < 3; i++)
        MUST(alterrec_sessions_create(&sessions[i], catalogs[i], items, offsets, 1));
    alterrec_config *config;
    alterrec_model *model;
    MUST(alterrec_config_create(&config));
    MUST(alterrec_config_set(config, "model.dim", "8"));
    MUST(alterrec_model_create(&model, catalogs[0], config));
    for (int round = 0; round < 2; round++) {
        alterrec_evaluation *evaluation;
        check_fails(
            alterrec_evaluate(&evaluation, model, sessions[2], sessions[0], NULL, NULL, NULL),
            ALTERREC_ERROR_MISMATCH, "held_out");
        check_fails(
            alterrec_evaluate(&evaluation, model, sessions[0], sessions[2], NULL, NULL, NULL),
            ALTERREC_ERROR_MISMATCH, "train");
        MUST(alterrec_evaluate(&evaluation, model, sessions[0], sessions[1], NULL, NULL, NULL));
        ck_assert_int_eq(alterrec_evaluation_examples(evaluation), 2);
        alterrec_evaluation_free(evaluation);
    }
    for (int i = 0; i < 3; i++) {
        alterrec_catalog_free(catalogs[i]);
        alterrec_sessions_free(sessions[i]);
    }
    alterrec_config_free(config);
    alterrec_model_free(model);
}
END_TEST

static void check_wrong_reads(const alterrec_evaluation *evaluation) {
    const alterrec_status wrong = ALTERREC_ERROR_INVALID_ARGUMENT;
    double value;
    check_fails(alterrec_evaluation_metric(NULL, evaluation, ALTERREC_ID, 0, 5, -1), wrong,
                "`value`");
    check_fails(alterrec_evaluation_metric(&value, NULL, ALTERREC_ID, 0, 5, -1), wrong,
                "`evaluation`");
    check_fails(alterrec_evaluation_metric(&value, evaluation, 0, 0, 5, -1), wrong, "scorer 0");
    check_fails(alterrec_evaluation_metric(&value, evaluation, 5, 0, 5, -1), wrong, "scorer 5");
    check_fails(alterrec_evaluation_metric(&value, evaluation, 1, -1, 5, -1), wrong, "metric -1");
    check_fails(alterrec_evaluation_metric(&value, evaluation, 1, 3, 5, -1), wrong, "metric 3");
    check_fails(alterrec_evaluation_metric(&value, evaluation, 1, 0, 5, -2), wrong, "group is -2");
    check_fails(alterrec_evaluation_metric(&value, evaluation, 1, 0, 5, 5), wrong, "group is 5");
    check_fails(alterrec_evaluation_metric(&value, evaluation, 1, 0, 4, -1),
                ALTERREC_ERROR_NOT_FOUND, "k 4");
    check_fails(alterrec_evaluation_group(NULL, NULL, NULL, NULL, 0), wrong, "`evaluation`");
    check_fails(alterrec_evaluation_group(NULL, NULL, NULL, evaluation, 5), wrong, "group is 5");
    check_fails(alterrec_evaluation_group(NULL, NULL, NULL, evaluation, -1), wrong, "group is -1");
    MUST(alterrec_evaluation_group(NULL, NULL, NULL, evaluation, 4));
    MUST(alterrec_evaluation_metric(&value, evaluation, ALTERREC_ID, 0, 5, 4));
}

START_TEST(wrong_arguments) {
    const alterrec_status wrong = ALTERREC_ERROR_INVALID_ARGUMENT;
    small_model small;
    small_model_open(&small, 20, true);
    alterrec_sessions *held_out = small_sessions(&small, 30, 5);
    alterrec_sessions *singles = small_sessions(&small, 30, 1);
    alterrec_evaluation *evaluation = (alterrec_evaluation *)&small;
    check_fails(alterrec_evaluate(NULL, small.model, held_out, NULL, NULL, NULL, NULL), wrong,
                "`evaluation`");
    check_fails(alterrec_evaluate(&evaluation, NULL, held_out, NULL, NULL, NULL, NULL), wrong,
                "`model`");
    ck_assert_ptr_null(evaluation);
    check_fails(alterrec_evaluate(&evaluation, small.model, NULL, NULL, NULL, NULL, NULL), wrong,
                "`held_out`");
    check_fails(alterrec_evaluate(&evaluation, small.model, singles, NULL, NULL, NULL, NULL), wrong,
                "two items");
    alterrec_evaluation_free(NULL);
    ck_assert_int_eq(alterrec_evaluation_examples(NULL), 0);
    ck_assert_int_eq(alterrec_evaluation_groups(NULL), 0);
    ck_assert_ptr_null(alterrec_evaluation_json(NULL));
    MUST(alterrec_evaluate(&evaluation, small.model, held_out, singles, NULL, NULL, NULL));
    check_wrong_reads(evaluation);
    check_wrong_reads(evaluation);
    alterrec_evaluation_free(evaluation);
    alterrec_sessions_free(held_out);
    alterrec_sessions_free(singles);
    small_model_close(&small);
}
END_TEST

START_TEST(out_of_memory) {
    small_model small;
    small_model_open(&small, 20, true);
    alterrec_sessions *held_out = small_sessions(&small, 10, 5);
    alterrec_status status = ALTERREC_ERROR_OUT_OF_MEMORY;
    int64_t countdown = 0;
    while (status != ALTERREC_OK) {
        alterrec_evaluation *evaluation;
        ar_memory_fail_after(++countdown);
        status = alterrec_evaluate(&evaluation, small.model, held_out, held_out, NULL, NULL, NULL);
        ar_memory_fail_after(0);
        if (status != ALTERREC_OK) {
            ck_assert_int_eq(status, ALTERREC_ERROR_OUT_OF_MEMORY);
            ck_assert_ptr_null(evaluation);
        }
        alterrec_evaluation_free(evaluation);
    }
    ck_assert_int_gt(countdown, 20);
    alterrec_sessions_free(held_out);
    small_model_close(&small);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("evaluation");
    TCase *group = tcase_create("evaluation");
    int count = (int)(sizeof cases / sizeof *cases);
    tcase_add_loop_test(group, equals_a_naive_evaluation, 0, count);
    tcase_add_loop_test(group, ranks_equal_the_naive_ones, 0, count);
    tcase_add_test(group, threads_change_no_figure);
    tcase_add_test(group, json_holds_every_figure);
    tcase_add_test(group, without_train_there_is_no_baseline);
    tcase_add_test(group, progress_tells_stops_and_fails);
    tcase_add_loop_test(group, scores_that_are_not_finite, 0, 2);
    tcase_add_test(group, catalogs_are_compared_by_keys);
    tcase_add_test(group, wrong_arguments);
    tcase_add_test(group, out_of_memory);
    suite_add_tcase(suite, group);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
