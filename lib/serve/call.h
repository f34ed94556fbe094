/* One call on a recommender: the batch's sessions encoded, their scores tile by tile or in whole
 * rows. Level: serve. */
#ifndef AR_SERVE_CALL_H
#define AR_SERVE_CALL_H

#include "model/workspace.h"
#include "serve/recommender.h"

/* All memory is the batch's. */
typedef struct ar_serving_call {
    const alterrec_recommender *recommender;
    alterrec_batch *batch;
    ar_workspace *workspace;
    ar_fusion fusion;                           /* as it is when the call begins */
    float *vectors[AR_RECOMMENDER_MOST_TOWERS]; /* [batch count + AR_PRODUCT_ROWS, dim] */
    float *scores[AR_RECOMMENDER_MOST_TOWERS];  /* [most_rows, most_items] of one tile */
    int64_t most_rows;                          /* sessions of a tile */
    int64_t most_items;                         /* items of a tile */
    float *rows[AR_RECOMMENDER_MOST_TOWERS];    /* [whole_rows, items] */
    float *fused;                               /* [whole_rows, items] */
    int64_t whole_rows;                         /* sessions whose rows are kept whole, or 0 */
    int previous_threads;
} ar_serving_call;

/* Checks search (NULL: defaults) for `function`. */
alterrec_status ar_serving_check(const alterrec_search *search,
                                 const alterrec_recommender *recommender, const char *function);

/* Checks and enters the batch, and encodes it. After an error there is nothing to end. */
alterrec_status ar_serving_call_begin(ar_serving_call *call,
                                      const alterrec_recommender *recommender,
                                      alterrec_batch *batch, const alterrec_search *search,
                                      const char *function);
void ar_serving_call_end(ar_serving_call *call);

/* Whether the fusion is the host's, which sees all items of a session at once. */
bool ar_serving_host_fuses(const ar_serving_call *call);

/* Makes room for tiles, or for whole rows too. */
alterrec_status ar_serving_reserve(ar_serving_call *call, bool whole_rows);

/* The towers' products with items first .. first + items - 1 for `rows` sessions from `session` on,
 * in call->scores. */
alterrec_status ar_serving_score_tile(const ar_serving_call *call, int64_t session, int64_t rows,
                                      int64_t first, int64_t items);

/* Every tower's whole rows of scores for `rows` sessions from `session` on, in call->rows. */
alterrec_status ar_serving_score_rows(const ar_serving_call *call, int64_t session, int64_t rows);

/* Fuses call->rows into call->fused. */
alterrec_status ar_serving_fuse_rows(const ar_serving_call *call, int64_t session, int64_t rows);

#endif
