/* Held-out sessions as examples, encoded and ready to be scored: what validation and evaluation are
 * made of. Level: model. */
#ifndef AR_MODEL_HELD_OUT_H
#define AR_MODEL_HELD_OUT_H

#include "data/sessions.h"
#include "model/model.h"
#include "model/score_tile.h"

/* The number of examples: of prefixes that have a label, the item behind them. They are numbered
 * session after session, each session's prefixes from the shortest to the longest. */
int64_t ar_held_out_examples(const alterrec_sessions *held_out);

/* Some examples that follow each other, ready to be scored: the kinds of scores are those of the
 * model's towers, and of a joint model those of its parts and its own, which are the fused ones. */
typedef struct ar_held_out_chunk {
    int64_t first;         /* the number of the first example */
    const int32_t *labels; /* [scoring.rows] */
    ar_scoring scoring;
} ar_held_out_chunk;

/* An error of a visit ends the run, which returns it. */
typedef alterrec_status (*ar_held_out_visit)(const ar_held_out_chunk *chunk, void *state);

/* NOT_FINITE about this example. */
alterrec_status ar_held_out_not_finite(int64_t example, int32_t label);

/* Whom to tell, after every chunk of sessions, at ALTERREC_STAGE_VALIDATE. */
typedef struct ar_held_out_progress {
    alterrec_progress_fn call; /* NULL: nobody */
    void *user_data;
    int32_t epoch, epochs; /* handed on */
} ar_held_out_progress;

/* Visits all examples in order. The sessions' items must be the model's. The thread count is the
 * caller's business. `progress` may be NULL; a positive answer of its callback ends the run early
 * and sets *stopped, a negative one is returned. */
alterrec_status ar_held_out_run(bool *stopped, const alterrec_model *model,
                                const alterrec_sessions *held_out,
                                const ar_held_out_progress *progress, ar_held_out_visit visit,
                                void *state);

#endif
