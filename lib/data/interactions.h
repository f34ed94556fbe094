/* Interactions on their way from a file to sessions: read, grouped, ordered, filtered. Level: data.
 */
#ifndef AR_DATA_INTERACTIONS_H
#define AR_DATA_INTERACTIONS_H

#include "data/item_lookup.h"

/* Sessions one behind the other. A zeroed ar_interactions has none. */
typedef struct ar_interactions {
    int32_t *items; /* [offsets[count]] */
    int64_t items_capacity;
    int64_t *offsets; /* [count + 1]; NULL while there is no session */
    int64_t offsets_capacity;
    double *times; /* [count]: of the last interaction that was read; NULL without a time column */
    int64_t times_capacity;
    int64_t count;
    bool chronological; /* the order of the sessions is that of their times */
} ar_interactions;

/* Reads the file by the options data.*, groups it into sessions, orders each session's interactions
 * and the sessions by time if there is one, else as they stand in the file. `report` is added to.
 * On an error `interactions` is to be freed. */
alterrec_status ar_interactions_read(ar_interactions *interactions, alterrec_data_report *report,
                                     const ar_item_source *source, const char *path,
                                     const alterrec_config *config);

/* Filters by the options data.repeats, data.min_item_count (if `count_items`),
 * data.min_session_length and data.max_session_length until all of them hold. Items are 0..items-1.
 * `report` is added to. */
alterrec_status ar_interactions_filter(ar_interactions *interactions, alterrec_data_report *report,
                                       int64_t items, bool count_items,
                                       const alterrec_config *config);

/* INVALID_ARGUMENT if no session is left, with what `report` says has taken them. */
alterrec_status ar_interactions_check_left(const ar_interactions *interactions,
                                           const alterrec_data_report *report, const char *path);

/* Numbers the items anew, in the order of first appearance in sets[0], sets[1], ...; `keys` then
 * holds only those that appear, and old_numbers[new] is what it was: [keys->count] of [old count].
 */
alterrec_status ar_interactions_renumber(ar_interactions *sets, int64_t set_count,
                                         ar_dictionary *keys, int32_t *old_numbers);

void ar_interactions_free(ar_interactions *interactions);

#endif
