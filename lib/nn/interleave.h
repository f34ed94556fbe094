/* Rows of a matrix made into one panel, column by column. Level: nn. */
#ifndef AR_NN_INTERLEAVE_H
#define AR_NN_INTERLEAVE_H

#include <stdint.h>

enum { AR_INTERLEAVE_ROWS = 16 };

/* panel [columns][16] from 16 rows of `columns` floats, which may be the same one. `next` are the
 * rows of the next panel, to be fetched meanwhile; NULL: there is none. */
void ar_interleave(float *panel, const float *const rows[AR_INTERLEAVE_ROWS],
                   const float *const *next, int64_t columns);

/* Where the rows of a panel begin: rows order[first], order[first + 1], ... of a table whose rows
 * stand `stride` floats apart, or, order being NULL, rows first, first + 1, ... There are `count` of
 * them; the last one fills what is missing. */
void ar_interleave_rows(const float *rows[AR_INTERLEAVE_ROWS], const float *table, int64_t stride,
                        const int32_t *order, int64_t first, int64_t count);

#endif
