/* The making of an item index's compact copy: coordinates, codes and what they miss. Level: serve.
 */
#ifndef AR_SERVE_COMPACT_COPY_H
#define AR_SERVE_COMPACT_COPY_H

#include "serve/item_index.h"

/* Adds the compact copy to an index that was built, of a shape that is not for f32; its block and
 * head are chosen here. vectors [count, width] are session vectors as they may come (NULL and 0:
 * none are known): they decide how tight bounds are and how much is searched; right it is anyhow.
 * On an error the index is empty. */
alterrec_status ar_compact_copy_make(ar_item_index *index, const float *vectors, int64_t count,
                                     int threads);

#endif
