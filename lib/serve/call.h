/* One call on a recommender: the batch's sessions encoded, and whole rows of their scores for the
 * host's fusion. Level: serve. */
#ifndef AR_SERVE_CALL_H
#define AR_SERVE_CALL_H

#include "model/fusion.h"
#include "model/workspace.h"
#include "serve/recommender.h"
#include "serve/search.h"

/* All memory is the batch's. */
typedef struct ar_serving_call {
    const alterrec_recommender *recommender;
    alterrec_batch *batch;
    ar_workspace *workspace;
    ar_fusion fusion;
    float *vectors;         /* [batch count, width]: row s is [h_id ; h_text] */
    const int32_t *all;     /* [items]: 0, 1, 2, ..., once rows are reserved */
    float *rows[2], *fused; /* [whole_rows, items] */
    int64_t whole_rows;     /* sessions whose rows are kept at once */
    ar_search_memory search_memory;
    ar_session_memory session_memory;
    int threads;
    int previous_threads;
} ar_serving_call;

/* Checks search (NULL: defaults) for `function`; *known becomes what it says. */
alterrec_status ar_serving_check(alterrec_search *known, const alterrec_search *search,
                                 const alterrec_recommender *recommender, const char *function);

/* Checks and enters the batch, and encodes it; `search` as ar_serving_check gives it. After an
 * error there is nothing to end. */
alterrec_status ar_serving_call_begin(ar_serving_call *call,
                                      const alterrec_recommender *recommender,
                                      alterrec_batch *batch, const alterrec_search *search,
                                      const char *function);
void ar_serving_call_end(ar_serving_call *call);

/* Whether the fusion is the host's, which sees all items of a session at once. */
bool ar_serving_host_fuses(const ar_serving_call *call);

/* Makes room for whole rows: sets whole_rows. */
alterrec_status ar_serving_reserve_rows(ar_serving_call *call);

/* What alterrec_recommender_top_k and alterrec_recommender_score do, for the `function` that errors
 * name; its arguments are not NULL. */
alterrec_status ar_serving_top_k(int32_t *items, float *scores, alterrec_search_report *report,
                                 const alterrec_recommender *recommender, alterrec_batch *batch,
                                 int64_t k, const alterrec_search *search, const char *function);
alterrec_status ar_serving_score(float *fused, float *id, float *text,
                                 const alterrec_recommender *recommender, alterrec_batch *batch,
                                 const int32_t *items, int64_t count, const alterrec_search *search,
                                 const char *function);

/* The host's fused scores of all items in call->fused, for `rows` sessions from `session` on. */
alterrec_status ar_serving_fuse_rows(ar_serving_call *call, int64_t session, int64_t rows);

#endif
