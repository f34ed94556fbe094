/* The ID embeddings that stand in for those of items that the ID tower has not learned. Level:
 * model. */
#ifndef AR_MODEL_NEW_ITEMS_H
#define AR_MODEL_NEW_ITEMS_H

#include "model/model.h"

/* Fills rows [count, dim] of the ID tower's embedding for items with the text features
 * [count, feature_dim] (not looked at without a text tower).
 *
 * An item's neighbours are the model.new_item_neighbours items whose features have the greatest
 * cosine with its own, of those above 0; ties go to the lower index. With u the mean of their
 * normalised embeddings (the item table before scale and shift), its embedding is u, stretched to
 * the deviation of theirs: its row of the item table has the direction of theirs and the length of
 * any row.
 *
 * An item without neighbours, every item with model.new_items mean, and every item of a model
 * without a text tower takes its row of the table from all items, and is not stretched: it is the
 * mean of their rows, so that the item's ID score is the mean of all ID scores. With q the mean of
 * u's squares, which is below 1, that embedding is u * sqrt(epsilon / (1 - q)). */
alterrec_status ar_new_item_rows(float *rows, const alterrec_model *model, const float *features,
                                 int64_t count);

#endif
