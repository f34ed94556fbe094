#include "eval/evaluation.h"

#include "core/memory.h"
#include "core/threads.h"
#include "data/config.h"
#include "eval/popularity.h"
#include "model/ranker.h"

static bool in_group(const alterrec_evaluation *evaluation, int64_t group, int64_t count) {
    return count >= evaluation->low[group] &&
           (evaluation->high[group] < 0 || count < evaluation->high[group]);
}

/* Adds one example's rank to every figure of the scorer that it belongs to; `count` is how often
 * the label occurs in training. */
static void add_rank(alterrec_evaluation *evaluation, int scorer, int32_t rank, int64_t count) {
    ar_metrics *metrics = evaluation->metrics[scorer - ALTERREC_ID];
    ar_metrics_add(&metrics[0], rank, evaluation->ks, evaluation->k_count);
    for (int64_t g = 0; g < evaluation->group_count; g++)
        if (in_group(evaluation, g, count))
            ar_metrics_add(&metrics[1 + g], rank, evaluation->ks, evaluation->k_count);
}

static void add_scorer(alterrec_evaluation *evaluation, int scorer, const int32_t *scorer_ranks,
                       const ar_ranks *ranks, const int64_t *train_counts) {
    evaluation->evaluated[scorer - ALTERREC_ID] = true;
    for (int64_t i = 0; i < ranks->count; i++)
        add_rank(evaluation, scorer, scorer_ranks[i],
                 train_counts != NULL ? train_counts[ranks->labels[i]] : 0);
}

/* The baseline ranks a label alike whatever the session. */
static alterrec_status add_popularity(alterrec_evaluation *evaluation, const ar_ranks *ranks,
                                      const int64_t *train_counts, int64_t items) {
    int32_t *item_ranks, *baseline = NULL;
    AR_NEW(item_ranks, items);
    alterrec_status status = ar_popularity_ranks(item_ranks, train_counts, items);
    if (status != ALTERREC_OK)
        goto done;
    baseline = ar_new(ranks->count, sizeof *baseline);
    if (baseline == NULL) {
        status = ALTERREC_ERROR_OUT_OF_MEMORY;
        goto done;
    }
    for (int64_t i = 0; i < ranks->count; i++)
        baseline[i] = item_ranks[ranks->labels[i]];
    add_scorer(evaluation, ALTERREC_POPULARITY, baseline, ranks, train_counts);
done:
    ar_free(item_ranks);
    ar_free(baseline);
    return status;
}

static alterrec_status add_ranks(alterrec_evaluation *evaluation, const ar_ranks *ranks,
                                 const alterrec_model *model, const int64_t *train_counts) {
    add_scorer(evaluation, ALTERREC_FUSED, ranks->fused, ranks, train_counts);
    add_scorer(evaluation, ALTERREC_ID, ranks->id, ranks, train_counts);
    if (model->has_text)
        add_scorer(evaluation, ALTERREC_TEXT, ranks->text, ranks, train_counts);
    if (train_counts != NULL)
        AR_TRY(add_popularity(evaluation, ranks, train_counts, model->catalog->items));
    ar_evaluation_print(&evaluation->json, evaluation);
    return evaluation->json.status;
}

static alterrec_status evaluate(alterrec_evaluation *evaluation, const alterrec_model *model,
                                const alterrec_sessions *held_out, const alterrec_sessions *train,
                                const alterrec_config *config, const ar_ranker_progress *progress) {
    int64_t *train_counts = NULL;
    evaluation->k_count = ar_config_list(evaluation->ks, AR_METRICS_MOST_KS, config, "eval.ks");
    if (train != NULL) {
        AR_NEW(train_counts, model->catalog->items);
        ar_sessions_count_items(train_counts, train);
        evaluation->group_count = ar_config_ranges(
            evaluation->low, evaluation->high, AR_EVALUATION_MOST_GROUPS, config, "eval.groups");
    }
    ar_ranks ranks;
    alterrec_status status =
        ar_ranker_run(&ranks, model, held_out, ar_config_float(config, "fusion.alpha"), progress);
    if (status == ALTERREC_OK)
        status = add_ranks(evaluation, &ranks, model, train_counts);
    ar_ranks_free(&ranks);
    ar_free(train_counts);
    return status;
}

static alterrec_status check_catalog(const alterrec_sessions *sessions, const char *argument,
                                     const alterrec_model *model, const char *function) {
    if (sessions == NULL || ar_catalog_same(sessions->catalog, model->catalog))
        return ALTERREC_OK;
    return ar_fail(ALTERREC_ERROR_MISMATCH, "%s: the catalog of `%s` is not the model's", function,
                   argument);
}

alterrec_status alterrec_evaluate(alterrec_evaluation **evaluation, const alterrec_model *model,
                                  const alterrec_sessions *held_out, const alterrec_sessions *train,
                                  const alterrec_config *config, alterrec_progress_fn progress,
                                  void *user_data) {
    AR_NOT_NULL(evaluation);
    *evaluation = NULL;
    AR_NOT_NULL(model);
    AR_NOT_NULL(held_out);
    AR_TRY(check_catalog(held_out, "held_out", model, __func__));
    AR_TRY(check_catalog(train, "train", model, __func__));
    if (ar_ranker_examples(held_out) == 0)
        return ar_fail(ALTERREC_ERROR_INVALID_ARGUMENT,
                       "%s: `held_out` has no session of two items", __func__);
    if (config == NULL)
        config = model->config;
    alterrec_evaluation *made;
    AR_NEW(made, 1);
    ar_ranker_progress told = {.call = progress, .user_data = user_data};
    int previous = ar_threads_enter(ar_config_int(config, "compute.threads"));
    alterrec_status status = evaluate(made, model, held_out, train, config, &told);
    ar_threads_leave(previous);
    if (status != ALTERREC_OK) {
        alterrec_evaluation_free(made);
        return status;
    }
    *evaluation = made;
    return ALTERREC_OK;
}

void alterrec_evaluation_free(alterrec_evaluation *evaluation) {
    if (evaluation == NULL)
        return;
    ar_text_free(&evaluation->json);
    ar_free(evaluation);
}

/* Every example has a fused rank. */
static int64_t examples_of(const alterrec_evaluation *evaluation, int64_t group) {
    return evaluation->metrics[ALTERREC_FUSED - ALTERREC_ID][1 + group].examples;
}

int64_t alterrec_evaluation_examples(const alterrec_evaluation *evaluation) {
    return evaluation != NULL ? examples_of(evaluation, -1) : 0;
}

int64_t alterrec_evaluation_groups(const alterrec_evaluation *evaluation) {
    return evaluation != NULL ? evaluation->group_count : 0;
}

alterrec_status alterrec_evaluation_group(int64_t *low, int64_t *high, int64_t *examples,
                                          const alterrec_evaluation *evaluation, int64_t group) {
    AR_NOT_NULL(evaluation);
    if (group < 0 || group >= evaluation->group_count)
        return ar_fail(ALTERREC_ERROR_INVALID_ARGUMENT,
                       "%s: group is %lld, the evaluation has %lld", __func__, (long long)group,
                       (long long)evaluation->group_count);
    if (low != NULL)
        *low = evaluation->low[group];
    if (high != NULL)
        *high = evaluation->high[group];
    if (examples != NULL)
        *examples = examples_of(evaluation, group);
    return ALTERREC_OK;
}

static alterrec_status check_figure(const alterrec_evaluation *evaluation, int32_t scorer,
                                    int32_t metric, int64_t group, const char *function) {
    if (scorer < ALTERREC_ID || scorer > ALTERREC_POPULARITY)
        return ar_fail(ALTERREC_ERROR_INVALID_ARGUMENT,
                       "%s: scorer %d is none of ALTERREC_ID, _TEXT, _FUSED, _POPULARITY", function,
                       (int)scorer);
    if (metric < ALTERREC_HITS || metric > ALTERREC_NDCG)
        return ar_fail(ALTERREC_ERROR_INVALID_ARGUMENT,
                       "%s: metric %d is none of ALTERREC_HITS, _MRR, _NDCG", function,
                       (int)metric);
    if (group < -1 || group >= evaluation->group_count)
        return ar_fail(ALTERREC_ERROR_INVALID_ARGUMENT,
                       "%s: group is %lld, the evaluation has %lld (-1: all examples)", function,
                       (long long)group, (long long)evaluation->group_count);
    if (!evaluation->evaluated[scorer - ALTERREC_ID])
        return ar_fail(ALTERREC_ERROR_NOT_FOUND, "%s: %s", function,
                       scorer == ALTERREC_TEXT
                           ? "the model has no text tower"
                           : "there is no popularity baseline without training sessions");
    return ALTERREC_OK;
}

alterrec_status alterrec_evaluation_metric(double *value, const alterrec_evaluation *evaluation,
                                           int32_t scorer, int32_t metric, int64_t k,
                                           int64_t group) {
    AR_NOT_NULL(value);
    AR_NOT_NULL(evaluation);
    AR_TRY(check_figure(evaluation, scorer, metric, group, __func__));
    const ar_metrics *metrics = &evaluation->metrics[scorer - ALTERREC_ID][1 + group];
    for (int64_t i = 0; i < evaluation->k_count; i++)
        if (evaluation->ks[i] == k) {
            *value = ar_metrics_mean(metrics, metric, i);
            return ALTERREC_OK;
        }
    return ar_fail(ALTERREC_ERROR_NOT_FOUND, "%s: k %lld is not among eval.ks", __func__,
                   (long long)k);
}

const char *alterrec_evaluation_json(const alterrec_evaluation *evaluation) {
    return evaluation != NULL ? evaluation->json.bytes : NULL;
}
