#include "names.h"
#include "settings.h"

#include <stdio.h>
#include <string.h>

const char *names_scorer(int32_t scorer) {
    switch (scorer) {
    case ALTERREC_ID:
        return "ID";
    case ALTERREC_TEXT:
        return "text";
    case ALTERREC_FUSED:
        return "fused";
    case ALTERREC_POPULARITY:
        return "popularity";
    default:
        return "?";
    }
}

const char *names_negatives(int32_t negatives) {
    switch (negatives) {
    case ALTERREC_NEGATIVES_RANDOM:
        return "random";
    case ALTERREC_NEGATIVES_HARD:
        return "hard";
    case ALTERREC_NEGATIVES_FULL:
        return "full";
    case ALTERREC_NEGATIVES_BATCH:
        return "batch";
    case ALTERREC_NEGATIVES_HOST:
        return "own";
    default:
        return "?";
    }
}

const char *names_metric(int32_t metric) {
    switch (metric) {
    case ALTERREC_HITS:
        return "Hits";
    case ALTERREC_MRR:
        return "MRR";
    case ALTERREC_NDCG:
        return "NDCG";
    default:
        return "?";
    }
}

void names_valid_metric(char *name, size_t size, const alterrec_config *config) {
    static const char *const options[] = {"hits", "mrr", "ndcg"};
    static const int32_t metrics[] = {ALTERREC_HITS, ALTERREC_MRR, ALTERREC_NDCG};
    const char *metric = settings_get(config, "train.valid_metric");
    for (int i = 0; i < 3; i++) {
        if (strcmp(metric, options[i]) == 0)
            metric = names_metric(metrics[i]);
    }
    snprintf(name, size, "%s@%s", metric, settings_get(config, "train.valid_k"));
}
