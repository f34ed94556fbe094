/* A session vector as the compact table is asked with it, and how far the answers may be off.
 * Level: serve. */
#ifndef AR_SERVE_QUERY_H
#define AR_SERVE_QUERY_H

#include "serve/item_index.h"

/* With d the product of the codes of the head, e that of the tail's, and a row's terms, the fused
 * f32 score of a row lies within
 *     scale * terms.scale * d + tail_scale * its tail's scale * e + terms.bias + common
 *         -/+ (row_error * terms.error + tail_error * its tail's error + norm_error * terms.norm
 *              + constant),
 * all of it in f32, but for `common`, which is the same for all rows and is added in double.
 * Without the product e it lies as much higher or lower as tail_error * terms.tail says.
 * docs/internals/search.md derives it. */
typedef struct ar_query {
    float scale, tail_scale;
    float row_error, tail_error, norm_error, constant;
    double common;
    bool usable; /* else nothing is known of the scores, which may not even be finite */
} ar_query;

/* Where a query's codes go: `parts` (1 or 2) rows of `steps` of 4 bytes, the second the finer half
 * of each value: the product is then, for int8, 256 times the first row's plus the second's, for
 * bf16 their sum. begins [parts] is what the products of int8 begin with. */
typedef struct ar_query_codes {
    void *head, *tail; /* tail and its begins are not touched where the head is all */
    int32_t *head_begins, *tail_begins;
} ar_query_codes;

/* work [2, width]. */
void ar_query_make(ar_query *query, const ar_query_codes *codes, const ar_item_index *index,
                   const float *vector, int parts, double *work);

#endif
