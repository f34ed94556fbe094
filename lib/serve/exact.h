/* The f32 scores of rows of an item index, wherever they stand: the same bits for a row whatever
 * stands beside it. Level: serve. */
#ifndef AR_SERVE_EXACT_H
#define AR_SERVE_EXACT_H

#include "serve/item_index.h"

/* Rows that are scored in one go, at most; scores stand [count][AR_EXACT_ROWS]. */
enum { AR_EXACT_ROWS = 64 };

/* Floats of working memory. */
int64_t ar_exact_work(const ar_item_index *index);

/* The towers' scores of `rows` rows for `count` session vectors [count, width]: id and text
 * [count][AR_EXACT_ROWS]; text is not touched with one tower. The rows are order[0], order[1], ...,
 * or first, first + 1, ... if order is NULL. A tower's score is one chain of fused multiply-adds
 * over its columns, times its scale. */
void ar_exact_towers(float *id, float *text, float *work, const ar_item_index *index,
                     const float *vectors, int64_t count, const int32_t *order, int64_t first,
                     int64_t rows);

/* Makes id the fused scores. */
void ar_exact_fuse(float *id, const float *text, const ar_item_index *index, int64_t count);

#endif
