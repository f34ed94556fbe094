/* Working memory of the calls on live sessions, lent by their recommender: so that a session that
 * waits for its visitor keeps none. Level: serve. */
#ifndef AR_SERVE_SCRATCH_POOL_H
#define AR_SERVE_SCRATCH_POOL_H

#include "data/batch.h"
#include "serve/session_encoder.h"

/* One call's. */
typedef struct ar_scratch {
    alterrec_batch *batch;
    ar_session_memory encoding;
    ar_session_part *parts;
    int64_t part_capacity;
    float *vectors;
    int64_t vector_capacity;
} ar_scratch;

/* What is not lent. Any number of threads take and give; those that find it empty make their own,
 * and what it has no room for is freed. */
typedef struct ar_scratch_pool ar_scratch_pool;

alterrec_status ar_scratch_pool_create(ar_scratch_pool **pool);
void ar_scratch_pool_free(ar_scratch_pool *pool);

alterrec_status ar_scratch_pool_take(ar_scratch **scratch, ar_scratch_pool *pool);
void ar_scratch_pool_give(ar_scratch_pool *pool, ar_scratch *scratch);

/* Room for `parts` parts, and for `floats` floats of vectors. What they held is lost. */
alterrec_status ar_scratch_reserve(ar_scratch *scratch, int64_t parts, int64_t floats);

#endif
