/* The smaller and the larger of two counts, as limits: at most, at least. Level: core. */
#ifndef AR_CORE_LIMIT_H
#define AR_CORE_LIMIT_H

#include <stdint.h>

static inline int64_t ar_at_most(int64_t value, int64_t most) {
    return value < most ? value : most;
}

static inline int64_t ar_at_least(int64_t value, int64_t least) {
    return value > least ? value : least;
}

#endif
