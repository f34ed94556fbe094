#include "eval/evaluation.h"

#include "core/memory.h"

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
