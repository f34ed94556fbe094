#include "eval/evaluator.h"

#include "core/memory.h"
#include "core/threads.h"
#include "data/config.h"
#include "eval/evaluation.h"
#include "eval/popularity.h"

alterrec_status alterrec_evaluator_create(alterrec_evaluator **evaluator,
                                          const alterrec_model *model,
                                          const alterrec_config *config) {
    AR_NOT_NULL(evaluator);
    *evaluator = NULL;
    AR_NOT_NULL(model);
    alterrec_evaluator *made;
    AR_NEW(made, 1);
    made->model = ar_model_hold(model);
    alterrec_status status = ar_config_merge(&made->config, model->config, config);
    if (status != ALTERREC_OK) {
        alterrec_evaluator_free(made);
        return status;
    }
    made->fusion.alpha = (float)ar_fusion_alpha(made->config, model->config);
    *evaluator = made;
    return ALTERREC_OK;
}

void alterrec_evaluator_free(alterrec_evaluator *evaluator) {
    if (evaluator == NULL)
        return;
    alterrec_model_free(evaluator->model);
    alterrec_config_free(evaluator->config);
    ar_free(evaluator);
}

static alterrec_status busy_error(const char *function) {
    return ar_fail(ALTERREC_ERROR_BUSY, "%s: the evaluator is inside a call", function);
}

alterrec_status alterrec_evaluator_on_progress(alterrec_evaluator *evaluator,
                                               alterrec_progress_fn progress, void *user_data) {
    AR_NOT_NULL(evaluator);
    if (atomic_load(&evaluator->busy))
        return busy_error(__func__);
    evaluator->progress.call = progress;
    evaluator->progress.user_data = user_data;
    return ALTERREC_OK;
}

alterrec_status alterrec_evaluator_on_fusion(alterrec_evaluator *evaluator,
                                             alterrec_fusion_fn fusion, void *user_data) {
    AR_NOT_NULL(evaluator);
    if (atomic_load(&evaluator->busy))
        return busy_error(__func__);
    evaluator->fusion.call = fusion;
    evaluator->fusion.user_data = user_data;
    return ALTERREC_OK;
}

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
    if (ar_model_tower(model, ALTERREC_TEXT) != NULL)
        add_scorer(evaluation, ALTERREC_TEXT, ranks->text, ranks, train_counts);
    if (train_counts != NULL)
        AR_TRY(add_popularity(evaluation, ranks, train_counts, model->catalog->items));
    ar_evaluation_print(&evaluation->json, evaluation);
    return evaluation->json.status;
}

static alterrec_status evaluate(alterrec_evaluation *evaluation,
                                const alterrec_evaluator *evaluator,
                                const alterrec_sessions *held_out, const alterrec_sessions *train) {
    const alterrec_model *model = evaluator->model;
    const alterrec_config *config = evaluator->config;
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
        ar_ranker_run(&ranks, model, held_out, &evaluator->fusion, &evaluator->progress);
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

alterrec_status alterrec_evaluator_run(alterrec_evaluation **evaluation,
                                       alterrec_evaluator *evaluator,
                                       const alterrec_sessions *held_out,
                                       const alterrec_sessions *train) {
    AR_NOT_NULL(evaluation);
    *evaluation = NULL;
    AR_NOT_NULL(evaluator);
    AR_NOT_NULL(held_out);
    AR_TRY(check_catalog(held_out, "held_out", evaluator->model, __func__));
    AR_TRY(check_catalog(train, "train", evaluator->model, __func__));
    if (ar_held_out_examples(held_out) == 0)
        return ar_fail(ALTERREC_ERROR_INVALID_ARGUMENT,
                       "%s: `held_out` has no session of two items", __func__);
    alterrec_evaluation *made;
    AR_NEW(made, 1);
    if (atomic_exchange(&evaluator->busy, true)) {
        alterrec_evaluation_free(made);
        return busy_error(__func__);
    }
    int previous = ar_threads_enter(ar_config_int(evaluator->config, "compute.threads"));
    alterrec_status status = evaluate(made, evaluator, held_out, train);
    ar_threads_leave(previous);
    atomic_store(&evaluator->busy, false);
    if (status != ALTERREC_OK) {
        alterrec_evaluation_free(made);
        return status;
    }
    *evaluation = made;
    return ALTERREC_OK;
}

alterrec_status alterrec_evaluate(alterrec_evaluation **evaluation, const alterrec_model *model,
                                  const alterrec_sessions *held_out, const alterrec_sessions *train,
                                  const alterrec_config *config, alterrec_progress_fn progress,
                                  void *user_data) {
    AR_NOT_NULL(evaluation);
    *evaluation = NULL;
    AR_NOT_NULL(model);
    AR_NOT_NULL(held_out);
    alterrec_evaluator *evaluator;
    AR_TRY(alterrec_evaluator_create(&evaluator, model, config));
    alterrec_status status = alterrec_evaluator_on_progress(evaluator, progress, user_data);
    if (status == ALTERREC_OK)
        status = alterrec_evaluator_run(evaluation, evaluator, held_out, train);
    alterrec_evaluator_free(evaluator);
    return status;
}
