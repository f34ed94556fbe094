/* A ragged batch of sessions to score, and what each must not be recommended. Level: data. */
#ifndef AR_DATA_BATCH_H
#define AR_DATA_BATCH_H

#include "core/status.h"

#include <stdatomic.h>

/* Working memory of the calls that score a batch; a higher level knows what is in it. */
struct ar_workspace;

/* An item left out of one session's recommendations. */
typedef struct ar_exclusion {
    int64_t session;
    int32_t item;
} ar_exclusion;

struct alterrec_batch {
    int32_t *items; /* packed, [offsets[count]]; none is negative */
    int64_t items_capacity;
    int64_t *offsets; /* [count + 1]; session s is items[offsets[s]] .. items[offsets[s + 1] - 1] */
    int64_t offsets_capacity;
    int64_t count;

    int32_t *labels; /* [offsets[count]]; -1: no example */
    int64_t labels_capacity;
    int64_t examples;   /* labels that are not -1 */
    int32_t *negatives; /* [examples, negative_count], named by the host */
    int64_t negatives_capacity;
    int64_t negative_count; /* 0: none are named */

    int32_t *shared_exclusions; /* of every session */
    int64_t shared_exclusion_count;
    int64_t shared_exclusion_capacity;
    ar_exclusion *exclusions; /* of single sessions, in the order in which they were given */
    int64_t exclusion_count;
    int64_t exclusion_capacity;
    bool exclude_own; /* a setting: it outlasts alterrec_batch_clear */

    /* [count, width] the sessions' vectors, borrowed, where a call that makes batches of its own
     * knows them; NULL: they are to be encoded. */
    const float *vectors;

    /* The same as `exclusions`, session after session; see ar_batch_index_exclusions. */
    int32_t *excluded_items;
    int64_t excluded_items_capacity;
    int64_t *excluded_offsets; /* [count + 1] */
    int64_t excluded_offsets_capacity;
    bool excluded_indexed;

    atomic_bool busy;               /* inside a call that scores it or trains on it */
    struct ar_workspace *workspace; /* NULL until a call leaves its working memory here */
    void (*workspace_free)(struct ar_workspace *workspace);
};

/* BUSY if the batch is inside a call that works on it, from a callback of which the host has called
 * `caller`. */
alterrec_status ar_batch_check_idle(const alterrec_batch *batch, const char *caller);

/* Makes the batch busy, or says that it is; ar_batch_leave ends it. */
alterrec_status ar_batch_enter(alterrec_batch *batch, const char *caller);
void ar_batch_leave(alterrec_batch *batch);

/* For the calls that score: INVALID_ARGUMENT if the batch is empty, or a session's item or an
 * excluded one is not below `items`. `caller` stands before the text of the error. */
alterrec_status ar_batch_check(const alterrec_batch *batch, int64_t items, const char *caller);

/* Makes excluded_items and excluded_offsets say what `exclusions` says, so that session s's own
 * list is excluded_items[excluded_offsets[s]] .. excluded_items[excluded_offsets[s + 1] - 1]. Costs
 * nothing while the batch is unchanged. */
alterrec_status ar_batch_index_exclusions(alterrec_batch *batch);

#endif
