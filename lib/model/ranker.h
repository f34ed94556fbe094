/* The rank of every held-out label against the whole catalog: what validation and evaluation look
 * at. Level: model. */
#ifndef AR_MODEL_RANKER_H
#define AR_MODEL_RANKER_H

#include "model/fusion.h"
#include "model/held_out.h"

/* One entry an example, in their order. 1 is the best rank. Without a text tower the text ranks are
 * 0 and the fused ones are the ID tower's; a joint model has all three, whatever the fusion. */
typedef struct ar_ranks {
    int32_t *labels;
    int32_t *fused, *id, *text;
    int64_t count; /* examples ranked; fewer than ar_held_out_examples if stopped */
    bool stopped;  /* by the progress callback */
} ar_ranks;

/* A zeroed ar_ranks is an empty one. */
void ar_ranks_free(ar_ranks *ranks);

/* Ranks all of them, as ar_held_out_run goes through them. If it is stopped, the ranks are those
 * until then. NOT_FINITE for a score that is no finite number. On an error `ranks` is empty. */
alterrec_status ar_ranker_run(ar_ranks *ranks, const alterrec_model *model,
                              const alterrec_sessions *held_out, const ar_fusion *fusion,
                              const ar_held_out_progress *progress);

#endif
