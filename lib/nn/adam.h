/* Adam over one block of parameters. Level: nn. */
#ifndef AR_NN_ADAM_H
#define AR_NN_ADAM_H

#include "core/status.h"

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

#endif
