/* A training: data, optimizers, where the schedule stands, and the best weights so far.
 * Level: train. */
#ifndef AR_TRAIN_TRAINER_H
#define AR_TRAIN_TRAINER_H

#include "data/sessions.h"
#include "train/learner.h"
#include "train/schedule.h"

/* Options that are read once. */
typedef struct ar_trainer_options {
    uint64_t seed;
    int64_t batch_size;
    int64_t patience;
    int valid_metric; /* ALTERREC_HITS, _MRR, _NDCG */
    int64_t valid_k;
    int valid_scorer; /* into valid_metric[] of a report: fused, ID, text */
    double alpha;
    float dropout;
    bool positives_from_id; /* positives.source: id */
    int threads;            /* fixed at creation: buffers are sized by it */
    ar_adam_options adam;
} ar_trainer_options;

struct alterrec_trainer {
    alterrec_model *model;    /* held */
    alterrec_sessions *train; /* held */
    alterrec_sessions *valid; /* held; NULL: none */
    alterrec_config *config;  /* own copy of what it was made with */
    ar_trainer_options options;
    ar_schedule schedule;
    ar_training_state state;
    ar_examples examples;
    ar_batch_memory memory;
    ar_learner learners[2]; /* ID, text; made when first needed (kind 0 before) */
    alterrec_epoch_report *reports;
    int64_t report_count, report_capacity;
    float *best[2]; /* the towers' weights at the best epoch; NULL before */
    double best_metric;
    int64_t best_epoch;   /* -1: none yet */
    double own_best[2];   /* of each tower's own metric, for decay on a plateau */
    int64_t own_stale[2]; /* epochs trained since */
    alterrec_progress_fn progress;
    void *progress_data;
    alterrec_schedule_fn schedule_callback;
    void *schedule_data;
    atomic_bool busy;
    atomic_bool cancelled;      /* asked to stop, not yet stopped */
    atomic_bool between_epochs; /* inside a call, but nothing is half done: it may be saved */
};

/* Puts Adam's state and the gradients of a tower where they belong, if they are not there yet. */
alterrec_status ar_trainer_learner(ar_learner **learner, alterrec_trainer *trainer, int kind);

#endif
