#include "eval/evaluation.h"

static const struct {
    int scorer;
    const char *name;
} scorers[AR_EVALUATION_SCORERS] = {{ALTERREC_FUSED, "fused"},
                                    {ALTERREC_ID, "id"},
                                    {ALTERREC_TEXT, "text"},
                                    {ALTERREC_POPULARITY, "popularity"}};

static const char *const metric_names[AR_METRIC_KINDS] = {"hits", "mrr", "ndcg"};

static const char *comma(int64_t index) {
    return index > 0 ? "," : "";
}

/* "hits":{"1":0.19,"3":0.26},"mrr":{...},"ndcg":{...} */
static void put_metrics(ar_text *out, const alterrec_evaluation *evaluation,
                        const ar_metrics *metrics) {
    for (int kind = 0; kind < AR_METRIC_KINDS; kind++) {
        ar_text_print(out, "%s\"%s\":{", comma(kind), metric_names[kind]);
        for (int64_t i = 0; i < evaluation->k_count; i++) {
            ar_text_print(out, "%s\"%lld\":", comma(i), (long long)evaluation->ks[i]);
            ar_text_put_double(out, ar_metrics_mean(metrics, kind, i));
        }
        ar_text_print(out, "}");
    }
}

/* ,"fused":{...},"id":{...}, ... of one group, or of all examples (-1). */
static void put_scorers(ar_text *out, const alterrec_evaluation *evaluation, int64_t group) {
    for (int i = 0; i < AR_EVALUATION_SCORERS; i++) {
        int index = scorers[i].scorer - ALTERREC_ID;
        if (!evaluation->evaluated[index])
            continue;
        ar_text_print(out, ",\"%s\":{", scorers[i].name);
        put_metrics(out, evaluation, &evaluation->metrics[index][1 + group]);
        ar_text_print(out, "}");
    }
}

static void put_group(ar_text *out, const alterrec_evaluation *evaluation, int64_t group) {
    int64_t low = 0, high = 0, examples = 0;
    (void)alterrec_evaluation_group(&low, &high, &examples, evaluation, group);
    ar_text_print(out, "{\"low\":%lld,\"high\":", (long long)low);
    if (high < 0)
        ar_text_print(out, "null");
    else
        ar_text_print(out, "%lld", (long long)high);
    ar_text_print(out, ",\"examples\":%lld", (long long)examples);
    put_scorers(out, evaluation, group);
    ar_text_print(out, "}");
}

void ar_evaluation_print(ar_text *out, const alterrec_evaluation *evaluation) {
    ar_text_print(out, "{\"examples\":%lld,\"ks\":[",
                  (long long)alterrec_evaluation_examples(evaluation));
    for (int64_t i = 0; i < evaluation->k_count; i++)
        ar_text_print(out, "%s%lld", comma(i), (long long)evaluation->ks[i]);
    ar_text_print(out, "]");
    put_scorers(out, evaluation, -1);
    ar_text_print(out, ",\"groups\":[");
    for (int64_t g = 0; g < evaluation->group_count; g++) {
        ar_text_print(out, "%s", comma(g));
        put_group(out, evaluation, g);
    }
    ar_text_print(out, "]}");
}
