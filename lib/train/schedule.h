/* The built-in schedule: what the next epoch trains, as a function of where training stands
 * (Section 4.2). Level: train. */
#ifndef AR_TRAIN_SCHEDULE_H
#define AR_TRAIN_SCHEDULE_H

#include "model/model.h"

/* The options that the schedule depends on. */
typedef struct ar_schedule {
    int system; /* schedule.system: position in its choices */
    int first;  /* ALTERREC_ID or ALTERREC_TEXT */
    int64_t gap, random_epochs, epochs;
    int mode; /* negatives.mode: position in its choices */
    bool shared, correct;
    double popularity;
    int64_t k1, k2, negative_count;
    double hard_share;
    int64_t positives;
    double positives_weight;
    double learning_rate;
    int decay; /* optimizer.decay: position in its choices */
    double decay_factor;
    int64_t decay_epochs[2]; /* ID, text; in epochs trained */
} ar_schedule;

/* Where a training stands. */
typedef struct ar_training_state {
    int64_t epoch;           /* epochs finished */
    int64_t trained[2];      /* of them by each tower: ID, text */
    int64_t plateaus[2];     /* times that a tower's own metric stood still for its decay_epochs */
    bool patience_exhausted; /* too many epochs without a better validation metric */
} ar_training_state;

/* Reads the options; the rank window and the counts are clipped to the catalog. INVALID_ARGUMENT if
 * they do not fit together, MISMATCH if the system needs a tower that the model does not have. */
alterrec_status ar_schedule_read(ar_schedule *schedule, const alterrec_config *config,
                                 const alterrec_model *model);

/* The learning rate that the next epoch has if it trains `tower`. */
double ar_schedule_learning_rate(const ar_schedule *schedule, const ar_training_state *state,
                                 int tower);

void ar_schedule_plan(alterrec_plan *plan, const ar_schedule *schedule,
                      const ar_training_state *state);

/* INVALID_ARGUMENT, naming the field, if the plan can't be trained; MISMATCH if the model lacks
 * what it names. */
alterrec_status ar_plan_check(const alterrec_plan *plan, const alterrec_model *model);

#endif
