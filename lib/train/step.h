/* One step of a trainer on a batch of examples. Level: train. */
#ifndef AR_TRAIN_STEP_H
#define AR_TRAIN_STEP_H

#include "train/trainer.h"

/* The plan that a call trains by: the host's, checked, or the built-in schedule's (plan NULL). */
alterrec_status ar_trainer_choose_plan(alterrec_plan *chosen, const alterrec_trainer *trainer,
                                       const alterrec_plan *plan, const char *function);

/* Takes one step, and adds what it gave to trainer->running. `negatives` [examples, count] instead
 * of drawing any; NULL: none are named. */
alterrec_status ar_trainer_step(ar_step_result *result, alterrec_trainer *trainer,
                                const ar_example_batch *batch, const alterrec_plan *plan,
                                const int32_t *negatives, int64_t count);

#endif
