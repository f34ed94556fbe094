#include "nn/adam.h"

#include "core/memory.h"
#include "core/threads.h"

#include <math.h>

alterrec_status ar_adam_create(ar_adam *adam, int64_t count) {
    *adam = (ar_adam){.count = count};
    adam->first = ar_new(count, sizeof *adam->first);
    adam->second = ar_new(count, sizeof *adam->second);
    if (adam->first == NULL || adam->second == NULL) {
        ar_adam_free(adam);
        return ALTERREC_ERROR_OUT_OF_MEMORY;
    }
    return ALTERREC_OK;
}

void ar_adam_free(ar_adam *adam) {
    ar_free(adam->first);
    ar_free(adam->second);
    *adam = (ar_adam){0};
}

/* The constants of one step, in the form the loop uses. */
typedef struct step {
    float rate; /* learning rate / (1 - beta1^steps) */
    float beta1, beta2;
    float one_less_beta1, one_less_beta2; /* not 1.0f - beta: that loses digits for beta near 1 */
    float inverse_root;                   /* 1 / sqrt(1 - beta2^steps) */
    float epsilon, weight_decay;
} step;

AR_CLONES static void step_range(float *parameters, float *first, float *second, const float *diff,
                                 int64_t count, const step *s) {
    float rate = s->rate, beta1 = s->beta1, beta2 = s->beta2, inverse_root = s->inverse_root;
    float one_less_beta1 = s->one_less_beta1, one_less_beta2 = s->one_less_beta2;
    float epsilon = s->epsilon, weight_decay = s->weight_decay;
#pragma omp simd
    for (int64_t i = 0; i < count; i++) {
        float gradient = diff[i] + weight_decay * parameters[i];
        first[i] = beta1 * first[i] + one_less_beta1 * gradient;
        second[i] = beta2 * second[i] + one_less_beta2 * gradient * gradient;
        parameters[i] -= rate * first[i] / (sqrtf(second[i]) * inverse_root + epsilon);
    }
}

void ar_adam_step(ar_adam *adam, float *parameters, const float *diff,
                  const ar_adam_options *options) {
    enum { RANGE = 1 << 14 };
    double steps = (double)++adam->steps;
    step s = {.rate = (float)(options->learning_rate / (1.0 - pow(options->beta1, steps))),
              .beta1 = (float)options->beta1,
              .beta2 = (float)options->beta2,
              .one_less_beta1 = (float)(1.0 - options->beta1),
              .one_less_beta2 = (float)(1.0 - options->beta2),
              .inverse_root = (float)(1.0 / sqrt(1.0 - pow(options->beta2, steps))),
              .epsilon = (float)options->epsilon,
              .weight_decay = (float)options->weight_decay};
#pragma omp parallel for if (adam->count > AR_PARALLEL_LEAST)
    for (int64_t i = 0; i < adam->count; i += RANGE)
        step_range(parameters + i, adam->first + i, adam->second + i, diff + i,
                   adam->count - i < RANGE ? adam->count - i : RANGE, &s);
}
