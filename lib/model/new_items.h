/* The ID embeddings that stand in for those of items that the ID tower has not learned. Level:
 * model. */
#ifndef AR_MODEL_NEW_ITEMS_H
#define AR_MODEL_NEW_ITEMS_H

#include "model/model.h"

/* Fills rows [count, dim] of the ID tower's embedding for items with the text features
 * [count, feature_dim] (not looked at without a text tower).
 *
 * The item table holds LN(E), so an average of embeddings would come out at full length: longer
 * than what it is the average of, and scored beyond all of it. What is averaged is the table
 * instead: a new item's row of it is the mean of its neighbours' rows, and its ID score, which is a
 * product with that row, the mean of theirs. With u the mean of the neighbours' rows before the
 * normalisation's scale and shift and q the mean of u's squares, which is below 1, such an
 * embedding is u * sqrt(epsilon / (1 - q)).
 *
 * The neighbours are the model.new_item_neighbours items whose features have the greatest cosine
 * with the new item's, of those above 0; ties go to the lower index. They are all items of the
 * catalog if there are none, with model.new_items mean, and without a text tower. */
alterrec_status ar_new_item_rows(float *rows, const alterrec_model *model, const float *features,
                                 int64_t count);

#endif
