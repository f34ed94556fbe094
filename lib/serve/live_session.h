/* A live session: a visitor's items as they come, with the encoders' states so far. Level: serve.
 */
#ifndef AR_SERVE_LIVE_SESSION_H
#define AR_SERVE_LIVE_SESSION_H

#include "serve/recommender.h"

/* Items for which the keys and values grow at a time. */
enum { AR_LIVE_CHUNK = 8 };

struct alterrec_live_session {
    alterrec_recommender *recommender; /* held */
    int32_t *items;                    /* [length] all of them */
    int64_t length, item_capacity;
    int64_t encoded; /* of them, the last ones, which `vector` is of: at most max_len */
    float *cache;    /* [cache_capacity, ar_session_encoder_cache] keys and values of these */
    int64_t cache_capacity;
    float *vector; /* [width] */
    int32_t *excluded;
    int64_t excluded_count, excluded_capacity;
    bool exclude_own;
    bool marked; /* while a call looks for a session that comes twice */
};

#endif
