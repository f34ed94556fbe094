/* A checkpoint: everything that a training needs to go on as if it had not been interrupted.
 * Level: train. */
#ifndef AR_TRAIN_CHECKPOINT_H
#define AR_TRAIN_CHECKPOINT_H

#include "train/trainer.h"

/* A checksum of what a trainer learns from: items, features, sessions. Hexadecimal, 16 digits. */
void ar_checkpoint_fingerprint(char text[17], const alterrec_trainer *trainer);

#endif
