/* The split of sessions into training, validation and test. Level: data. */
#ifndef AR_DATA_SPLIT_H
#define AR_DATA_SPLIT_H

#include "data/interactions.h"

/* Splits `all` by the options data.split, data.valid_share, data.test_share and data.split_seed.
 * Each set keeps the order of `all`; one without sessions is NULL. By time, `all` must be
 * chronological, else INVALID_ARGUMENT. On an error all three are NULL. */
alterrec_status ar_split(alterrec_sessions *sets[3], const ar_interactions *all,
                         const alterrec_catalog *catalog, const alterrec_config *config);

#endif
