/* One epoch of training: a step on every batch, validation, and what follows from it.
 * Level: train. */
#ifndef AR_TRAIN_EPOCH_H
#define AR_TRAIN_EPOCH_H

#include "train/trainer.h"

/* As alterrec_trainer_epoch, which is `function`, of a trainer that is inside a call. */
alterrec_status ar_trainer_epoch(alterrec_epoch_report *report, alterrec_trainer *trainer,
                                 const alterrec_plan *plan, const char *function);

#endif
