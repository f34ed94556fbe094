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

/* As ar_topk_add, with at most `per_list` items of a category among the best; categories[i] is item
 * i's, a negative one is not limited. What is taken is what sorting all scores and taking from the
 * front, passing over items of a full category, would take. */
void ar_topk_add_capped(const ar_topk *best, const float *scores, int32_t first, int64_t count,
                        const int32_t *categories, int64_t per_list);

/* Orders the best one first; what is missing to k stays -1 and -INFINITY at the end. */
void ar_topk_finish(const ar_topk *best);

#endif
