/* Interactions and sessions in the order of their times. Level: data. */
#ifndef AR_DATA_SESSION_TIMES_H
#define AR_DATA_SESSION_TIMES_H

#include "data/interactions.h"

/* A time and where its owner stands. */
typedef struct ar_stamp {
    double time;
    int64_t index;
} ar_stamp;

/* Sorts by time; stamps of the same time keep their order. `work` [count]. No time is a NaN. */
alterrec_status ar_stamps_sort(ar_stamp *stamps, ar_stamp *work, int64_t count);

/* Puts each session's items in the order of `times` [items], which come along, and gives `out` the
 * times of the sessions: those of their last items. */
alterrec_status ar_session_times_order(ar_interactions *out, double *times);

/* Puts the sessions in the order of their times. */
alterrec_status ar_session_times_sort(ar_interactions *sessions);

#endif
