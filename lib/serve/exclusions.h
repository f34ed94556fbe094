/* What a batch's sessions must not be recommended, sorted, so that a tile of items finds its part.
 * Level: serve. */
#ifndef AR_SERVE_EXCLUSIONS_H
#define AR_SERVE_EXCLUSIONS_H

#include "data/batch.h"
#include "model/workspace.h"

/* In the workspace's memory; good until its next use. */
typedef struct ar_exclusions {
    const int32_t *shared; /* [shared_count] ascending: of every session */
    int64_t shared_count;
    const int32_t *items; /* session s: items[offsets[s]] .. items[offsets[s + 1] - 1], ascending */
    const int64_t *offsets; /* [batch count + 1] */
} ar_exclusions;

alterrec_status ar_exclusions_of(ar_exclusions *exclusions, ar_workspace *workspace,
                                 alterrec_batch *batch);

/* scores [count] are those of items first, first + 1, ... for one session: -INFINITY for those
 * left out. */
void ar_exclusions_apply(float *scores, const ar_exclusions *exclusions, int64_t session,
                         int64_t first, int64_t count);

#endif
