/* A packed batch: sequences of different lengths one behind the other, no padding between them.
 * Level: nn. */
#ifndef AR_NN_PACKED_H
#define AR_NN_PACKED_H

#include <stdint.h>

/* Sequence s is tokens offsets[s] .. offsets[s + 1] - 1; its first token has position 0. */
typedef struct ar_packed {
    const int32_t *items;   /* [tokens] the item of each token */
    const int64_t *offsets; /* [sequences + 1] */
    int64_t sequences;
    int64_t tokens;
} ar_packed;

static inline int64_t ar_packed_longest(const ar_packed *packed) {
    int64_t longest = 0;
    for (int64_t s = 0; s < packed->sequences; s++) {
        int64_t length = packed->offsets[s + 1] - packed->offsets[s];
        longest = length > longest ? length : longest;
    }
    return longest;
}

#endif
