/* The loss of one example and its gradient (Section 4.2, equation of the cross-entropy over a label
 * and its negatives). Level: nn. */
#ifndef AR_NN_LOSS_H
#define AR_NN_LOSS_H

#include <stdint.h>

/* What an example is trained towards. */
typedef struct ar_targets {
    int32_t label;
    const int32_t *positives; /* augmented positives: further labels, distinct */
    int64_t positive_count;
    float label_weight;    /* of the label's term in the batch's loss */
    float positive_weight; /* of each positive's term */
} ar_targets;

/* diff [items]: the gradient of the batch's loss by the logits y [items], which it may take the
 * place of. A target t costs
 *     -log( exp(y_t) / (exp(y_t) + sum over j != t of negatives[j] exp(y_j)) ),
 * where negatives[j] says how many times item j is a negative. *loss is the label's cost,
 * *positives_loss the sum of the positives' costs, both unweighted. */
void ar_loss_row(double *loss, double *positives_loss, float *diff, const float *logits,
                 const float *negatives, int64_t items, const ar_targets *targets);

#endif
