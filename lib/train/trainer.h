/* A training: data, optimizers, where the schedule stands, and the best weights so far.
 * Level: train. */
#ifndef AR_TRAIN_TRAINER_H
#define AR_TRAIN_TRAINER_H

#include "data/sessions.h"
#include "model/fusion.h"
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
    float dropout;
    bool use_bf16;          /* compute.precision */
    bool rank_bf16;         /* that, or compute.ranking */
    bool positives_from_id; /* positives.source: id */
    int64_t pool;           /* negatives.pool */
    int threads;            /* fixed at creation: buffers are sized by it */
    ar_adam_options adam;
} ar_trainer_options;

/* A frozen tower, and when it was fixed. */
typedef struct ar_teacher_slot {
    ar_teacher teacher;
    bool copy;     /* of the tower in training */
    int64_t steps; /* that the tower had been trained */
} ar_teacher_slot;

/* What the steps since the last end of an epoch gave; sums are over examples. */
typedef struct ar_running {
    int32_t tower, negatives; /* of the last step */
    int64_t steps, examples;
    double learning_rate, loss, positives_loss, part_loss[2], seconds;
} ar_running;

/* The random streams of one epoch. */
enum { AR_STREAM_ORDER, AR_STREAM_STEPS };

struct alterrec_trainer {
    alterrec_model *model;    /* held */
    alterrec_sessions *train; /* held */
    alterrec_sessions *valid; /* held; NULL: none */
    alterrec_config *config;  /* the model's own, as the caller's changes it */
    ar_trainer_options options;
    ar_schedule schedule;
    ar_training_state state;
    ar_examples examples; /* in the order of the next epoch */
    int64_t *batches;     /* [batch_count + 1] the first unit of each batch of that order; has room
                             for those of any order */
    int64_t batch_count;
    ar_batch_memory memory;
    ar_running running;
    ar_teacher_slot teachers[2];
    ar_sampler sampler;
    ar_learner learners[2]; /* of the model's sides; made when first needed (kind 0 before) */
    alterrec_epoch_report *reports;
    int64_t report_count, report_capacity;
    float *best[2]; /* the towers' weights at the best epoch; NULL before */
    double best_metric;
    int64_t best_epoch;   /* -1: none yet */
    double own_best[2];   /* of each tower's own metric, for decay on a plateau */
    int64_t own_stale[2]; /* epochs trained since */
    ar_fusion fusion;     /* of validation */
    alterrec_progress_fn progress;
    void *progress_data;
    alterrec_schedule_fn schedule_callback;
    void *schedule_data;
    alterrec_negatives_fn negatives_callback;
    void *negatives_data;
    alterrec_log_fn log;
    void *log_data;
    atomic_bool busy;
    atomic_bool cancelled;      /* asked to stop, not yet stopped */
    atomic_bool between_epochs; /* inside a call, but nothing is half done: it may be saved */
};

/* BUSY, naming `function`, while the trainer is inside a call. */
alterrec_status ar_trainer_check_idle(const alterrec_trainer *trainer, const char *function);

/* Marks trainer and model as inside a call and sets the thread count; BUSY if one of them is
 * already. MISMATCH if the model has got more items than the trainer was made for: its buffers are
 * too small for them. Whatever calls the host back does it between enter and leave. */
alterrec_status ar_trainer_enter(int *previous, alterrec_trainer *trainer, const char *function);
void ar_trainer_leave(int previous, alterrec_trainer *trainer);

/* Forgets the frozen towers: what they were made from has changed. */
void ar_trainer_drop_teachers(alterrec_trainer *trainer);

/* As alterrec_trainer_use_best, of a trainer that is inside a call. */
alterrec_status ar_trainer_use_best(alterrec_trainer *trainer);

/* Puts the examples in the order of the next epoch and cuts it into batches. */
void ar_trainer_order(alterrec_trainer *trainer);

/* Brings every row of both towers to where Adam stands (ar_learner_settle). */
alterrec_status ar_trainer_settle(alterrec_trainer *trainer);

/* Adam's state and working memory of a tower, made when first asked for. */
alterrec_status ar_trainer_learner(ar_learner **learner, alterrec_trainer *trainer, int kind);

#endif
