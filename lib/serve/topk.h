/* The k best of scores that come tile by tile. Level: serve. */
#ifndef AR_SERVE_TOPK_H
#define AR_SERVE_TOPK_H

#include <stdint.h>

/* The best so far, in arrays [k] of the caller's. Until ar_topk_finish they are in no useful order.
 * Ties go to the lower index. -INFINITY and NaN are never taken. */
typedef struct ar_topk {
    int32_t *items;
    float *scores;
    int64_t k; /* >= 1 */
} ar_topk;

/* Empties it: every item -1, every score -INFINITY. */
void ar_topk_begin(const ar_topk *best);

/* Takes what belongs to the best of scores [count], those of items first, first + 1, ...; the tiles
 * come in ascending order. */
void ar_topk_add(const ar_topk *best, const float *scores, int32_t first, int64_t count);

/* Orders the best one first; what is missing to k stays -1 and -INFINITY at the end. */
void ar_topk_finish(const ar_topk *best);

#endif
