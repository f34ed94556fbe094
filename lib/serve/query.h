/* A session vector as the compact table is asked with it, and how far the answers may be off.
 * Level: serve. */
#ifndef AR_SERVE_QUERY_H
#define AR_SERVE_QUERY_H

#include "serve/item_index.h"

/* With d the product of the compact codes, and the row's terms, the fused f32 score of a row lies
 * within
 *     scale * terms.scale * d + terms.bias + common
 *         -/+ (row_error * terms.error + norm_error * terms.norm + constant),
 * all of it in f32 in that order, but for `common`, which is the same for all rows and is added in
 * double. docs/internals/search.md derives it. */
typedef struct ar_query {
    float scale;
    float row_error, norm_error, constant;
    double common;
    bool usable; /* else nothing is known of the scores, which may not even be finite */
} ar_query;

/* Codes for the compact table: `parts` (1 or 2) rows of `steps` of 4 bytes, the second the finer
 * half of each value: d is then, for int8, 256 times the first row's product plus the second's, for
 * bf16 their sum. begins [parts] is what the products of int8 begin with. z [width] is working
 * memory. */
void ar_query_make(ar_query *query, void *codes, int32_t *begins, const ar_item_index *index,
                   const float *vector, int parts, double *z);

#endif
