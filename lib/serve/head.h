/* How many coordinates of an item index all rows are searched by. Level: serve. */
#ifndef AR_SERVE_HEAD_H
#define AR_SERVE_HEAD_H

#include "serve/item_index.h"

/* What is known of the rows and of the session vectors, in coordinates, which stand in the order of
 * their columns' blocks. */
typedef struct ar_head_sample {
    const double *shares;  /* [width]: what coordinates count in products, descending in a block */
    const double *rows;    /* [row_count, width] */
    const double *biases;  /* [row_count]: what a row's score begins with */
    const double *vectors; /* [vector_count, width] */
    int64_t row_count, vector_count;
} ar_head_sample;

/* The number of coordinates with which the sample's vectors are searched for with the least work,
 * the rows that may not be left out by them being looked at as a whole; the width where nothing is
 * gained, or nothing known. counts [blocks]: how many of each block's they are, its first ones. */
alterrec_status ar_head_choose(int64_t *head, float *counts, const ar_index_shape *shape,
                               const ar_head_sample *sample);

#endif
