/* An ordered set of sessions over one catalog. Level: data. */
#ifndef AR_DATA_SESSIONS_H
#define AR_DATA_SESSIONS_H

#include "core/reference.h"
#include "core/status.h"

struct alterrec_sessions {
    ar_reference reference;
    alterrec_catalog *catalog; /* held */
    int32_t *items;            /* [offsets[count]] */
    int64_t *offsets;          /* [count + 1] */
    int64_t count;
    alterrec_data_report report; /* of the file that they were read from; else zeroed */
};

/* Another holder; given back with alterrec_sessions_free. */
alterrec_sessions *ar_sessions_hold(const alterrec_sessions *sessions);

/* Sessions from arrays that are known to be good and are taken over: NULL afterwards. On an error
 * they stay the caller's. */
alterrec_status ar_sessions_take(alterrec_sessions **sessions, const alterrec_catalog *catalog,
                                 int32_t **items, int64_t **offsets, int64_t count);

/* counts[i] = occurrences of item i, [catalog items]. */
void ar_sessions_count_items(int64_t *counts, const alterrec_sessions *sessions);

#endif
