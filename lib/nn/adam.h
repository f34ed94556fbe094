/* Adam over one block of parameters. Level: nn. */
#ifndef AR_NN_ADAM_H
#define AR_NN_ADAM_H

#include "core/status.h"

#include <math.h>

typedef struct ar_adam {
    float *first;  /* [count] first moments */
    float *second; /* [count] second moments */
    int64_t count;
    int64_t steps; /* taken so far */
} ar_adam;

typedef struct ar_adam_options {
    double learning_rate, beta1, beta2, epsilon;
    double weight_decay; /* L2: added to the gradient as weight_decay * parameter */
} ar_adam_options;

alterrec_status ar_adam_create(ar_adam *adam, int64_t count);
void ar_adam_free(ar_adam *adam);

/* One step: parameters [count] from their gradients diff [count]. */
void ar_adam_step(ar_adam *adam, float *parameters, const float *diff,
                  const ar_adam_options *options);

/* The constants of one step, in the form that its loops use. */
typedef struct ar_adam_rates {
    float rate; /* learning rate / (1 - beta1^steps) */
    float beta1, beta2;
    float one_less_beta1, one_less_beta2; /* not 1.0f - beta: that loses digits for beta near 1 */
    float inverse_root;                   /* 1 / sqrt(1 - beta2^steps) */
    float epsilon, weight_decay;
} ar_adam_rates;

/* One step of one parameter. */
static inline void ar_adam_move(float *parameter, float *first, float *second, float diff,
                                ar_adam_rates rates) {
    float gradient = diff + rates.weight_decay * *parameter;
    *first = rates.beta1 * *first + rates.one_less_beta1 * gradient;
    *second = rates.beta2 * *second + rates.one_less_beta2 * gradient * gradient;
    *parameter -= rates.rate * *first / (sqrtf(*second) * rates.inverse_root + rates.epsilon);
}

/* The rate of a step that has been counted, for parts that have a learning rate of their own. */
float ar_adam_rate(const ar_adam *adam, double learning_rate, const ar_adam_options *options);

/* A step in parts: counts it, and gives the constants for */
ar_adam_rates ar_adam_begin(ar_adam *adam, const ar_adam_options *options);

/* each part, the parameters [count] from place `from` of the block on, with their gradients diff
 * [count]: on all threads, or `here`, on the calling one. */
void ar_adam_part(const ar_adam *adam, float *parameters, int64_t from, const float *diff,
                  int64_t count, const ar_adam_rates *rates);
void ar_adam_part_here(const ar_adam *adam, float *parameters, int64_t from, const float *diff,
                       int64_t count, const ar_adam_rates *rates);

#endif
