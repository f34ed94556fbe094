/* The popularity baseline: every session is recommended the most frequent items. Level: eval. */
#ifndef AR_EVAL_POPULARITY_H
#define AR_EVAL_POPULARITY_H

#include "core/status.h"

/* ranks[i] [items] = item i's rank by counts [items], the highest first, ties by lower index. */
alterrec_status ar_popularity_ranks(int32_t *ranks, const int64_t *counts, int64_t items);

#endif
