/* The losses of a tile of examples: from their scores to the scores' gradients. Level: train. */
#ifndef AR_TRAIN_LOSSES_H
#define AR_TRAIN_LOSSES_H

#include "train/learner.h"

/* Of the examples first .. first + count - 1, whose scores learner->logits has: learner->losses of
 * each, and the gradients of its scores in the place of the scores or, in bf16, in
 * learner->diff_bf16 alone. Ranks what the options want ranked. */
alterrec_status ar_losses_tile(ar_learner *learner, int64_t first, int64_t count,
                               const ar_step_options *options);

#endif
