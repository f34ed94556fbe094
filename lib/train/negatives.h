/* The negatives of one example: how many times each item is one (Section 4.2.1). Level: train. */
#ifndef AR_TRAIN_NEGATIVES_H
#define AR_TRAIN_NEGATIVES_H

#include "core/random.h"

/* Adds `count` draws, uniform over the catalog with replacement, to negatives [items]. */
void ar_negatives_random(float *negatives, int64_t items, int64_t count, ar_random *random);

/* Sets negatives [items], which are 0, to a draw of `count` without replacement, every subset as
 * likely as every other; if count is larger, every item is in as often as goes in evenly. */
void ar_negatives_distinct(float *negatives, int64_t items, int64_t count, ar_random *random);

/* pool [count] = distinct items, ascending; every such choice is as likely as every other. marks
 * [items] is working memory. */
void ar_negatives_pool(int32_t *pool, uint8_t *marks, int64_t items, int64_t count,
                       ar_random *random);

/* Adds `count` distinct items of the ranks k1 < rank <= k2 by `scores` [items] (ar_rank_window) to
 * negatives; count <= k2 - k1, k2 <= items. `pool` [items]: whose the scores are, ascending; NULL:
 * the catalog's. `work`: allocated memory of AR_RANK_WORK bytes an item. */
void ar_negatives_hard(float *negatives, void *work, const float *scores, const int32_t *pool,
                       int64_t items, int64_t k1, int64_t k2, int64_t count, ar_random *random);

/* Adds `weight` to each item of those ranks. */
void ar_negatives_window(float *negatives, void *work, const float *scores, int64_t items,
                         int64_t k1, int64_t k2, float weight);

/* best [rows, count]: in each row the best items by its scores [rows, items], best first, ties to
 * the lower index. */
void ar_positives_find(int32_t *best, const float *scores, int64_t rows, int64_t items,
                       int64_t count);

#endif
