/* An evaluator: a model with what its evaluations are made by. Level: eval. */
#ifndef AR_EVAL_EVALUATOR_H
#define AR_EVAL_EVALUATOR_H

#include "model/ranker.h"

struct alterrec_evaluator {
    alterrec_model *model;   /* held */
    alterrec_config *config; /* the model's own, as the caller's changes it */
    ar_fusion fusion;
    ar_held_out_progress progress;
    atomic_bool busy;
};

#endif
