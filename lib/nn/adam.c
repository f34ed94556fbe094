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
                                 int64_t count, const ar_adam_rates *of_step) {
    ar_adam_rates rates = *of_step;
#pragma omp simd
    for (int64_t i = 0; i < count; i++)
        ar_adam_move(&parameters[i], &first[i], &second[i], diff[i], rates);
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

void ar_adam_part_here(const ar_adam *adam, float *parameters, int64_t from, const float *diff,
                       int64_t count, const ar_adam_rates *rates) {
    step_range(parameters + from, adam->first + from, adam->second + from, diff, count, rates);
}

void ar_adam_part(const ar_adam *adam, float *parameters, int64_t from, const float *diff,
                  int64_t count, const ar_adam_rates *rates) {
    enum { RANGE = 1 << 14 };
#pragma omp parallel for schedule(static) if (count > AR_PARALLEL_LEAST)
    for (int64_t i = 0; i < count; i += RANGE)
        ar_adam_part_here(adam, parameters, from + i, diff + i,
                          count - i < RANGE ? count - i : RANGE, rates);
}

void ar_adam_step(ar_adam *adam, float *parameters, const float *diff,
                  const ar_adam_options *options) {
    ar_adam_rates rates = ar_adam_begin(adam, options);
    ar_adam_part(adam, parameters, 0, diff, adam->count, &rates);
}
