/* The items that stand at certain ranks of a row of scores, marked. Level: train. */
#ifndef AR_TRAIN_RANK_WINDOW_H
#define AR_TRAIN_RANK_WINDOW_H

#include <stdint.h>

enum { AR_RANK_WORK = 4 };

/* Marks the items of the ranks k1 < rank <= k2 by `scores` [items]: best is 1, ties go to the lower
 * index, 0 and -0 are a tie, NaN is worse than every number. Returns marks [items], 1 or 0, which
 * lie in `work`: allocated memory of AR_RANK_WORK bytes an item. k1 <= k2 <= items, k2 > 0. */
uint8_t *ar_rank_window(void *work, const float *scores, int64_t items, int64_t k1, int64_t k2);

#endif
