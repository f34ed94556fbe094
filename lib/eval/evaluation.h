/* An evaluation: every metric of every scorer, overall and by popularity group. Level: eval. */
#ifndef AR_EVAL_EVALUATION_H
#define AR_EVAL_EVALUATION_H

#include "core/text.h"
#include "model/metrics.h"

enum { AR_EVALUATION_SCORERS = 4, AR_EVALUATION_MOST_GROUPS = 16 };

struct alterrec_evaluation {
    int64_t ks[AR_METRICS_MOST_KS];
    int64_t k_count;
    int64_t low[AR_EVALUATION_MOST_GROUPS]; /* group g: labels that occur low..high - 1 times */
    int64_t high[AR_EVALUATION_MOST_GROUPS];
    int64_t group_count;

    /* By scorer - ALTERREC_ID; then [0] is of all examples, [1 + g] of group g's. */
    bool evaluated[AR_EVALUATION_SCORERS];
    ar_metrics metrics[AR_EVALUATION_SCORERS][1 + AR_EVALUATION_MOST_GROUPS];
    ar_text json;
};

/* Puts every figure as one line of JSON. */
void ar_evaluation_print(ar_text *out, const alterrec_evaluation *evaluation);

#endif
