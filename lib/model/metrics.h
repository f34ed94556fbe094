/* Ranks of labels, and the metrics made of them. Level: model. */
#ifndef AR_MODEL_METRICS_H
#define AR_MODEL_METRICS_H

#include "core/status.h"

enum { AR_METRICS_MOST_KS = 16, AR_METRIC_KINDS = 3 /* ALTERREC_HITS, _MRR, _NDCG */ };

/* The rank of item `label` among scores [items], 1 for the best: 1 + the number of items with a
 * higher score, or with the same score and a lower index. 0 if any score is not finite. */
int32_t ar_rank_of(const float *scores, int64_t items, int32_t label);

/* How many of scores [count] put their items before a label whose score is `own`: those that are
 * higher, or as high and stand before place `label`. The label itself may be among them, or stand
 * before the first (negative) or behind the last. -1 if any of them is not finite. */
int32_t ar_rank_before(const float *scores, int64_t count, int64_t label, float own);

/* What one example with this rank adds to metric `kind` at k. Rank 0 is no rank: a miss. */
double ar_metric_of(int kind, int32_t rank, int64_t k);

/* The mean of one metric over examples, added up in order; 0 without examples. */
double ar_metric_mean(int kind, int64_t k, const int32_t *ranks, int64_t count);

/* Every metric at every k, summed over examples. A zeroed ar_metrics holds none. */
typedef struct ar_metrics {
    double sums[AR_METRIC_KINDS][AR_METRICS_MOST_KS];
    int64_t examples;
} ar_metrics;

/* ks [k_count], at most AR_METRICS_MOST_KS, the same in every call. */
void ar_metrics_add(ar_metrics *metrics, int32_t rank, const int64_t *ks, int64_t k_count);

/* The mean of metric `kind` at ks[k_index]; 0 without examples. */
double ar_metrics_mean(const ar_metrics *metrics, int kind, int64_t k_index);

#endif
