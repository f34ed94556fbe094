#include "nn/loss.h"

#include "core/threads.h"
#include "nn/exp.h"

#include <math.h>

/* The largest logit of the items that are a negative. */
AR_CLONES static float largest(const float *logits, const float *negatives, int64_t items) {
    float most = -INFINITY;
#pragma omp simd reduction(max : most)
    for (int64_t j = 0; j < items; j++) {
        float value = negatives[j] > 0.0f ? logits[j] : -INFINITY;
        most = value > most ? value : most;
    }
    return most;
}

/* dst[j] = negatives[j] * exp(logits[j] - most); returns the sum. */
AR_CLONES static float exponentials(float *dst, const float *logits, const float *negatives,
                                    int64_t items, float most) {
    float sum = 0.0f;
#pragma omp simd reduction(+ : sum)
    for (int64_t j = 0; j < items; j++) {
        /* An item that is no negative may lie above `most`; ar_exp bounds it and 0 removes it. */
        dst[j] = negatives[j] * ar_exp(logits[j] - most);
        sum += dst[j];
    }
    return sum;
}

AR_CLONES static void multiply(float *values, int64_t count, float factor) {
    for (int64_t j = 0; j < count; j++)
        values[j] *= factor;
}

void ar_loss_row(double *loss, double *positives_loss, float *diff, const float *logits,
                 const float *negatives, int64_t items, const ar_targets *targets) {
    enum { CHUNK = 4096, TARGETS_MOST = 1 + 1000 };
    /* The targets' own logits are taken before diff may take their place. */
    double y[TARGETS_MOST];
    int64_t count = 1 + targets->positive_count;
    for (int64_t t = 0; t < count; t++) {
        int32_t item = t == 0 ? targets->label : targets->positives[t - 1];
        y[t] = (double)logits[item];
    }
    float most = largest(logits, negatives, items);
    float base = most > -INFINITY ? most : 0.0f; /* without negatives there is no largest */
    double sum = 0.0;
    for (int64_t j = 0; j < items; j += CHUNK)
        sum += (double)exponentials(diff + j, logits + j, negatives + j,
                                    items - j < CHUNK ? items - j : CHUNK, base);

    double factor = 0.0; /* sum over the targets of weight / Z */
    double correction[TARGETS_MOST];
    *loss = *positives_loss = 0.0;
    for (int64_t t = 0; t < count; t++) {
        int32_t item = t == 0 ? targets->label : targets->positives[t - 1];
        double weight = (double)(t == 0 ? targets->label_weight : targets->positive_weight);
        /* Each target's sum is taken relative to its own largest term: two targets may lie further
         * apart than exp reaches. */
        double top = y[t] > (double)most ? y[t] : (double)most;
        double shrink = exp((double)most - top), own = exp(y[t] - top);
        double counted = (double)diff[item] * shrink; /* negatives[item] * own */
        double z = sum * shrink - counted + own;
        double cost = log(z) - (y[t] - top);
        *(t == 0 ? loss : positives_loss) += cost;
        factor += weight * shrink / z;
        correction[t] = weight * ((own - counted) / z - 1.0);
    }
    multiply(diff, items, (float)factor);
    for (int64_t t = 0; t < count; t++) {
        int32_t item = t == 0 ? targets->label : targets->positives[t - 1];
        diff[item] += (float)correction[t];
    }
}
