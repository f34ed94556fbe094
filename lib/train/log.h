/* What a trainer tells the host's log callback. Level: train. */
#ifndef AR_TRAIN_LOG_H
#define AR_TRAIN_LOG_H

#include "train/trainer.h"

/* Tells a message, if there is a callback; the trainer is inside a call (ar_trainer_enter). The
 * message is cut off beyond some hundred bytes. A negative answer is returned; a positive one asks
 * to stop, as alterrec_trainer_cancel does. */
alterrec_status ar_log_tell(alterrec_trainer *trainer, int32_t level, const char *format, ...)
    AR_PRINTF(3, 4);

/* What is worth knowing before an epoch trains by `plan`: what differs from the one before. */
alterrec_status ar_log_plan(alterrec_trainer *trainer, const alterrec_plan *plan);

/* What a finished epoch means. `was_exhausted`: the patience was, before it. */
alterrec_status ar_log_epoch(alterrec_trainer *trainer, const alterrec_epoch_report *report,
                             bool was_exhausted);

#endif
