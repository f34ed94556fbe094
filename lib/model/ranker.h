/* The rank of every held-out label against the whole catalog: what validation and evaluation are
 * made of. Level: model. */
#ifndef AR_MODEL_RANKER_H
#define AR_MODEL_RANKER_H

#include "data/sessions.h"
#include "model/model.h"

/* One entry an example: session after session, each session's prefixes from the shortest to the
 * longest, the label being the item behind the prefix. 1 is the best rank. Without a text tower the
 * text ranks are 0 and the fused ones are the ID tower's. */
typedef struct ar_ranks {
    int32_t *labels;
    int32_t *fused, *id, *text;
    int64_t count; /* examples ranked; fewer than ar_ranker_examples if stopped */
    bool stopped;  /* by the progress callback */
} ar_ranks;

/* A zeroed ar_ranks is an empty one. */
void ar_ranks_free(ar_ranks *ranks);

/* Whom to tell, after every chunk of sessions, at ALTERREC_STAGE_VALIDATE. */
typedef struct ar_ranker_progress {
    alterrec_progress_fn call; /* NULL: nobody */
    void *user_data;
    int32_t epoch, epochs; /* handed on */
} ar_ranker_progress;

/* The number of prefixes that have a label. */
int64_t ar_ranker_examples(const alterrec_sessions *held_out);

/* Ranks all of them, with alpha * id + (1 - alpha) * text as the fused score. The sessions' items
 * must be the model's. The thread count is the caller's business. `progress` may be NULL; a
 * positive answer of its callback ends the work with what is ranked so far, a negative one is
 * returned. NOT_FINITE for a score that is no finite number. On an error `ranks` is empty. */
alterrec_status ar_ranker_run(ar_ranks *ranks, const alterrec_model *model,
                              const alterrec_sessions *held_out, double alpha,
                              const ar_ranker_progress *progress);

#endif
