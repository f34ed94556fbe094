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

AR_CLONES static void step_range(float *parameters, float *first, float *second, const float *diff,
                                 int64_t count, const ar_adam_rates *r) {
    float rate = r->rate, beta1 = r->beta1, beta2 = r->beta2, inverse_root = r->inverse_root;
    float one_less_beta1 = r->one_less_beta1, one_less_beta2 = r->one_less_beta2;
    float epsilon = r->epsilon, weight_decay = r->weight_decay;
#pragma omp simd
    for (int64_t i = 0; i < count; i++) {
        float gradient = diff[i] + weight_decay * parameters[i];
        first[i] = beta1 * first[i] + one_less_beta1 * gradient;
        second[i] = beta2 * second[i] + one_less_beta2 * gradient * gradient;
        parameters[i] -= rate * first[i] / (sqrtf(second[i]) * inverse_root + epsilon);
    }
}

float ar_adam_rate(const ar_adam *adam, double learning_rate, const ar_adam_options *options) {
    return (float)(learning_rate / (1.0 - pow(options->beta1, (double)adam->steps)));
}

ar_adam_rates ar_adam_begin(ar_adam *adam, const ar_adam_options *options) {
    double steps = (double)++adam->steps;
    return (ar_adam_rates){.rate = ar_adam_rate(adam, options->learning_rate, options),
                           .beta1 = (float)options->beta1,
                           .beta2 = (float)options->beta2,
                           .one_less_beta1 = (float)(1.0 - options->beta1),
                           .one_less_beta2 = (float)(1.0 - options->beta2),
                           .inverse_root = (float)(1.0 / sqrt(1.0 - pow(options->beta2, steps))),
                           .epsilon = (float)options->epsilon,
                           .weight_decay = (float)options->weight_decay};
}

void ar_adam_part(const ar_adam *adam, float *parameters, int64_t from, const float *diff,
                  int64_t count, const ar_adam_rates *rates) {
    step_range(parameters + from, adam->first + from, adam->second + from, diff, count, rates);
}

void ar_adam_step(ar_adam *adam, float *parameters, const float *diff,
                  const ar_adam_options *options) {
    enum { RANGE = 1 << 14 };
    ar_adam_rates rates = ar_adam_begin(adam, options);
#pragma omp parallel for if (adam->count > AR_PARALLEL_LEAST)
    for (int64_t i = 0; i < adam->count; i += RANGE)
        ar_adam_part(adam, parameters, i, diff + i,
                     adam->count - i < RANGE ? adam->count - i : RANGE, &rates);
}
