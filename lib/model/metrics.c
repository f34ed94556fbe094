#include "model/metrics.h"

#include "core/limit.h"
#include "core/threads.h"

#include <float.h>
#include <math.h>

AR_CLONES int32_t ar_rank_before(const float *scores, int64_t count, int64_t label, float own) {
    int64_t middle = ar_at_most(ar_at_least(label, 0), count);
    int32_t before = 0, broken = 0;
    for (int64_t i = 0; i < middle; i++) {
        before += scores[i] >= own;
        broken += !(fabsf(scores[i]) <= FLT_MAX);
    }
    for (int64_t i = middle; i < count; i++) {
        before += scores[i] > own;
        broken += !(fabsf(scores[i]) <= FLT_MAX);
    }
    return broken > 0 ? -1 : before;
}

int32_t ar_rank_of(const float *scores, int64_t items, int32_t label) {
    return ar_rank_before(scores, items, label, scores[label]) + 1;
}

double ar_metric_of(int kind, int32_t rank, int64_t k) {
    if (rank < 1 || rank > k)
        return 0.0;
    if (kind == ALTERREC_HITS)
        return 1.0;
    return kind == ALTERREC_MRR ? 1.0 / rank : 1.0 / log2(rank + 1.0);
}

double ar_metric_mean(int kind, int64_t k, const int32_t *ranks, int64_t count) {
    double sum = 0.0;
    for (int64_t i = 0; i < count; i++)
        sum += ar_metric_of(kind, ranks[i], k);
    return count > 0 ? sum / (double)count : 0.0;
}

void ar_metrics_add(ar_metrics *metrics, int32_t rank, const int64_t *ks, int64_t k_count) {
    for (int kind = 0; kind < AR_METRIC_KINDS; kind++)
        for (int64_t i = 0; i < k_count; i++)
            metrics->sums[kind][i] += ar_metric_of(kind, rank, ks[i]);
    metrics->examples++;
}

double ar_metrics_mean(const ar_metrics *metrics, int kind, int64_t k_index) {
    return metrics->examples > 0 ? metrics->sums[kind][k_index] / (double)metrics->examples : 0.0;
}
